"""When digests are due, the slow way: the clock on the wall is read every minute, and one that is set back is not
believed until it passes where it was. Days are judged one by one, by the words of a rule."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from bot.worktime.holidays import Place

Rule = Callable[[date, Place], bool]
MINUTE = timedelta(minutes=1)


def weekday(*wanted: int) -> Rule:
    return lambda day, _: day.weekday() in wanted


def daily(_day: date, _place: Place) -> bool:
    return True


def works(day: date, place: Place) -> bool:
    return not place.is_weekend(day) and not place.is_holiday(day)


def dated(*wanted: int) -> Rule:
    """Days of a month by their number; one that a month lacks is its last."""

    def rule(day: date, _place: Place) -> bool:
        ends = (day + timedelta(days=1)).month != day.month
        return day.day in wanted or (ends and any(number > day.day or number == -1 for number in wanted))

    return rule


def nth(number: int, among: Rule) -> Rule:
    """The first, second … of some days in each month, or the last."""

    def rule(day: date, place: Place) -> bool:
        step, at, count = (1 if number < 0 else -1), day, 0
        while at.month == day.month:
            count += among(at, place)
            at += timedelta(days=step)
        return among(day, place) and count == abs(number)

    return rule


def every(weeks: int, since: date, rule: Rule) -> Rule:
    def turned(day: date, place: Place) -> bool:
        monday = since
        while monday.weekday() != 0:
            monday -= timedelta(days=1)
        return rule(day, place) and (day - monday).days // 7 % weeks == 0

    return turned


def free(rule: Rule) -> Rule:
    return lambda day, place: rule(day, place) and not place.is_holiday(day)


@dataclass(frozen=True)
class Due:
    """A day and a time on the wall, and the minute at which the wall showed it, or had jumped over it."""

    day: date
    at: time
    instant: datetime


def shown(walls: Sequence[datetime], since: datetime, times: Sequence[time]) -> list[Due]:
    """Return when the wall shows these times first, or has jumped over them, beginning with the second minute."""
    found: list[Due] = []
    wanted = frozenset(times)
    for index in range(1, len(walls)):
        before, wall = walls[index - 1], walls[index]
        for minute in range((wall - before) // MINUTE):  # none where the wall stands still, many where it jumps
            at = before + (minute + 1) * MINUTE
            if at.time() in wanted:
                found.append(Due(at.date(), at.time(), since + index * MINUTE))
    return found
