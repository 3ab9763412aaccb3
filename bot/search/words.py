"""The words by which things are called: the files of `config/search`, and the names that routing knows too."""

import csv
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from io import StringIO
from itertools import pairwise

from rapidfuzz.distance import OSA

from bot.routing.names import FRANCE
from bot.routing.spelling import keys, plain, words
from bot.search.vocabulary import Vocabulary

_OF_COUNTRIES = ("name", "name_en", "synonyms", "demonyms")
_SLIPS = 3  # letters of a word in which one may be wrong
_SERVICES = ("desk", "consul")  # offices that stand for a service, whoever holds them
_ANYWHERE = ("head", "deputy", "desk")  # offices that there are in every organisation, even if nobody is entered
_NAMING = 0.75  # how like the name of an office a word must be: « dir », « secretaire » with a slip
_CLOSE = 0.8  # how like the name of a place a word must be to be meant for it


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Other names: of kinds, offices, countries and territories (by code), and cities, each as plain words."""

    kinds: Mapping[str, tuple[str, ...]]
    roles: Mapping[str, tuple[str, ...]]
    heads: Mapping[str, str]
    countries: Mapping[str, tuple[str, ...]]
    cities: Mapping[str, tuple[str, ...]]
    territories: Mapping[str, tuple[str, ...]]  # French ones, by code
    ignored: frozenset[str]
    after: Mapping[str, str]  # of those ignored, what counts after a word
    short: Mapping[str, str]  # what is typed for another word
    _office_words: Vocabulary
    _place_words: Vocabulary
    _long_names: Mapping[str, Sequence[tuple[tuple[str, ...], str]]]  # of countries, by their first letter

    @classmethod
    def load(cls, config: Traversable) -> "Lexicon":
        """Read the files, from the folder of all configuration."""
        table = tomllib.loads((config / "search" / "words.toml").read_text("utf-8"))
        countries = _rows(config / "routing" / "countries.csv")
        ignored = _ignored(config, table["ignored"])

        def named(names: str) -> tuple[str, ...]:
            return tuple(word for word in _words([names]) if word not in ignored)

        around = frozenset(keys(table["around"]))

        def called(row: Mapping[str, str]) -> tuple[str, ...]:
            listed = _words(row[column] for column in _OF_COUNTRIES)
            return (code(row["iso2"]), *(word for word in listed if word not in around))

        roles = {role: named(names) for role, names in table["roles"].items()}
        return cls(
            kinds={kind: named(names) for kind, names in table["kinds"].items()},
            roles=roles,
            heads=table["heads"],
            countries={row["iso2"]: called(row) for row in countries},
            cities=_cities(config, countries),
            territories=_territories(config),
            ignored=ignored,
            after=table["after"],
            short=table["short"],
            _office_words=Vocabulary({word for names in roles.values() for word in names}),
            _place_words=Vocabulary(set(_listed(_names_of_places(config, countries)))),
            _long_names=_long_names(countries, ignored),
        )

    def tokens(self, text: str) -> tuple[str, ...]:
        """Return the plain words of a query; those that name nothing only where there are no others."""
        typed = [self.short.get(word.key, word.key) for word in words(text)]
        told = (
            word
            for before, word in pairwise(("", *typed))
            if word not in self.ignored or (before and self.after.get(word) == before)
        )
        return tuple(dict.fromkeys(told)) or tuple(dict.fromkeys(typed))

    def roles_in(self, tokens: Iterable[str]) -> frozenset[str]:
        """Return the offices that words may name."""
        meant = {word for token in tokens for word in self._office_words.meant(token)}
        return frozenset(role for role, names in self.roles.items() if not meant.isdisjoint(names))

    def office_in(self, tokens: Sequence[str]) -> tuple[str, tuple[str, ...]]:
        """Return which of the offices that there are anywhere most words name, if any, and the words that do not."""
        meant = {token: set(self._office(token)) for token in tokens}
        named = {
            role: [token for token in tokens if not meant[token].isdisjoint(self.roles[role])] for role in _ANYWHERE
        }
        role = max(named, key=lambda role: len(named[role]))
        return (role if named[role] else ""), tuple(token for token in tokens if token not in named[role])

    def _office(self, token: str) -> Iterator[str]:
        for place, likeness in self._office_words.like(token):
            if likeness >= _NAMING:
                yield self._office_words.words[place]

    def telling(self, tokens: Iterable[str]) -> frozenset[str]:
        """Return the words that say more than which kind of service is thought of: « bureau », « consulat »."""
        services = (self.kinds[kind] for kind in self.heads)
        return frozenset(tokens).difference(*services, *(self.roles[role] for role in _SERVICES))

    def countries_in(self, tokens: Sequence[str]) -> tuple[str, ...]:
        """Return the words, with a country for its name of several words; each but the first letter may be a slip."""
        found: list[str] = []
        at = 0
        while at < len(tokens):
            country, length = self._country_at(tokens[at:])
            found.append(country or tokens[at])
            at += length
        return tuple(found)

    def _country_at(self, tokens: Sequence[str]) -> tuple[str, int]:
        for name, country in self._long_names.get(tokens[0][:1], ()):
            if len(tokens) >= len(name) and all(map(_nearly, tokens, name)):
                return country, len(name)
        return "", 1

    def places_in(self, text: str) -> str:
        """Return the words of a text, with what is nearly the name of a foreign place spelled as that."""
        return " ".join(self._place(word.key) for word in words(text))

    def _place(self, word: str) -> str:
        like = [] if word in self.ignored else list(self._place_words.like(word))
        place, likeness = max(like, key=lambda it: it[1], default=(0, 0.0))
        return self._place_words.words[place] if likeness >= _CLOSE else word


def code(country: str) -> str:
    """Return the word that stands for a country: nobody types it, so that « DE » is no country among other words."""
    return f":{country.lower()}"


def _long_names(
    countries: Iterable[Mapping[str, str]], ignored: frozenset[str]
) -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """Return the names of countries that have several words, each with the country's, the longest first."""
    names = {
        (tuple(word for word in keys(name) if word not in ignored), code(row["iso2"]))
        for row in countries
        for name in (row["name"], row["name_en"], *row["synonyms"].split("|"))
    }
    found: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for name, country in sorted(names, key=lambda it: (-len(it[0]), it)):
        if len(name) > 1:
            found.setdefault(name[0][0], []).append((name, country))
    return found


