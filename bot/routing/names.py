"""What names mean: the files of countries, places and towns, read once into senses by their words.

A name with several senses is ambiguous; `ambiguous.csv` says which of them to weigh and which to take by default.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources.abc import Traversable
from io import StringIO
from itertools import chain
from sys import intern
from typing import NamedTuple, TypeAlias, TypeVar

from bot.routing.spelling import keys

FRANCE = "FR"

_ORDER = ("country", "territory", "departement", "region", "passage", "body", "city", "basin", "demonym")
"""Where one name has several senses in one country, the first of these kinds is meant."""

_COLUMNS = (
    ("name", "country"),
    ("name_en", "country"),
    ("synonyms", "country"),
    ("demonyms", "demonym"),
    ("demonyms_en", "demonym"),
)

_OF_PEOPLE = re.compile(
    r"(?:ais|ois|ien|een|ain|slave|ique|aque|samoan|catalan|basque|arabe|kurde|tamoul|bengali|touareg|rom)(?:n?es?|s)?$"
)
"""How the ambiguous words end that name people and languages (congolais, coréenne), not places."""

Run: TypeAlias = tuple[str, ...]
T = TypeVar("T")


class Sense(NamedTuple):
    """What a name may mean: a country, or a place with its country, the places that hold it, or its territory."""

    country: str
    kind: str
    name: str = ""
    within: tuple[str, ...] = ()
    territory: str = ""

    @property
    def code(self) -> str:
        """The country, or for a French place its territory: `DE`, `FR-67`."""
        return f"{FRANCE}-{self.territory}" if self.country == FRANCE else self.country


class Name(NamedTuple):
    """A name with its senses; several make it ambiguous, and `default` (a code) is taken when nothing else decides."""

    senses: tuple[Sense, ...]
    default: str = ""
    weak: bool = False
    demonym: bool = False


class Towns(Mapping[str, Name]):
    """The towns that no other file names, by how they are compared: so many that each is only read once it is met."""

    def __init__(self, file: Traversable, holders: "_Holders") -> None:
        _, *lines = file.read_text("utf-8").splitlines()
        self._rows = dict(_with_articles({key: row for key, _, row in (line.partition(",") for line in lines)}))
        self._holders = holders

    def __getitem__(self, key: str) -> Name:
        name, country, region, territory, weak = self._rows[key].split(",")
        return Name((Sense(country, "city", name, self._holders.of(country, region), territory),), weak=weak == "yes")

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


def read_names(folder: Traversable) -> tuple[dict[str, Name], Towns]:
    """Return the names of countries and places, by how they are compared, and the towns that no other file names."""
    by_hand = list(rows(folder / "places.csv"))
    holders = _Holders(by_hand)
    places = _of_places(chain(by_hand, rows(folder / "places_france.csv")), holders)
    names = _names(rows(folder / "countries.csv"), places, rows(folder / "ambiguous.csv"))
    return names, Towns(folder / "towns.csv", holders)


def rows(file: Traversable) -> Iterator[dict[str, str]]:
    """Yield the rows of a file by their columns."""
    return csv.DictReader(StringIO(file.read_text("utf-8"), newline=""))


def listed(cell: str) -> list[str]:
    """Return the names that a cell lists."""
    return [name for name in cell.split("|") if name.strip()]


def _names(
    countries: Iterable[dict[str, str]],
    places: Iterable[tuple[str, Sense, bool]],
    ambiguous: Iterable[dict[str, str]],
) -> dict[str, Name]:
    """Gather the senses of each name; a place's own file comes first, since it knows what holds it."""
    senses: dict[str, list[tuple[Sense, bool]]] = {}
    for name, sense, weak in chain(places, _of_countries(countries)):
        senses.setdefault(" ".join(keys(name)), []).append((sense, weak))
    names = dict(_with_articles({run: _name(known) for run, known in senses.items()}))
    for row in ambiguous:
        run = " ".join(keys(row["word"]))
        names[run] = _chosen(row, senses.get(run, []))
    return names


