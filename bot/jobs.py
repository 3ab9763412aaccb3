"""What must happen outside the database: one row a job, one lane a destination, kept in order.

A job is put in the transaction that makes it necessary. A worker leases whole lanes, does their jobs one after another
and settles them. States: `waiting`, `sending` (leased; after a crash nobody knows its outcome), `unknown` (its outcome:
the next try looks first), `sent`, `failed` (for good: the lane goes on without it), `cancelled` (a later job made it
useless).
"""

import json
import os
import secrets
import socket
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal, NamedTuple, cast

from sqlalchemy import Float, ForeignKey, Index, String, Table, Text, bindparam, delete, func, select, text, update
from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.sql.dml import ReturningInsert

from bot.db import Base, Instant, Lessee, insert_on, note, note_queue, notes

LEASE = timedelta(seconds=15)
LANES_AT_ONCE = 64
JOBS_AT_ONCE = 256
OPEN = ("waiting", "sending", "unknown")
_OPEN = text("state IN ('waiting', 'sending', 'unknown')")


class Lane(Base):
    """A destination's line of jobs: when its head is due, and which process works on it."""

    __tablename__ = "lane"
    name: Mapped[str] = mapped_column(String(300), primary_key=True)
    queue: Mapped[str] = mapped_column(String(150))
    due_at: Mapped[datetime | None] = mapped_column(Instant)
    owner: Mapped[str | None] = mapped_column(String(150))
    leased_until: Mapped[datetime | None] = mapped_column(Instant)
    epoch: Mapped[int] = mapped_column(default=0)

    __table_args__ = (Index("ix_lane_due", "queue", "due_at"),)


class Job(Base):
    """One thing to do outside. `key` is unique for ever: putting the same key again does nothing."""

    __tablename__ = "job"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    lane: Mapped[str] = mapped_column(ForeignKey("lane.name"))
    key: Mapped[str] = mapped_column(String(300), unique=True)
    args: Mapped[str] = mapped_column(Text)
    target: Mapped[str | None] = mapped_column(String(300), index=True)
    position: Mapped[float | None] = mapped_column(Float(53))  # None: its id; set to go before rows put earlier
    source_at: Mapped[datetime | None] = mapped_column(Instant)  # when what it carries was said, for order
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)
    done_at: Mapped[datetime | None] = mapped_column(Instant)
    result: Mapped[str | None] = mapped_column(String(300))
    error: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        Index(
            "ix_job_open",
            "lane",
            "id",
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index("ix_job_done", "state", "done_at"),
        {"sqlite_autoincrement": True},
    )


@dataclass(frozen=True, slots=True)
class Leased:
    """A job that this process may do now. `again`: an earlier try may have succeeded."""

    id: int
    kind: str
    lane: str
    key: str
    args: Mapping[str, Any]
    attempts: int
    due_at: datetime
    created_at: datetime
    again: bool


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a leased job: sent with a result, failed for good, or waiting until `due_at`."""

    job: Leased
    state: Literal["sent", "failed", "waiting"]
    result: str | None = None
    error: str | None = None
    due_at: datetime | None = None
    unknown: bool = False  # its outcome is unknown: the next try must look first
    spared: bool = False  # it was not tried: this lease does not count as an attempt


_LANE = cast("Table", Lane.__table__)
_JOB = cast("Table", Job.__table__)
_ORDER = func.coalesce(Job.position, Job.id)
_HOST = socket.gethostname()


def new_owner() -> str:
    """Return a name for this process that tells a later one on the same host whether it still lives."""
    return f"{_HOST}/{os.getpid()}/{secrets.token_hex(4)}"


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
) -> bool:
    """Put a job at the end of its lane; return False when its key was put before.

    With `source_at`, it goes before what still waits in the lane for the same target and was said later.
    """
    due = due_at or now
    lessee: Lessee | None = session.info.get("lessee")
    mine = lessee if lessee is not None and due <= now and lessee.serves(queue) else None
    taken = mine is not None and _take(session, lane, mine.owner, due, now)
    if not taken:
        _make_due(session, lane, queue, due)
    connection = session.connection()
    job: dict[str, Any] = {
        "kind": kind,
        "lane": lane,
        "key": key,
        "args": json.dumps(args, ensure_ascii=False, separators=(",", ":")),
        "target": target,
        "position": None if taken or source_at is None else _place(session, lane, target, source_at),
        "source_at": source_at,
        "state": "sending" if taken else "waiting",
        "attempts": int(taken),
        "due_at": due,
        "created_at": now,
    }
    made = connection.execute(_statements(connection.dialect.name).job, job).scalar()
    if made is None:
        return False
    if taken:
        note(session, Leased(made, kind, lane, key, args, 1, due, now, again=False))
    elif lessee is not None:
        note(session, Waits(lane, due))
    return True


@dataclass(frozen=True, slots=True)
class Taken:
    """An idle lane that was leased in the transaction that puts a job into it."""

    lane: str


@dataclass(frozen=True, slots=True)
class Waits:
    """A lane that is due then, unless somebody works on it."""

    lane: str
    due_at: datetime


def _take(session: Session, lane: str, owner: str, due: datetime, now: datetime) -> bool:
    """Lease a lane in which nothing waits and nobody works; say whether it is this transaction's."""
    if any(isinstance(noted, Taken) and noted.lane == lane for noted in notes(session)):
        return True
    values = {"idle": lane, "by": owner, "until": now + LEASE, "due": due}
    if session.connection().execute(_TAKE, values).rowcount != 1:
        return False
    note(session, Taken(lane))
    return True


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


