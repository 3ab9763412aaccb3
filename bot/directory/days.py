"""Days begin and end where the organisation is: a posting's last day lasts until midnight there."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from bot.directory.tables import Organisation, Person, Posting

ZONE = "Europe/Paris"  # of an organisation that has none of its own


def local_day(zone: str | None, at: datetime) -> date:
    """Return the day that it is in a zone."""
    return at.astimezone(_zone(zone or ZONE)).date()


def holds(start: date, end: date | None, zone: str | None, at: datetime) -> bool:
    """Say whether a span of days, its first and last included, holds an instant."""
    today = local_day(zone, at)
    return start <= today and (end is None or today <= end)


def zones_of(session: Session, people: Collection[str], at: datetime) -> Mapping[str, str]:
    """Return in which zone each of these people lives at an instant: their own, else that of their latest posting."""
    own = select(Person.id, Person.timezone).where(Person.id.in_(people), Person.timezone.is_not(None))
    held = (
        select(Posting.person, Posting.start, Posting.end, Organisation.timezone)
        .join(Organisation, Organisation.id == Posting.organisation)
        .where(Posting.person.in_(people))
        .order_by(Posting.start)
    )
    rows = session.execute(held)
    found = {person: zone for person, start, end, zone in rows if zone and holds(start, end, zone, at)}
    return {**dict.fromkeys(people, ZONE), **found, **{person: zone for person, zone in session.execute(own) if zone}}


_POSTINGS = (
    select(Posting, Organisation.timezone)
    .join(Organisation, Organisation.id == Posting.organisation)
    .where(Posting.person == bindparam("person"))
)


def postings_held(session: Session, person: str, at: datetime) -> Iterator[tuple[Posting, str | None]]:
    """Return the postings that a person holds at an instant, each with its organisation's zone."""
    for posting, zone in session.execute(_POSTINGS, {"person": person}):
        if holds(posting.start, posting.end, zone, at):
            yield posting, zone or None


@lru_cache(maxsize=500)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
