"""How far a decision is relied on: numbers learnt on labelled questions, which `config/routing/confidence.toml` keeps.

`scripts/learn_confidence.py` writes that file and tells in it how the numbers were learnt.
"""

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SHOWN = ("office", "topic", "own_place", "no_place", "place_by_default", "several_countries", "asker_unknown")
"""What is weighed: how probable the office is, by all topics, and the topic, in logits; then whether something is so.

`own_place`: the competence is given for the place.
"""


@dataclass(frozen=True, slots=True)
class Confidence:
    """`learnt`, `lexicon`: how much what examples teach and the words of `topics.toml` count for a topic, in logits.

    Of the lexicon, the first counts always, the second divided by the root of the text's length: in few words each is
    meant, in many the lexicon also finds what is said by the way. `bias` and `weights` (of `SHOWN`) give how probably
    a recipient is right, in logits; from `margin` on it is relied on. A hard rule that no words call is relied on when
    its topic is as probable as `rule`.
    """

    learnt: float
    lexicon: tuple[float, float]
    bias: float
    weights: tuple[float, ...]
    margin: float
    rule: float

    def unit(self, length: int) -> float:
        """Return how much a unit of the lexicon's weight counts in a text with so many features."""
        return self.lexicon[0] + self.lexicon[1] / (length or 1) ** 0.5

    def fused(self, learnt: Mapping[str, float], lexicon: Mapping[str, float], length: int) -> dict[str, float]:
        """Return what speaks for each topic, from what the model and the lexicon say."""
        unit = self.unit(length)
        return {topic: self.learnt * logit + unit * lexicon.get(topic, 0.0) for topic, logit in learnt.items()}

    def sure(self, shown: Sequence[float]) -> float:
        """Return how probably a recipient is right of whom so much is known."""
        logit = self.bias + sum(weight * it for weight, it in zip(self.weights, shown, strict=True))
        return 1 / (1 + math.exp(-logit))


def restore(text: str) -> Confidence:
    """Return what `confidence.toml` holds."""
    found = tomllib.loads(text)
    topic, recipient = found["topic"], found["recipient"]
    return Confidence(
        learnt=topic["learnt"],
        lexicon=(topic["lexicon"], topic["lexicon_short"]),
        bias=recipient["bias"],
        weights=tuple(recipient[name] for name in SHOWN),
        margin=recipient["margin"],
        rule=topic["rule"],
    )


def dump(confidence: Confidence, how: Sequence[str]) -> str:
    """Return `confidence.toml`, `how` it was learnt at its head."""
    lines = [
        *(f"# {line}" for line in how),
        "",
        "[topic]",
        f"learnt = {confidence.learnt}",
        f"lexicon = {confidence.lexicon[0]}",
        f"lexicon_short = {confidence.lexicon[1]}",
        f"rule = {confidence.rule}",
        "",
        "[recipient]",
        f"margin = {confidence.margin}",
        f"bias = {confidence.bias}",
        *(f"{name} = {weight}" for name, weight in zip(SHOWN, confidence.weights, strict=True)),
    ]
    return "\n".join(lines) + "\n"
