"""The working time of an organisation, made of what the directory says of it."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.directory.snapshot import Org
from bot.directory.tables import Closure
from bot.worktime.calendar import Calendar, Exceptional, usual
from bot.worktime.holidays import Place
from bot.worktime.hours import parse


def calendar_of(session: Session, org: Org | None, hours: str, zone: str) -> Calendar:
    """Return the calendar of an organisation; `hours` and `zone` are those of one that says none or is not known."""
    if org is None:
        return usual(hours, zone, Place(""))
    place, zone = Place(org.country, org.subdivision), org.timezone or zone
    days = own_days(session, org.id)
    known = parse(org.opening_hours) if org.opening_hours else None
    if known is None:
        found = usual(hours, zone, place)
        return Calendar(found.hours, zone, place, days, found.every_day)
    return Calendar(known, zone, place, days)


def own_days(session: Session, organisation: str) -> tuple[Exceptional, ...]:
    """Return the days on which an organisation is closed, or open, for reasons of its own."""
    rows = session.scalars(select(Closure).where(Closure.organisation == organisation).order_by(Closure.start))
    return tuple(Exceptional(row.start, row.end, row.open) for row in rows)