def _of_countries(rows: Iterable[dict[str, str]]) -> Iterator[tuple[str, Sense, bool]]:
    for row in rows:
        weak = set(listed(row["weak"]))
        for column, kind in _COLUMNS:
            for name in listed(row[column]):
                yield name, Sense(row["iso2"], kind), name in weak
        for name in (*listed(row["capital"]), *listed(row["cities"])):
            yield name, Sense(row["iso2"], "city", name), name in weak


def _of_places(rows: Iterable[dict[str, str]], holders: "_Holders") -> Iterator[tuple[str, Sense, bool]]:
    for row in rows:
        country = intern(row["country"])
        within = holders.of(country, row["region"])
        sense = Sense(country, intern(row["kind"]), row["name"], within, intern(row["territory"]))
        for name in (row["name"], *listed(row["aliases"])):
            yield name, sense, row["weak"] == "yes"


_JOINED = (("le ", ("au ", "du ")), ("les ", ("aux ", "des ")))


def _with_articles(names: Mapping[str, T]) -> Iterator[tuple[str, T]]:
    """Yield names, and those with an article also as they are said after « à » and « de »: « au Perthus »."""
    for name, meaning in names.items():
        for article, joined in _JOINED:
            if name.startswith(article):
                rest = name.removeprefix(article)
                yield from ((it + rest, meaning) for it in joined if rest not in names)
        yield name, meaning


class _Holders:
    """Which places hold a place: told by the file that is kept by hand."""

    def __init__(self, rows: Iterable[dict[str, str]]) -> None:
        self._holder = {(row["country"], row["name"]): row["region"] for row in rows if row["region"]}
        self._known: dict[tuple[str, str], Run] = {}

    def of(self, country: str, region: str) -> Run:
        """Return a region and the places that hold it; of a French place, none."""
        found = self._known.get((country, region))
        if found is None:
            found = self._known[country, region] = tuple(self._above(country, region if country != FRANCE else ""))
        return found

    def _above(self, country: str, region: str) -> Iterator[str]:
        seen: set[str] = set()
        while region and region not in seen:
            yield region
            seen.add(region)
            region = self._holder.get((country, region), "")


def _rank(sense: Sense) -> tuple[int, bool]:
    return _ORDER.index(sense.kind), not sense.within


def _name(known: Iterable[tuple[Sense, bool]]) -> Name:
    """Return a name with one sense a country; a département and a region of the same name are one place."""
    known = list(known)
    if len(known) == 1:
        sense, weak = known[0]
        return Name((sense,), weak=weak, demonym=sense.kind == "demonym")
    by_code: dict[str, Sense] = {}
    for sense, _ in sorted(known, key=lambda pair: _rank(pair[0])):
        if not (
            sense.country == FRANCE and any(code.startswith(FRANCE) for code in by_code) and sense.kind == "region"
        ):
            by_code.setdefault(sense.code, sense)
    kinds = {sense.kind for sense, _ in known}
    return Name(
        tuple(by_code.values()),
        weak=any(weak for _, weak in known),
        demonym="demonym" in kinds and "country" not in kinds,
    )


def _chosen(row: Mapping[str, str], known: list[tuple[Sense, bool]]) -> Name:
    """Return an ambiguous name with its candidates, each in the best sense that the other files give it."""
    ranked = sorted((sense for sense, _ in known), key=_rank)
    senses = [
        next((sense for sense in ranked if sense.code == code), None) or _by_code(code)
        for code in row["candidates"].split()
    ]
    own = _name(known) if known else Name((), demonym=bool(_OF_PEOPLE.search(keys(row["word"])[-1])))
    return Name(tuple(senses), row["default"], own.weak, own.demonym)


def _by_code(code: str) -> Sense:
    country, _, territory = code.partition("-")
    return Sense(country, "territory" if territory else "country", territory=territory)
