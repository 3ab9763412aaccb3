"""What a cell of a directory file may say, and the value it stands for.

A reader takes a cell that is not empty and returns its value, or raises `BadCell` with the reason. White space around
a cell means nothing. So that no spreadsheet takes a cell for a formula, an export puts an apostrophe before a cell that
begins with one of `= + - @`, a tab or a carriage return, behind any apostrophes; an import takes it away again. A
telephone number may thus be written `+33 …` or `'+33 …`; « 's-Gravenhage » is nobody's formula and stays as it is.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from typing import TypeAlias
from zoneinfo import available_timezones

from babel import Locale

from bot.directory.tables import ACCOUNT, ID
from bot.texts import LANGUAGES, Text

Value: TypeAlias = str | date | bool | None
Read: TypeAlias = Callable[[str], Value]

FIELD = 10_000  # bytes of a cell, at most
_PLACE = 400  # bytes of a place's name, at most: it is part of a key

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"''*[=+\-@\t\r]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_BREAK = re.compile(r"[\t\n\r\u2028\u2029]")
IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DEPARTEMENT = re.compile(r"[01345678][0-9]|2[1-9AB]|9[0-5]|9[78][0-9]")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
EMAIL = re.compile(r"[^\s@<>,;\"]+@[^\s@<>,;\"]+")
_MATRIX = re.compile(r"@[^\s:]+:\S+")
_NO_COUNTRY = set("AC CP DG EA EU EZ IC QO TA UN XA XB ZZ".split())  # the CLDR's groups, parts and placeholders

_COMMENT = re.compile(r'"[^"]*"')
_HOURS = re.compile(r"[A-Za-z0-9\s:,;+\-/|()\[\]&]+")
_CLOCK = re.compile(r"([0-9]+):([0-9]+)")
_MINUTE = re.compile(r"[0-5][0-9]")
_HOURS_WORDS = set(
    "mo tu we th fr sa su ph sh off closed open unknown week easter day days sunrise sunset dawn dusk "
    "jan feb mar apr may jun jul aug sep oct nov dec".split()
)


class BadCell(Exception):
    """A cell cannot be read; `reason` says why."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason.key)
        self.reason = reason


def guard(cell: str) -> str:
    """Return a cell as an export writes it: no spreadsheet takes it for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def bare(cell: str) -> str:
    """Return what a cell of a file says: without white space around it, and without the export's apostrophe."""
    stripped = cell.strip()
    return stripped[1:] if _GUARDED.match(stripped) else stripped


def sound(cell: str) -> None:
    """Raise BadCell for a cell that is too long or holds what no text holds."""
    if len(cell) > FIELD // 4 and len(cell.encode()) > FIELD:
        raise BadCell(Text.of("import.field_too_long", limit=FIELD))
    if _CONTROL.search(cell):
        raise BadCell(Text.of("import.control_character"))


def text(cell: str) -> str:
    """Read a text of one line or more; whatever ends a line in the file, a line feed ends it here."""
    return cell.replace("\r\n", "\n").replace("\r", "\n")


def line(cell: str) -> str:
    """Read a text of one line."""
    if _BREAK.search(cell):
        raise BadCell(Text.of("import.line_break"))
    return cell


def email(cell: str) -> str:
    """Read one address of electronic mail."""
    if not EMAIL.fullmatch(cell):
        raise BadCell(Text.of("import.bad_email"))
    return cell


def place(cell: str) -> str:
    """Read the name of a place."""
    if len(cell.encode()) > _PLACE:
        raise BadCell(Text.of("import.field_too_long", limit=_PLACE))
    return line(cell)


def identifier(cell: str) -> str:
    """Read an id of the directory."""
    if len(cell) > ID or not IDENTIFIER.fullmatch(cell):
        raise BadCell(Text.of("import.bad_id", limit=ID))
    return cell


def one_of(*words: str) -> Read:
    """Return a reader of exactly these words, in capitals or not."""

    def read(cell: str) -> str:
        if cell.lower() not in words:
            raise BadCell(Text.of("import.not_one_of", expected=words))
        return cell.lower()

    return read


def yes_or_no(cell: str) -> bool:
    """Read `yes` or `no`."""
    return one_of("yes", "no")(cell) == "yes"


def day(cell: str) -> date:
    """Read a day, in ISO form."""
    try:
        if _DAY.fullmatch(cell):
            return date.fromisoformat(cell)
    except ValueError:
        pass
    raise BadCell(Text.of("import.bad_date"))


def country(cell: str) -> str:
    """Read a country's code, ISO 3166-1 in two letters."""
    if cell.upper() not in _countries():
        raise BadCell(Text.of("import.bad_country"))
    return cell.upper()


def timezone(cell: str) -> str:
    """Read the IANA name of a zone."""
    if cell not in _timezones():
        raise BadCell(Text.of("import.bad_timezone"))
    return cell


def language(cell: str) -> str:
    """Read a language that the bot speaks."""
    return str(one_of(*LANGUAGES)(cell))


def languages(cell: str) -> str:
    """Read codes of languages, separated by spaces."""
    if not all(_LANGUAGE.fullmatch(code) for code in cell.split()):
        raise BadCell(Text.of("import.bad_languages"))
    return " ".join(cell.split())


def territory(cell: str) -> str:
    """Read a département's code or a region's id; whether there is such a region is for the import to see."""
    if _DEPARTEMENT.fullmatch(cell.upper()):
        return cell.upper()
    if not cell.startswith("region-"):
        raise BadCell(Text.of("import.bad_territory"))
    return identifier(cell)


def account(cell: str) -> str:
    """Read a platform's id of an account or a room."""
    if len(cell) > ACCOUNT or len(cell.split()) != 1:
        raise BadCell(Text.of("import.bad_account", limit=ACCOUNT))
    return cell


def matrix_account(cell: str) -> str:
    """Read a Matrix account, `@name:server`."""
    if not _MATRIX.fullmatch(cell):
        raise BadCell(Text.of("import.bad_matrix_id"))
    return account(cell)


def website(cell: str) -> str:
    """Read an address on the web; other schemes than http and https are refused."""
    if len(cell.split()) != 1 or (":" in cell and not cell.lower().startswith(("http://", "https://"))):
        raise BadCell(Text.of("import.bad_website"))
    return cell


def opening_hours(cell: str) -> str:
    """Read opening hours in OpenStreetMap's syntax; only their words and clock times are looked at."""
    plain = _COMMENT.sub(" ", cell)
    words = {word.lower() for word in re.findall(r"[A-Za-z]+", plain)}
    clocks = all(
        len(hour) <= 2 and int(hour) <= 48 and _MINUTE.fullmatch(minute) for hour, minute in _CLOCK.findall(plain)
    )
    if not (_HOURS.fullmatch(plain) and words <= _HOURS_WORDS and clocks):
        raise BadCell(Text.of("import.bad_opening_hours"))
    return line(cell)


@cache
def country_names() -> Mapping[str, str]:
    """Return the names in French of all countries and territories, by code."""
    names = Locale("fr").territories
    return {str(code): str(names[code]) for code in names}


@cache
def _countries() -> frozenset[str]:
    codes = country_names()
    return frozenset(code for code in codes if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRY)


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())
