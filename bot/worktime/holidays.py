"""Which days nobody works somewhere: the weekend and the public holidays of a country and its subdivision."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from holidays import HolidayBase

_WEEKEND = frozenset({5, 6})
_ENGLISH, _FRENCH = "en_US", "fr"


class Holiday(NamedTuple):
    """What a public holiday is called."""

    fr: str
    en: str


@dataclass(frozen=True, slots=True)
class Place:
    """A country (ISO 3166-1) and one of its subdivisions (ISO 3166-2 without the country), or none."""

    country: str
    subdivision: str = ""

    def holiday(self, day: date) -> Holiday | None:
        """Return the names of a public holiday, None on other days; where a country's are unknown it has none."""
        return _year(self.country, self.subdivision, day.year)[0].get(day)

    def is_holiday(self, day: date) -> bool:
        """Say whether a day is a public holiday."""
        return self.holiday(day) is not None

    def is_weekend(self, day: date) -> bool:
        """Say whether a day belongs to the weekend there in that year."""
        return day.weekday() in _year(self.country, self.subdivision, day.year)[1]


@lru_cache(maxsize=512)
def _year(country: str, subdivision: str, year: int) -> tuple[Mapping[date, Holiday], frozenset[int]]:
    """Return the public holidays of a year by day, and the weekdays of the weekend."""
    import holidays  # noqa: PLC0415 - a third of a second, for those who look somebody up

    try:
        known = holidays.country_holidays(country)
    except NotImplementedError:
        return MappingProxyType({}), _WEEKEND
    part = subdivision if subdivision in (*known.subdivisions, *known.subdivisions_aliases) else None
    spoken = known.supported_languages

    def named(language: str | None) -> "HolidayBase":
        return holidays.country_holidays(country, subdiv=part, years=year, language=language, observed=True)

    own = _FRENCH if _FRENCH in spoken else known.default_language
    found = named(_ENGLISH if _ENGLISH in spoken else own)
    french = named(_FRENCH) if _FRENCH in spoken else {day: _in_french(name) for day, name in found.items()}
    days = {day: Holiday(french[day].replace("'", "’"), name) for day, name in found.items() if day.year == year}
    return MappingProxyType(days), frozenset(found.weekend)


def _in_french(name: str) -> str:
    """Return the French for an English name, or for each of several; one that is not known stays as it is."""
    return " ; ".join(_names().get(each, each) for each in name.split("; "))


@cache
def _names() -> Mapping[str, str]:
    """Read `holidays.csv`: what those are called in French whose country has no French names."""
    with files("bot.worktime").joinpath("holidays.csv").open(encoding="utf-8") as file:
        return {row["en"]: row["fr"] for row in csv.DictReader(file)}
