"""The clock on the wall: which instant a day and a time of a zone are."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def resolved(day: date, at: time, zone: str) -> datetime:
    """Return a wall time of a zone as an instant in UTC; one that a clock change skips is the first instant after it.

    Of two, the first.
    """
    local = ZoneInfo(zone)
    wall = datetime.combine(day, at.replace(tzinfo=None))
    instant = wall.replace(tzinfo=local).astimezone(UTC)
    if instant.astimezone(local).replace(tzinfo=None) == wall:
        return instant
    before = wall.replace(tzinfo=local, fold=1).astimezone(UTC)  # with the offset that begins: not later than the gap
    return next(each for each in _minutes(before) if each.astimezone(local).replace(tzinfo=None) > wall)


def _minutes(since: datetime) -> Iterator[datetime]:
    while True:
        yield since
        since += timedelta(minutes=1)
