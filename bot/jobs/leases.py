"""Who works on a lane: leases are rows with an epoch, and end by themselves when their holder is gone.

Rows are locked in one order everywhere: messages, lanes by name, jobs.
"""

import json
import os
import secrets
import socket
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Text,
    bindparam,
    case,
    collate,
    func,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from bot.jobs import JOBS_AT_ONCE, LANES_AT_ONCE, LEASE
from bot.jobs.notes import note_queue
from bot.jobs.tables import NOTHING, OPEN, OPEN_STATES, ORDER, Job, Lane, Leased

_HOST = socket.gethostname()
_BLIND = {"synchronize_session": False}


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


def new_owner() -> str:
    """Return a name for this process that tells a later one on the same host whether it still lives."""
    return f"{_HOST}/{os.getpid()}/{secrets.token_hex(4)}"


_NAMED = Lane.name.in_(bindparam("names", expanding=True))
_DUE = (
    select(Lane.name)
    .where(
        Lane.queue.in_(bindparam("queues", expanding=True)),
        Lane.due_at <= bindparam("now"),
        or_(Lane.leased_until.is_(None), Lane.leased_until < bindparam("now")),
        Lane.name.not_in(bindparam("besides", expanding=True)),
    )
    .order_by(Lane.due_at)
    .limit(LANES_AT_ONCE)
    .with_for_update(skip_locked=True)
)
_HOLD = (
    update(Lane)
    .where(_NAMED)
    .values(owner=bindparam("by"), leased_until=bindparam("until"), epoch=Lane.epoch + 1)
    .execution_options(**_BLIND)
)
_KEEP = update(Lane).where(_NAMED).values(leased_until=bindparam("until")).execution_options(**_BLIND)
_OPEN_JOBS = (
    select(
        Job.id, Job.kind, Job.lane, Job.key, Job.args, Job.attempts, Job.due_at, Job.created_at, Job.state, Lane.epoch
    )
    .join(Lane, Lane.name == Job.lane)
    .where(_NAMED, Lane.owner == bindparam("by"), OPEN_STATES)
    .order_by(ORDER, Job.id)
    .limit(bindparam("most"))
)
_SENDING = (
    update(Job)
    .where(Job.id.in_(bindparam("jobs", expanding=True)))
    .values(state="sending", attempts=Job.attempts + 1)
    .execution_options(**_BLIND)
)


def lease(
    session: Session, queues: Collection[str], owner: str, now: datetime, *, besides: Collection[str] = ()
) -> list[Leased]:
    """Lease the lanes that are due, `besides` those in hand, and return what is due in each, in order."""
    connection = session.connection()
    lanes = connection.scalars(_DUE, {"queues": sorted(queues), "now": now, "besides": sorted(besides)}).all()
    if not lanes:
        return []
    connection.execute(_HOLD, {"names": lanes, "by": owner, "until": now + LEASE})
    found = _due(_heads(connection, lanes, owner), now)
    _begin(connection, found)
    idle = set(lanes) - {job.lane for job in found}
    if idle:
        _give_back(connection, sorted(idle), owner)
    return found


def _due(heads: Iterable[Leased], now: datetime) -> list[Leased]:
    """Return what is due of each lane, up to the first that is not: what is said earlier may still come before it."""
    due: list[Leased] = []
    held: set[str] = set()
    for job in heads:
        if job.due_at > now:
            held.add(job.lane)
        if job.lane not in held:
            due.append(job)
    return due


def _begin(connection: Connection, jobs: Collection[Leased]) -> None:
    if jobs:
        connection.execute(_SENDING, {"jobs": [job.id for job in jobs]})


def _heads(connection: Connection, lanes: Sequence[str], owner: str) -> list[Leased]:
    rows = _open_jobs(connection, lanes, owner, JOBS_AT_ONCE)
    if len(rows) == JOBS_AT_ONCE:  # one deep lane must not hide the others
        share = max(1, JOBS_AT_ONCE // len(lanes))
        rows = [row for lane in lanes for row in _open_jobs(connection, [lane], owner, share)]
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
            r.epoch,
        )
        for r in rows
    ]


def _open_jobs(connection: Connection, lanes: Sequence[str], owner: str, most: int) -> Sequence[Any]:
    return connection.execute(_OPEN_JOBS, {"names": lanes, "by": owner, "most": most}).all()


def renew(session: Session, lanes: Mapping[str, int], owner: str, now: datetime) -> set[str]:
    """Keep leases, lanes with their epochs, for another term; return the lanes in which they still hold."""
    mine = _mine(session.connection(), lanes, owner)
    session.connection().execute(_KEEP, {"names": sorted(mine), "until": now + LEASE})
    return mine


@dataclass(frozen=True, slots=True)
class Next:
    """What follows in lanes that were settled: jobs to do now, and when the first lane given back is due."""

    jobs: Sequence[Leased] = ()
    due_at: datetime | None = None


def settle(
    session: Session,
    settled: Collection[Settled],
    lanes: Mapping[str, int],
    owner: str,
    now: datetime,
    *,
    go_on: bool = False,
) -> Next:
    """Record what became of jobs and give back their lanes, held under these epochs.

    To `go_on` is to keep those in which more is due now. A job that was sent stays sent whoever holds the lane.
    """
    connection = session.connection()
    mine = _mine(connection, lanes, owner)
    _record(session, [s for s in settled if s.state != "waiting"], now)
    for s in settled:
        # The try of a later lease is not to be taken for one that has not begun.
        if s.state == "waiting" and s.job.lane in mine and s.job.epoch == lanes[s.job.lane]:
            attempts = Job.attempts - 1 if s.spared else Job.attempts
            state = "unknown" if s.unknown else "waiting"
            session.execute(
                update(Job)
                .where(Job.id == s.job.id, Job.state != "sent")
                .values(state=state, error=s.error, due_at=s.due_at, attempts=attempts)
                .execution_options(**_BLIND)
            )
    more = _more(connection, sorted(mine), owner, now) if go_on and mine else []
    return Next(more, _give_back(connection, sorted(mine - {job.lane for job in more}), owner))


