"""How far a decision is relied on: numbers learnt on labelled questions, which `config/routing/confidence.toml` keeps.

`scripts/learn_confidence.py` writes that file and tells in it how the numbers were learnt.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Confidence:
    """`learnt`, `lexicon`: how much what examples teach and the words of `topics.toml` count for a topic, in logits.

    Of the lexicon, the first counts always, the second divided by the root of the text's length: in few words each is
    meant, in many the lexicon also finds what is said by the way. From `margin` on, a probability is relied on.
    """

    learnt: float
    lexicon: tuple[float, float]
    margin: float

    def unit(self, length: int) -> float:
        """Return how much a unit of the lexicon's weight counts in a text with so many features."""
        return self.lexicon[0] + self.lexicon[1] / (length or 1) ** 0.5

    def fused(self, learnt: Mapping[str, float], lexicon: Mapping[str, float], length: int) -> dict[str, float]:
        """Return what speaks for each topic, from what the model and the lexicon say."""
        unit = self.unit(length)
        return {topic: self.learnt * logit + unit * lexicon.get(topic, 0.0) for topic, logit in learnt.items()}


def restore(text: str) -> Confidence:
    """Return what `confidence.toml` holds."""
    found = tomllib.loads(text)
    topic, recipient = found["topic"], found["recipient"]
    return Confidence(topic["learnt"], (topic["lexicon"], topic["lexicon_short"]), recipient["margin"])
