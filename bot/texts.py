"""Words in the reader's language: a `Text` names a sentence of the catalogues and carries its values, typed.

The catalogues are gettext files, `config/texts/<language>.po`; a sentence's id is its key, its translation holds
`{name}` where a value goes (in French also `{name:de}`, see `bot/french.py`). Instants are shown in the reader's zone,
never in the writer's.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from importlib.resources.abc import Traversable
from io import BytesIO
from typing import Any, cast
from zoneinfo import ZoneInfo

from babel.dates import format_date, get_timezone_location
from babel.messages.pofile import read_po

from bot import french

LANGUAGES = ("fr", "en")

PLACE = re.compile(r"\{(\w+)(?::(\w+))?\}")  # a value's name, and how it joins the sentence
_SPECIAL = re.compile(r"([\\`*_~\[\]<>]|&(?=#?\w+;))")
_INDENT = re.compile(r"(?<=\n)[ \t]+|\A(?: {4,}|[ ]*\t)\s*")  # would make a block of code
_OPENING = re.compile(r"^([ \t]*)([-+](?=\s|$)|-(?=[- \t]+$)|=(?==*[ \t]*$)|#(?=#{0,5}(?:\s|$)))", re.MULTILINE)
_NUMBERED = re.compile(r"^([ \t]*\d{1,9})([.)])(?=\s|$)", re.MULTILINE)
_WEEK = timedelta(days=6)  # a weekday means one day only

_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


class Markdown(str):
    """A value that is Markdown already and goes in as it is; any other string is escaped."""

    __slots__ = ()


class Lines(tuple["str | Text", ...]):
    """Values that are shown one below the other; any other tuple is shown in a line."""

    __slots__ = ()


class Row(tuple["str | Text", ...]):
    """Values that are shown in a line, with a dot between them."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence of the catalogues with its values: strings, numbers, instants, days, times of day, or texts again."""

    key: str
    values: tuple[tuple[str, object], ...] = ()

    @classmethod
    def of(cls, key: str, /, **values: object) -> "Text":
        """Return the sentence `key` with these values."""
        return cls(key, tuple(values.items()))


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom words are rendered."""

    language: str = "fr"
    zone: str = "Europe/Paris"


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant that is shown with its zone: « mardi 14 h, heure de Cayenne ».

    The weekday says which day it is where it lies within six days of `seen_from`.
    """

    at: datetime
    seen_from: datetime


def escape(text: str) -> str:
    """Return plain text as Markdown that shows it unchanged."""
    inner = _SPECIAL.sub(r"\\\1", _INDENT.sub(lambda m: "" if m.start() else " ", text))
    return _NUMBERED.sub(r"\1\\\2", _OPENING.sub(r"\1\\\2", inner))


def unescaped(markdown: str) -> str:
    """Return Markdown without its escapes, for a place that shows it as it is typed."""
    return _ESCAPED.sub(r"\1", markdown)


class Catalogues:
    """The sentences of every language, read once."""

    def __init__(self, by_language: Mapping[str, Mapping[str, str]]) -> None:
        self._by_language = by_language

    @classmethod
    def load(cls, folder: Traversable) -> "Catalogues":
        """Read `<language>.po` of each language in `folder`."""
        return cls({lang: _read(folder / f"{lang}.po") for lang in LANGUAGES})

    def keys(self, language: str) -> Iterable[str]:
        """Return the ids of the sentences that a language has."""
        return self._by_language[language].keys()

    def sentence(self, key: str, language: str) -> str:
        """Return a sentence with its places unfilled; French where the language lacks it.

        Raises KeyError when no language has it.
        """
        own = self._by_language.get(language, {})
        return own.get(key) or self._by_language["fr"][key]

    def render(self, words: "str | Text", reader: Reader) -> str:
        """Return words as Markdown in the reader's language and zone; plain strings pass unchanged."""
        if isinstance(words, str):
            return words
        values = dict(words.values)

        def filled(place: re.Match[str]) -> str:
            shown = self._value(values[place[1]], reader)
            return french.joined(place[2], shown) if place[2] else shown

        return PLACE.sub(filled, self.sentence(words.key, reader.language))

    def _value(self, value: object, reader: Reader) -> str:
        match value:
            case Text():
                return self.render(value, reader)
            case Markdown():
                return value
            case datetime():
                return instant(value, reader)
            case Moment():
                return moment(value, reader)
            case time():
                return _clock(value, reader.language)
            case date():
                return _day(value, "full", reader.language)
            case Lines():
                return "\n".join(f"- {self._value(v, reader)}" for v in value)
            case Row():
                return " · ".join(self._value(v, reader) for v in value)
            case tuple():
                return ", ".join(self._value(v, reader) for v in cast("tuple[object, ...]", value))
            case _:
                return escape(str(value))


