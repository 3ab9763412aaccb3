"""Who stands in for whom. A stand-in who is away too is stood in for; a chain that leads back leads nowhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from bot.directory.days import holds, zones_of
from bot.directory.files import ABSENCES
from bot.directory.history import Author, record
from bot.directory.tables import Absence
from bot.errors import UserError


@dataclass(frozen=True, slots=True)
class Away:
    """An absence: its last day (None: not known) and who stands in, by id."""

    until: date | None
    stand_in: str | None


def away(session: Session, at: datetime) -> Mapping[str, Away]:
    """Return who is away at an instant, by id; of several absences the one that lasts longest counts.

    The day is that of where they are.
    """
    day = timedelta(days=1)
    near = or_(Absence.end.is_(None), Absence.end >= at.date() - day)
    rows = session.scalars(select(Absence).where(Absence.start <= at.date() + day, near)).all()
    zones = zones_of(session, {row.person for row in rows}, at)
    current = [row for row in rows if holds(row.start, row.end, zones[row.person], at)]
    current.sort(key=lambda row: (row.end or date.max, row.start, row.stand_in or ""))
    return {row.person: Away(row.end, row.stand_in) for row in current}


def stand_in(person: str, absent: Mapping[str, Away]) -> str | None:
    """Return who is there for somebody: they themselves, or whoever stands in at the end of the chain.

    None when nobody does: the chain ends with somebody away, or leads back to somebody in it.
    """
    passed: set[str] = set()
    at: str | None = person
    while at is not None and at in absent:
        if at in passed:
            return None
        passed.add(at)
        at = absent[at].stand_in
    return at


def declare(
    session: Session, author: Author, person: str, start: date, end: date | None, stand_in: str | None
) -> Sequence[str]:
    """Enter an absence, or change the one that begins the same day; return who stands in, one for the other.

    Raises UserError for an end before the start, and for a stand-in who is, at the end of the chain on some of those
    days, stood in for by this very person.
    """
    if end is not None and end < start:
        raise UserError("absence.backwards", start=start, end=end)
    chain = _chain(session, person, start, end, stand_in)
    row = session.get(Absence, (person, start))
    before = {"end": row.end, "stand_in": row.stand_in} if row is not None else None
    if row is None:
        row = Absence(person=person, start=start)
        session.add(row)
    row.end, row.stand_in = end, stand_in
    session.flush()
    key = {"person": person, "start": start}
    after = {"end": end, "stand_in": stand_in}
    record(session, author, ABSENCES, key, before, after if before is not None else {**key, **after})
    return chain


def come_back(session: Session, author: Author, person: str, today: date) -> int:
    """End the absences of today and take back those to come; return how many that were."""
    rows = session.scalars(
        select(Absence).where(Absence.person == person, or_(Absence.end.is_(None), Absence.end >= today))
    ).all()
    for row in rows:
        over = today - timedelta(days=1)
        end = over if row.start < today else row.start - timedelta(days=1)
        record(session, author, ABSENCES, {"person": person, "start": row.start}, {"end": row.end}, {"end": end})
        if row.start >= today:
            session.delete(row)
        else:
            row.end = end
    session.flush()
    return len(rows)


def _chain(session: Session, person: str, start: date, end: date | None, stand_in: str | None) -> Sequence[str]:
    """Return who stands in one for the other during an absence. Raises UserError for a circle."""
    chain: list[str] = []
    at = stand_in
    while at is not None:
        if at == person:
            raise UserError("absence.circle" if chain else "absence.oneself")
        if at in chain:
            break
        chain.append(at)
        during = select(Absence).where(Absence.person == at, or_(Absence.end.is_(None), Absence.end >= start))
        if end is not None:
            during = during.where(Absence.start <= end)
        rows = session.scalars(during.where(Absence.stand_in.is_not(None)).order_by(Absence.start)).all()
        at = next((row.stand_in for row in rows if row.stand_in == person), rows[0].stand_in if rows else None)
    return chain
