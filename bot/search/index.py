"""The index: which entries hold a word, how much that says, and which right it takes to know.

An entry is an organisation, an office of one, or a person in an office. Offices and people are also found by the words
of their organisation, which are kept once. Nothing here depends on the database: the same entries in the same order
give the same index.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np

from bot.rights import RIGHTS
from bot.search.arrays import Flags, Floats, Ints
from bot.search.vocabulary import Vocabulary

Words = Iterable[tuple[str, float, int]]
"""Words with what finding one says (at most 1), and the least right (its number) that may know."""

_MEMBER = RIGHTS.index("member")
ALWAYS = range(-(2**31), 2**31 - 1)  # the minutes that there are


class Entries(NamedTuple):
    """Entries of a kind, as columns: ids, and the number of the least right that may know of each.

    `owners` are places with the ids of those who may know of them besides. `organisations` are the ids of those whose
    words they share, `shares` what that says. `first` is the
    minute at which an entry begins, `last` that at which it is over.
    """

    kind: str  # organisation, office, person
    ids: Sequence[str]
    levels: Sequence[int]
    owners: Sequence[tuple[int, str]]
    bags: Sequence[Sequence[int]]  # columns of bags of words
    worth: Sequence[float]  # of two that are found as well, the worthier comes first
    roles: Sequence[str] = ()
    organisations: Sequence[str] = ()
    shares: float = 0.0
    first: Sequence[int] = ()
    last: Sequence[int] = ()
    numbers: Sequence[tuple[Sequence[int], int]] = ()  # columns of telephone numbers and addresses, and their levels


@dataclass(frozen=True, slots=True)
class Postings:
    """Where each word is found: the entries of word `w` are those from `start[w]` to `start[w + 1]`."""

    start: Ints
    entries: Ints
    weights: Floats
    levels: Ints  # the number of the least right that may know of this word there


class Numbers(NamedTuple):
    """Telephone numbers and mail addresses, in order, with whose they are and the least right that may know."""

    numbers: Ints
    entries: Ints
    levels: Ints


@dataclass(frozen=True, slots=True)
class Index:
    """Entries, organisations first, as columns."""

    vocabulary: Vocabulary
    postings: Postings
    frequency: Ints  # [right, word]: in how many entries whoever has that right finds the word
    total: Ints  # [right]: how many entries whoever has that right sees
    kinds: Sequence[str]
    ids: Sequence[str]
    roles: Sequence[str]
    offices: Mapping[str, Ints]  # by role
    organisations: int  # how many of the entries are organisations
    organisation: Ints  # of the others: which entry's words they share; -1 for none
    shares: Floats  # of the others: what finding a word of that organisation says
    first: Ints
    last: Ints
    levels: Ints
    worth: Floats
    owned: Mapping[str, Ints]  # by owner: entries that take more than a member's right
    numbers: Numbers
    by_id: Sequence[int]  # all entries in the order of their ids

    def __len__(self) -> int:
        return len(self.ids)

    def places(self, id_: str) -> list[int]:
        """Return the entries of an organisation or a person."""
        at = bisect_left(self.by_id, id_, key=self.ids.__getitem__)
        found: list[int] = []
        while at < len(self.by_id) and self.ids[self.by_id[at]] == id_:
            found.append(self.by_id[at])
            at += 1
        return found

    def of_owners(self, owners: Iterable[str | None]) -> Flags:
        """Return which entries belong to any of these."""
        found = np.zeros(len(self), bool)
        for owner in filter(None, owners):
            found[self.owned.get(owner, _NONE)] = True
        return found


_NONE = np.empty(0, np.int32)


def minute(at: datetime) -> int:
    """Return an instant as the number of its minute since 1970."""
    return int(at.timestamp()) // 60


class Builder:
    """Collects entries: organisations first, then those that share their words."""

    def __init__(self) -> None:
        self._words: dict[str, int] = {}
        self._bagged = (array("i"), array("f"), array("b"))  # words, weights, levels of all bags
        self._bags = array("q", [0])  # where each bag ends
        self._parts: list[Entries] = []
        self.nothing = self.bag(())

    def bag(self, words: Words) -> int:
        """Put words into a bag and return its number; entries may share a bag."""
        known = self._words
        numbers, weights, levels = self._bagged
        for word, weight, level in words:
            numbers.append(known.setdefault(word, len(known)))
            weights.append(weight)
            levels.append(level)
        self._bags.append(len(numbers))
        return len(self._bags) - 2

    def add(self, entries: Entries) -> None:
        """Add entries."""
        self._parts.append(entries)

    def built(self) -> Index:
        """Return the index of all entries."""
        parts = self._parts
        ids = [id_ for part in parts for id_ in part.ids]
        vocabulary = Vocabulary(self._words)
        postings = self._postings(vocabulary, len(ids))
        levels = np.array([level for part in parts for level in part.levels], np.int8)
        kinds = [part.kind for part in parts for _ in part.ids]
        known = {id_: at for part in parts if part.kind == "organisation" for at, id_ in enumerate(part.ids)}
        others = [part for part in parts if part.kind != "organisation"]
        organisation = np.array([known.get(id_, -1) for part in others for id_ in part.organisations], np.int32)
        roles = [role for part in parts for role in part.roles or [""] * len(part.ids)]
        return Index(
            vocabulary=vocabulary,
            postings=postings,
            frequency=_frequency(postings, levels, organisation, len(known)),
            total=np.cumsum(np.bincount(levels, minlength=len(RIGHTS))),
            kinds=kinds,
            ids=ids,
            roles=roles,
            offices=_grouped((role, at) for at, role in enumerate(roles) if kinds[at] == "office"),
            organisations=len(known),
            organisation=organisation,
            shares=np.repeat(
                np.array([part.shares for part in others], np.float32), [len(part.ids) for part in others]
            ),
            first=_minutes([part.first or [ALWAYS.start] * len(part.ids) for part in parts]),
            last=_minutes([part.last or [ALWAYS.stop] * len(part.ids) for part in parts]),
            levels=levels,
            worth=np.array([worth for part in parts for worth in part.worth], np.float32),
            owned=_owned(parts),
            numbers=_numbers(parts),
            by_id=array("i", sorted(range(len(ids)), key=ids.__getitem__)),
        )

    def _postings(self, vocabulary: Vocabulary, entries: int) -> Postings:
        size = len(vocabulary)
        places = np.empty(size, np.int32)
        numbers = np.fromiter(map(self._words.__getitem__, vocabulary.words), np.int32, size)
        places[numbers] = np.arange(size, dtype=np.int32)
        at, entry = self._unpacked()
        words, weights, levels = (np.array(column) for column in self._bagged)
        word, weight, level = places[words[at]], weights[at], levels[at]
        order = np.lexsort((weight, entry, word))  # of several in one entry the last is worth most
        start = np.zeros(size + 1, np.int64)
        np.cumsum(np.bincount(word, minlength=size), out=start[1:])
        return Postings(start, entry[order], weight[order], level[order])

    def _unpacked(self) -> tuple[Ints, Ints]:
        """Return, for each word of each bag of each entry, where in the bags it lies, and whose it is."""
        ends = np.array(self._bags)
        found: list[tuple[Ints, Ints]] = []
        first = 0
        for part in self._parts:
            entry = np.arange(first, first + len(part.ids), dtype=np.int32)
            first += len(part.ids)
            for column in part.bags:
                bag = np.array(column, np.int32)
                sizes = ends[bag + 1] - ends[bag]
                starts = np.repeat(ends[bag] - np.cumsum(sizes) + sizes, sizes)
                found.append((starts + np.arange(len(starts)), np.repeat(entry, sizes)))
        if not found:
            return _NONE, _NONE
        return np.concatenate([at for at, _ in found]), np.concatenate([entry for _, entry in found])


class Bags(dict[str, int]):
    """Bags by what their words are made of, each made once: names, countries and offices come again."""

    def __init__(self, builder: Builder, words: Callable[[str], Words]) -> None:
        super().__init__({"": builder.nothing})
        self._builder = builder
        self._words = words

    def __missing__(self, key: str) -> int:
        """Make a bag for what is new."""
        self[key] = made = self._builder.bag(self._words(key))
        return made

    def column(self, keys: Iterable[str]) -> list[int]:
        """Return the bags of a column."""
        return [self[key] for key in keys]


def _frequency(postings: Postings, levels: Ints, organisation: Ints, organisations: int) -> Ints:
    """Return in how many entries each word is found, those that share an organisation's words included, by right."""
    words = len(postings.start) - 1
    word = np.repeat(np.arange(words, dtype=np.int32), np.diff(postings.start))
    needed = np.maximum(postings.levels, levels[postings.entries])
    frequency = np.zeros((len(RIGHTS), words), np.int32)
    for right in range(len(RIGHTS)):
        sharing = organisation[(levels[organisations:] <= right) & (organisation >= 0)]
        carried = np.ones(len(levels))
        carried[:organisations] += np.bincount(sharing, minlength=organisations)
        seen = needed <= right
        own, entry = word[seen], postings.entries[seen]
        once = (np.diff(own, prepend=-1) != 0) | (np.diff(entry, prepend=-1) != 0)
        frequency[right] = np.bincount(own[once], carried[entry[once]], minlength=words)
    return frequency


