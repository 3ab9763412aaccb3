"""Runs of words found in a text, the longest first: « République dominicaine » before « dominicaine »."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    """An index from runs of words to what they mean, built once; a search looks at each word once or twice."""

    def __init__(self, meanings: Iterable[tuple[tuple[str, ...], T]]) -> None:
        by_first: dict[str, dict[tuple[str, ...], T]] = {}
        for run, meaning in meanings:
            if run:
                by_first.setdefault(run[0], {})[run] = meaning
        self._by_first: Mapping[str, tuple[tuple[int, dict[tuple[str, ...], T]], ...]] = {
            first: _by_length(runs) for first, runs in by_first.items()
        }

    def find(self, text: Sequence[str]) -> Iterator[Hit[T]]:
        """Yield the hits from left to right; they do not overlap."""
        at = 0
        while at < len(text):
            hit = self._at(text, at)
            if hit:
                yield hit
            at = hit.end if hit else at + 1

    def _at(self, text: Sequence[str], at: int) -> Hit[T] | None:
        for length, runs in self._by_first.get(text[at], ()):
            run = tuple(text[at : at + length])
            if run in runs:
                return Hit(at, at + length, runs[run])
        return None


def _by_length(runs: Mapping[tuple[str, ...], T]) -> tuple[tuple[int, dict[tuple[str, ...], T]], ...]:
    lengths = sorted({len(run) for run in runs}, reverse=True)
    return tuple((length, {run: runs[run] for run in runs if len(run) == length}) for length in lengths)
