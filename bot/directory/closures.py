"""An organisation's own days: closed although it is none of its holidays, or open although it is one."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.directory.files import CLOSURES
from bot.directory.history import Author, record
from bot.directory.tables import Closure
from bot.errors import UserError

LONGEST = 366  # days


def coming(session: Session, organisation: str, today: date) -> Sequence[Closure]:
    """Return those that are not over, in order."""
    rows = select(Closure).where(Closure.organisation == organisation, Closure.end >= today)
    return session.scalars(rows.order_by(Closure.start)).all()


def enter(
    session: Session, author: Author, organisation: str, start: date, end: date, *, open_: bool, reason: str
) -> None:
    """Enter days, in place of those that began on the same one. Raises UserError for an end that cannot be."""
    if end < start or (end - start).days > LONGEST:
        raise UserError("absence.backwards" if end < start else "closure.too_long", start=start, end=end)
    row = session.get(Closure, (organisation, start))
    values = {"end": end, "open": open_, "reason": reason}
    before = {name: getattr(row, name) for name in values} if row is not None else None
    if row is None:
        row = Closure(organisation=organisation, start=start, end=end)
        session.add(row)
    row.end, row.open, row.reason = end, open_, reason
    session.flush()
    key = {"organisation": organisation, "start": start}
    record(session, author, CLOSURES, key, before, values if before is not None else {**key, **values})


def take_back(session: Session, author: Author, organisation: str, start: date) -> bool:
    """Take back the days that begin on one; False when there are none."""
    row = session.get(Closure, (organisation, start))
    if row is None:
        return False
    before = {"end": row.end, "open": row.open, "reason": row.reason}
    session.delete(row)
    session.flush()
    after = {"end": None, "open": False, "reason": ""}
    record(session, author, CLOSURES, {"organisation": organisation, "start": start}, before, after)
    return True
