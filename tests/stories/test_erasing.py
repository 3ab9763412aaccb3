"""Erasing somebody: their name, ids and words are found nowhere any more, and what happened still stands."""

import asyncio
import copy
import functools
import secrets
import shutil
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Column, LargeBinary, String, insert, select
from sqlalchemy.orm import Session

from bot.app import App, build
from bot.audit import chain
from bot.audit.recording import OPERATOR, record
from bot.audit.tables import Entry
from bot.connections import add
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
from bot.privacy.sweeping import LEFT_OUT
from bot.questions.figures import count, facts
from config.settings import Settings
from tests.servers.postgres import Postgres
from tests.stories.scene import Clock, Place, Scene, Stage, scene

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
WORDS = ("Zorglonde", "Trivulgate", "Bastringue", "Carambouille", "Farfelu", "Balivernes")


@dataclass
class Someone(Place):
    """A linked account in a room."""

    @property
    def user(self) -> User:
        return User("slack", self.account, insider=True)


def people(session: Session, folder: Path) -> None:
    for name, content in FILES.items():
        (folder / f"{name}.csv").write_text(content)
    author = Author(Clock().at, "import")
    importing.apply(session, read([folder]), author=author)
    rights.grant(session, WHO, "editor", author=author)
    rights.grant(session, "collegue-a", "coordinator", author=author)


class Lived(NamedTuple):
    """Somebody's traces: how to have a database with them, and what the rooms show."""

    url: Callable[[], str]
    stage: Stage
    at: datetime


