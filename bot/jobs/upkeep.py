"""Upkeep: what is stuck is found, what is over is forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from bot import jobs
from bot.jobs.tables import OPEN, Job, Lane
from bot.receipts import Receipt

LATE = timedelta(minutes=5)
AT_ONCE = 1_000  # receipts, and jobs, that are forgotten in a transaction


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that an operator should know: a name for it, how many, and since when."""

    name: str
    count: int
    since: datetime | None


def look(session: Session, now: datetime) -> Sequence[Finding]:
    """Return what is stuck: jobs late, lanes nobody can hold, jobs given up, events that failed."""
    checks = (
        (
            "jobs_late",
            select(func.count(), func.min(Job.created_at)).where(Job.state.in_(OPEN), Job.due_at < now - LATE),
        ),
        ("jobs_failed", select(func.count(), func.min(Job.done_at)).where(Job.state == "failed")),
        (
            "lanes_abandoned",
            select(func.count(), func.min(Lane.leased_until)).where(Lane.leased_until < now - LATE),
        ),
        ("events_failed", select(func.count(), func.min(Receipt.at)).where(Receipt.outcome == "failed")),
    )
    found: list[Finding] = []
    for name, query in checks:
        count, since = session.execute(query).one()
        if count:
            found.append(Finding(name, count, since))
    return found


def mend(session: Session, now: datetime) -> int:
    """Give open jobs whose lane forgot them a new chance; return how many lanes that woke."""
    orphans = session.scalars(
        select(Job.lane)
        .join(Lane, Lane.name == Job.lane)
        .where(Job.state.in_(OPEN), Lane.due_at.is_(None), Lane.owner.is_(None))
        .distinct()
    ).all()
    for name in orphans:
        lane = session.get_one(Lane, name)
        lane.due_at = now
    return len(orphans)


def forget(session: Session, before: datetime) -> int:
    """Delete some of the receipts and jobs that were over before an instant; return how many."""
    old = select(Receipt.id).where(Receipt.outcome != "failed", Receipt.at < before).limit(AT_ONCE)
    gone = session.execute(delete(Receipt).where(Receipt.id.in_(old)).returning(Receipt.id)).all()
    return len(gone) + jobs.purge(session, before, AT_ONCE)
