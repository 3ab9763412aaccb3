"""What a query finds in an index, best first.

Rights and days are settled before anything is compared: words, frequencies and entries that the asker may not know of
count for nothing, so that an answer is the same whether or not they exist.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bot.search.arrays import Flags, Floats, Ints
from bot.search.index import Index
from bot.search.numbers import NUMBER, number_of_email, numbers_of_phones

TOKENS = 12  # words of a query that are looked at
ENOUGH = 0.4  # of what is asked must be found for an entry to come near
_JOINED = 0.95  # what a word typed as two says, or two typed as one
_SHORTEST_HALF = 2
_SHORT, _SAYS_LITTLE = 3, 0.5  # two letters are soon the wrong ones
_UNLIKELY = 0.75  # who typed a word that there is hardly meant another,
_UNLIKELIER = 0.5  # least of all where words are so short that many are alike: « Lyon » is not Laon
_FEW_LETTERS = 4
_LONG = 6  # letters of a word that says much even though nothing has it
_INCOMPLETE = np.float32(0.8)  # what an entry is worth in which a word is missing
_UNASKED = np.float32(0.75)  # an office whose role was not named
_PHONE = re.compile(r"(?<![\w@])\+?\(?\d(?:[\s./()-]{0,3}\d){5,19}(?![\w@])")
_EMAIL = re.compile(r"[^\s<>(),;:]+@[^\s<>(),;:]+")


@dataclass(frozen=True, slots=True)
class Viewer:
    """For whom: the number of their highest right, the owners they stand for, and when (`index.minute`)."""

    level: int
    owners: tuple[str | None, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Ranked:
    """An entry that was found, by its score; `fit` is how well it has what was asked, whatever else it is worth.

    Both are at most 1. `complete` when every word was found.
    """

    place: int
    score: float
    fit: float
    complete: bool


def visible(index: Index, viewer: Viewer) -> Flags:
    """Return which entries somebody may know of now."""
    mine = (index.levels <= viewer.level) | index.of_owners(viewer.owners)
    return mine & (index.first <= viewer.at) & (viewer.at < index.last)


def by_number(index: Index, text: str, viewer: Viewer, seen: Flags) -> list[int]:
    """Return the visible entries with a telephone number or a mail address that the text holds."""
    phones = numbers_of_phones(_PHONE.findall(text))
    wanted = [number for number in (*map(number_of_email, _EMAIL.findall(text)), *phones) if number]
    known = index.numbers
    places: dict[int, None] = {}
    for number in wanted:
        start, end = (int(np.searchsorted(known.numbers, it)) for it in (number, number + 1))
        at: Ints = np.arange(start, end)
        if number < NUMBER // 10:  # typed without what stands before
            whole = 10 ** len(str(number))
            at = np.flatnonzero((known.numbers < NUMBER) & (known.numbers % whole == number))
        entries = known.entries[at[known.levels[at] <= viewer.level]]
        places |= dict.fromkeys(entries[seen[entries]].tolist())
    return list(places)


def without_numbers(text: str) -> str:
    """Return a text without its telephone numbers; a mail address leaves what stands before its domain."""
    return _PHONE.sub(" ", _EMAIL.sub(lambda m: m[0].partition("@")[0], text))


@dataclass(frozen=True, slots=True)
class Part:
    """An index, and of its entries those that the viewer may know of and those that are not out of date."""

    index: Index
    seen: Flags
    shown: Flags


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for: words, the offices that they may name, and what is typed for short within a word."""

    tokens: tuple[str, ...]
    roles: frozenset[str]
    short: Mapping[str, str]


def rank(part: Part, asked: Asked, viewer: Viewer, limit: int, like: Part | None = None) -> list[Ranked]:
    """Return the best entries, best first; those that tie come in the order of the index.

    `like` says how rare words are, where that is not the index itself.
    """
    index, seen, tokens = part.index, part.seen, asked.tokens[:TOKENS]
    score = np.zeros(len(index), np.float32)
    complete = np.ones(len(index), bool)
    total = 0.0
    for at, token in enumerate(tokens):
        found, rarity = _Token(index, viewer, seen, asked.short).match(token, tokens[max(0, at - 1) : at + 2])
        if like is not None:
            rarity = _Token(like.index, viewer, like.seen, asked.short).match(token, ())[1]
        score += np.float32(rarity) * found
        complete &= found > 0
        total += rarity
    if not total:
        return []
    fit = score / np.float32(total)
    worth = np.where(complete, index.worth, index.worth * _INCOMPLETE)
    for role, places in index.offices.items():
        if role not in asked.roles:
            worth[places] *= _UNASKED
    score = fit * worth
    score[~(seen & part.shown)] = 0
    return [
        Ranked(place, float(score[place]), float(fit[place]), bool(complete[place])) for place in _best(score, limit)
    ]