def _nearly(typed: str, word: str) -> bool:
    """Whether a word was typed, with one slip of the finger at most if it is long enough."""
    return typed == word or (len(typed) >= _SLIPS and OSA.distance(typed, word, score_cutoff=1) <= 1)


def _ignored(config: Traversable, listed: str) -> frozenset[str]:
    """Return the words that name nothing, and what is typed for short for those alone: « pr », « bjr »."""
    ignored = frozenset(keys(listed))
    short = (row["short"] for row in _rows(config / "routing" / "abbreviations.csv") if ignored >= {*keys(row["long"])})
    return ignored.union(short)


def _territories(config: Traversable) -> dict[str, tuple[str, ...]]:
    """Return the other names of French regions and départements: those before 2016, initials, their people's."""
    return {
        row["territory"]: _words([row["name"], *row["aliases"].split("|")])
        for row in _rows(config / "routing" / "places.csv")
        if row["country"] == FRANCE and row["territory"] and row["kind"] in {"region", "departement"}
    }


def _names_of_places(config: Traversable, countries: Iterable[Mapping[str, str]]) -> Iterator[str]:
    for row in countries:
        yield from (*row["capital"].split("|"), *row["cities"].split("|"))
    for row in _rows(config / "routing" / "places.csv"):
        yield from (row["name"], *row["aliases"].split("|"))


def _cities(config: Traversable, countries: Iterable[Mapping[str, str]]) -> dict[str, tuple[str, ...]]:
    """Return the other names of each city by the plain form of any of them."""
    groups = [row["capital"].split("|") for row in countries]
    places = (row for row in _rows(config / "routing" / "places.csv") if row["kind"] == "city")
    groups += [[row["name"], *row["aliases"].split("|")] for row in places]
    groups += [[row["name"], *row["others"].split("|")] for row in _rows(config / "search" / "cities.csv")]
    found: dict[str, set[str]] = {}
    for group in groups:
        found.setdefault(plain(group[0]).casefold(), set()).update(_words(group))
    return {name: tuple(sorted(others)) for name, others in found.items()}


def _words(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_listed(names)))


def _listed(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        yield from keys(name)


def _rows(file: Traversable) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(file.read_text("utf-8"), newline="")))
