"""What an administrator may change of routing: the files of `config/routing`, read once into indexes.

Their README explains the columns. The shape of an index follows from how it is asked: names by their words, words of
topics by their stems.
"""

import csv
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from io import StringIO
from itertools import chain
from sys import intern
from types import MappingProxyType
from typing import Any, TypeAlias, TypeVar

from bot.routing import confidence
from bot.routing.concepts import Vocabulary
from bot.routing.confidence import Confidence
from bot.routing.learning import Model, restore
from bot.routing.mending import SHORTEST, Mender, spelled_out
from bot.routing.phrases import Phrases
from bot.routing.spelling import keys, stem

FRANCE = "FR"
NAMED = ("foreigner", "abroad", "frenchman", "place")
"""The kinds of names that a family of `guards.toml` may ask for."""

STOP = frozenset(
    "le la les l un une de du des d ce cet cette ces son sa ses leur leurs notre votre nos vos the of an".split()
)
"""Words that a phrase of a topic may have or lack."""

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

_PLACES = ("places.csv", "places_france.csv", "towns.csv")

Run: TypeAlias = tuple[str, ...]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sense:
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


@dataclass(frozen=True, slots=True)
class Name:
    """A name with its senses; several make it ambiguous, and `default` (a code) is taken when nothing else decides."""

    senses: tuple[Sense, ...]
    default: str = ""
    weak: bool = False
    demonym: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """Words before and after a name."""

    before: Run
    after: Run


@dataclass(frozen=True, slots=True)
class Label:
    """A name for people, in French and in English."""

    fr: str
    en: str


_RUN_TOGETHER = 7
"""A name of several words this long is also known written in one: « paysbas »."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The words of countries, places and topics, how words are mended, and what was learnt of topics."""

    names: Phrases[Name]
    topic_words: Phrases[tuple[tuple[str, float], ...]]
    topics: Mapping[str, Label]
    over: Mapping[str, tuple[str, ...]]
    countries: Mapping[str, Label]
    territories: Mapping[str, str]
    contexts: Mapping[str, tuple[Context, ...]]
    mender: Mender
    model: Model
    confidence: Confidence
    emergency: Mapping[str, str]
    guards: Vocabulary

    @classmethod
    def load(cls, folder: Traversable) -> "Rules":
        """Read the files of `config/routing`."""
        topics = tomllib.loads((folder / "topics.toml").read_text("utf-8"))
        contexts = tomllib.loads((folder / "context.toml").read_text("utf-8"))
        names = read_names(folder)
        topic_words = _topic_words(topics)
        guards = Vocabulary(tomllib.loads((folder / "guards.toml").read_text("utf-8")), NAMED)
        everyday = (folder / "everyday.txt").read_text("utf-8").split()
        known = chain(everyday, (word for run, name in names.items() if name.weak for word in run))
        abbreviations = spelled_out(_rows(folder / "abbreviations.csv"))
        return cls(
            names=Phrases(_run_together(names)),
            topic_words=Phrases(_run_together(topic_words)),
            over=MappingProxyType({key: tuple(it.get("over", ())) for key, it in topics.items()}),
            topics=MappingProxyType({key: Label(it["label"], it["label_en"]) for key, it in topics.items()}),
            countries=MappingProxyType(
                {row["iso2"]: Label(row["name"], row["name_en"]) for row in _rows(folder / "countries.csv")}
            ),
            territories=MappingProxyType(
                {
                    row["territory"]: row["name"]
                    for row in _rows(folder / "places_france.csv")
                    if row["kind"] in {"departement", "region"}
                }
            ),
            contexts=MappingProxyType({key: tuple(map(_context, patterns)) for key, patterns in contexts.items()}),
            guards=guards,
            mender=Mender(groups(names, topics, guards.words), known, abbreviations),
            model=restore((folder / "model.txt").read_text("utf-8")),
            confidence=confidence.restore((folder / "confidence.toml").read_text("utf-8")),
            emergency=MappingProxyType({row["country"]: row["numbers"] for row in _rows(folder / "emergency.csv")}),
        )


def examples(folder: Traversable) -> list[tuple[str, str]]:
    """Return the shipped examples: topic and text."""
    return [(row["topic"], row["text"]) for row in _rows(folder / "examples.csv")]


_LONG = 7
"""Shorter words of topics are not what a mistyped word is taken for."""


