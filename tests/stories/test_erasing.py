"""Erasing somebody: their name, ids and words are found nowhere any more, and what happened still stands."""

from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.audit import chain
from bot.audit.recording import OPERATOR, record
from bot.audit.tables import Entry
from bot.directory import exporting
from bot.directory.tables import Person
from bot.life import tick
from bot.privacy.compacting import compact
from bot.privacy.erasing import erase
from bot.privacy.exporting import export
from bot.questions.figures import count, facts
from tests.stories.lived import NAMES, WHO, WORDS, bytes_of, erased, everything, lived, play, scope_of
from tests.stories.people import Someone
from tests.stories.scene import Place, Scene

__all__ = ["lived", "play"]


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


async def test_what_happened_still_stands(play: Scene) -> None:
    consulate, prefecture = Place(play, "consulat-francfort"), Place(play, "prefecture-57")
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
    assert "Répondue" in consulate.sees("Q-2026-00001").text  # that others answered stays
    assert play.question("Q-2026-00001").text == ""
    await Someone(play, "prefecture-57", "U0COLLEGUE").say("annuaire xyloquartz")
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
