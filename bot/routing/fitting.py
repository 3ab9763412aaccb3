"""Learning itself: softmax regression with a penalty on weights, by accelerated gradient descent.

Promised: the same examples in any order give the same model, in seconds. It is apart from what is learnt, since only
those who learn need arrays.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from bot.routing.learning import SCALE, Example, Model, quantized

_ROUNDS = 60
_RATE = 0.01
_BIAS_RATE = 0.001
_MOMENTUM = 0.9
_DECAY = 0.5
_COMMON = 20
"""A feature of so many examples counts fully, a rarer one more, an everyday one less, between these bounds."""
_LEAST, _MOST = 0.2, 2.0
_OFTEN = 3
"""A feature of fewer examples says nothing of others."""

Array = NDArray[np.float64]
Numbers = NDArray[np.intp]


def train(examples: Iterable[Example], topics: Sequence[str]) -> Model:
    """Learn from examples, in an order of their own."""
    ordered = sorted(examples, key=_order)
    seen = Counter(feature for it in ordered for kind in it.features for feature in kind)
    names = sorted(feature for feature, count in seen.items() if count >= _OFTEN)
    telling = np.array([_telling(seen[name], len(ordered)) for name in names])
    shown = _Shown(ordered, names, telling)
    meant = np.zeros((len(ordered), len(topics)))
    meant[np.arange(len(ordered)), [topics.index(it.topic) for it in ordered]] = 1.0
    weights, speed = np.zeros((len(names), len(topics))), np.zeros((len(names), len(topics)))
    bias, drift = np.zeros(len(topics)), np.zeros(len(topics))
    for _ in range(_ROUNDS):
        ahead = weights + _MOMENTUM * speed
        errors = _probabilities(shown.logits(ahead) + bias + _MOMENTUM * drift) - meant
        speed = _MOMENTUM * speed - _RATE * (shown.gradient(errors) + _DECAY * ahead)
        drift = _MOMENTUM * drift - _BIAS_RATE * errors.sum(axis=0)
        weights, bias = weights + speed, bias + drift
    return quantized(topics, bias.tolist(), names, (weights * telling[:, None]).tolist())


def _telling(examples: int, of: int) -> float:
    """Return how much a feature counts that so many examples show: what most of them say tells little."""
    return min(_MOST, max(_LEAST, math.log(of / examples) / math.log(max(2.0, of / _COMMON))))


class _Shown:
    """Which example shows which feature and how much that counts: by example, and by feature."""

    def __init__(self, examples: Sequence[Example], names: Sequence[str], telling: Array) -> None:
        self._shape = len(examples), len(names)
        at = {feature: number for number, feature in enumerate(names)}
        cells = [
            (example, at[feature], SCALE / len(kind) ** 0.5 * telling[at[feature]])
            for example, it in enumerate(examples)
            for kind in it.features
            for feature in kind
            if feature in at
        ]
        table = np.array(cells, dtype=float).reshape(-1, 3)
        self._by_example = table[:, 0].astype(np.intp), table[:, 1].astype(np.intp), table[:, 2]
        order = np.argsort(self._by_example[1], kind="stable")
        self._by_feature = self._by_example[1][order], self._by_example[0][order], table[order, 2]

    def logits(self, weights: Array) -> Array:
        return _summed(weights, *self._by_example, self._shape[0])

    def gradient(self, errors: Array) -> Array:
        return _summed(errors, *self._by_feature, self._shape[1])


def _summed(values: Array, rows: Numbers, columns: Numbers, amounts: Array, count: int) -> Array:
    """Return for each row the sum of the values of its columns, each times its amount; rows are sorted."""
    found = np.zeros((count, values.shape[1]))
    if rows.size:
        first = np.flatnonzero(np.diff(rows, prepend=-1))
        found[rows[first]] = np.add.reduceat(values[columns] * amounts[:, None], first, axis=0)
    return found


def _probabilities(logits: Array) -> Array:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _order(example: Example) -> str:
    return sha256(json.dumps([example.topic, example.features]).encode()).hexdigest()
