"""A small classifier of topics that learns from examples: softmax regression over words, on top of the lexicon.

The lexicon's weights come first, as an offset; what is learnt corrects them. Promised: the same examples in any order
give the same model, in seconds; a model says what each of its words weighed. Names of countries and places are not
learnt, only that there is one: a topic is not a country's.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeAlias

Features: TypeAlias = tuple[str, ...]
Row: TypeAlias = tuple[tuple[str, float], ...]

LEXICON = (0.3, 1.0)
"""How much a unit of the lexicon's weight counts, in logits: always, and divided by the root of the text's length.

In few words each is meant; in many the lexicon also finds what is said by the way.
"""
_ROUNDS = 10
_RATE = 0.5
_DECAY = 0.02
_OFTEN = 2
"""A word of a single example says nothing of others."""
_NEGLIGIBLE = 0.02
_LIGHT = 0.1
"""An error of probability, and a weight, too small to matter."""


@dataclass(frozen=True, slots=True)
class Example:
    """What a text shows and what it is about; `lexicon` is what the lexicon says of each topic."""

    topic: str
    features: Features
    lexicon: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Model:
    """What was learnt: each feature's weight for topics, in logits before division by the text's length.

    `temperature` divides logits so that probabilities are honest; from the probability `margin` on, one is relied on.
    """

    topics: tuple[str, ...]
    weights: Mapping[str, Row]
    temperature: float = 1.0
    margin: float = 0.5

    def logits(self, features: Features, lexicon: Mapping[str, float]) -> dict[str, float]:
        """Return what speaks for each topic."""
        scale = 1 / math.sqrt(len(features) or 1)
        unit = LEXICON[0] + LEXICON[1] * scale
        found = {topic: unit * lexicon.get(topic, 0.0) for topic in self.topics}
        for feature in features:
            for topic, weight in self.weights.get(feature, ()):
                found[topic] += weight * scale
        for topic, weight in self.weights.get("", ()):
            found[topic] += weight
        return found

    def shares(self, features: Features, lexicon: Mapping[str, float]) -> dict[str, float]:
        """Return each topic's probability."""
        return softmax(self.logits(features, lexicon), self.temperature)

    def weighed(self, features: Features, topic: str) -> list[tuple[str, float]]:
        """Return what each feature weighs for a topic, the heaviest first."""
        scale = 1 / math.sqrt(len(features) or 1)
        found = {it: dict(self.weights.get(it, ())).get(topic, 0.0) * scale for it in features}
        return sorted((pair for pair in found.items() if pair[1]), key=lambda pair: (-abs(pair[1]), pair[0]))


def softmax(logits: Mapping[str, float], temperature: float = 1.0) -> dict[str, float]:
    """Return probabilities that are proportional to the exponentials of logits."""
    top = max(logits.values(), default=0.0)
    powers = {key: math.exp((value - top) / temperature) for key, value in logits.items()}
    total = sum(powers.values())
    return {key: power / total for key, power in powers.items()}


def train(examples: Iterable[Example], topics: Sequence[str]) -> Model:
    """Learn from examples, in an order of their own."""
    ordered = sorted(examples, key=_order)
    topic_at = {topic: at for at, topic in enumerate(topics)}
    seen = Counter(feature for it in ordered for feature in it.features)
    names = sorted(feature for feature, count in seen.items() if count >= _OFTEN)
    at = {feature: number for number, feature in enumerate(names, start=1)}
    prepared = [_Prepared.of(it, at, topic_at) for it in ordered]
    weights = [[0.0] * len(topics) for _ in range(len(names) + 1)]
    slopes = [[1.0] * len(topics) for _ in weights]
    for _ in range(_ROUNDS):
        for it in prepared:
            _learn(it, weights, slopes)
    return Model(tuple(topics), _kept(weights, ["", *names], topics))


@dataclass(frozen=True, slots=True)
class _Prepared:
    """An example as numbers: its topic, its features, and the lexicon's logits."""

    topic: int
    features: tuple[int, ...]
    scale: float
    offset: list[float]

    @classmethod
    def of(cls, example: Example, at: Mapping[str, int], topic_at: Mapping[str, int]) -> "_Prepared":
        scale = 1 / math.sqrt(len(example.features) or 1)
        unit = LEXICON[0] + LEXICON[1] * scale
        offset = [0.0] * len(topic_at)
        for topic, weight in example.lexicon:
            offset[topic_at[topic]] = unit * weight
        numbers = tuple(at[it] for it in example.features if it in at)
        return cls(topic_at[example.topic], numbers, scale, offset)


def _learn(it: _Prepared, weights: list[list[float]], slopes: list[list[float]]) -> None:
    """Move the weights of an example's features against its error, each by a step that shortens as it moves."""
    scale = it.scale
    logits = [a + b for a, b in zip(it.offset, weights[0], strict=True)]
    sums = [sum(column) for column in zip(*(weights[f] for f in it.features), strict=True)] or [0.0] * len(logits)
    logits = [a + scale * b for a, b in zip(logits, sums, strict=True)]
    top = max(logits)
    powers = [math.exp(value - top) for value in logits]
    total = sum(powers)
    for topic, power in enumerate(powers):
        error = power / total - (topic == it.topic)
        if abs(error) < _NEGLIGIBLE:
            continue
        for feature in (0, *it.features):
            row, slope = weights[feature], slopes[feature]
            gradient = error * (scale if feature else 1.0) + _DECAY * row[topic]
            slope[topic] += gradient * gradient
            row[topic] -= _RATE * gradient / math.sqrt(slope[topic])


def _kept(weights: list[list[float]], names: Sequence[str], topics: Sequence[str]) -> dict[str, Row]:
    return {
        name: tuple(
            (topic, round(weight, 2)) for topic, weight in zip(topics, row, strict=True) if abs(weight) >= _LIGHT
        )
        for name, row in zip(names, weights, strict=True)
    }


def _order(example: Example) -> str:
    return sha256(json.dumps([example.topic, example.features, example.lexicon]).encode()).hexdigest()


def dump(model: Model) -> str:
    """Return a model as text, the same for the same model: a line of JSON, then a line a feature."""
    head = {"topics": list(model.topics), "temperature": model.temperature, "margin": model.margin}
    number = {topic: at for at, topic in enumerate(model.topics)}
    lines = (
        f"{feature}\t{' '.join(f'{number[topic]}:{weight:g}' for topic, weight in row)}"
        for feature, row in sorted(model.weights.items())
    )
    return "\n".join((json.dumps(head), *lines)) + "\n"


def restore(text: str) -> Model:
    """Return the model that `dump` wrote."""
    lines = iter(text.splitlines())
    head = json.loads(next(lines))
    topics: tuple[str, ...] = tuple(head["topics"])
    pairs: dict[str, tuple[str, float]] = {}
    weights = {feature: _row(cells, topics, pairs) for feature, _, cells in (line.partition("\t") for line in lines)}
    return Model(topics, weights, head["temperature"], head["margin"])


def _row(cells: str, topics: Sequence[str], pairs: dict[str, tuple[str, float]]) -> Row:
    """Return a feature's weights; `pairs` keeps each pair once, for thousands of features share them."""
    for cell in cells.split():
        if cell not in pairs:
            at, weight = cell.split(":")
            pairs[cell] = (topics[int(at)], float(weight))
    return tuple(pairs[cell] for cell in cells.split())
