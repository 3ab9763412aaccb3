"""Which days nobody works somewhere: the weekend and the public holidays of a country and its subdivision."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from types import MappingProxyType

_WEEKEND = frozenset({5, 6})
_IN_WORDS = ("fr", "en_US")  # a holiday is named in the first of these that its country has


@dataclass(frozen=True, slots=True)
class Place:
    """A country (ISO 3166-1) and one of its subdivisions (ISO 3166-2 without the country), or none."""

    country: str
    subdivision: str = ""

    def holiday(self, day: date) -> str | None:
        """Return the name of a public holiday, None on other days; where a country's are unknown it has none."""
        return _year(self.country, self.subdivision, day.year)[0].get(day)

    def is_holiday(self, day: date) -> bool:
        """Say whether a day is a public holiday."""
        return self.holiday(day) is not None

    def is_weekend(self, day: date) -> bool:
        """Say whether a day belongs to the weekend there in that year."""
        return day.weekday() in _year(self.country, self.subdivision, day.year)[1]


@lru_cache(maxsize=512)
def _year(country: str, subdivision: str, year: int) -> tuple[Mapping[date, str], frozenset[int]]:
    """Return the public holidays of a year by day, and the weekdays of the weekend."""
    import holidays  # noqa: PLC0415 - a third of a second, for those who look somebody up

    try:
        known = holidays.country_holidays(country)
    except NotImplementedError:
        return MappingProxyType({}), _WEEKEND
    spoken = next((it for it in _IN_WORDS if it in known.supported_languages), known.default_language)
    part = subdivision if subdivision in (*known.subdivisions, *known.subdivisions_aliases) else None
    found = holidays.country_holidays(country, subdiv=part, years=year, language=spoken, observed=True)
    days = {day: name for day, name in found.items() if day.year == year}
    return MappingProxyType(days), frozenset(found.weekend)
