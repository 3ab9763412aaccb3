"""Days as people type them before whatever else they say: « du 3/8 au 14/8 Untel », « 2026-08-03 2026-08-14 »."""

import re
from datetime import date

from bot.errors import UserError

_ISO = r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"
_USUAL = r"(?P<d>\d{1,2})[/.](?P<m>\d{1,2})(?:[/.](?P<y>\d{4}))?"
_DAY = re.compile(rf"(?:(?:du|au|le|from|to|on|until)\s+)?(?:{_ISO}|{_USUAL})(?=\s|$|,)[\s,]*", re.IGNORECASE)


def read(words: str, today: date) -> tuple[date, date | None, str]:
    """Return the first and the last day that words begin with, None where they say one, and the words after them.

    A day without its year is the next that is so called. Raises UserError where no day is said, or none that exists.
    """
    start, rest = _day(words.strip(), today)
    if start is None:
        raise UserError("spans.unread", words=words[:60])
    end, rest = _day(rest, start)
    return start, end, rest.strip()


def _day(words: str, since: date) -> tuple[date | None, str]:
    found = _DAY.match(words)
    if found is None:
        return None, words
    try:
        if found["year"]:
            day = date(int(found["year"]), int(found["month"]), int(found["day"]))
        else:
            day = date(int(found["y"] or since.year), int(found["m"]), int(found["d"]))
            if not found["y"] and day < since:
                day = day.replace(year=since.year + 1)
    except ValueError:
        raise UserError("spans.no_such_day", words=found[0].strip()[:60]) from None
    return day, words[found.end() :]
