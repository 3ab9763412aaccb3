"""Who stands in for whom. A stand-in who is away too is stood in for; a chain that leads back leads nowhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from bot.directory.tables import Absence


@dataclass(frozen=True, slots=True)
class Away:
    """An absence: its last day (None: not known) and who stands in, by id."""

    until: date | None
    stand_in: str | None


def away(session: Session, on: date) -> Mapping[str, Away]:
    """Return who is away on a day, by id; of several absences the one that lasts longest counts."""
    current = select(Absence).where(Absence.start <= on, or_(Absence.end.is_(None), Absence.end >= on))
    rows = sorted(session.scalars(current), key=lambda row: (row.end or date.max, row.start, row.stand_in or ""))
    return {row.person: Away(row.end, row.stand_in) for row in rows}


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
