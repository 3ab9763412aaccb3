"""What an administrator may change of routing: the files of `config/routing`, read once into indexes.

Their README explains the columns. The shape of an index follows from how it is asked: names by their words, words of
topics by their stems.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any, TypeVar

from bot.routing import confidence
from bot.routing.classes import Classes
from bot.routing.concepts import Vocabulary
from bot.routing.confidence import Confidence
from bot.routing.learning import Model, restore
from bot.routing.mending import SHORTEST, Mender, spelled_out
from bot.routing.names import Name, Run, read_names, rows
from bot.routing.phrases import Phrases
from bot.routing.spelling import keys, stem

NAMED = ("foreigner", "abroad", "frenchman", "place", "their_post")
"""The kinds of names that a family of `guards.toml` may ask for."""

STOP = frozenset(
    "le la les l un une de du des d ce cet cette ces son sa ses leur leurs notre votre nos vos the of an".split()
)
"""Words that a phrase of a topic may have or lack."""

T = TypeVar("T")


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
    letters: Mapping[str, str]
    territories: Mapping[str, str]
    contexts: Mapping[str, tuple[Context, ...]]
    mender: Mender
    model: Model
    confidence: Confidence
    emergency: Mapping[str, str]
    guards: Vocabulary
    classes: Classes

    @classmethod
    def load(cls, folder: Traversable) -> "Rules":
        """Read the files of `config/routing`."""
        topics = tomllib.loads((folder / "topics.toml").read_text("utf-8"))
        contexts = tomllib.loads((folder / "context.toml").read_text("utf-8"))
        names, towns = read_names(folder)
        phrases = phrases_of(topics)
        guards = Vocabulary(tomllib.loads((folder / "guards.toml").read_text("utf-8")), NAMED)
        unmended = {word for run, name in names.items() if name.weak for word in run.split()}
        unmended.update(word for town in towns if " " in town for word in town.split())
        unmended.update((folder / "everyday.txt").read_text("utf-8").split())
        abbreviations = spelled_out(rows(folder / "abbreviations.csv"))
        return cls(
            names=Phrases(_run_together(names), towns),
            topic_words=Phrases(_run_together(_topic_words(phrases))),
            over=MappingProxyType({key: tuple(it.get("over", ())) for key, it in topics.items()}),
            topics=MappingProxyType({key: Label(it["label"], it["label_en"]) for key, it in topics.items()}),
            countries=MappingProxyType(
                {row["iso2"]: Label(row["name"], row["name_en"]) for row in rows(folder / "countries.csv")}
            ),
            letters=MappingProxyType(
                {row["iso3"]: row["iso2"] for row in rows(folder / "countries.csv") if row["iso3"]}
            ),
            territories=MappingProxyType(
                {
                    row["territory"]: row["name"]
                    for row in rows(folder / "places_france.csv")
                    if row["kind"] in {"departement", "region"}
                }
            ),
            contexts=MappingProxyType({key: tuple(map(_context, patterns)) for key, patterns in contexts.items()}),
            guards=guards,
            classes=Classes(tomllib.loads((folder / "classes.toml").read_text("utf-8"))),
            mender=Mender(groups(names, phrases, guards.words), (unmended, towns), abbreviations),
            model=restore((folder / "model.txt").read_text("utf-8")),
            confidence=confidence.restore((folder / "confidence.toml").read_text("utf-8")),
            emergency=MappingProxyType({row["country"]: row["numbers"] for row in rows(folder / "emergency.csv")}),
        )


def examples(folder: Traversable) -> list[tuple[str, str]]:
    """Return the shipped examples: topic and text."""
    return [(row["topic"], row["text"]) for row in rows(folder / "examples.csv")]


_LONG = 7
"""Shorter words of topics are not what a mistyped word is taken for."""


def phrases_of(topics: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, Run, float]]:
    """Return the phrases of `topics.toml`: topic, words as they are compared, weight."""
    return [(topic, keys(it), weight) for topic, table in topics.items() for it, weight in table["words"].items()]


def groups(
    names: Mapping[str, Name], phrases: Iterable[tuple[str, Run, float]], rules: Iterable[str]
) -> dict[str, str]:
    """Return the words that a mistyped one may be taken for, each with what it stands for."""
    words = {key for _, phrase, _ in phrases for key in phrase}
    found = {key: stem(key) for key in (*rules, *words) if len(key) >= _LONG}
    strong = [(run.split(), name) for run, name in names.items() if not name.weak]
    found.update((key, stem(key)) for run, _ in strong if len(run) > 1 for key in run if len(key) >= SHORTEST)
    for run, name in strong:
        if len(run) == 1 and len(run[0]) >= SHORTEST:
            found[run[0]] = " ".join(sorted(sense.code for sense in name.senses))
    return found


def _run_together(meanings: Mapping[str, T]) -> dict[str, T]:
    joined = {run.replace(" ", ""): meaning for run, meaning in meanings.items() if " " in run}
    return {run: it for run, it in joined.items() if len(run) >= _RUN_TOGETHER} | dict(meanings)


def _context(pattern: str) -> Context:
    before, _, after = pattern.partition("{mot}")
    return Context(keys(before), keys(after))


def _topic_words(phrases: Iterable[tuple[str, Run, float]]) -> dict[str, tuple[tuple[str, float], ...]]:
    found: dict[str, tuple[tuple[str, float], ...]] = {}
    for topic, phrase, weight in phrases:
        run = " ".join(stem(key) for key in phrase if key not in STOP)
        known = dict(found.get(run, ()))
        known[topic] = max(known.get(topic, weight), weight)
        found[run] = tuple(known.items())
    return found