@pytest.fixture(scope="module")
def lived(
    request: pytest.FixtureRequest, new_url: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Lived:
    """Lived through once for all tests: each has a copy; on SQLite, unless a test asks for both."""
    url = new_url(getattr(request, "param", "sqlite"))
    database = Database(url)
    folder = tmp_path_factory.mktemp("people")
    database.run_now(lambda s: people(s, folder))
    stage, clock = Stage("slack"), Clock()

    async def story() -> None:
        async with scene(database, clock, platform="slack", stage=stage) as play:
            await live(play)

    asyncio.run(story())
    compact(database)  # all of it lies in the one file
    database.close()
    return Lived(functools.partial(copied, request, url, folder), stage, clock())


def copied(request: pytest.FixtureRequest, url: str, folder: Path) -> str:
    """Return the address of a copy."""
    if url.startswith("postgresql"):
        server: Postgres = request.getfixturevalue("postgres")
        return server.create_database(template=url.rpartition("/")[2].partition("?")[0])
    file = folder / f"{secrets.token_hex(4)}.db"
    shutil.copy(url.removeprefix("sqlite:///"), file)
    return f"sqlite:///{file}"


@pytest.fixture
async def play(lived: Lived) -> AsyncIterator[Scene]:
    database = Database(lived.url())
    old = lived.stage
    stage = replace(
        old, posts=copy.deepcopy(old.posts), sent=[*old.sent], deleted=[], given=[], changed=asyncio.Event()
    )
    async with scene(database, Clock(lived.at), platform="slack", stage=stage) as play:
        yield play
    database.close()


async def live(play: Scene) -> None:
    """Let somebody leave traces wherever one can."""
    prefecture, consulate = play.link("prefecture-57"), play.link("consulat-francfort")
    academy, embassy = play.link("ministere-academie-diplomatique"), play.link("ambassade-de")
    play.link("consulat-munich")
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
    await her.invoke("corriger", "phone +33 1 99 98 97 95")
    await her.invoke("annuler", "Q-2026-00002")
    await consulate.invoke("noter", "Q-2026-00001")
    await her.invoke("poser", "L'acte de naissance Zorglonde, établi à Sarrebruck, est-il authentique ?")
    await consulate.invoke("rediriger", "Q-2026-00003 consulat-munich")
    alone = Someone(play, "D0DIRECT", "U0ONDOYANTE", surface="direct")
    await alone.say("annuaire moi")
    await alone.say("agenda abonnement")
    await alone.say("Le dossier Zorglonde encore : une naissance à Sarrebruck à vérifier ?")
    await alone.say("digest chaque lundi à 8 h 67")
    await academy.say("!formation ajouter 8 avril 9h-17h Strasbourg Frontières imaginaires")
    await alone.say("formation inscrire E-2")
    await embassy.say("!visite 2 avril 10h-12h Berlin entretien imaginaire sur les frontaliers")
    await her.invoke("visite", "contribuer E-3 Le pont Balivernes rouvre en mai.")
    colleague = Someone(play, "D0COLLEGUE", "U0COLLEGUE", surface="direct")
    await colleague.say(f"mobilite annoncer {WHO}, consul, consulat-munich, 1er mai")
    await colleague.click(colleague.sees("Mobilité croisée"), "Annoncer")
    await tick(play.app)
    await play.settle()


def erased(play: Scene, who: str = WHO) -> Erased:
    return play.app.database.run_now(lambda s: erase(scope_of(play.app, s, play.clock()), who, OPERATOR))


def scope_of(app: App, session: Session, now: datetime) -> Scope:
    return Scope(session=session, now=now, outbox=app.exit_(session, now), world=app.world, key="erase/1")


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


@pytest.mark.parametrize("lived", ["sqlite", "postgresql"], indirect=True)
async def test_name_ids_and_words_are_found_nowhere(
    play: Scene, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    database = play.app.database
    before = everything(database)
    assert [trace for trace in (*NAMES[:2], *WORDS) if trace not in before] == [], "there is something to erase"
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
    rooms = (
        "prefecture-57",
        "consulat-francfort",
        "consulat-munich",
        "ambassade-de",
        "ministere-academie-diplomatique",
    )
    left = [post for post in play.stage.posts.values() if post.to.room in rooms and post.to.audience is None]
    others = [post.text for post in left if "Il est authentique" not in post.text]  # what others wrote is theirs
    shown, logged = " ".join(others), "".join(capfd.readouterr())
    for trace in (*NAMES, *WORDS):
        assert trace not in exported
        assert trace not in logged
        assert trace not in shown, trace
    assert database.reading(chain.verify).fault is None


def holding(database: Database, words: Collection[str]) -> set[str]:
    """Return the columns that hold one of these words."""
    found: set[str] = set()

    def work(session: Session) -> None:
        for table in Base.metadata.sorted_tables:
            for row in session.execute(select(table)).mappings():
                found.update(f"{table}.{name}" for name, it in row.items() if any(word in str(it) for word in words))

    database.run_now(work)
    return found


WRITTEN = set(  # columns of what people write: the story must have left her words there
    "question.text question.because passage.text move.reason routing_example.text routing_example.why note.about "
    "note.text associate.text event.title directory_history.after".split()
)
PASSING = set(  # the same, on its way: it goes with whose it is (`erasing._messages`, `words.take_back`), or within a day
    "job.args job.error receipt.payload receipt.error held.event held.told enclosed.name enclosed.source parcel.name "
    "slice.content post.buttons post.prompt four_eyes.args directory_history.before".split()
)
OFFICIAL = set(  # what organisations say: the sweep takes names out of it
    "event.place event.note event.links calendar.name calendar.url calendar.content calendar.problem enrolment.informed "
    "associate.told associate.shown digest.words publication.words closure.reason crossing.ended".split()
)
CODES = set(  # names of columns that hold an id, a key, an address, a choice, or values of such
    "account code author begun bodies by card card_key corps countries dialogue event_id file files key "
    "kinds lane language message_id name organisers place platform rhythm right role room scope state told topics "
    "target taken_by territories thread uid visibility who zone result asker_account value row person parcel "
    "etag kind".split()
)


def test_every_column_of_words_is_known() -> None:
    """A new column must be written to by the story, or said to hold no words."""
    known = WRITTEN | PASSING | OFFICIAL
    for table in Base.metadata.sorted_tables:
        if table.name in {*LEFT_OUT, Person.__tablename__}:
            continue
        for column in table.columns:
            long = (
                isinstance(column.type, String | LargeBinary) and (getattr(column.type, "length", None) or 999) >= 200
            )
            assert not long or f"{table}.{column.name}" in known or column.name in CODES, f"{table}.{column.name}"


async def test_her_words_lie_where_words_lie_and_in_no_column_after(play: Scene) -> None:
    found = holding(play.app.database, (*WORDS, *NAMES))
    assert found >= WRITTEN
    assert {"digest.person", "crossing.person", "enrolment.person", "publication.person", "associate.person"} <= found
    erased(play)
    assert holding(play.app.database, (*WORDS, *NAMES)) - {"audit_alias.name"} == set()


def anywhere(column: Column[Any], others: Mapping[str, Any]) -> object:
    """Return a value for a column that names her if that fits, `others` being the rows that others point to."""
    for key in column.foreign_keys:
        if key.column.table.name == "person":
            return WHO
        return None if column.nullable else others[key.column.table.name][key.column.name]
    of = column.type.python_type
    if issubclass(of, str):
        length = getattr(column.type, "length", None) or 999
        return "" if length < len(WHO) else WHO if length < 60 else f'["{WHO} {NAMES[1]}"]'
    values = {bytes: NAMES[1].encode(), bool: False, int: 7, float: 0.5, date: Clock().at.date()}
    return values.get(of, Clock().at)


def test_whatever_column_names_her_does_so_no_more(shipped: Database, tmp_path: Path) -> None:
    """Each table is given a row that names her wherever that fits, also the tables of tomorrow."""

    def fill(session: Session) -> None:
        rows: dict[str, Any] = {}
        for table in Base.metadata.sorted_tables:
            if table.name not in {*LEFT_OUT, "person"}:
                session.execute(insert(table).values({c.name: anywhere(c, rows) for c in table.columns}))
            rows[table.name] = session.execute(select(table).limit(1)).mappings().first()

    shipped.run_now(lambda s: people(s, tmp_path))
    shipped.run_now(fill)
    named = holding(shipped, NAMES)
    app = build(Settings(), shipped, Clock())
    add(app, Stage("slack"), {"slack"})

    def work(session: Session) -> None:
        erase(scope_of(app, session, Clock().at), WHO, OPERATOR)

    shipped.run_now(work)
    assert len(named) > 150
    assert holding(shipped, NAMES) - {"audit_alias.name"} == {"slice.content"}, (
        "what a file holds on its way is not read"
    )


async def test_what_happened_still_stands(play: Scene) -> None:
    consulate = Place(play, "consulat-francfort")
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
    database = play.app.database

    class Undone(Exception):
        pass

    def work(session: Session) -> None:
        assert erase(scope_of(play.app, session, play.clock()), WHO, OPERATOR).counts["questions"] == 2
        raise Undone

    before = everything(database)
    with pytest.raises(Undone):
        database.run_now(work)
    assert everything(database) == before


async def test_everything_is_given_to_whom_it_is_about(play: Scene) -> None:
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
