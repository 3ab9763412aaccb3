"""Days and times of day as people write them, in French and in English. Pure: a text and a day in, what it says out."""

import re
from calendar import Calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from itertools import count

from bot.errors import UserError
from bot.routing.spelling import plain

YEARS = range(1990, 2200)

_MONTHS = (
    "janvier|janv|january|jan",
    "fevrier|fevr|fev|february|feb",
    "mars|march|mar",
    "avril|avr|april|apr",
    "mai|may",
    "juin|june|jun",
    "juillet|juil|july|jul",
    "aout|august|aug",
    "septembre|sept|september|sep",
    "octobre|oct|october",
    "novembre|nov|november",
    "decembre|dec|december",
)
WEEKDAYS = (
    "lundi|monday",
    "mardi|tuesday",
    "mercredi|wednesday",
    "jeudi|thursday",
    "vendredi|friday",
    "samedi|saturday",
    "dimanche|sunday",
)
MONTH = f"(?:{'|'.join(_MONTHS)})\\.?"
_NAMED = f"(?:{'|'.join(WEEKDAYS)})"
_D = r"(?P<{0}>\d{{1,2}})(?:er|st|nd|rd|th)?"
_M = rf"(?P<{{0}}>{MONTH})"
_Y = r"(?:,?\s+(?P<y>\d{4}))?"
_TO = r"\s*(?:-|/|\bau\b|\bto\b|\buntil\b|\bjusqu'au\b)\s*"
_BEFORE = rf"(?:\b(?:du|le|les|des|from|on|the|on the)\s+)?(?:\b{_NAMED}\s+)?"
_SAID = rf"(?:\b{_NAMED}\s+)?"
_DATES = tuple(
    re.compile(rf"(?<![\w/:.-]){_BEFORE}{pattern}(?![\w/])", re.IGNORECASE)
    for pattern in (
        r"(?P<y1>\d{4})-(?P<m1>\d\d)-(?P<d1>\d\d)" + _TO + r"(?P<y2>\d{4})-(?P<m2>\d\d)-(?P<d2>\d\d)",
        r"(?P<y>\d{4})-(?P<m1>\d\d)-(?P<d1>\d\d)",
        _D.format("d1")
        + r"(?:\s+"
        + _M.format("m1")
        + ")?"
        + _TO
        + _SAID
        + _D.format("d2")
        + r"\s+"
        + _M.format("m2")
        + _Y,
        _D.format("d1") + r"\s+" + _M.format("m1") + _Y,
        _M.format("m1") + r"\s+" + _D.format("d1") + r"(?:\s*-\s*" + _D.format("d2") + ")?" + _Y,
        r"(?P<d1>\d{1,2})/(?P<m1>\d{1,2})(?:/(?P<y>\d{4}|\d\d))?",
        r"(?P<d1>\d{1,2})\.(?P<m1>\d{1,2})\.(?P<y>\d{4}|\d\d)?",
    )
)
_ORDINALS = ("1er|1ere|premier|premiere|1st|first", "2e|2eme|deuxieme|2nd|second", "3e|3eme|troisieme|3rd|third",
             "4e|4eme|quatrieme|4th|fourth", "dernier|derniere|last")  # fmt: skip
_NUMBERED = re.compile(
    rf"\b(?:le\s+|the\s+)?(?P<n>{'|'.join(_ORDINALS)})\s+(?P<w>{_NAMED})\s+(?:de\s+|d'|of\s+)?(?P<m>{MONTH}){_Y}(?![\w/])",
    re.IGNORECASE,
)
_IN = re.compile(
    r"\b(?:dans|in)\s+(?P<n>\d{1,3}|une?|deux|trois|quatre|one|two|three|four)\s+(?:jours?|days?|(?P<w>semaines?|weeks?))\b",
    re.IGNORECASE,
)
_COUNTED = {"un": 1, "une": 1, "one": 1, "deux": 2, "two": 2, "trois": 3, "three": 3, "quatre": 4, "four": 4}
_STAMP = re.compile(r"(?<=\b\d{4}-\d\d-\d\d)T(?=\d\d:\d\d)")  # as programs write a day with its time
_ALWAYS = re.compile(r"\b24\s*h?\s*/\s*(?:24|7)\b|\b7\s*j?\s*/\s*7\b", re.IGNORECASE)  # no day, unless alone
_LONELY = re.compile(r"^[\s,;:.–-]+|(?<=\s)[,;:]\s+|[\s,;:–-]+$")
_RELATIVE = {
    "aujourd'hui": 0,
    "today": 0,
    "ce matin": 0,
    "cet apres-midi": 0,
    "ce soir": 0,
    "tonight": 0,
    "demain": 1,
    "tomorrow": 1,
    "apres-demain": 2,
}
_RELATIVELY = re.compile(rf"(?<![\w-])(?:{'|'.join(sorted(_RELATIVE, key=len, reverse=True))})(?![\w-])", re.IGNORECASE)
_WEEKDAY = re.compile(rf"\b(?:(?:le|on|next)\s+)?(?P<w>{_NAMED})\b(?:\s+prochain)?", re.IGNORECASE)