def _grouped(pairs: Iterable[tuple[str, int]]) -> Mapping[str, Ints]:
    groups: dict[str, list[int]] = {}
    for key, place in pairs:
        groups.setdefault(key, []).append(place)
    return {key: np.array(places, np.int32) for key, places in groups.items()}


def _owned(parts: Iterable[Entries]) -> Mapping[str, Ints]:
    pairs: list[tuple[str, int]] = []
    first = 0
    for part in parts:
        pairs += ((owner, first + at) for at, owner in part.owners if part.levels[at] > _MEMBER)
        first += len(part.ids)
    return _grouped(pairs)


def _minutes(columns: Iterable[Sequence[int]]) -> Ints:
    return np.array([at for column in columns for at in column], np.int32)


def _numbers(parts: Iterable[Entries]) -> Numbers:
    """Return the numbers of all entries; 0 stands for none."""
    found: list[tuple[Ints, Ints, Ints]] = [(_NONE, _NONE, _NONE)]
    first = 0
    for part in parts:
        for column, level in part.numbers:
            numbers = np.array(column, np.int64)
            given = np.flatnonzero(numbers)
            found.append((numbers[given], given + first, np.full(len(given), level, np.int8)))
        first += len(part.ids)
    numbers, entries, levels = (np.concatenate(columns) for columns in zip(*found, strict=True))
    order = np.lexsort((entries, numbers))
    return Numbers(numbers[order].astype(np.int64), entries[order].astype(np.int32), levels[order].astype(np.int8))
