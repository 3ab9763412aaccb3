"""From texts with a topic to a model, and how well it would do on texts that it has not seen."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from bot.routing.learning import Example, Model, softmax, train
from bot.routing.reading import read
from bot.routing.rules import Rules
from bot.routing.topics import features, lexicon

FOLDS = 5
RELIED_ON = 0.9
"""How often a topic must be right to be relied on; a recipient is right more often, since topics share recipients."""
_MARGINS = (0.75, 0.85)
"""No margin is lower or higher than these, whatever the examples say: words were chosen with them in sight.

From the lower one a recipient was right in 94 % of the held-out questions that were routed.
"""
_TINY = 1e-6
_CONTRADICTED = 0.01
_TEMPERATURES = tuple(it / 20 for it in range(10, 41))


@dataclass(frozen=True, slots=True)
class Tried:
    """An example judged by a model that was not taught it: its topics' logits."""

    text: str
    topic: str
    logits: dict[str, float]

    @property
    def ranked(self) -> list[str]:
        """The topics, best first."""
        return sorted(self.logits, key=lambda topic: (-self.logits[topic], topic))


def prepare(rows: Iterable[tuple[str, str]], rules: Rules) -> list[tuple[str, Example]]:
    """Return each text (given as topic and text) with what it shows."""
    found: list[tuple[str, Example]] = []
    for topic, text in rows:
        reading = read(text, rules)
        found.append((text, Example(topic, features(reading), lexicon(reading, rules))))
    return found


def teach(rows: Iterable[tuple[str, str]], rules: Rules) -> tuple[Model, list[Tried]]:
    """Return a model of all examples, and how each was judged by a model of the others."""
    prepared = prepare(rows, rules)
    topics = sorted(rules.topics)
    tried = list(cross_validated(prepared, topics))
    model = train((it for _, it in prepared), topics)
    honest = temperature(tried)
    return replace(model, temperature=honest, margin=margin(tried, honest)), tried


def cross_validated(prepared: Sequence[tuple[str, Example]], topics: Sequence[str]) -> Iterable[Tried]:
    """Judge each example by a model taught with the other folds; a text's fold follows from its words alone."""
    for fold in range(FOLDS):
        model = train((it for text, it in prepared if _fold(text) != fold), topics)
        for text, it in prepared:
            if _fold(text) == fold:
                yield Tried(text, it.topic, model.logits(it.features, dict(it.lexicon)))


def temperature(tried: Sequence[Tried]) -> float:
    """Return by what to divide logits so that probabilities are as often right as they say."""

    def surprise(candidate: float) -> float:
        return -sum(math.log(softmax(it.logits, candidate)[it.topic] + _TINY) for it in tried)

    return min(_TEMPERATURES, key=surprise) if tried else 1.0


def margin(tried: Sequence[Tried], honest: float) -> float:
    """Return the probability from which the best topic was right as often as is relied on."""
    judged = sorted(
        ((softmax(it.logits, honest)[it.ranked[0]], it.ranked[0] == it.topic) for it in tried), reverse=True
    )
    right, lowest = 0, _MARGINS[1]
    for count, (share, correct) in enumerate(judged, start=1):
        right += correct
        last = count == len(judged) or judged[count][0] < share
        if last and right / count >= RELIED_ON:
            lowest = share
    return round(min(max(lowest, _MARGINS[0]), _MARGINS[1]), 2)


def _fold(text: str) -> int:
    return sha256(text.encode()).digest()[0] % FOLDS


def doubtful(tried: Sequence[Tried]) -> list[Tried]:
    """Return the examples that all the others contradict with certainty: mislabelled, or of another time."""
    return [it for it in tried if it.ranked[0] != it.topic and softmax(it.logits)[it.topic] < _CONTRADICTED]