_H = (
    r"(?:(?P<{0}>\d{{1,2}})(?:\s*(?:h(?:eures?|rs)?\b|h(?=\d)|:(?=\d))\s*(?P<{1}>\d\d)?(?!\d))(?:\s*(?P<{2}>[ap])\.?m\b\.?)?"
    r"|(?P<{3}>\d{{1,2}})\s*(?P<{4}>[ap])\.?m\b\.?|(?P<{5}>\bmidi\b|\bnoon\b|\bminuit\b|\bmidnight\b))"
)
_FIRST = _H.format("h", "n", "p", "h_", "p_", "w")
_SECOND = _H.format("h2", "n2", "p2", "h2_", "p2_", "w2")
_AT = r"(?<![\w:])(?:\b(?:a|at|de|des|from|vers|between|entre)\s+)?"
_UNTIL = r"\s*(?:-|\ba\b|\bto\b|\bet\b|\band\b|\buntil\b|\bjusqu'a\b)\s*"
_TIMES = (
    re.compile(_AT + _FIRST + _UNTIL + _SECOND, re.IGNORECASE),
    re.compile(_AT + r"(?P<h>\d{1,2})(?P<n>)(?P<p>)(?P<h_>)(?P<p_>)(?P<w>)\s*-\s*" + _SECOND, re.IGNORECASE),
    re.compile(_AT + _FIRST, re.IGNORECASE),
)


@dataclass(frozen=True, slots=True)
class Dated:
    """What a text says of when: days (the last included), times of day if any, and the text without these words."""

    first: date
    last: date
    begins: time | None
    ends: time | None
    rest: str


def dated(text: str, today: date) -> Dated | None:
    """Read the first date and the first time of a text; a day without a year is the next that comes.

    None where there is no date. Raises UserError for a day or a time that does not exist.
    """
    text = _STAMP.sub(" ", text)
    whole = folded(text)
    bare = _ALWAYS.sub(lambda found: " " * len(found[0]), whole)
    found = _days(bare, today)
    if found is None:
        bare = whole
        found = _days(bare, today)
    if found is None:
        return None
    first, last, (start, end) = found
    blank = bare[:start] + " " * (end - start) + bare[end:]
    begins, ends, (since, until) = times_of(blank)
    left = "".join(" " if start <= at < end or since <= at < until else c for at, c in enumerate(text))
    return Dated(first, last, begins, ends, _LONELY.sub("", " ".join(left.split())))


def folded(text: str) -> str:
    """Return a text without accents, character for character."""
    dashes = text.replace("–", "-").replace("—", "-").replace("’", "'")
    return "".join(folded if len(folded := plain(c)) == 1 else " " for c in dashes)


def _days(text: str, today: date) -> tuple[date, date, tuple[int, int]] | None:
    numbered = _NUMBERED.search(text)
    if numbered is not None:
        day = _numbered(numbered, today)
        return day, day, numbered.span()
    for pattern in _DATES:
        found = pattern.search(text)
        if found is not None:
            return (*_span(found, today), found.span())
    found = _RELATIVELY.search(text)
    if found is not None:
        day = today + timedelta(days=_RELATIVE[found[0].lower()])
        return day, day, found.span()
    found = _IN.search(text)
    if found is not None:
        said = found["n"].lower()
        turns = int(said) if said.isdecimal() else _COUNTED[said]
        day = today + timedelta(days=turns * (7 if found["w"] else 1))
        return day, day, found.span()
    found = _WEEKDAY.search(text)
    if found is not None:
        wanted = _one_of(WEEKDAYS, found["w"])
        day = today + timedelta(days=(wanted - today.weekday() - 1) % 7 + 1)
        return day, day, found.span()
    return None


