"""A small classifier of topics that learns from examples: softmax regression over words and their letters.

It says what examples teach, and nothing of the lexicon, which is added to it (`topics.py`): learnt apart, neither hides
what the other misses. A model is kept as text, and says what each of its features weighed. Names of countries and
places are not learnt, only that there is one: a topic is not a country's.
"""

import json
import math
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import add
from typing import TypeAlias

Features: TypeAlias = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
"""What a text shows: its words, pairs and beginnings of words; runs of letters, for words that nobody has used; and
the classes of its words, alone and side by side."""

NONE: Features = ((), (), ())
"""What an empty text shows."""

SCALE = 3.0
"""How much each of the sets of features counts: so much over the root of their number."""
_ZERO = 128
_MOST = 127
"""Weights are kept as bytes: so many steps at most on either side of this one."""


@dataclass(frozen=True, slots=True)
class Example:
    """What a text shows and what it is about."""

    topic: str
    features: Features


@dataclass(frozen=True, slots=True)
class Model:
    """What was learnt: for each feature a byte a topic, that many steps from `_ZERO`."""

    topics: tuple[str, ...]
    bias: tuple[float, ...]
    step: float
    weights: Mapping[str, bytes]

    def logits(self, features: Features) -> dict[str, float]:
        """Return what speaks for each topic."""
        found: Sequence[float] = self.bias
        for kind in features:
            rows = [row for feature in kind if (row := self.weights.get(feature))]
            unit = self._unit(kind)
            sums: Sequence[int] = [-_ZERO * len(rows)] * len(self.topics)
            for row in rows:
                sums = list(map(add, sums, row))
            found = [logit + unit * steps for logit, steps in zip(found, sums, strict=True)]
        return dict(zip(self.topics, found, strict=True))

    def weighed(self, features: Features, topic: str) -> list[tuple[str, float]]:
        """Return what each feature weighs for a topic, the heaviest first."""
        at = self.topics.index(topic)
        found = [
            (feature, self._unit(kind) * (self.weights[feature][at] - _ZERO))
            for kind in features
            for feature in kind
            if feature in self.weights
        ]
        return sorted((pair for pair in found if pair[1]), key=lambda pair: (-abs(pair[1]), pair[0]))

    def _unit(self, kind: Sequence[str]) -> float:
        return SCALE * self.step / math.sqrt(len(kind) or 1)


NOTHING = Model((), (), 1.0, {})
"""What is known before anything was learnt."""


def softmax(logits: Mapping[str, float]) -> dict[str, float]:
    """Return probabilities that are proportional to the exponentials of logits."""
    top = max(logits.values(), default=0.0)
    powers = {key: math.exp(value - top) for key, value in logits.items()}
    total = sum(powers.values())
    return {key: power / total for key, power in powers.items()}


def quantized(
    topics: Sequence[str], bias: Sequence[float], names: Iterable[str], weights: Iterable[Sequence[float]]
) -> Model:
    """Return a model of real weights; a feature that weighs next to nothing is left out."""
    rows = [(name, [float(weight) for weight in row]) for name, row in zip(names, weights, strict=True)]
    most = max((abs(weight) for _, row in rows for weight in row), default=0.0)
    step = round(most / _MOST, 6) or 1.0
    kept = {name: [max(-_MOST, min(_MOST, round(weight / step))) for weight in row] for name, row in rows}
    return Model(
        tuple(topics),
        tuple(round(float(it), 3) for it in bias),
        step,
        {name: bytes(_ZERO + steps for steps in row) for name, row in kept.items() if any(row)},
    )


def dump(model: Model) -> str:
    """Return a model as text, the same for the same model: a line of JSON, then a line a feature."""
    head = json.dumps({"topics": model.topics, "bias": model.bias, "step": model.step})
    lines = (f"{feature}\t{row.hex()}" for feature, row in sorted(model.weights.items()))
    return "\n".join((head, *lines)) + "\n"


def restore(text: str) -> Model:
    """Return the model that `dump` wrote."""
    first, _, lines = text.partition("\n")
    head = json.loads(first)
    return Model(tuple(head["topics"]), tuple(head["bias"]), head["step"], Kept(lines))


class Kept(Mapping[str, bytes]):
    """The weights of each feature, left in the text that `dump` wrote; its lines are sorted. A fifth of the memory."""

    def __init__(self, lines: str) -> None:
        self._lines = lines
        self._starts = array("I", (0, *accumulate(len(line) + 1 for line in lines.split("\n")[:-1])))

    def __getitem__(self, feature: str) -> bytes:
        at = bisect_left(range(len(self)), feature, key=self._feature)
        if at == len(self) or self._feature(at) != feature:
            raise KeyError(feature)
        return bytes.fromhex(self._lines[self._starts[at] + len(feature) + 1 : self._starts[at + 1] - 1])

    def __iter__(self) -> Iterator[str]:
        return map(self._feature, range(len(self)))

    def __len__(self) -> int:
        return len(self._starts) - 1

    def _feature(self, at: int) -> str:
        return self._lines[self._starts[at] : self._lines.index("\t", self._starts[at])]
