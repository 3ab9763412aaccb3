"""The auditor: what is stuck is found and named, what is over is forgotten, on both databases."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot import jobs, receipts
from bot.db import Database
from bot.jobs import upkeep
from bot.jobs.tables import Job, Lane
from bot.message import Address, Message, User
from bot.receipts import Receipt

NOON = datetime(2026, 3, 16, 12, tzinfo=UTC)
OLD = NOON - timedelta(days=31)


def put(session: Session, key: str, at: datetime = NOON, lane: str = "slack:C1", **columns: object) -> Job:
    jobs.put(session, "say", {}, lane=lane, queue="slack", key=key, now=at)
    jobs.write(session)
    job = session.scalars(select(Job).where(Job.key == key)).one()
    for name, value in columns.items():
        setattr(job, name, value)
    session.flush()
    return job


def said(number: int) -> Message:
    author = User("slack", "U1", insider=True)
    return Message(
        id=f"e{number}", at=NOON, author=author, to=Address("slack", "C1"), message_id=f"m{number}", text="secret"
    )


def found(database: Database, now: datetime = NOON) -> dict[str, upkeep.Finding]:
    return {f.name: f for f in database.run_now(lambda s: upkeep.look(s, now))}


def test_a_healthy_database_has_nothing_to_tell(shipped: Database) -> None:
    shipped.run_now(lambda s: put(s, "on its way"))
    shipped.run_now(lambda s: put(s, "done", at=OLD, state="sent", done_at=OLD))
    assert found(shipped) == {}
    assert found(shipped, NOON + upkeep.LATE) == {}


def test_what_is_late_is_told_with_its_number_and_age(shipped: Database) -> None:
    def work(session: Session) -> None:
        put(session, "a")
        put(session, "b", at=NOON + timedelta(minutes=1), state="unknown")
        put(session, "not yet", due_at=NOON + timedelta(days=1))

    shipped.run_now(work)
    late = found(shipped, NOON + timedelta(minutes=7))["jobs_late"]
    assert (late.count, late.since) == (2, NOON)


def test_what_was_given_up_and_who_died_with_work_in_hand(shipped: Database) -> None:
    def work(session: Session) -> None:
        put(session, "a", state="failed", done_at=NOON)
        put(session, "b", lane="slack:C2")
        lane = session.get_one(Lane, "slack:C2")
        lane.owner, lane.leased_until = "elsewhere/1/x", NOON

    shipped.run_now(work)
    assert set(found(shipped)) == {"jobs_failed"}
    later = found(shipped, NOON + timedelta(minutes=6))
    assert later["lanes_abandoned"].since == NOON
    assert later["lanes_abandoned"].count == 1


def test_events_that_failed_are_told(shipped: Database) -> None:
    shipped.run_now(lambda s: receipts.fail(s, said(1), NOON, "ZeroDivisionError"))
    assert found(shipped)["events_failed"].count == 1


def test_a_lane_that_forgot_its_jobs_is_woken(shipped: Database) -> None:
    def work(session: Session) -> None:
        for number in range(2):
            put(session, f"a{number}")
        put(session, "b", lane="slack:C2")
        put(session, "c", lane="slack:C3", state="sent")
        for name in ("slack:C1", "slack:C3"):
            session.get_one(Lane, name).due_at = None

    shipped.run_now(work)
    assert shipped.run_now(lambda s: upkeep.mend(s, NOON)) == 1
    assert shipped.run_now(lambda s: s.get_one(Lane, "slack:C1").due_at) == NOON
    assert shipped.run_now(lambda s: s.get_one(Lane, "slack:C3").due_at) is None
    assert shipped.run_now(lambda s: upkeep.mend(s, NOON)) == 0


def test_what_is_over_is_forgotten_and_what_waits_is_not(shipped: Database) -> None:
    def work(session: Session) -> None:
        put(session, "old", at=OLD, state="sent", done_at=OLD)
        put(session, "useless", at=OLD, state="cancelled", done_at=OLD)
        put(session, "fresh", at=OLD, state="sent", done_at=NOON)
        put(session, "waits", at=OLD)
        put(session, "failed", at=OLD, state="failed", done_at=OLD)
        receipts.record(session, said(1), OLD)
        receipts.record(session, said(2), NOON)
        receipts.fail(session, said(3), OLD, "oops")
        upkeep.forget(session, NOON - timedelta(days=30))

    shipped.run_now(work)
    assert set(shipped.run_now(lambda s: s.scalars(select(Job.key)).all())) == {"fresh", "waits", "failed"}
    assert set(shipped.run_now(lambda s: s.scalars(select(Receipt.event_id)).all())) == {"e2", "e3"}


def test_a_receipt_keeps_no_words_unless_the_event_failed(shipped: Database) -> None:
    def work(session: Session) -> list[str | None]:
        assert receipts.record(session, said(1), NOON)
        assert not receipts.record(session, said(1), NOON)
        receipts.fail(session, said(2), NOON, "oops")
        kept = session.scalars(select(Receipt.payload).order_by(Receipt.event_id)).all()
        receipts.conclude(session, said(2), "replayed")
        assert session.scalar(select(func.count()).where(Receipt.payload.is_not(None))) == 0
        return list(kept)

    first, second = shipped.run_now(work)
    assert first is None
    assert "secret" in str(second)
