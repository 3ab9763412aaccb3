"""Working time the slow way: minute by minute, one clock on the wall, no arithmetic on instants.

Written from the definition in `bot.worktime.calendar` and from nothing else of it: the clock is read every minute, and
one that is set back is not believed until it passes where it was.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TypeAlias
from zoneinfo import ZoneInfo

_DAY = 24 * 60
_WHOLE = list(range(_DAY))

Walls: TypeAlias = Sequence[tuple[date, Sequence[int]]]
"""What the clock on the wall shows minute after minute: of each day it shows, its minutes from midnight."""


@dataclass(frozen=True)
class Week:
    """The periods of each weekday (0 is Monday) as minutes from its midnight, and whether holidays close."""

    periods: Sequence[Sequence[tuple[int, int]]]
    holidays_close: bool = True


def minutes(zone: str, since: datetime, until: datetime) -> Walls:
    """Return what the clock on the wall shows at each minute between two instants, as far as it is believed."""
    local = ZoneInfo(zone)
    days: list[tuple[date, list[int]]] = []
    at, most = since.astimezone(UTC), datetime.min  # noqa: DTZ901 - a wall clock has no zone
    step = timedelta(minutes=1)
    while at < until:
        most = max(most, at.astimezone(local).replace(tzinfo=None))
        if not days or most.date() != days[-1][0]:
            days.append((most.date(), []))
        days[-1][1].append(most.hour * 60 + most.minute)
        at += step
    return days


def worked(walls: Walls, week: Week, is_holiday: Callable[[date], bool], closed: Collection[date] = ()) -> bytes:
    """Return 1 for each minute that is worked, 0 for the others."""
    found = bytearray()
    for day, shown in walls:
        own = _day(day, week, is_holiday, closed)
        found += own if shown == _WHOLE else bytes(own[minute] for minute in shown)
    return bytes(found)


def _day(day: date, week: Week, is_holiday: Callable[[date], bool], closed: Collection[date]) -> bytes:
    """Return the minutes of a local day that belong to a period that begins on it or on one of the two days before."""
    own = 0
    for back in range(3):
        begins = day - timedelta(days=back)
        if begins in closed or (week.holidays_close and is_holiday(begins)):
            continue
        own |= _reached(tuple(week.periods[begins.weekday()]), back)
    return own.to_bytes(_DAY, "big")


@cache
def _reached(periods: Sequence[tuple[int, int]], back: int) -> int:
    """Return the minutes of a day, a byte each, that periods reach which began so many days before."""
    minutes = (minute + back * _DAY for minute in range(_DAY))
    return int.from_bytes(bytes(any(start <= minute < end for start, end in periods) for minute in minutes), "big")