def _best(score: Floats, limit: int) -> Iterable[int]:
    places = np.flatnonzero(score > 0)
    if len(places) > limit:
        least = np.partition(score[places], -limit)[-limit]
        places = places[score[places] >= least]
    return places[np.argsort(-score[places], kind="stable")][:limit].tolist()


class _Token:
    """How one word is found in all entries."""

    def __init__(self, index: Index, viewer: Viewer, seen: Flags, short: Mapping[str, str]) -> None:
        self._index = index
        self._short = short
        self._level = viewer.level
        self._seen = seen

    def match(self, token: str, around: Sequence[str]) -> tuple[Floats, float]:
        """Return how well each entry has the word (0 to 1), and how rare it is; `around` are it and its neighbours."""
        vocabulary = self._index.vocabulary
        meant = list(vocabulary.like(token))
        for one, other in pairwise(around):
            whole = vocabulary.place(one + other)
            if whole is not None:
                meant.append((whole, _JOINED))
        found, rarities = self._found(meant, _UNLIKELY if len(token) > _FEW_LETTERS else _UNLIKELIER)
        for left, right in self._halves(token) if not any(likeness == 1 for likeness, _ in rarities) else ():
            (one, of_one), (other, of_other) = self._found([(left, 1.0)], 1.0), self._found([(right, 1.0)], 1.0)
            if of_one and of_other:
                found = np.maximum(found, _JOINED * np.minimum(one, other))
                rarities.append((_JOINED, max(of_one[0][1], of_other[0][1])))
        if not rarities:
            return found, self._rarity(1) * min(len(token), _LONG) / (2 * _LONG)
        likeness, rarity = max(rarities, key=lambda pair: (pair[0], -pair[1]))
        short = len(token) < _SHORT and token.isalpha()
        return found, likeness * rarity * (_SAYS_LITTLE if short else 1)

    def _halves(self, token: str) -> Iterator[tuple[int, int]]:
        """Yield pairs of words that were typed as one; the first may be short for another."""
        vocabulary = self._index.vocabulary
        for at in range(_SHORTEST_HALF, len(token) - _SHORTEST_HALF + 1):
            left, right = vocabulary.place(self._short.get(token[:at], token[:at])), vocabulary.place(token[at:])
            if left is not None and right is not None:
                yield left, right

    def _found(self, meant: Iterable[tuple[int, float]], unlikely: float) -> tuple[Floats, list[tuple[float, float]]]:
        """Return how well each entry has one of these words, and for each that is known, its likeness and rarity.

        The others are `unlikely` beside one that was typed as it is.
        """
        index, postings = self._index, self._index.postings
        found = np.zeros(len(index), np.float32)
        rarities: list[tuple[float, float]] = []
        others = 1.0
        for word, likeness in meant:
            at = slice(postings.start[word], postings.start[word + 1])
            entries, weights = postings.entries[at], postings.weights[at]
            known = (postings.levels[at] <= self._level) & self._seen[entries]
            entries, weights = entries[known], weights[known]
            if len(entries):
                likely = likeness if likeness == 1 else likeness * others
                others = unlikely if likeness == 1 else others
                found[entries] = np.maximum(found[entries], likely * weights)
                rarities.append((likely, self._rarity(int(index.frequency[self._level, word]))))
        self._share(found)
        return found, rarities

    def _share(self, found: Floats) -> None:
        """Let offices and people be found by the words of their organisation."""
        index, first = self._index, self._index.organisations
        of = np.append(found[:first], np.float32(0))[index.organisation]
        np.maximum(found[first:], of * index.shares, out=found[first:])

    def _rarity(self, frequency: int) -> float:
        return float(np.log1p(max(1, int(self._index.total[self._level])) / max(1, frequency)))