def read_names(folder: Traversable) -> dict[Run, Name]:
    """Read the names of countries and places."""
    return _names(_rows(folder / "countries.csv"), _of_places(folder), _rows(folder / "ambiguous.csv"))


def groups(names: Mapping[Run, Name], topics: Mapping[str, Any], rules: Iterable[str]) -> dict[str, str]:
    """Return the words that a mistyped one may be taken for, each with what it stands for."""
    found: dict[str, str] = {key: stem(key) for key in rules if len(key) >= _LONG}
    for table in topics.values():
        for phrase in table.get("words", {}):
            found.update((key, stem(key)) for key in keys(phrase) if len(key) >= _LONG)
    strong = {run: name for run, name in names.items() if not name.weak}
    for run in strong:
        found.update((key, stem(key)) for key in run if len(key) >= SHORTEST and len(run) > 1)
    for run, name in strong.items():
        if len(run) == 1 and len(run[0]) >= SHORTEST:
            found[run[0]] = " ".join(sorted(sense.code for sense in name.senses))
    return found


def _run_together(meanings: Mapping[Run, T]) -> dict[Run, T]:
    joined = {("".join(run),): meaning for run, meaning in meanings.items() if len(run) > 1}
    return {run: it for run, it in joined.items() if len(run[0]) >= _RUN_TOGETHER} | dict(meanings)


def _rows(file: Traversable) -> Iterator[dict[str, str]]:
    return csv.DictReader(StringIO(file.read_text("utf-8"), newline=""))


def _listed(cell: str) -> list[str]:
    return [name for name in cell.split("|") if name.strip()]


def _context(pattern: str) -> Context:
    before, _, after = pattern.partition("{mot}")
    return Context(keys(before), keys(after))


def _topic_words(topics: Mapping[str, Mapping[str, Mapping[str, float]]]) -> dict[Run, tuple[tuple[str, float], ...]]:
    found: dict[Run, tuple[tuple[str, float], ...]] = {}
    for topic, table in topics.items():
        for phrase, weight in table.get("words", {}).items():
            run = tuple(stem(key) for key in keys(phrase) if key not in STOP)
            known = dict(found.get(run, ()))
            known[topic] = max(known.get(topic, weight), weight)
            found[run] = tuple(known.items())
    return found


def _names(
    countries: Iterable[dict[str, str]],
    places: Iterable[tuple[str, Sense, bool]],
    ambiguous: Iterable[dict[str, str]],
) -> dict[Run, Name]:
    """Gather the senses of each name; a place's own file comes first, since it knows what holds it."""
    senses: dict[Run, list[tuple[Sense, bool]]] = {}
    for name, sense, weak in chain(places, _of_countries(countries)):
        senses.setdefault(keys(name), []).append((sense, weak))
    names = {run: _name(known) for run, known in senses.items()}
    for row in ambiguous:
        run = keys(row["word"])
        names[run] = _chosen(row, senses.get(run, []))
    return names


def _of_countries(rows: Iterable[dict[str, str]]) -> Iterator[tuple[str, Sense, bool]]:
    for row in rows:
        weak = set(_listed(row["weak"]))
        for column, kind in _COLUMNS:
            for name in _listed(row[column]):
                yield name, Sense(row["iso2"], kind), name in weak
        for name in (*_listed(row["capital"]), *_listed(row["cities"])):
            yield name, Sense(row["iso2"], "city", name), name in weak


def _of_places(folder: Traversable) -> Iterator[tuple[str, Sense, bool]]:
    """Yield the names of places; what holds a place is in the file kept by hand, a town holds nothing."""
    holder = {(row["country"], row["name"]): row["region"] for row in _rows(folder / _PLACES[0]) if row["region"]}
    within: dict[tuple[str, str], Run] = {}
    for row in chain.from_iterable(_rows(folder / file) for file in _PLACES):
        country, region = intern(row["country"]), row["region"] if row["country"] != FRANCE else ""
        if (country, region) not in within:
            within[country, region] = tuple(_holders(country, region, holder))
        sense = Sense(country, intern(row["kind"]), row["name"], within[country, region], intern(row["territory"]))
        for name in (row["name"], *_listed(row["aliases"])):
            yield name, sense, row["weak"] == "yes"


def _holders(country: str, region: str, holder: Mapping[tuple[str, str], str]) -> Iterator[str]:
    seen: set[str] = set()
    while region and region not in seen:
        yield region
        seen.add(region)
        region = holder.get((country, region), "")


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
