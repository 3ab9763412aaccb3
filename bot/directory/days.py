"""Days begin and end where the organisation is: a posting's last day lasts until midnight there."""

from collections.abc import Iterator
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from bot.directory.tables import Organisation, Posting

ZONE = "Europe/Paris"  # of an organisation that has none of its own


def local_day(zone: str | None, at: datetime) -> date:
    """Return the day that it is in a zone."""
    return at.astimezone(_zone(zone or ZONE)).date()


def holds(start: date, end: date | None, zone: str | None, at: datetime) -> bool:
    """Say whether a span of days, its first and last included, holds an instant."""
    today = local_day(zone, at)
    return start <= today and (end is None or today <= end)


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
