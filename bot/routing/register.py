"""The directory as routing asks it: competences by country, prefectures by territory.

Built once for a directory and kept while that directory is in use. It changes no answer, only how soon it comes.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from bot.directory.snapshot import Comp, Org, Snapshot
from bot.routing.names import Run
from bot.routing.spelling import keys

_IN_CHARGE_OF_LAND = ("prefecture", "representation_etat", "region")
_CALLED_BY_CITY = frozenset({"embassy", "consulate_general", "consulate", "honorary_consulate", "ccpd"})
_KEPT = 2
"""So many directories are kept: the one in use, and the one before it."""


@dataclass(frozen=True, slots=True)
class Register:
    """Indexes of a directory, in its own order."""

    organisations: Mapping[str, Org]
    by_country: Mapping[str, tuple[Comp, ...]]
    by_organisation: Mapping[str, tuple[Comp, ...]]
    advisers: tuple[Comp, ...]
    prefectures: Mapping[str, Org]
    abroad: Mapping[tuple[str, Run], tuple[Org, ...]]
    """The open posts and police centres by kind and city."""

    def competences(self, countries: Iterable[str], on: date) -> Iterator[Comp]:
        """Yield the competences for these countries, and those for any, that hold on a day."""
        for country in dict.fromkeys((*countries, "")):
            for row in self.by_country.get(country, ()):
                if row.holds(on):
                    yield row

    def around(self, organisation: Org) -> tuple[str, ...]:
        """Return the territories that hold an organisation, its own first; a loop in the data ends them."""
        found: dict[str, str] = {}
        current: Org | None = organisation
        while current and current.id not in found:
            found[current.id] = current.territory
            current = self.organisations.get(current.parent or "")
        return tuple(dict.fromkeys(territory for territory in found.values() if territory))

    def within(self, territories: Iterable[str]) -> frozenset[str]:
        """Return some territories and those that they hold."""
        held = set(territories)
        return frozenset(held | {code for code in self.prefectures if held.intersection(self.territories_of(code))})

    def territories_of(self, code: str) -> tuple[str, ...]:
        """Return a territory and the region that holds it, by the prefecture in charge there."""
        prefecture = self.prefectures.get(code)
        return self.around(prefecture) if prefecture else (code,)


_registers: list[tuple[Snapshot, Register]] = []


def register(directory: Snapshot) -> Register:
    """Return the indexes of a directory."""
    for known, its in _registers:
        if known is directory:
            return its
    built = _build(directory)
    _registers.insert(0, (directory, built))
    del _registers[_KEPT:]
    return built


def _build(directory: Snapshot) -> Register:
    by_country: dict[str, list[Comp]] = {}
    by_organisation: dict[str, list[Comp]] = {}
    for row in directory.competences:
        by_country.setdefault(row.country, []).append(row)
        by_organisation.setdefault(row.organisation, []).append(row)
    prefectures: dict[str, Org] = {}
    for kind in _IN_CHARGE_OF_LAND:
        for organisation in directory.organisations.values():
            if organisation.kind == kind and organisation.territory:
                prefectures.setdefault(organisation.territory, organisation)
    abroad: dict[tuple[str, Run], tuple[Org, ...]] = {}
    for organisation in directory.organisations.values():
        if organisation.kind in _CALLED_BY_CITY and organisation.status == "open":
            at = organisation.kind, keys(organisation.city)
            abroad[at] = (*abroad.get(at, ()), organisation)
    return Register(
        directory.organisations,
        {country: tuple(rows) for country, rows in by_country.items()},
        {ident: tuple(rows) for ident, rows in by_organisation.items()},
        tuple(row for row in directory.competences if row.role in {"cdpr", "regional_ambassador"}),
        prefectures,
        abroad,
    )
