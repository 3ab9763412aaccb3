"""What must happen outside the database: one row a job, one lane a destination, kept in order.

A job is put in the transaction that makes it necessary. A worker leases whole lanes, does their jobs one after another
and settles them. States: `waiting`, `sending` (leased; after a crash nobody knows its outcome), `unknown` (its outcome:
the next try looks first), `sent`, `failed` (for good: the lane goes on without it), `cancelled` (a later job made it
useless).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple, cast

from sqlalchemy import Table, bindparam, delete, event, func, select, update
from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from bot.db import Lessee, insert_on
from bot.jobs import hints
from bot.jobs.notes import note, notes, take_notes
from bot.jobs.tables import NOTHING, ORDER, Job, Lane, Leased

LEASE = timedelta(seconds=6)  # renewed while its holder lives; how long what it left lies still
LANES_AT_ONCE = 64
JOBS_AT_ONCE = 256


_LANE = cast("Table", Lane.__table__)
_JOB = cast("Table", Job.__table__)


@dataclass(frozen=True, slots=True)
class _Put:
    """A job to be written when the transaction ends."""

    kind: str
    lane: str
    queue: str
    key: str
    args: Mapping[str, object]
    now: datetime
    due_at: datetime
    target: str | None
    source_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Cancel:
    """Jobs to be cancelled when the transaction ends."""

    lane: str
    target: str
    kind: str


def put(  # noqa: PLR0913 -- a job's own columns, each named by the caller
    session: Session,
    kind: str,
    args: Mapping[str, object],
    *,
    lane: str,
    queue: str,
    key: str,
    now: datetime,
    due_at: datetime | None = None,
    target: str | None = None,
    source_at: datetime | None = None,
) -> None:
    """Put a job at the end of its lane when the transaction ends; a key that was put before does nothing.

    With `source_at`, it goes before what still waits in the lane for the same target and was said later.
    """
    note(session, _Put(kind, lane, queue, key, args, now, due_at or now, target, source_at))


def cancel(session: Session, lane: str, target: str, kind: str) -> None:
    """Cancel the jobs of this kind on a target that were put so far and have not begun."""
    note(session, _Cancel(lane, target, kind))


def write(session: Session) -> None:
    """Write what was put and cancelled so far, lane by lane and always in the same order, after all else.

    Two transactions that give the same two rooms something to say then wait for each other; they never lock each other
    out.
    """
    if session.in_nested_transaction():
        return
    changes = _standing(take_notes(session, _Put, _Cancel))
    session.flush()
    for change in sorted(changes, key=lambda change: change.lane):  # stable: in order within a lane
        if isinstance(change, _Put):
            _insert(session, change)
        else:
            session.execute(select(Lane.name).where(Lane.name == change.lane).with_for_update())
            waiting = (Job.target == change.target, Job.kind == change.kind, Job.state == "waiting", Job.attempts == 0)
            cancelled = update(Job).where(*waiting).values(state="cancelled", args=NOTHING)
            session.execute(cancelled, execution_options=_BLIND)
    lessee: Lessee | None = session.info.get("lessee")
    queues = {change.queue for change in changes if isinstance(change, _Put)}
    hints.give(session, {queue for queue in queues if lessee is None or not lessee.serves(queue)})


def _standing(changes: list["_Put | _Cancel"]) -> list["_Put | _Cancel"]:
    """Return changes without what a later one cancels: written and cancelled, its key would be spent for nothing."""
    left: list[_Put | _Cancel] = []
    for change in changes:
        if isinstance(change, _Cancel):
            left = [it for it in left if (it.lane, it.target, it.kind) != (change.lane, change.target, change.kind)]
        left.append(change)
    return left


event.listen(Session, "before_commit", write)


def _insert(session: Session, job: _Put) -> None:
    lessee: Lessee | None = session.info.get("lessee")
    mine = lessee is not None and job.due_at <= job.now and lessee.serves(job.queue)
    epoch = _take(session, job.lane, lessee, job.due_at) if mine and lessee is not None else None
    taken = epoch is not None
    if not taken:
        _make_due(session, job.lane, job.queue, job.due_at)
    connection = session.connection()
    row: dict[str, Any] = {
        "kind": job.kind,
        "lane": job.lane,
        "key": job.key,
        "args": json.dumps(job.args, ensure_ascii=False, separators=(",", ":")),
        "target": job.target,
        "position": None if taken or job.source_at is None else _place(session, job.lane, job.target, job.source_at),
        "source_at": job.source_at,
        "state": "sending" if taken else "waiting",
        "attempts": int(taken),
        "due_at": job.due_at,
        "created_at": job.now,
    }
    made = connection.execute(_statements(connection.dialect.name).job, row).scalar()
    if made is None:
        return
    if epoch is not None:
        leased = Leased(made, job.kind, job.lane, job.key, job.args, 1, job.due_at, job.now, again=False, epoch=epoch)
        note(session, leased)
    elif lessee is not None:
        note(session, Waits(job.lane, job.due_at))


@dataclass(frozen=True, slots=True)
class Taken:
    """An idle lane that was leased in the transaction that puts a job into it, and when."""

    lane: str
    epoch: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Waits:
    """A lane that is due then, unless somebody works on it."""

    lane: str
    due_at: datetime


def _take(session: Session, lane: str, lessee: Lessee, due: datetime) -> int | None:
    """Lease a lane in which nothing waits and nobody works; return the epoch if it is this transaction's.

    The lease begins now by the lessee's clock: the transaction may be about an instant long past.
    """
    for noted in notes(session):
        if isinstance(noted, Taken) and noted.lane == lane:
            return noted.epoch
    now = lessee.clock()
    values = {"idle": lane, "by": lessee.owner, "until": now + LEASE, "due": due}
    epoch = session.connection().execute(_TAKE, values).scalar()
    if epoch is not None:
        note(session, Taken(lane, epoch, now))
    return epoch


def _make_due(session: Session, lane: str, queue: str, due: datetime) -> None:
    connection = session.connection()
    row = {"name": lane, "queue": queue, "due_at": due, "epoch": 0}
    connection.execute(_statements(connection.dialect.name).lane, row)


class _Statements(NamedTuple):
    """Made once: to make a statement anew costs more than to execute it."""

    lane: Insert
    job: ReturningInsert[Any]


@cache
def _statements(dialect: str) -> _Statements:
    lane = insert_on(dialect, Lane)
    earlier = func.min if dialect == "sqlite" else func.least
    sooner = earlier(func.coalesce(Lane.due_at, lane.excluded.due_at), lane.excluded.due_at)
    job = insert_on(dialect, Job).on_conflict_do_nothing(index_elements=["key"]).returning(_JOB.c.id)
    return _Statements(lane.on_conflict_do_update(index_elements=["name"], set_={"due_at": sooner}), job)


_BLIND = {"synchronize_session": False}
_TAKE = (
    _LANE.update()
    .where(_LANE.c.name == bindparam("idle"), _LANE.c.due_at.is_(None), _LANE.c.owner.is_(None))
    .values(owner=bindparam("by"), leased_until=bindparam("until"), due_at=bindparam("due"), epoch=_LANE.c.epoch + 1)
    .returning(_LANE.c.epoch)
)


def _place(session: Session, lane: str, target: str | None, source_at: datetime) -> float | None:
    """Return a position between what was said before and what was said later in the same conversation."""
    same = (Job.lane == lane, Job.target == target, Job.state == "waiting")
    later = session.scalar(select(func.min(ORDER)).where(*same, Job.source_at > source_at))
    if later is None:
        return None
    before = session.scalar(select(func.max(ORDER)).where(*same, Job.source_at <= source_at, later > ORDER))
    return (later + (later - 1 if before is None else before)) / 2


def known(session: Session, key: str) -> bool:
    """Say whether a job was ever put under a key."""
    return session.scalar(select(Job.id).where(Job.key == key)) is not None


def in_doubt(session: Session, lane: str, kind: str) -> bool:
    """Say whether a job of a lane is under way, or was when a process died: it may have been done already."""
    doubtful = select(Job.id).where(Job.lane == lane, Job.kind == kind, Job.state.in_(("sending", "unknown")))
    return session.scalar(doubtful.limit(1)) is not None


def is_busy(session: Session, lane: str) -> bool:
    """Say whether something waits in a lane."""
    return session.connection().scalar(_BUSY, {"lane": lane}) is not None


_BUSY = select(_LANE.c.due_at).where(_LANE.c.name == bindparam("lane"))


def purge(session: Session, before: datetime, limit: int) -> int:
    """Forget some of the jobs that ended before an instant; return how many. One that was cancelled ended at once."""
    ended = func.coalesce(Job.done_at, Job.created_at)
    old = select(Job.id).where(Job.state.in_(("sent", "cancelled")), ended < before).limit(limit)
    return len(session.execute(delete(Job).where(Job.id.in_(old)).returning(Job.id), execution_options=_BLIND).all())