def _numbered(found: re.Match[str], today: date) -> date:
    """Return the third Tuesday of a month, say; without a year the next one. Every month has four of each."""
    number, weekday, month = _one_of(_ORDINALS, found["n"]), _one_of(WEEKDAYS, found["w"]), _month(found["m"])
    for year in [int(found["y"])] if found["y"] else count(today.year):
        _day("1", found["m"], str(year), found[0])
        days = [day for day in Calendar().itermonthdates(year, month) if (day.month, day.weekday()) == (month, weekday)]
        day = days[-1 if number == len(_ORDINALS) - 1 else number]
        if found["y"] or day >= today:
            return day
    raise AssertionError  # the years do not end


def _one_of(names: Sequence[str], said: str) -> int:
    return next(at for at, each in enumerate(names) if said.lower() in each.split("|"))


def _span(found: re.Match[str], today: date) -> tuple[date, date]:
    said = found.groupdict()
    if said.get("y1"):
        return _day(said["d1"], said["m1"], said["y1"], found[0]), _day(said["d2"], said["m2"], said["y2"], found[0])
    months = (said.get("m1") or said.get("m2") or "", said.get("m2") or said.get("m1") or "")
    days = (said["d1"], said.get("d2") or said["d1"])
    if said.get("y"):
        year = int(said["y"]) + (2000 if len(said["y"]) == 2 else 0)
        first, last = (_day(d, m, str(year), found[0]) for d, m in zip(days, months, strict=True))
        if first > last:  # « du 30 décembre au 2 janvier 2027 »
            first = _day(days[0], months[0], str(year - 1), found[0])
        return first, last
    first = _next(days[0], months[0], today, found[0])
    return first, _next(days[1], months[1], first, found[0])


def _next(day: str, month: str, since: date, said: str) -> date:
    """Return the first day of this name that is not before another; 29 February waits for its year."""
    for year in count(since.year):
        leap = year < since.year + 8 and _month(month) == 2 and int(day) == 29
        try:
            found = _day(day, month, str(year), said)
        except UserError:
            if not leap:
                raise
            continue
        if found >= since:
            return found
    raise AssertionError  # the years do not end


def _day(day: str, month: str, year: str, said: str) -> date:
    try:
        found = date(int(year), _month(month), int(day))
    except ValueError:
        found = None
    if found is None or found.year not in YEARS:
        raise UserError("agenda.no_such_day", said=said.strip()[:60])
    return found


def _month(said: str) -> int:
    if said.isdecimal():
        return int(said)
    return _one_of(_MONTHS, said.rstrip(".")) + 1


def times_of(text: str) -> tuple[time | None, time | None, tuple[int, int]]:
    """Return the first time of a folded text, or the two between which it lies, and where they stand in it."""
    for pattern in _TIMES:
        found = pattern.search(text)
        if found is not None:
            said = found.groupdict()
            ends = _time(said, "2", found[0])
            return _time(said, "", found[0]), ends, found.span()
    return None, None, (-1, -1)


def _time(said: dict[str, str | None], which: str, whole: str) -> time | None:
    word = said.get(f"w{which}")
    if word:
        return time(12) if word.lower() in {"midi", "noon"} else time()
    hour = said.get(f"h{which}") or said.get(f"h{which}_")
    if hour is None:
        return None
    half = (said.get(f"p{which}") or said.get(f"p{which}_") or "").lower()
    read, minutes = int(hour), int(said.get(f"n{which}") or 0)
    if minutes > 59 or read > 24 or (half and not 1 <= read <= 12):
        raise UserError("agenda.no_such_time", said=whole.strip()[:60])
    return time(read % 12 + 12 * (half == "p") if half else read % 24, minutes)