_TAKE = (
    _LANE.update()
    .where(_LANE.c.name == bindparam("idle"), _LANE.c.due_at.is_(None), _LANE.c.owner.is_(None))
    .values(owner=bindparam("by"), leased_until=bindparam("until"), due_at=bindparam("due"), epoch=_LANE.c.epoch + 1)
)


def _place(session: Session, lane: str, target: str | None, source_at: datetime) -> float | None:
    """Return a position between what was said before and what was said later in the same conversation."""
    same = (Job.lane == lane, Job.target == target, Job.state == "waiting")
    later = session.scalar(select(func.min(_ORDER)).where(*same, Job.source_at > source_at))
    if later is None:
        return None
    before = session.scalar(select(func.max(_ORDER)).where(*same, Job.source_at <= source_at, later > _ORDER))
    return (later + (later - 1 if before is None else before)) / 2


def cancel(session: Session, target: str, kind: str) -> None:
    """Cancel the jobs of this kind on a target that have not begun."""
    session.execute(
        update(Job)
        .where(Job.target == target, Job.kind == kind, Job.state == "waiting", Job.attempts == 0)
        .values(state="cancelled")
    )


def lease(session: Session, queues: Collection[str], owner: str, now: datetime) -> list[Leased]:
    """Lease the lanes that are due and return their first jobs, in order within each lane."""
    lanes = session.scalars(
        select(Lane.name)
        .where(Lane.queue.in_(queues), Lane.due_at <= now, (Lane.leased_until.is_(None)) | (Lane.leased_until < now))
        .order_by(Lane.due_at)
        .limit(LANES_AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()
    if not lanes:
        return []
    session.execute(
        update(Lane)
        .where(Lane.name.in_(lanes))
        .values(owner=owner, leased_until=now + LEASE, epoch=Lane.epoch + 1)
        .execution_options(synchronize_session=False)
    )
    found = _heads(session, lanes)
    session.execute(
        update(Job)
        .where(Job.id.in_([job.id for job in found]))
        .values(state="sending", attempts=Job.attempts + 1)
        .execution_options(synchronize_session=False)
    )
    idle = set(lanes) - {job.lane for job in found}
    if idle:
        session.execute(
            update(Lane)
            .where(Lane.name.in_(idle))
            .values(owner=None, leased_until=None, due_at=None)
            .execution_options(synchronize_session=False)
        )
    return found


def _heads(session: Session, lanes: Collection[str]) -> list[Leased]:
    rows = _open_jobs(session, lanes, JOBS_AT_ONCE)
    if len(rows) == JOBS_AT_ONCE:  # one deep lane must not hide the others
        share = max(1, JOBS_AT_ONCE // len(lanes))
        rows = [row for lane in lanes for row in _open_jobs(session, [lane], share)]
    return [
        Leased(
            r.id,
            r.kind,
            r.lane,
            r.key,
            json.loads(r.args),
            r.attempts + 1,
            r.due_at,
            r.created_at,
            r.state != "waiting",
        )
        for r in rows
    ]


def _open_jobs(session: Session, lanes: Collection[str], limit: int) -> list[Any]:
    return list(
        session.execute(
            select(Job.id, Job.kind, Job.lane, Job.key, Job.args, Job.attempts, Job.due_at, Job.created_at, Job.state)
            .where(Job.lane.in_(lanes), Job.state.in_(OPEN))
            .order_by(_ORDER, Job.id)
            .limit(limit)
        )
    )


def renew(session: Session, lanes: Iterable[str], owner: str, now: datetime) -> set[str]:
    """Keep leases for another term; return the lanes that are still this owner's."""
    session.execute(update(Lane).where(Lane.name.in_(lanes), Lane.owner == owner).values(leased_until=now + LEASE))
    return set(session.scalars(select(Lane.name).where(Lane.name.in_(lanes), Lane.owner == owner)))


def settle(
    session: Session, settled: Collection[Settled], lanes: Collection[str], owner: str, now: datetime
) -> datetime | None:
    """Record what became of jobs and give their lanes back; return when the first of these lanes is due again.

    A job that was sent stays sent whoever owns the lane.
    """
    _record(session, [s for s in settled if s.state != "waiting"], now)
    for s in settled:
        if s.state == "waiting":
            attempts = Job.attempts - 1 if s.spared else Job.attempts
            state = "unknown" if s.unknown else "waiting"
            session.execute(
                update(Job)
                .where(Job.id == s.job.id, Job.state != "sent")
                .values(state=state, error=s.error, due_at=s.due_at, attempts=attempts)
                .execution_options(synchronize_session=False)
            )
    _forget_events(session, settled)
    return _give_back(session, sorted(lanes), owner)


_ENDED = (
    update(Job)
    .where(Job.id == bindparam("job"), Job.state != "sent")
    .values(state=bindparam("to"), result=bindparam("what"), error=bindparam("why"), done_at=bindparam("when"))
)


_FORGOTTEN = update(Job).where(Job.id == bindparam("job")).values(args="{}")


def _forget_events(session: Session, settled: Collection[Settled]) -> None:
    """Forget what an event that was put off held: it is handled, and what it said has gone where it belongs."""
    rows = [{"job": s.job.id} for s in settled if s.state == "sent" and s.job.kind == "handle"]
    if rows:
        session.connection().execute(_FORGOTTEN, rows)


def _record(session: Session, ended: Collection[Settled], now: datetime) -> None:
    rows = [{"job": s.job.id, "to": s.state, "what": s.result, "why": s.error, "when": now} for s in ended]
    if rows:
        session.connection().execute(_ENDED, rows)


_HEAD = (
    select(Job.due_at).where(Job.lane == bindparam("lane"), _OPEN).order_by(_ORDER, Job.id).limit(1).scalar_subquery()
)
_GIVE_BACK = (
    update(Lane)
    .where(Lane.name == bindparam("lane"), Lane.owner == bindparam("by"))
    .values(owner=None, leased_until=None, due_at=_HEAD)
)


_LOCK = select(_LANE.c.name).where(_LANE.c.name.in_(bindparam("names", expanding=True))).with_for_update()
_NEXT = select(func.min(_LANE.c.due_at)).where(_LANE.c.name.in_(bindparam("names", expanding=True)))


def _give_back(session: Session, lanes: Sequence[str], owner: str) -> datetime | None:
    """Give lanes back, each due when what stands first in it is; return when the first of them is due."""
    if not lanes:
        return None
    connection = session.connection()
    if connection.dialect.name == "postgresql":  # what others put meanwhile is seen only once the lanes are locked
        connection.execute(_LOCK, {"names": lanes})
    connection.execute(_GIVE_BACK, [{"lane": lane, "by": owner} for lane in lanes])
    return connection.execute(_NEXT, {"names": lanes}).scalar()


def next_due(session: Session, queues: Collection[str]) -> datetime | None:
    """Return when the next lane of these queues is due that nobody works on."""
    return session.scalar(select(func.min(Lane.due_at)).where(Lane.queue.in_(queues), Lane.owner.is_(None)))


def in_doubt(session: Session, lane: str, kind: str) -> bool:
    """Say whether a job of a lane is under way, or was when a process died: it may have been done already."""
    doubtful = select(Job.id).where(Job.lane == lane, Job.kind == kind, Job.state.in_(("sending", "unknown")))
    return session.scalar(doubtful.limit(1)) is not None


def busy_lanes(session: Session, queue: str) -> set[str]:
    """Return the lanes of a queue in which something waits."""
    return set(session.scalars(select(Lane.name).where(Lane.queue == queue, Lane.due_at.is_not(None))))


def is_busy(session: Session, lane: str) -> bool:
    """Say whether something waits in a lane."""
    return session.scalar(select(Lane.due_at).where(Lane.name == lane)) is not None


def hurry(session: Session, queue: str, now: datetime) -> None:
    """Make what waits in a queue due now: its platform is back."""
    held = select(Job.id).join(Lane, Lane.name == Job.lane).where(Lane.queue == queue, Job.due_at > now)
    session.execute(update(Job).where(Job.id.in_(held), Job.state.in_(OPEN), Job.error.is_not(None)).values(due_at=now))
    session.execute(update(Lane).where(Lane.queue == queue, Lane.due_at > now).values(due_at=now))
    note_queue(session, queue)


def free_dead_leases(session: Session) -> int:
    """Take back the leases of processes of this host that no longer live; return how many lanes that freed."""
    owners = session.scalars(select(Lane.owner).where(Lane.owner.startswith(f"{_HOST}/")).distinct()).all()
    dead = [owner for owner in owners if owner is not None and not _alive(owner)]
    if not dead:
        return 0
    done = session.execute(update(Lane).where(Lane.owner.in_(dead)).values(owner=None, leased_until=None))
    return int(done.rowcount)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownArgumentType, reportUnknownMemberType]


def _alive(owner: str) -> bool:
    pid = int(owner.split("/")[1])
    if pid == os.getpid():  # a container gives every start the same number: the owner that had it before us is gone
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def purge(session: Session, before: datetime) -> None:
    """Forget the jobs that ended before an instant."""
    session.execute(delete(Job).where(Job.state.in_(("sent", "cancelled")), Job.done_at < before))
