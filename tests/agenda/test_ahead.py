"""What is kept of the agenda is never older than what was committed, by whomever."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from bot.agenda.ahead import DAYS, Lookahead
from bot.agenda.seats import Training
from bot.agenda.tables import Event
from bot.db import Database

NOW = datetime(2026, 3, 16, 12, tzinfo=UTC)
DAY = timedelta(days=1)


class Undone(Exception):
    """What a transaction raises so that nothing of it stays."""


@pytest.fixture
def elsewhere(shipped: Database) -> Iterator[Database]:
    """Return the same database as another process has it."""
    with closing(Database(shipped.url)) as other:
        yield other


def row(uid: str, starts: datetime, **more: object) -> dict[str, object]:
    span = {"starts": starts, "ends": starts + timedelta(hours=1), "zone": "Europe/Paris"}
    known = {"uid": uid, "title": uid, "kind": "training", "state": "confirmed", "created_at": NOW, "changed_at": NOW}
    return {**known, **span, **more}


def change(title: str) -> Callable[[Session], None]:
    def work(session: Session) -> None:
        session.get_one(Event, 1).title = title

    return work


def test_each_change_of_another_process_is_seen_at_once(shipped: Database, elsewhere: Database) -> None:
    kept = Lookahead()

    def seen() -> tuple[list[str], int, int]:
        ahead = shipped.run_now(lambda session: kept.get(session, NOW))
        return [it.event.title for it in ahead.events], len(ahead.closing), ahead.newest

    assert seen() == ([], 0, 0)
    elsewhere.run_now(lambda session: session.add(Event(**row("a", NOW + DAY))))
    assert seen() == (["a"], 0, 1)
    elsewhere.run_now(change("b"))
    assert seen() == (["b"], 0, 1)
    elsewhere.run_now(lambda session: session.add(Event(**row("far", NOW + (DAYS + 50) * DAY))))
    assert seen() == (["b"], 0, 2)
    elsewhere.run_now(lambda session: session.add(Training(event=2, closes_at=NOW + 3 * DAY)))
    assert seen() == (["b", "far"], 1, 2)
    elsewhere.run_now(lambda session: session.delete(session.get_one(Training, 2)))
    assert seen() == (["b"], 0, 2)


def test_what_nobody_changed_is_not_read_again_that_day(shipped: Database) -> None:
    kept = Lookahead()
    shipped.run_now(lambda session: session.add(Event(**row("a", NOW + DAY))))
    first, second, tomorrow = (
        shipped.run_now(lambda session, at=at: kept.get(session, at)) for at in (NOW, NOW, NOW + DAY)
    )
    assert first is second
    assert tomorrow is not first


def test_who_changes_it_sees_that_and_others_see_it_only_once_committed(shipped: Database) -> None:
    kept = Lookahead()
    shipped.run_now(lambda session: session.add(Event(**row("a", NOW + DAY))))

    def undone(session: Session) -> None:
        change("b")(session)
        assert [it.event.title for it in kept.get(session, NOW).events] == ["b"]
        raise Undone

    with pytest.raises(Undone):
        shipped.run_now(undone)
    assert [it.event.title for it in shipped.run_now(lambda s: kept.get(s, NOW)).events] == ["a"]


def test_what_is_kept_belongs_to_no_transaction(shipped: Database) -> None:
    kept = Lookahead()
    shipped.run_now(lambda session: session.add(Event(**row("a", NOW + DAY))))

    def work(session: Session) -> None:
        mine, (its, *_) = session.get_one(Event, 1), kept.get(session, NOW).events
        assert its.event is not mine
        mine.title = "b"
        assert its.event.title == "a"

    shipped.run_now(work)
