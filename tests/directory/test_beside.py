"""An import beside a running bot: nobody waits for its planning, and what changed meanwhile is not overwritten."""

import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.db import Database
from bot.directory import history, importing
from bot.directory.files import ORGANISATIONS, PEOPLE
from bot.directory.history import Author, Change
from bot.directory.importing import Overtaken, Plan, store
from bot.directory.reading import read
from bot.directory.tables import LinkTry, Person, Room
from tests.directory.conftest import NOON, Files

AUTHOR = Author(NOON, "import")


def many(folder: Path, count: int) -> Path:
    rows = "".join(f"person-{n},Agent,Exemple {n},p{n}@example.org,U{n:07}\n" for n in range(count))
    path = folder / "people.csv"
    path.write_text("id,given_name,family_name,email,slack_id\n" + rows)
    return path


def waits(database: Database, until: Event) -> list[float]:
    """Write as a bot does, again and again; return how long each write took."""
    took: list[float] = []
    while not until.is_set():
        started = time.monotonic()
        database.run_now(lambda session: session.add(LinkTry(platform="x", account="x", at=NOON)))
        took.append(time.monotonic() - started)
        time.sleep(0.002)
    return took


def imported_beside(files: Files, tmp_path: Path, count: int) -> list[float]:
    beside = Database(files.database.url)
    parsed = read([many(tmp_path, count)])
    done, took = Event(), list[float]()
    bot = Thread(target=lambda: took.extend(waits(files.database, done)))
    bot.start()
    result = store(beside, parsed, AUTHOR)
    done.set()
    bot.join()
    beside.close()
    assert (result.added, result.errors) == (count, ())
    return took


def test_a_bot_goes_on_beside_an_import(files: Files, tmp_path: Path) -> None:
    took = imported_beside(files, tmp_path, 1_000)
    assert max(took) < 1, "planning would take longer than writing a thousand rows"
    assert files.database.run_now(lambda s: s.scalar(select(func.count()).select_from(Change))) == 1_000


@pytest.mark.proof
def test_a_bot_waits_for_the_largest_import_but_does_not_fail(files: Files, tmp_path: Path) -> None:
    for count in (2_000, 20_000, 199_000):
        took = imported_beside(files, tmp_path, count)
        print(f"{count} rows: {len(took)} writes of the bot, the longest {max(took):.3f} s")
        files.database.run_now(lambda s: s.query(Person).delete())


def test_what_changed_after_the_planning_is_planned_again(peopled: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    def correct(session: Session) -> None:
        person = session.get_one(Person, "agent-a")
        author = Author(NOON, "card", "agent-a")
        history.record(session, author, PEOPLE, {"id": "agent-a"}, {"phone": person.phone}, {"phone": "1"})
        person.phone = "1"

    planned = meanwhile(peopled, correct, monkeypatch)
    parsed = read([peopled.write("people.csv", "id,phone,email\nagent-a,1,x@example.org\n")])
    assert store(peopled.database, parsed, AUTHOR).changed == 1
    assert len(planned) == 2, "the first plan was given up"
    changes = peopled.database.run_now(lambda s: history.of(s, PEOPLE, {"id": "agent-a"}))
    assert [history.values(change)[1] for change in changes] == [{"email": "x@example.org"}, {"phone": "1"}]


def meanwhile(files: Files, work: Callable[[Session], None], monkeypatch: pytest.MonkeyPatch) -> list[Plan]:
    """Let something happen in another process right after the first planning; return the plans that were made."""
    meant, planned = importing.plan, list[Plan]()

    def plan(session: Session, *args: Any, **more: Any) -> Plan:
        planned.append(meant(session, *args, **more))
        if len(planned) == 1:
            other = Database(files.database.url)
            other.run_now(work)
            other.close()
        return planned[-1]

    monkeypatch.setattr(importing, "plan", plan)
    return planned


def test_one_that_is_always_overtaken_keeps_the_others_waiting(peopled: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    meant, tries = importing.carry_out, list[int]()

    def overtaken(session: Session, made: Plan) -> None:
        tries.append(1)
        if len(tries) <= importing.REPLANNED:
            raise Overtaken
        meant(session, made)

    monkeypatch.setattr(importing, "carry_out", overtaken)
    parsed = read([peopled.write("people.csv", "id,phone\nagent-a,1\n")])
    assert store(peopled.database, parsed, AUTHOR).changed == 1
    assert len(tries) == importing.REPLANNED + 1


def test_a_room_that_the_bot_meets_meanwhile_is_no_fault(peopled: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    planned = meanwhile(peopled, lambda s: s.add(Room(platform="matrix", room="!a:x", encrypted=True)), monkeypatch)
    rows = "organisation,platform,room\nprefecture-67,matrix,!a:x\n"
    assert store(peopled.database, read([peopled.write("rooms.csv", rows)]), AUTHOR).changed == 1
    assert len(planned) == 2


def test_an_import_stands_in_the_history(peopled: Files) -> None:
    database = peopled.database
    rows = "id,kind,name,status,checked_on\nprefecture-67,prefecture,Préfecture,closed,2026-03-01\nneu,body,Neu,,\n"
    store(database, read([peopled.write("organisations.csv", rows)]), AUTHOR)
    [change] = database.run_now(lambda s: history.of(s, ORGANISATIONS, {"id": "prefecture-67"}))
    before, after = history.values(change)
    assert before == {"name": "Préfecture du Bas-Rhin", "status": "open", "checked_on": None}
    assert after == {"name": "Préfecture", "status": "closed", "checked_on": "2026-03-01"}
    [added] = database.run_now(lambda s: history.of(s, ORGANISATIONS, {"id": "neu"}))
    assert history.values(added) == (None, {"id": "neu", "kind": "body", "name": "Neu", "status": "open"})
    assert (added.at, added.via, added.person) == (NOON, "import", None)


def test_a_look_writes_nothing_and_hinders_nobody(peopled: Files) -> None:
    other = Database(peopled.database.url)

    def look(session: Session) -> int:
        assert session.scalar(select(func.count()).select_from(Person)) == 3
        other.run_now(lambda s: s.add(Person(id="agent-z")))
        return session.scalar(select(func.count()).select_from(Person)) or 0

    seen = peopled.database.reading(look)
    assert seen in (3, 4)
    other.close()