def instant(value: datetime, reader: Reader) -> str:
    """Return an instant in words, in the reader's zone: « mardi 14 mars à 15 h 30 »."""
    local = value.astimezone(_zone(reader.zone))
    if reader.language == "fr":
        return f"{_day(local, 'EEEE d MMMM', 'fr')} à {_clock(local.time(), 'fr')}"
    return f"{_day(local, 'EEEE d MMMM', 'en')} at {_clock(local.time(), 'en')}"


def moment(value: Moment, reader: Reader) -> str:
    """Return a moment in words, with the place whose time it is."""
    zone = _zone(reader.zone)
    local = value.at.astimezone(zone)
    near = abs(local.date() - value.seen_from.astimezone(zone).date()) < _WEEK
    if reader.language == "fr":
        day = _day(local, "EEEE" if near else "EEEE d MMMM", "fr")
        return f"{day} {_clock(local.time(), 'fr')}, heure {french.of_city(city(reader.zone, 'fr'))}"
    day = _day(local, "EEEE" if near else "EEEE d MMMM", "en")
    return f"{day} {_clock(local.time(), 'en')}, {city(reader.zone, 'en_GB')} time"


def _day(value: date, pattern: str, language: str) -> str:
    """Return a day in words; the first of a month is « 1er » in French, which the locale's data does not know."""
    if language != "fr":
        return format_date(value, pattern, locale="en_GB")
    words = format_date(value, pattern, locale="fr")
    return words.replace(" 1 ", " 1er ", 1) if value.day == 1 else words


@lru_cache
def city(zone: str, locale: str) -> str:
    """Return the place whose time a zone has, as a locale (`fr`, `en_GB`) calls it."""
    return get_timezone_location(_zone(zone), locale=locale, return_city=True)


def _clock(value: time, language: str) -> str:
    if language == "fr":
        return f"{value.hour} h {value.minute:02d}" if value.minute else f"{value.hour} h"
    return f"{value:%H:%M}"


@lru_cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _read(file: Traversable) -> dict[str, str]:
    catalogue = read_po(BytesIO(file.read_bytes()))
    typeset = french.typeset if file.name == "fr.po" else str
    return {str(m.id): typeset(str(m.string)) for m in catalogue if m.id and m.string}


def to_data(words: "str | Text") -> object:
    """Return words as JSON data, to be rendered later for another reader; `from_data` gives them back."""
    return words if isinstance(words, str) else [words.key, {k: _value_to_data(v) for k, v in words.values}]


def from_data(data: Any) -> "str | Text":
    """Return the words that `to_data` wrote."""
    if isinstance(data, str):
        return data
    key, values = data
    return Text(key, tuple((k, _value_from_data(v)) for k, v in values.items()))


def _value_to_data(value: object) -> object:
    match value:
        case Text():
            return {"text": to_data(value)}
        case Markdown():
            return {"markdown": str(value)}
        case datetime():
            return {"instant": value.isoformat()}
        case Moment():
            return {"moment": [value.at.isoformat(), value.seen_from.isoformat()]}
        case date():
            return {"day": value.isoformat()}
        case time():
            return {"time": value.isoformat()}
        case Lines() | Row():
            return {type(value).__name__.lower(): [_value_to_data(v) for v in value]}
        case tuple():
            return [_value_to_data(v) for v in cast("tuple[object, ...]", value)]
        case int() | float():
            return value
        case _:
            return str(value)


def _value_from_data(data: Any) -> object:
    match data:
        case {"text": text}:
            return from_data(text)
        case {"markdown": text}:
            return Markdown(text)
        case {"instant": text}:
            return datetime.fromisoformat(text)
        case {"moment": [at, seen_from]}:
            return Moment(datetime.fromisoformat(at), datetime.fromisoformat(seen_from))
        case {"day": text}:
            return date.fromisoformat(text)
        case {"time": text}:
            return time.fromisoformat(text)
        case {"lines": items}:
            return Lines(cast("str | Text", _value_from_data(v)) for v in items)
        case {"row": items}:
            return Row(cast("str | Text", _value_from_data(v)) for v in items)
        case list():
            return tuple(_value_from_data(v) for v in data)  # pyright: ignore[reportUnknownVariableType]
        case _:
            return data
