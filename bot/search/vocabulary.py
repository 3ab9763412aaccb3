"""All words that can be found, and which of them a typed word may mean.

A word is compared with those only whose letters differ little: a bit for each letter makes that one instruction a word.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from rapidfuzz.distance import OSA

from bot.search.arrays import Ints

_SHORTEST_PREFIX = 3
_LONGEST_WORD = 40  # characters that are looked at
_NEVER = 255  # the length of what is no word that people type, and which is not meant by any that they do


class Vocabulary:
    """Words in alphabetical order; a word is known by its place there."""

    def __init__(self, words: Iterable[str]) -> None:
        self.words: Sequence[str] = sorted(words)
        self._places = {word: place for place, word in enumerate(self.words)}
        lengths = (min(len(word), _LONGEST_WORD) if word.isalnum() else _NEVER for word in self.words)
        self._lengths = np.fromiter(lengths, np.uint8, len(self.words))
        self._letters = np.fromiter(map(_letters, self.words), np.uint32, len(self.words))

    def __len__(self) -> int:
        return len(self.words)

    def place(self, word: str) -> int | None:
        """Return where a word stands, None if nothing has it."""
        return self._places.get(word)

    def meant(self, typed: str) -> list[str]:
        """Return the words that may be meant."""
        return [self.words[place] for place, _ in self.like(typed)]

    def like(self, typed: str) -> Iterator[tuple[int, float]]:
        """Yield words that may be meant, with how likely (at most 1): the word, its beginning, or one mistyped."""
        exact = self._places.get(typed)
        if exact is not None:
            yield exact, 1.0
        if not typed.isalpha():
            padded = self._places.get(typed.zfill(2))  # département 1 is 01
            if exact is None and padded is not None:
                yield padded, 1.0
            return
        if len(typed) >= _SHORTEST_PREFIX:
            begun = self._begun(typed)
            for place in begun:
                if place != exact:
                    yield place, 0.7 + 0.25 * len(typed) / len(self.words[place])
            for place, mistakes in self._mistyped(typed):
                if place != exact and place not in begun:
                    yield place, 1 - 1.1 * mistakes / max(len(typed), len(self.words[place]))

    def _begun(self, typed: str) -> range:
        return range(bisect_left(self.words, typed), bisect_left(self.words, typed + "\x7f"))

    def _mistyped(self, typed: str) -> Iterator[tuple[int, int]]:
        typed = typed[:_LONGEST_WORD]
        most = mistakes_of(typed)
        for place in self._near(typed, most).tolist():
            mistakes = OSA.distance(typed, self.words[place], score_cutoff=most)
            if mistakes <= most:
                yield place, mistakes

    def _near(self, typed: str, most: int) -> Ints:
        """Return the words that could be reached: one mistake changes the length by one, and two letters at most."""
        lengths = np.abs(self._lengths.astype(np.int16) - len(typed)) <= most
        letters = np.bitwise_count(self._letters ^ np.uint32(_letters(typed))) <= 2 * most
        return np.flatnonzero(lengths & letters)


def mistakes_of(typed: str) -> int:
    """Return how many mistakes are forgiven: omissions, additions, wrong letters, letters in the wrong order."""
    return 0 if len(typed) < 3 else 1 if len(typed) < 5 else 2


def _letters(word: str) -> int:
    bits = 0
    for letter in word:
        bits |= 1 << (ord(letter) & 31)
    return bits
