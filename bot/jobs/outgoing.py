"""Whether anything may be said at all: after a restore nothing is, until an operator lets it.

What the backup still had to say may have been said since, and what people said since is read again and answered again.
So everything is prepared, and waits; once released, each message is first looked for where it would be said.
"""

from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from bot.jobs.tables import OPEN, Job, Lane
from bot.memory import Remembered, remember

_OWNER, _NAME = "passerelle", "closed"


def close(session: Session, now: datetime) -> None:
    """Say nothing from now on."""
    remember(session, _OWNER, {_NAME: now.isoformat()})


def closed_since(session: Session) -> datetime | None:
    """Return since when nothing is said, None where all is as usual."""
    where = (Remembered.platform == _OWNER, Remembered.name == _NAME)
    value = session.scalar(select(Remembered.value).where(*where))
    return None if value is None else datetime.fromisoformat(value)


def waiting(session: Session) -> list[tuple[str, int, datetime]]:
    """Return how much waits for each queue, and since when."""
    query = (
        select(Lane.queue, func.count(), func.min(Job.created_at)).select_from(Job).join(Lane, Lane.name == Job.lane)
    )
    rows = session.execute(query.where(Job.state.in_(OPEN)).group_by(Lane.queue).order_by(Lane.queue))
    return [(queue, count, since) for queue, count, since in rows]


def release(session: Session, *, drop: bool) -> int:
    """Let what waits be said, each message unless it is found to have been; or `drop` it. Return how many there are."""
    ends = {"state": "cancelled" if drop else "unknown"}
    done = session.scalars(
        update(Job).where(Job.state.in_(OPEN), Job.kind != "handle").values(**ends).returning(Job.id)
    )
    count = len(done.all())
    remember(session, _OWNER, {_NAME: None})
    return count
