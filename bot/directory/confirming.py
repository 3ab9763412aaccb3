"""Cards are confirmed on a rhythm: their holders are asked, and what nobody confirmed for long shows as overdue.

What is due is a row: each person has an instant at which they are asked next, in the morning of a weekday where they
work. Asking moves it in the transaction that says the card, so that nobody is asked twice, whatever dies or runs twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ForeignKey, and_, func, insert, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.db import Base, Instant
from bot.directory.days import ZONE, postings_held
from bot.directory.tables import Organisation, Person

EVERY = timedelta(days=180)  # between two confirmations, unless the administrator says otherwise
AGAIN = timedelta(days=14)  # until somebody who did not answer is asked again
TIMES = 3  # that somebody is asked
GRACE = timedelta(days=30)  # after the first time, before a card is overdue
CHECKED = timedelta(days=400)  # between two checks of an organisation's row
_MORNING = time(9)
_NEW = 500  # people who are given a first date at once


class Confirmation(Base):
    """When a person's card was last known to be true, and when they are asked next."""

    __tablename__ = "directory_confirmation"

    person: Mapped[str] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)
    since: Mapped[datetime] = mapped_column(Instant)  # confirmed, or first seen here
    confirmed: Mapped[bool] = mapped_column(default=False)
    overdue_at: Mapped[datetime] = mapped_column(Instant, index=True)
    asked: Mapped[int] = mapped_column(default=0)  # times, since then
    due_at: Mapped[datetime | None] = mapped_column(Instant, index=True)  # NULL: they are not asked any more


@dataclass(frozen=True, slots=True)
class Overdue:
    """A card that should be looked at: of a person or an organisation, with the instant of its last confirmation."""

    id: str
    name: str
    kind: str  # person, organisation
    since: datetime | None


def begin(session: Session, now: datetime, every: timedelta) -> int:
    """Give those who were entered since a first date; return how many."""
    new = select(Person.id).outerjoin(Confirmation, Confirmation.person == Person.id)
    people = session.scalars(new.where(Confirmation.person.is_(None)).order_by(Person.id).limit(_NEW)).all()
    if people:
        due = _morning(now + every, ZONE)
        row = {"since": now, "confirmed": False, "overdue_at": now + every + GRACE, "asked": 0, "due_at": due}
        session.execute(insert(Confirmation), [{"person": person, **row} for person in people])
    return len(people)


def due(session: Session, now: datetime, limit: int = 20) -> Sequence[tuple[Confirmation, Person]]:
    """Return who is to be asked now, locked until the end of the transaction."""
    found = select(Confirmation, Person).join(Person, Person.id == Confirmation.person)
    found = found.where(Confirmation.due_at <= now).order_by(Confirmation.due_at, Confirmation.person).limit(limit)
    return [(row[0], row[1]) for row in session.execute(found.with_for_update(of=Confirmation, skip_locked=True))]


def asked(session: Session, row: Confirmation, now: datetime, *, reached: bool) -> None:
    """Note that somebody was asked, or could not be (they have no account here, or no office): later, then."""
    row.asked += reached
    row.due_at = None if row.asked >= TIMES else _morning(now + AGAIN, _zone_of(session, row.person, now))


def confirm(session: Session, person: Person, now: datetime, every: timedelta) -> None:
    """Note that a person's card is true now."""
    row = session.get(Confirmation, person.id)
    if row is None:
        row = Confirmation(person=person.id)
        session.add(row)
    row.since, row.confirmed, row.asked = now, True, 0
    row.overdue_at = now + every + GRACE
    row.due_at = _morning(now + every, _zone_of(session, person.id, now))
    session.flush()


def overdue(session: Session, now: datetime, *, offset: int, limit: int) -> tuple[int, Sequence[Overdue]]:
    """Return how many cards are overdue, and some of them: people, then organisations, who wait longest first."""
    late = Confirmation.overdue_at <= now
    day = (now - CHECKED).date()
    unchecked = and_(
        Organisation.status == "open", or_(Organisation.checked_on.is_(None), Organisation.checked_on < day)
    )
    count = session.scalar(select(func.count()).select_from(Confirmation).where(late)) or 0
    total = count + (session.scalar(select(func.count()).select_from(Organisation).where(unchecked)) or 0)
    people = select(Confirmation, Person).join(Person, Person.id == Confirmation.person).where(late)
    found = [
        Overdue(person.id, f"{person.given_name} {person.family_name}".strip() or person.id, "person", row.since)
        for row, person in session.execute(people.order_by(Confirmation.since, Person.id).offset(offset).limit(limit))
    ]
    if len(found) < limit:
        ordered = select(Organisation).where(unchecked).order_by(Organisation.checked_on, Organisation.id)
        some = session.scalars(ordered.offset(max(0, offset - count)).limit(limit - len(found)))
        found += [Overdue(row.id, row.name, "organisation", _instant(row)) for row in some]
    return total, found


def _instant(row: Organisation) -> datetime | None:
    return datetime.combine(row.checked_on, time(12), UTC) if row.checked_on else None


def _zone_of(session: Session, person: str, at: datetime) -> str:
    own = session.get(Person, person)
    if own is not None and own.timezone:
        return own.timezone
    return next((zone for _, zone in postings_held(session, person, at) if zone), ZONE)


def _morning(at: datetime, zone: str) -> datetime:
    """Return the first weekday's morning in a zone that is not before an instant."""
    local = at.astimezone(ZoneInfo(zone))
    day = local.date() if local.time() <= _MORNING else local.date() + timedelta(days=1)
    while day.weekday() >= 5:
        day += timedelta(days=1)
    return datetime.combine(day, _MORNING, ZoneInfo(zone)).astimezone(UTC)
