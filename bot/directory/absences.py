"""Who stands in for whom. A stand-in who is away too is stood in for; a chain that leads back leads nowhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from bot.directory.days import holds, zones_of
from bot.directory.tables import Absence


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
