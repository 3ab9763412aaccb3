"""Who is on duty for an organisation, day by day, and the days on which nobody is. A day is the organisation's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.directory.absences import away
from bot.directory.days import local_day
from bot.directory.files import DUTIES
from bot.directory.history import Author, record
from bot.directory.tables import Duty, Organisation
from bot.errors import UserError

AHEAD = timedelta(days=7)  # a gap is told of so long before


@dataclass(frozen=True, slots=True)
class Gap:
    """Days without anybody on duty; `last` is None where the rota ends."""

    first: date
    last: date | None


def on_duty(session: Session, organisation: str, at: datetime) -> list[str]:
    """Return the people on duty now who are not away, by id."""
    today = _today(session, organisation, at)
    absent = away(session, at)
    rows = [row for row in _rows(session, organisation, today) if row.start <= today]
    return [row.person for row in rows if row.person not in absent]


def coming(session: Session, organisation: str, at: datetime) -> Sequence[Duty]:
    """Return the duties that are not over, in order."""
    return _rows(session, organisation, _today(session, organisation, at))


def next_gap(session: Session, organisation: str, at: datetime) -> Gap | None:
    """Return the next days, from tomorrow on, without anybody on duty; None where no rota is kept any more.

    Who is away on a day is not on duty that day.
    """
    today = _today(session, organisation, at)
    rows = _rows(session, organisation, today)
    if not rows:
        return None
    end = max(row.end for row in rows)
    first: date | None = None
    day = today + timedelta(days=1)
    while day <= end:
        absent = away(session, at + (day - today))
        covered = any(row.start <= day <= row.end and row.person not in absent for row in rows)
        if not covered and first is None:
            first = day
        if covered and first is not None:
            return Gap(first, day - timedelta(days=1))
        day += timedelta(days=1)
    return Gap(first or day, None)


def assign(session: Session, author: Author, organisation: str, person: str, start: date, end: date) -> None:
    """Put somebody on duty from a day to a day. Raises UserError for an end before the start."""
    if end < start:
        raise UserError("absence.backwards", start=start, end=end)
    row = session.get(Duty, (organisation, person, start))
    before = {"end": row.end} if row is not None else None
    if row is None:
        row = Duty(organisation=organisation, person=person, start=start, end=end)
        session.add(row)
    row.end = end
    session.flush()
    key = {"organisation": organisation, "person": person, "start": start}
    record(session, author, DUTIES, key, before, {"end": end} if before is not None else {**key, "end": end})


def kept(session: Session, at: datetime) -> list[str]:
    """Return the organisations that keep a rota."""
    since = at.date() - timedelta(days=1)
    return list(session.scalars(select(Duty.organisation).where(Duty.end >= since).distinct().order_by("organisation")))


def _rows(session: Session, organisation: str, today: date) -> Sequence[Duty]:
    held = select(Duty).where(Duty.organisation == organisation, Duty.end >= today)
    return session.scalars(held.order_by(Duty.start, Duty.person)).all()


def _today(session: Session, organisation: str, at: datetime) -> date:
    row = session.get(Organisation, organisation)
    return local_day(row.timezone if row is not None else None, at)
