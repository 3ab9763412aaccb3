"""Opening hours as OpenStreetMap writes them (wiki.openstreetmap.org/wiki/Key:opening_hours): which periods a day has.

What is read: weekdays, public holidays (`PH`), months and days of the year, several periods a day, periods past
midnight, `off`, `24/7`, comments. Whatever else there is (`sunrise`, weeks, years) makes the whole unreadable rather
than half understood. A later rule for a day replaces an earlier one, as the specification says.
"""

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAY = f"(?:{'|'.join(_DAYS)}|PH)"
_DATE = rf"(?:{'|'.join(_MONTHS)})(?: \d\d?)?"
_SPAN = r"\d\d?:\d\d-\d\d?:\d\d"
_RULE = re.compile(
    rf"(?P<dates>{_DATE}(?:-(?:{_DATE}|\d\d?))?(?:, ?{_DATE}(?:-(?:{_DATE}|\d\d?))?)*:?(?: |$))?"
    rf"(?P<days>{_DAY}(?:-{_DAY})?(?:, ?{_DAY}(?:-{_DAY})?)*:?(?: |$))?"
    rf"(?P<times>{_SPAN}(?:, ?{_SPAN})*|24/7|off|closed|open)?"
)
_COMMENT = re.compile(r'"[^"]*"|\|\|.*')
_CONTINUED = re.compile(rf", (?={_DAY}\b[^,;]* \d)")  # « Mo 08:00-12:00, We 14:00-16:00 » are two rules
_MIDNIGHT = 24 * 60
_LONGEST = 2_000  # characters


@dataclass(frozen=True, slots=True)
class Rule:
    """Periods, as minutes from midnight, and the days they are for; an end beyond 24 h is on the next day."""

    periods: tuple[tuple[int, int], ...]
    weekdays: frozenset[int]  # 0 is Monday
    holidays: bool  # it names public holidays
    dates: tuple[tuple[tuple[int, int], tuple[int, int]], ...]  # from (month, day) to (month, day); empty: all year

    def is_for(self, day: date, *, holiday: bool) -> bool:
        """Say whether the rule is for a day: one that names weekdays holds on holidays too, until another says not."""
        at = (day.month, day.day)
        inside = any(a <= at <= b if a <= b else at >= a or at <= b for a, b in self.dates) or not self.dates
        return inside and (day.weekday() in self.weekdays or (self.holidays and holiday))


@dataclass(frozen=True, slots=True)
class Hours:
    """The rules in their order. `closes_on_holidays`: nothing says what happens then, so nobody is there."""

    rules: tuple[Rule, ...]
    closes_on_holidays: bool

    def periods(self, day: date, *, holiday: bool) -> tuple[tuple[int, int], ...]:
        """Return the periods that begin on a day, as minutes from its midnight, in order."""
        if holiday and self.closes_on_holidays:
            return ()
        for rule in reversed(self.rules):
            named = rule.holidays if holiday else True
            if rule.is_for(day, holiday=holiday) and (named or not self._names_holidays(day)):
                return rule.periods
        return ()

    def _names_holidays(self, day: date) -> bool:
        return any(rule.holidays and rule.is_for(day, holiday=True) for rule in self.rules)


@lru_cache(maxsize=1024)
def parse(text: str) -> Hours | None:
    """Return hours, None for what cannot be read whole."""
    bare = _CONTINUED.sub("; ", _COMMENT.sub("", text[:_LONGEST]).strip())
    rules = [_rule(part.strip()) for part in bare.split(";") if part.strip()]
    if not rules or len(text) > _LONGEST or any(rule is None for rule in rules):
        return None
    found = tuple(rule for rule in rules if rule is not None)
    always = any(rule.weekdays == _ALL and rule.periods == _ALL_DAY for rule in found)
    return Hours(found, closes_on_holidays=not always and not any(rule.holidays for rule in found))


_ALL = frozenset(range(7))
_ALL_DAY = ((0, _MIDNIGHT),)


def _rule(text: str) -> Rule | None:
    found = _RULE.fullmatch(text)
    if found is None or not any(found.groups()):
        return None
    weekdays, holidays = _days(found["days"] or "")
    periods = _periods(found["times"] or "open")
    dates = _dates(found["dates"] or "")
    if weekdays is None or periods is None or dates is None:
        return None
    return Rule(periods, weekdays if found["days"] else _ALL, holidays, dates)


def _days(text: str) -> tuple[frozenset[int] | None, bool]:
    """Return the weekdays and whether holidays are named; None for a range of holidays."""
    weekdays: set[int] = set()
    holidays = False
    for part in text.strip(" :").replace(" ", "").split(",") if text else ():
        first, _, last = part.partition("-")
        if "PH" in (first, last):
            holidays = True
            if last:
                return None, False
            continue
        start, end = _DAYS.index(first), _DAYS.index(last or first)
        weekdays.update(day % 7 for day in range(start, end + 1 if end >= start else end + 8))
    return frozenset(weekdays), holidays


def _periods(text: str) -> tuple[tuple[int, int], ...] | None:
    if text in ("off", "closed"):
        return ()
    if text in ("24/7", "open"):
        return _ALL_DAY
    found: list[tuple[int, int]] = []
    for part in text.replace(" ", "").split(","):
        start, end = (int(it[:-3]) * 60 + int(it[-2:]) for it in part.split("-"))
        if start > _MIDNIGHT or end > 2 * _MIDNIGHT or int(part[-2:]) > 59:
            return None
        found.append((start, end if end > start else end + _MIDNIGHT))
    return tuple(sorted(found))


def _dates(text: str) -> tuple[tuple[tuple[int, int], tuple[int, int]], ...] | None:
    found: list[tuple[tuple[int, int], tuple[int, int]]] = []
    for part in text.strip(" :").replace(", ", ",").split(",") if text else ():
        first, _, last = part.partition("-")
        month, _, day = first.partition(" ")
        start = (_MONTHS.index(month) + 1, int(day or 1))
        if not last:
            end = start if day else (start[0], 31)
        elif last.isdigit():
            end = (start[0], int(last))
        else:
            month, _, day = last.partition(" ")
            end = (_MONTHS.index(month) + 1, int(day or 31))
        if not (1 <= start[1] <= 31 and 1 <= end[1] <= 31):
            return None
        found.append((start, end))
    return tuple(found)
