"""Working time the slow way: minute by minute, one clock on the wall, no arithmetic on instants.

Written from the definition in `bot.worktime.calendar` and from nothing else of it: the clock is read every minute, and
one that is set back is not believed until it passes where it was.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_DAY = 24 * 60


@dataclass(frozen=True)
class Week:
    """The periods of each weekday (0 is Monday) as minutes from its midnight, and whether holidays close."""

    periods: Sequence[Sequence[tuple[int, int]]]
    holidays_close: bool = True


def minutes(zone: str, since: datetime, until: datetime) -> list[datetime]:
    """Return what the clock on the wall shows at each minute between two instants, as far as it is believed."""
    local = ZoneInfo(zone)
    shown: list[datetime] = []
    at, most = since.astimezone(UTC), datetime.min  # noqa: DTZ901 - a wall clock has no zone
    step = timedelta(minutes=1)
    while at < until:
        most = max(most, at.astimezone(local).replace(tzinfo=None))
        shown.append(most)
        at += step
    return shown


def worked(
    walls: Sequence[datetime], week: Week, is_holiday: Callable[[date], bool], closed: Collection[date] = ()
) -> bytearray:
    """Return 1 for each minute that is worked, 0 for the others."""
    days: dict[date, bytearray] = {}
    found = bytearray()
    for wall in walls:
        day = wall.date()
        if day not in days:
            days[day] = _day(day, week, is_holiday, closed)
        found.append(days[day][wall.hour * 60 + wall.minute])
    return found


def _day(day: date, week: Week, is_holiday: Callable[[date], bool], closed: Collection[date]) -> bytearray:
    """Return the minutes of a local day that belong to a period that begins on it or on one of the two days before."""
    own = bytearray(_DAY)
    for back in range(3):
        begins = day - timedelta(days=back)
        if begins in closed or (week.holidays_close and is_holiday(begins)):
            continue
        for minute in range(_DAY):
            counted = minute + back * _DAY
            own[minute] |= any(start <= counted < end for start, end in week.periods[begins.weekday()])
    return own
