"""When a digest is due: days by a rule, times by the clock on the wall. Pure.

An occurrence is a day and a time as the wall shows them, and is known by these alone. Which instant that is depends on
the zone and its rules, which change; so an instant is worked out from the day each time it is asked for, never from the
instant before. A time that a clock change skips is the first instant after it; one that comes twice is the first.
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Literal, TypeAlias
from zoneinfo import ZoneInfo

from bot.worktime.holidays import Place
from bot.worktime.wall import resolved

MONTHS = 40  # that are looked through: a rhythm without a day in them has none
TIMES = 4  # of a day, at most
STEPS = 52  # the most that lies between two turns

Unit: TypeAlias = Literal["day", "week", "month"]

_SETS = ("weekdays", "dates", "which")
_DAY = timedelta(days=1)
_MARGIN = 2 * _DAY  # a day that clocks skip is resolved to the one after it


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A rule for days, and the times of these days.

    A day must be one of the `weekdays` (0 is Monday), of the `dates` of a month (-1 its last day, which stands in for
    29 to 31 where a month lacks them) and, if asked, a `working` one; of those of a month, `which` keeps some by their
    number (1 is the first, -1 the last). Nothing said limits nothing. `every` takes one turn of so many: days, weeks or
    months, counted from that of `since`.
    """

    times: tuple[time, ...] = (time(8),)
    weekdays: frozenset[int] = frozenset()
    dates: frozenset[int] = frozenset()
    which: frozenset[int] = frozenset()
    working: bool = False
    without_holidays: bool = False
    every: int = 1
    unit: Unit = "week"
    since: date = date(2024, 1, 1)  # a Monday


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A day and a time on the wall, and the instant in UTC at which it is due by the zone's rules as they are now."""

    day: date
    at: time
    instant: datetime


def after(rhythm: Rhythm, at: datetime, zone: str, place: Place) -> Occurrence | None:
    """Return the first occurrence that is due later than an instant; None where there is none any more."""
    first = at.astimezone(ZoneInfo(zone)).date() - _MARGIN
    return next((it for it in _from(rhythm, first, zone, place) if it.instant > at), None)


def latest(rhythm: Rhythm, at: datetime, zone: str, place: Place) -> Occurrence | None:
    """Return the last occurrence that is due by an instant; None where there was none."""
    last = at.astimezone(ZoneInfo(zone)).date() + _MARGIN
    return next((it for it in _until(rhythm, last, zone, place) if it.instant <= at), None)


def to_data(rhythm: Rhythm) -> dict[str, Any]:
    """Return a rhythm as JSON data; `from_data` gives it back."""
    data = asdict(rhythm)
    data |= {name: sorted(data[name]) for name in _SETS}
    return {**data, "times": [f"{each:%H:%M}" for each in rhythm.times], "since": rhythm.since.isoformat()}


def from_data(data: dict[str, Any]) -> Rhythm:
    """Return the rhythm that `to_data` wrote."""
    read: dict[str, Any] = {**data, **{name: frozenset(data[name]) for name in _SETS}}
    read["times"] = tuple(time.fromisoformat(each) for each in data["times"])
    read["since"] = date.fromisoformat(data["since"])
    return Rhythm(**read)


def _from(rhythm: Rhythm, first: date, zone: str, place: Place) -> Iterator[Occurrence]:
    for months in range(MONTHS):
        for day in _days(rhythm, place, *_month(first, months)):
            if day >= first:
                yield from (Occurrence(day, at, resolved(day, at, zone)) for at in rhythm.times)


def _until(rhythm: Rhythm, last: date, zone: str, place: Place) -> Iterator[Occurrence]:
    for months in range(MONTHS):
        for day in reversed(_days(rhythm, place, *_month(last, -months))):
            if day <= last:
                yield from (Occurrence(day, at, resolved(day, at, zone)) for at in reversed(rhythm.times))


def _month(day: date, shift: int) -> tuple[int, int]:
    """Return the year and the month that lie so many months from a day's."""
    counted = day.year * 12 + day.month - 1 + shift
    return counted // 12, counted % 12 + 1


@lru_cache(maxsize=8192)
def _days(rhythm: Rhythm, place: Place, year: int, month: int) -> tuple[date, ...]:
    """Return the days of a month that a rhythm takes, in order."""
    last = monthrange(year, month)[1]
    days = [date(year, month, number) for number in range(1, last + 1)]
    if rhythm.dates:
        wanted = {last if number < 0 else min(number, last) for number in rhythm.dates}
        days = [day for day in days if day.day in wanted]
    if rhythm.weekdays:
        days = [day for day in days if day.weekday() in rhythm.weekdays]
    if rhythm.working:
        days = [day for day in days if not (place.is_weekend(day) or place.is_holiday(day))]
    if rhythm.which:
        size = len(days)
        days = [day for at, day in enumerate(days) if not rhythm.which.isdisjoint({at + 1, at - size})]
    if rhythm.without_holidays:
        days = [day for day in days if not place.is_holiday(day)]
    return tuple(day for day in days if _is_turn(rhythm, day))


def _is_turn(rhythm: Rhythm, day: date) -> bool:
    match rhythm.unit:
        case "day":
            turns = (day - rhythm.since).days
        case "week":
            turns = (_monday(day) - _monday(rhythm.since)).days // 7
        case "month":
            turns = (day.year - rhythm.since.year) * 12 + day.month - rhythm.since.month
    return turns % rhythm.every == 0


def _monday(day: date) -> date:
    return day - day.weekday() * _DAY
