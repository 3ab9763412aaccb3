"""Rhythms as people write them, in French and in English: « chaque lundi à 8 h », « le dernier vendredi ». Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, time

from bot.agenda.dates import MONTH, WEEKDAYS, folded, times_of
from bot.digests.rhythm import STEPS, TIMES, Rhythm, Unit, after
from bot.errors import UserError
from bot.texts import Row, Text
from bot.worktime.holidays import Place

EIGHT = time(8)  # where no time is said
_NUMBERS = {
    "un": 1, "une": 1, "one": 1, "deux": 2, "two": 2, "other": 2, "trois": 3, "three": 3, "quatre": 4, "four": 4,
    "cinq": 5, "five": 5, "six": 6, "huit": 8, "dix": 10, "ten": 10, "quinze": 15,
}  # fmt: skip
_ORDINALS = {
    1: "1er|premier|first|1st", 2: "2e|2eme|deuxieme|second|2nd", 3: "3e|3eme|troisieme|third|3rd",
    4: "4e|4eme|quatrieme|fourth|4th", 5: "5e|5eme|cinquieme|fifth|5th", -2: "avant-dernier|last but one",
    -1: "dernier|last",
}  # fmt: skip
_WEEKS = {7: 1, 8: 1, 14: 2, 15: 2}  # days that people say when they mean weeks

_N = rf"(?P<n>{'|'.join(_NUMBERS)}|\d{{1,2}})"
_W = rf"(?:{'|'.join(WEEKDAYS)})s?"
_WORKING = r"jours?\s+ouvr(?:es?|ables?)|(?:working|business)\s+days?|workdays?|weekdays?"
_U = rf"(?P<u>semaines?|weeks?|jours?|days?|mois|months?|{_W})"
_O = rf"(?:{'|'.join(sorted('|'.join(_ORDINALS.values()).split('|'), key=len, reverse=True))})s?"
_AND = r"\s*(?:,|\bet\b|\band\b|&|\+)\s*(?:et\s+|and\s+)?(?:(?:chaque|tous\s+les|les?|every|each|the)\s+)?"
_ARTICLE = r"(?:(?:chaque|tous\s+les|toutes\s+les|les?|every|each|on\s+the|the|on)\s+)?"
_OF_MONTH = r"(?:\s+(?:du|de\s+chaque|of\s+the|of\s+each|of\s+every)\s+(?:mois|month))?"
_D = r"\d{1,2}(?:er|e|st|nd|rd|th)?"


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{pattern})(?![\w-])", re.IGNORECASE)


_NO_HOLIDAYS = _words(
    r"(?:sauf|hors|sans)\s+(?:les\s+)?(?:jours\s+)?feries|(?:except|excluding|not\s+on|skip(?:ping)?)\s+(?:public\s+|bank\s+)?holidays"
)
_QUARTERLY = _words(r"trimestriel(?:le(?:ment)?)?|chaque\s+trimestre|tous\s+les\s+trimestres|quarterly|every\s+quarter")
_FORTNIGHTLY = _words(r"(?:chaque|toutes\s+les)\s+quinzaines?|fortnightly|every\s+fortnight")
_EVERY = tuple(
    _words(pattern)
    for pattern in (
        rf"(?:tous|toutes)\s+les\s+{_N}\s+{_U}",
        rf"every\s+{_N}\s+{_U}",
        rf"(?:une?|one)\s+{_U}\s+(?:sur|in|out\s+of)\s+{_N}",
    )
)
_NTH = _words(rf"{_ARTICLE}(?P<o>{_O}(?:{_AND}{_O})*)\s+(?P<w>{_W}|{_WORKING}){_OF_MONTH}")
_DATES = _words(rf"(?:les?|on\s+the|the)\s+(?P<d>{_D}(?:{_AND}{_D})*)(?!\s*(?:{MONTH})\b){_OF_MONTH}")
_NTH_DAY = _words(rf"{_ARTICLE}(?P<o>{_O})\s+(?:jour|day){_OF_MONTH}")
_RANGE = _words(
    rf"(?:(?:du|from)\s+)?(?P<first>{_W})\s*(?:\bau\b|\ba\b|\bto\b|\bthrough\b|-)\s*(?P<last>{_W})(?:\s+inclus)?"
)
_LIST = _words(rf"{_ARTICLE}{_W}(?:{_AND}{_W})*")
_WORKING_DAYS = _words(rf"{_ARTICLE}(?:{_WORKING})")
_DAILY = _words(r"tous\s+les\s+jours|chaque\s+jour|quotidien(?:ne(?:ment)?)?|every\s+day|daily")
_WEEKLY = _words(r"chaque\s+semaine|toutes\s+les\s+semaines|hebdomadaire(?:ment)?|every\s+week|weekly")
_MONTHLY = _words(r"chaque\s+mois|tous\s+les\s+mois|mensuel(?:le(?:ment)?)?|every\s+month|monthly")
_DANGLING = re.compile(r"^[\s,;:·.–-]+|\s+[,;:·–-]+(?=\s)|[\s,;:·–-]+$")
_NO_MINUTES = re.compile(r"(?<=\dh|\sh)\s(?=[6-9]\d\b)", re.IGNORECASE)  # « à 8 h 67 formations »
_JOINING = frozenset("et and l' le les the à a at on du de pour for".split())


@dataclass
class _Reading:
    """A text that loses the words that were understood."""

    text: str
    plain: str = field(init=False)

    def __post_init__(self) -> None:
        self.plain = _NO_MINUTES.sub(",", folded(self.text))

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.search(self.plain)
        if found is not None:
            self.blank(*found.span())
        return found

    def all(self, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        while (found := self.take(pattern)) is not None:
            yield found

    def blank(self, first: int, end: int) -> None:
        space = " " * (end - first)
        self.plain = self.plain[:first] + space + self.plain[end:]
        self.text = self.text[:first] + space + self.text[end:]

    @property
    def rest(self) -> str:
        """What was not understood."""
        words = _DANGLING.sub(" ", self.text).replace("’", "'").split()
        while words and words[0].lower() in _JOINING:
            del words[0]
        while words and words[-1].lower() in _JOINING:
            del words[-1]
        return " ".join(words)


def rhythm_in(text: str) -> tuple[Rhythm, str]:
    """Return the rhythm of a text, and the text without it; `every` is counted from the beginning of time.

    Raises UserError where there is none, or two that are not one rule.
    """
    read = _Reading(text)
    free = read.take(_NO_HOLIDAYS) is not None
    rhythm = _turned(read, Rhythm(times=_times(read), without_holidays=free))
    rhythm = _of_month(read, rhythm)
    rhythm = _of_week(read, rhythm)
    plain = not (rhythm.weekdays or rhythm.dates or rhythm.working)
    daily = read.take(_DAILY) is not None
    weekly, monthly = read.take(_WEEKLY) is not None, read.take(_MONTHLY) is not None
    if plain and (monthly or rhythm.unit == "month"):
        rhythm = replace(rhythm, dates=frozenset({1}))
    elif plain and (weekly or (rhythm.unit == "week" and rhythm.every > 1)):
        rhythm = replace(rhythm, weekdays=frozenset({0}))
    elif plain and not daily and rhythm.unit != "day":
        raise UserError("digest.no_rhythm")
    if rhythm.unit == "week" and (rhythm.dates or rhythm.which) and rhythm.every > 1:
        raise UserError("digest.two_rhythms")
    return rhythm, read.rest


def begun(rhythm: Rhythm, now: datetime, zone: str, place: Place) -> Rhythm:
    """Return a rhythm of which the next day is a turn."""
    if rhythm.every == 1:
        return rhythm
    first = after(replace(rhythm, every=1), now, zone, place)
    return replace(rhythm, since=first.day) if first is not None else rhythm


def same(rhythm: Rhythm, other: Rhythm) -> bool:
    """Say whether two rhythms read alike: they may still count from different days."""
    return replace(rhythm, since=other.since) == other


def said(rhythm: Rhythm) -> Text:
    """Return a rhythm in words that `rhythm_in` understands."""
    return Text.of("digest.rhythm", parts=Row(_parts(rhythm)))


def _parts(rhythm: Rhythm) -> Iterator[Text]:
    days = tuple(Text.of(f"weekday.{number}") for number in sorted(rhythm.weekdays))
    which = tuple(Text.of(f"ordinal.{_named(number)}") for number in sorted(rhythm.which, key=lambda it: it % 9))
    what = Text.of("digest.rhythm.working_day") if rhythm.working else Text.of("digest.rhythm.days", days=days)
    if which:
        yield Text.of("digest.rhythm.which", which=which, what=what)
    elif rhythm.dates:
        yield Text.of("digest.rhythm.dates", dates=tuple(_dates(rhythm)))
    elif rhythm.weekdays:
        yield Text.of("digest.rhythm.weekdays", days=days)
    if rhythm.working and not which:
        yield Text.of("digest.rhythm.working")
    if not (rhythm.weekdays or rhythm.dates or rhythm.working or rhythm.every > 1):
        yield Text.of("digest.rhythm.daily")
    if rhythm.every > 1:
        yield Text.of(f"digest.rhythm.every.{rhythm.unit}", count=rhythm.every)
    yield Text.of("digest.rhythm.at", times=rhythm.times)
    if rhythm.without_holidays:
        yield Text.of("digest.rhythm.without_holidays")


def _dates(rhythm: Rhythm) -> Iterator[Text]:
    for number in sorted(rhythm.dates, key=lambda it: it % 40):  # the last day last
        english = {1: "1", 2: "2", 3: "3", 21: "21", 22: "2", 23: "3", 31: "21"}.get(number, "other")
        yield Text.of("ordinal.last_day") if number < 0 else Text.of(f"ordinal.date.{english}", number=number)


def _named(number: int) -> str:
    return {-1: "last", -2: "last_but_one"}.get(number, str(number))


def _times(read: _Reading) -> tuple[time, ...]:
    found: set[time] = set()
    while True:
        begins, ends, (first, end) = times_of(read.plain)
        if begins is None:
            break
        read.blank(first, end)
        found |= {begins} if ends is None else {begins, ends}
    if len(found) > TIMES:
        raise UserError("digest.too_many_times", count=TIMES)
    return tuple(sorted(found)) or (EIGHT,)


def _turned(read: _Reading, rhythm: Rhythm) -> Rhythm:
    """Return a rhythm with every how many turns it comes."""
    if read.take(_QUARTERLY):
        return replace(rhythm, every=3, unit="month")
    if read.take(_FORTNIGHTLY):
        return replace(rhythm, every=2)
    found = next(filter(None, map(read.take, _EVERY)), None)
    if found is None:
        return rhythm
    number = found["n"].lower()
    count, unit = int(number) if number.isdecimal() else _NUMBERS[number], found["u"].lower()
    if not 1 <= count <= STEPS:
        raise UserError("digest.no_rhythm")
    if unit.startswith(("jour", "day")):
        weeks = _WEEKS.get(count)
        return replace(rhythm, every=weeks) if weeks is not None else replace(rhythm, every=count, unit="day")
    kind: Unit = "month" if unit.startswith(("mois", "month")) else "week"
    days = frozenset[int]() if unit.startswith(("mois", "month", "semaine", "week")) else frozenset({_weekday(unit)})
    return replace(rhythm, every=count, unit=kind, weekdays=days)


def _of_month(read: _Reading, rhythm: Rhythm) -> Rhythm:
    which: set[int] = set()
    kinds: set[str] = set()
    for found in read.all(_NTH):
        which |= {_ordinal(each) for each in re.findall(_O, found["o"], re.IGNORECASE)}
        kinds.add("working" if re.fullmatch(_WORKING, found["w"], re.IGNORECASE) else str(_weekday(found["w"])))
    dates = {_ordinal(found["o"]) for found in read.all(_NTH_DAY)}
    dates |= {int(each) for found in read.all(_DATES) for each in re.findall(r"\d+", found["d"])}
    if len(kinds) > 1 or (kinds and dates) or ((kinds or dates) and rhythm.weekdays):
        raise UserError("digest.two_rhythms")
    if any(not (1 <= number <= 31 or number == -1) for number in dates):
        raise UserError("digest.no_rhythm")
    if kinds == {"working"}:
        return replace(rhythm, which=frozenset(which), working=True)
    if kinds:
        return replace(rhythm, which=frozenset(which), weekdays=frozenset(map(int, kinds)))
    return replace(rhythm, dates=frozenset(dates))


def _of_week(read: _Reading, rhythm: Rhythm) -> Rhythm:
    days = set(rhythm.weekdays)
    for found in read.all(_RANGE):
        first, last = _weekday(found["first"]), _weekday(found["last"])
        days |= {(first + step) % 7 for step in range((last - first) % 7 + 1)}
    for found in read.all(_LIST):
        days |= {_weekday(each) for each in re.findall(_W, found[0], re.IGNORECASE)}
    working = read.take(_WORKING_DAYS) is not None
    if (rhythm.dates and days) or (rhythm.which and (working or frozenset(days) != rhythm.weekdays)):
        raise UserError("digest.two_rhythms")
    return replace(rhythm, weekdays=frozenset(days), working=rhythm.working or working)


def _weekday(word: str) -> int:
    bare = word.lower()
    return next(at for at, names in enumerate(WEEKDAYS) if bare.removesuffix("s") in names.split("|"))


def _ordinal(word: str) -> int:
    bare = " ".join(word.lower().split())
    known = {name: number for number, names in _ORDINALS.items() for name in names.split("|")}
    return known.get(bare) or known[bare.removesuffix("s")]
