"""Erasing somebody: their name, ids and words are found nowhere any more, and what happened still stands."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.audit import chain
from bot.audit.recording import OPERATOR, record
from bot.audit.tables import Entry
from bot.context import Scope
from bot.db import Base, Database
from bot.directory import exporting, importing, rights
from bot.directory.history import Author
from bot.directory.reading import read
from bot.directory.tables import Person
from bot.life import tick
from bot.message import User
from bot.privacy.compacting import compact
from bot.privacy.erasing import Erased, erase
from bot.privacy.exporting import export
from bot.questions.figures import count, facts
from tests.stories.scene import Clock, Place, Scene, scene

FILES = {
    "people": "id,given_name,family_name,email,phone,visibility,slack_id,matrix_id\n"
    "id-ondoyante,Ondoyante,Xyloquartz,ondoyante@quartz.example.org,+33 1 99 98 97 96,all,U0ONDOYANTE,\n"
    "collegue-a,Collègue,Témoin,,,all,U0COLLEGUE,\n",
    "postings": "person,organisation,role,start,end\n"
    "id-ondoyante,prefecture-57,desk,2020-01-01,\n"
    "collegue-a,prefecture-57,desk,2020-01-01,\n",
}
WHO = "id-ondoyante"
NAMES = ("Ondoyante", "Xyloquartz", "XYLOQUARTZ", "quartz.example", "99 98 97", "id-ondoyante", "U0ONDOYANTE")
WORDS = ("Zorglonde", "Trivulgate", "Bastringue", "Carambouille", "Farfelu")


@dataclass
class Someone(Place):
    """A linked account in a room."""

    @property
    def user(self) -> User:
        return User("slack", self.account, insider=True)


@pytest.fixture
async def play(shipped: Database, tmp_path: Path) -> AsyncIterator[Scene]:
    for name, content in FILES.items():
        (tmp_path / f"{name}.csv").write_text(content)
    author = Author(Clock().at, "import")
    shipped.run_now(lambda s: importing.apply(s, read([tmp_path]), author=author))
    shipped.run_now(lambda s: rights.grant(s, WHO, "editor", author=author))
    async with scene(shipped, platform="slack") as play:
        yield play


async def lived(play: Scene) -> tuple[Place, Place]:
    """Let somebody leave traces wherever one can; return the rooms of the other side and of their colleagues."""
    prefecture, consulate = play.link("prefecture-57"), play.link("consulat-francfort")
    her = Someone(play, prefecture.room, "U0ONDOYANTE")
    asked = await her.say("Nous doutons d'un acte de naissance établi à Sarrebruck, dossier Zorglonde. Le vérifier ?")
    card = consulate.sees("Zorglonde")
    await consulate.click(card, "Prendre")
    await her.say("Voici de plus l'acte Trivulgate.", mention=False, thread=asked, files={"Bastringue.pdf": b"%PDF"})
    await consulate.invoke("repondre", "Q-2026-00001 Il est authentique, chère Madame Ondoyante Xyloquartz.")
    await consulate.invoke("poser", "La préfecture 57 peut-elle vérifier un titre de séjour délivré à Metz ?")
    await her.invoke("prendre", "Q-2026-00002")
    await her.invoke("repondre", "Q-2026-00002 Oui, et d'après Carambouille il est valable.")
    await her.invoke("noter", "Q-2026-00002")
    await her.invoke("rediriger", "Q-2026-00002 consulat-munich car Farfelu me l'a dit")
    await her.invoke("absence", "du 1/4 au 8/4 collegue-a")
    await her.invoke("evenement", "12 mai 14h Strasbourg réunion de service")
    await her.invoke("agenda", "s'abonner")
    await her.invoke("corriger", "phone +33 1 99 98 97 95")
    await her.invoke("annuler", "Q-2026-00002")
    alone = Someone(play, "D0DIRECT", "U0ONDOYANTE", surface="direct")
    await alone.say("annuaire moi")
    await alone.say("Le dossier Zorglonde encore : une naissance à Sarrebruck à vérifier ?")
    await tick(play.app)
    await play.settle()
    return consulate, prefecture


def erased(play: Scene, who: str = WHO) -> Erased:
    def work(session: Session) -> Erased:
        now = play.clock()
        outbox = play.app.exit_(session, now)
        scope = Scope(session=session, now=now, outbox=outbox, world=play.app.world, key="erase/1")
        return erase(scope, who, OPERATOR)

    return play.app.database.run_now(work)


def everything(database: Database) -> str:
    """Return all that all tables hold."""
    tables = Base.metadata.sorted_tables

    def work(session: Session) -> str:
        return "\n".join(f"{t.name} {row}" for t in tables for row in session.execute(select(t)))

    return database.run_now(work)


def bytes_of(database: Database) -> bytes:
    """Return what lies on the disk: of SQLite the file and its log."""
    if not database.sqlite:
        return b""
    file = Path(database.url.removeprefix("sqlite:///"))
    return b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*") if not path.name.endswith("-shm"))


async def test_name_ids_and_words_are_found_nowhere(
    play: Scene, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    consulate, prefecture = await lived(play)
    database = play.app.database
    before = everything(database)
    assert all(trace in before for trace in (*NAMES[:2], *WORDS[:1], *WORDS[3:])), "there is something to erase"
    capfd.readouterr()
    erased(play)
    await play.settle()
    await tick(play.app)
    chain.seal_all(database)
    assert compact(database)
    found = everything(database)
    for trace in (*NAMES, *WORDS):
        assert [line for line in found.splitlines() if trace.casefold() in line.casefold()] == [], trace
        assert trace.encode() not in bytes_of(database), trace
    exporting_to = tmp_path / "export"
    database.reading(lambda s: exporting.export(s, exporting_to))
    exported = "".join(file.read_text() for file in exporting_to.iterdir())
    rooms = (consulate.room, prefecture.room)
    left = [post for post in play.stage.posts.values() if post.to.room in rooms and post.to.audience is None]
    others = [post.text for post in left if "Il est authentique" not in post.text]  # what others wrote is theirs
    shown, logged = " ".join(others), "".join(capfd.readouterr())
    for trace in (*NAMES, *WORDS):
        assert trace not in exported
        assert trace not in logged
        assert trace not in shown, trace
    assert database.reading(chain.verify).fault is None


async def test_what_happened_still_stands(play: Scene) -> None:
    consulate, _ = await lived(play)
    database = play.app.database

    def figures() -> object:
        directory = play.app.world.current
        day = play.clock().date()
        return database.run_now(
            lambda s: count(facts(s, directory.get(s), day, day, play.clock(), zone="Europe/Paris"))
        )

    before = figures()
    entries = database.run_now(lambda s: s.scalars(select(Entry.id)).all())
    erased(play)
    await play.settle()
    after = figures()
    assert (after.asked, after.answered) == (before.asked, before.answered)  # type: ignore[attr-defined]
    assert set(entries) < set(database.run_now(lambda s: s.scalars(select(Entry.id)).all()))
    consulate.sees("Il est authentique")  # what others said stays
    assert play.question("Q-2026-00001").text == ""
    await Someone(play, "prefecture-57", "U0COLLEGUE").say("annuaire xyloquartz")
    prefecture = Place(play, "prefecture-57")
    prefecture.sees_not("Xyloquartz,")


async def test_a_dry_run_says_what_it_would_do_and_does_nothing(play: Scene) -> None:
    await lived(play)
    database = play.app.database

    class Undone(Exception):
        pass

    def work(session: Session) -> None:
        now = play.clock()
        scope = Scope(
            session=session, now=now, outbox=play.app.exit_(session, now), world=play.app.world, key="erase/dry"
        )
        assert erase(scope, WHO, OPERATOR).counts["questions"] == 1
        raise Undone

    before = everything(database)
    with pytest.raises(Undone):
        database.run_now(work)
    assert everything(database) == before


async def test_everything_is_given_to_whom_it_is_about(play: Scene) -> None:
    await lived(play)
    found = play.app.database.run_now(lambda s: export(s, WHO))
    text = str(found)
    for trace in ("Ondoyante", "+33 1 99 98 97 95", "Zorglonde", "Carambouille", "Farfelu", "editor"):
        assert trace in text, trace
    assert "Collègue" not in text


async def test_the_ids_of_others_stay_whole(play: Scene) -> None:
    def add(session: Session) -> None:
        session.add(Person(id="id-ondoyante-2", given_name="Autre", family_name="Témoin"))
        session.flush()
        record(session, play.clock(), "test", actor="person:id-ondoyante-2")

    play.app.database.run_now(add)
    erased(play)
    assert play.app.database.run_now(lambda s: s.get(Person, "id-ondoyante-2")) is not None
    assert play.app.database.run_now(lambda s: s.get(Person, "collegue-a")) is not None