def _more(connection: Connection, lanes: Sequence[str], owner: str, now: datetime) -> list[Leased]:
    """Begin what is due at the head of lanes, for another term."""
    found = _due(_heads(connection, lanes, owner), now)
    _begin(connection, found)
    kept = sorted({job.lane for job in found})
    if kept:
        connection.execute(_KEEP, {"names": kept, "until": now + LEASE})
    return found


_LEFT: BindParameter[str | None] = bindparam("left", type_=Text())
_ENDED = (
    update(Job)
    .where(Job.id == bindparam("job"), Job.state != "sent")
    .values(
        state=bindparam("to"),
        result=bindparam("what"),
        error=bindparam("why"),
        done_at=bindparam("when"),
        args=func.coalesce(_LEFT, Job.args),
    )
)


_OVER = {("fetch", "failed")}  # a file that could not cross was said so


def _record(session: Session, ended: Collection[Settled], now: datetime) -> None:
    rows = [
        {
            "job": s.job.id,
            "to": s.state,
            "what": s.result,
            "why": s.error,
            "when": now,
            "left": NOTHING if s.state == "sent" or (s.job.kind, s.state) in _OVER else None,
        }
        for s in ended
    ]
    if rows:
        session.connection().execute(_ENDED, rows)


_HEAD = (
    select(Job.due_at)
    .where(Job.lane == bindparam("lane"), OPEN_STATES)
    .order_by(ORDER, Job.id)
    .limit(1)
    .scalar_subquery()
)
_GIVE_BACK = (
    update(Lane)
    .where(Lane.name == bindparam("lane"), Lane.owner == bindparam("by"))
    .values(owner=None, leased_until=None, due_at=_HEAD)
)


_LOCK = (
    select(Lane.name, Lane.owner, Lane.epoch)
    .where(_NAMED)
    .order_by(collate(Lane.name, "C"))  # as Python sorts
    .with_for_update()
)
_LOCK_ON_SQLITE = select(Lane.name, Lane.owner, Lane.epoch).where(_NAMED)  # there is one writer anyway
_NEXT = select(func.min(Lane.due_at)).where(_NAMED)


def _lock(connection: Connection, lanes: Collection[str]) -> Sequence[Any]:
    """Wait for lanes, in order, and return them as they are then; what others put meanwhile is seen only then."""
    if not lanes:
        return []
    lock = _LOCK if connection.dialect.name == "postgresql" else _LOCK_ON_SQLITE
    return connection.execute(lock, {"names": sorted(lanes)}).all()


def _mine(connection: Connection, lanes: Mapping[str, int], owner: str) -> set[str]:
    """Wait for lanes, and return those still held under the same lease: its owner may have lost it and got another."""
    return {name for name, holder, epoch in _lock(connection, lanes) if (holder, epoch) == (owner, lanes[name])}


def _give_back(connection: Connection, lanes: Sequence[str], owner: str) -> datetime | None:
    """Give lanes back, each due when what stands first in it is; return when the first of them is due."""
    if not lanes:
        return None
    connection.execute(_GIVE_BACK, [{"lane": lane, "by": owner} for lane in lanes])
    return connection.execute(_NEXT, {"names": lanes}).scalar()


def free_dead_leases(session: Session) -> int:
    """Take back the leases of processes of this host that no longer live; return how many lanes that freed."""
    owners = session.scalars(select(Lane.owner).where(Lane.owner.startswith(f"{_HOST}/")).distinct()).all()
    dead = [owner for owner in owners if owner is not None and not lives(owner)]
    return free(session, Lane.owner.in_(dead)) if dead else 0


def free(session: Session, which: ColumnElement[bool]) -> int:
    """Take back leases, whoever holds them; return how many lanes that freed."""
    held = session.scalars(select(Lane.name).where(which, Lane.owner.is_not(None))).all()
    _lock(session.connection(), held)
    session.execute(update(Lane).where(Lane.name.in_(held)).values(owner=None, leased_until=None))
    return len(held)


def lives(owner: str) -> bool:
    """Say whether a process may still live: one of this host that does not is known to be gone."""
    host, pid, _ = owner.split("/")
    return host != _HOST or (int(pid) != os.getpid() and _runs(int(pid)))


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def next_due(session: Session, queues: Collection[str], owner: str) -> datetime | None:
    """Return when the next lane of these queues is due: one that nobody works on, or whose lease by another ends."""
    at = case((Lane.owner.is_(None), Lane.due_at), else_=Lane.leased_until)
    mine = Lane.owner.is_not(None) & (Lane.owner == owner)
    return session.scalar(select(func.min(at)).where(Lane.queue.in_(queues), Lane.due_at.is_not(None), not_(mine)))


def hurry(session: Session, queue: str, now: datetime) -> None:
    """Make what waits in a queue due now: its platform is back."""
    _lock(session.connection(), session.scalars(select(Lane.name).where(Lane.queue == queue)).all())
    held = select(Job.id).join(Lane, Lane.name == Job.lane).where(Lane.queue == queue, Job.due_at > now)
    session.execute(update(Job).where(Job.id.in_(held), Job.state.in_(OPEN), Job.error.is_not(None)).values(due_at=now))
    session.execute(update(Lane).where(Lane.queue == queue, Lane.due_at > now).values(due_at=now))
    note_queue(session, queue)
