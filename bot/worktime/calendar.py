"""One office's working time: its hours, its clocks, its weekend, the public holidays of its place and its own closures.

A period begins at the first instant at which the clock on the wall shows its beginning or has jumped over it, and ends
so. A clock that is set back is thus not believed until it passes where it was: an hour that comes twice is worked
twice when the period goes beyond it, and no period opens a second time. A day that closes closes the periods that
begin on it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from bot.worktime.holidays import Place
from bot.worktime.hours import Hours, parse

AHEAD = timedelta(days=21)  # in which the next change of a state is looked for
SHUT = 400  # days without an opening after which none is expected any more
_BACK = timedelta(days=2)  # no period that began earlier can still last


@dataclass(frozen=True, slots=True)
class Exceptional:
    """Days, the first and the last included, on which an office is closed, or open although they are holidays."""

    first: date
    last: date
    open: bool = False

    def is_for(self, day: date) -> bool:
        """Say whether a day is one of them."""
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Calendar:
    """When an office works. `zone` is an IANA name.

    `every_day`: the hours themselves say for which weekdays they are; else they leave out the weekend of the place.
    """

    hours: Hours
    zone: str
    place: Place
    exceptional: tuple[Exceptional, ...] = ()
    every_day: bool = True

    def periods(self, day: date) -> tuple[tuple[int, int], ...]:
        """Return the periods that begin on a local day, as minutes from its midnight, in order."""
        said = next((it for it in self.exceptional if it.is_for(day)), None)
        if said is not None and not said.open:
            return ()
        if not self.every_day and self.place.is_weekend(day):
            return ()
        return self.hours.periods(day, holiday=said is None and self.place.is_holiday(day))


@dataclass(frozen=True, slots=True)
class State:
    """Whether it is open at an instant, and when that changes next; None when it does not within three weeks."""

    open: bool
    until: datetime | None


def usual(hours: str, zone: str, place: Place) -> Calendar:
    """Return the calendar of an office of which only the place is known: these hours outside its weekend.

    Raises ValueError for hours that cannot be read.
    """
    known = parse(hours)
    if known is None:
        message = f"no opening hours: {hours!r}"
        raise ValueError(message)
    return Calendar(known, zone, place, every_day=False)


def openings(calendar: Calendar, since: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield when it is open from an instant on, as instants in UTC: in order, never empty, never twice the same minute.

    An opening under way is yielded whole. Ends after more than a year without one.
    """
    zone = _zone(calendar.zone)
    day = (since - _BACK).astimezone(zone).date()
    reached, shut = since - _BACK, 0
    while shut < SHUT:
        shut += 1
        for start, end in calendar.periods(day):
            began, ended = max(_instant(day, start, zone), reached), _instant(day, end, zone)
            if began < ended:
                shut, reached = 0, ended
                if ended > since:
                    yield began, ended
        day += timedelta(days=1)


def is_open(calendar: Calendar, at: datetime) -> bool:
    """Say whether it is open at an instant."""
    return next_opening(calendar, at) == at


def next_opening(calendar: Calendar, at: datetime) -> datetime | None:
    """Return the first instant from this one on at which it is open; None when none is to be expected."""
    found = next(openings(calendar, at), None)
    return None if found is None else max(found[0], at)


def state(calendar: Calendar, at: datetime) -> State:
    """Return whether it is open at an instant, and until when."""
    until = at
    for began, ended in openings(calendar, at):
        if began > until:
            return State(open=until > at, until=_near(until if until > at else began, at))
        until = ended
        if until > at + AHEAD:
            break
    return State(open=until > at, until=_near(until, at) if until > at else None)


def between(calendar: Calendar, since: datetime, until: datetime) -> timedelta:
    """Return the working time between two instants; nothing when the second is not later."""
    total = timedelta(0)
    for began, ended in openings(calendar, since):
        if began >= until:
            break
        total += min(ended, until) - max(began, since)
    return total


def after(calendar: Calendar, at: datetime, worked: timedelta) -> datetime | None:
    """Return the first instant by which so much working time has passed, the next opening for none at all.

    None when the office will not work so long.
    """
    left = worked
    for began, ended in openings(calendar, at):
        start = max(began, at)
        if ended - start >= left:
            return start + left
        left -= ended - start
    return None


def _near(until: datetime, at: datetime) -> datetime | None:
    return until if until <= at + AHEAD else None


def _instant(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """Return the first instant at which a zone's clocks show so many minutes from a day's midnight, or more."""
    wall = datetime.combine(day, _MIDNIGHT) + timedelta(minutes=minutes)
    while True:
        instant = wall.replace(tzinfo=zone).astimezone(UTC)
        if instant.astimezone(zone).replace(tzinfo=None) == wall:
            return instant
        wall += _MINUTE  # a clock that is set forward shows nothing between


_MIDNIGHT, _MINUTE = time(), timedelta(minutes=1)


@lru_cache(maxsize=500)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
