"""Runs of words found in a text, the longest first: « République dominicaine » before « dominicaine »."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Hit(Generic[T]):
    """What a run of words means, and the places of its first word and of the one after its last."""

    start: int
    end: int
    meaning: T


class Phrases(Generic[T]):
    """An index from runs of words to what they mean, built once; a search looks at each word a few times."""

    def __init__(self, meanings: Mapping[tuple[str, ...], T]) -> None:
        self._meanings = {run: meaning for run, meaning in meanings.items() if run}
        self._longest: dict[str, int] = {}
        for run in self._meanings:
            self._longest[run[0]] = max(len(run), self._longest.get(run[0], 0))

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
            run = tuple(text[at : at + length])
            if run in self._meanings:
                return Hit(at, at + length, self._meanings[run])
        return None
