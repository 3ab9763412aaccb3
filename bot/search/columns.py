"""What the columns of organisations, offices and people have in common."""

from array import array
from collections.abc import Iterable, Sequence
from datetime import date

from bot.directory.visibility import field_needed
from bot.search.index import Words
from bot.search.numbers import number_of_email, numbers_of_phones


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


def first_day(day: date | None) -> int:
    """Return the ordinal of a first day; without one it was always."""
    return day.toordinal() if day else 1


def last_day(day: date | None) -> int:
    """Return the ordinal of a last day; without one it is always."""
    return (day or date.max).toordinal()
