"""What lies around somebody: their territory, those that share its border, and the other side."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import NamedTuple

from bot.directory.snapshot import Org, Snapshot
from bot.worktime.holidays import Place

FRANCE = "FR"
_EVERYWHERE = frozenset({"ministry", "other"})  # kinds of organisations without a place of their own


class Named(NamedTuple):
    """Whom an event names: countries, territories, bodies and organisers."""

    countries: tuple[str, ...] = ()
    territories: tuple[str, ...] = ()
    bodies: tuple[str, ...] = ()
    organisers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Around:
    """What concerns somebody: their organisation, territories, countries; `places` keep holidays, one's own first."""

    organisations: frozenset[str] = frozenset()
    territories: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    places: tuple[Place, ...] = ()
    everything: bool = False

    def holds(self, event: Named) -> bool:
        """Say whether an event is here. One that names no place and nobody is everywhere."""
        if self.everything or not (event.territories or event.countries or event.bodies):
            return True
        elsewhere = self.territories.isdisjoint(event.territories) and self.countries.isdisjoint(event.countries)
        others = self.organisations.isdisjoint(event.organisers) and self.organisations.isdisjoint(event.bodies)
        return not (elsewhere and others)


EVERYTHING = Around(everything=True)


@dataclass(frozen=True)
class Borders:
    """Which parts of which countries lie before a département, by its code."""

    across: Mapping[str, tuple[Place, ...]]

    @classmethod
    @lru_cache(maxsize=4)
    def load(cls, folder: Traversable) -> "Borders":
        """Read `borders.csv`."""
        across: dict[str, list[Place]] = {}
        with (folder / "borders.csv").open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                across.setdefault(row["territory"], []).append(Place(row["country"], row["subdivision"]))
        return cls(MappingProxyType({code: tuple(places) for code, places in across.items()}))

    def around(self, organisation: str | None, directory: Snapshot) -> Around:
        """Return what concerns an organisation; all there is where it is unknown or has no place of its own."""
        own = directory.organisations.get(organisation or "")
        if own is None or own.kind in _EVERYWHERE:
            return EVERYTHING
        return self._at_home(own, directory) if own.country == FRANCE else self._abroad(own)

    def of_territory(self, code: str, directory: Snapshot) -> Around:
        """Return what concerns a département or a region, by its code or id."""
        region = directory.organisations.get(code)
        departments = _departments(code, directory) if region is not None else {code}
        regions = {code} if region is not None else _regions(departments, directory)
        seat = region or next(
            (it for it in directory.organisations.values() if it.id == f"prefecture-{code.lower()}"), None
        )
        home = Place(FRANCE, seat.subdivision if seat else "")
        return self._around(departments, regions, home, directory)

    def of_country(self, code: str) -> Around:
        """Return what concerns a country: what is there, and the départements on its border."""
        beside = {own for own, places in self.across.items() if any(place.country == code for place in places)}
        return Around(territories=frozenset(beside), countries=frozenset({code}), places=(Place(code),))

    def _at_home(self, own: Org, directory: Snapshot) -> Around:
        seat: Org | None = own
        while seat is not None and not seat.territory:
            seat = directory.organisations.get(seat.parent or "")
        if seat is None:
            return EVERYTHING
        found = self.of_territory(seat.territory, directory)
        places = (Place(FRANCE, own.subdivision), *found.places[1:])
        return Around(frozenset({own.id}), found.territories, found.countries, places)

    def _abroad(self, own: Org) -> Around:
        found = self.of_country(own.country)
        home = Place(own.country, own.subdivision)
        homes = dict.fromkeys((home, Place(FRANCE)))
        return Around(frozenset({own.id}), found.territories, found.countries, tuple(homes))

    def _around(self, departments: set[str], regions: set[str], home: Place, directory: Snapshot) -> Around:
        """Return what lies around départements: the other side, and who shares it in the same region."""
        across = [place for own in sorted(departments) for place in self.across.get(own, ())]
        countries = {place.country for place in across}
        beside = {
            own
            for region in regions
            for own in _departments(region, directory)
            if not countries.isdisjoint(place.country for place in self.across.get(own, ()))
        }
        return Around(
            territories=frozenset(departments | regions | beside),
            countries=frozenset(countries),
            places=tuple(dict.fromkeys((home, *across))),
        )


def _departments(region: str, directory: Snapshot) -> set[str]:
    found = (it for it in directory.organisations.values() if it.parent == region and it.territory)
    return {it.territory for it in found if it.territory != region}


def _regions(departments: Iterable[str], directory: Snapshot) -> set[str]:
    wanted = set(departments)
    organisations = directory.organisations.values()
    parents = {it.parent for it in organisations if it.territory in wanted and it.kind != "sous_prefecture"}
    return {parent for parent in parents if parent is not None and parent in directory.organisations}
