"""Runs of words found in a text, the longest first: « République dominicaine » before « dominicaine »."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Hit(Generic[T]):
    """What a run of words means, and the places of its first word and of the one after its last."""

    start: int
    end: int
    meaning: T


class Phrases(Generic[T]):
    """An index from runs of words, a space between two, to what they mean: the first mapping that has a run counts.

    A search looks at each word a few times.
    """

    def __init__(self, *meanings: Mapping[str, T]) -> None:
        self._meanings = meanings
        self._longest: dict[str, int] = {}
        for run in chain(*meanings):
            first, *others = run.split()
            self._longest[first] = max(1 + len(others), self._longest.get(first, 0))

    def find(self, text: Sequence[str]) -> Iterator[Hit[T]]:
        """Yield the hits from left to right; they do not overlap."""
        at = 0
        while at < len(text):
            hit = self._at(text, at)
            if hit:
                yield hit
            at = hit.end if hit else at + 1

    def _at(self, text: Sequence[str], at: int) -> Hit[T] | None:
        for length in range(min(self._longest.get(text[at], 0), len(text) - at), 0, -1):
            run = " ".join(text[at : at + length])
            for meanings in self._meanings:
                if run in meanings:
                    return Hit(at, at + length, meanings[run])
        return None
