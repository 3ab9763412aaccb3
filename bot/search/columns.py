"""What the columns of organisations, offices and people have in common."""

from array import array
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from bot.directory.visibility import field_needed
from bot.search.index import ALWAYS, Words, minute
from bot.search.numbers import number_of_email, numbers_of_phones

_EARLY, _LATE = date(1900, 1, 1), date(5000, 1, 1)


def each(field: str, names: Iterable[str], worth: float, kind: str = "organisation") -> Words:
    """Yield the words of a field, with what finding one says."""
    level = field_needed(kind, field)
    return ((name, worth, level) for name in names)


def numbers(kind: str, phones: Sequence[str], emails: Sequence[str]) -> Sequence[tuple[Sequence[int], int]]:
    """Return the columns of telephone numbers and mail addresses, with the least right that may know them."""
    return (
        (array("q", numbers_of_phones(phones)), field_needed(kind, "phone")),
        (array("q", [number_of_email(email) for email in emails]), field_needed(kind, "email")),
    )


@lru_cache(maxsize=4096)
def begins(day: date | None, zone: str) -> int:
    """Return the minute, as `minute` counts, at which a first day begins in a zone; without one it was always."""
    if day is None or day < _EARLY:
        return ALWAYS.start
    return minute(datetime.combine(day, time(), ZoneInfo(zone)))


@lru_cache(maxsize=4096)
def ends(day: date | None, zone: str) -> int:
    """Return the minute at which a last day is over in a zone; without one it never is."""
    if day is None or day > _LATE:
        return ALWAYS.stop
    return minute(datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone)))
