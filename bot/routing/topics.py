"""What a question is about: weighted words, the longest run first, each counted once a topic.

A classifier that learns replaces `score` and keeps its result: topics with shares, and the words that say so.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.routing.reading import Reading
from bot.routing.rules import STOP, Rules

OTHER = "autre"
_DOUBT = 1.0
"""What speaks for none of the topics, so that a single weak word never looks certain."""
_CLOSE = 0.25
"""Topics whose weights differ by no more are equal."""
_ACTIVITIES = frozenset({"formation", "mobilite", "deplacement_officiel"})
"""What is done rather than what it is about: of two equal topics, this one."""
_OF_PLACES = {"passage": ("circulation_frontaliere", 1.0), "body": ("cooperation_transfrontaliere", 2.0)}
"""What a crossing point or a cross-border body says of the topic by being named."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Words that speak for a topic, and where they stand in the text."""

    topic: str
    weight: float
    start: int
    end: int
    written: str


@dataclass(frozen=True, slots=True)
class Scores:
    """The topics of a text, best first, with their weights and the evidence."""

    weights: tuple[tuple[str, float], ...]
    evidence: tuple[Evidence, ...]

    @property
    def best(self) -> str:
        """The topic that most speaks for; `autre` when nothing does."""
        return self.tied[0]

    @property
    def tied(self) -> tuple[str, ...]:
        """The topics that are as good as the best; of a training about fraud, the training."""
        top = self.weights[0][1] if self.weights else 0.0
        close = tuple(topic for topic, weight in self.weights if weight >= top - _CLOSE)
        return tuple(topic for topic in close if topic in _ACTIVITIES) or close or (OTHER,)

    @property
    def shares(self) -> tuple[tuple[str, float], ...]:
        """Each topic's share of all weights and the doubt; the three best."""
        total = sum(weight for _, weight in self.weights) + _DOUBT
        return tuple((topic, round(weight / total, 2)) for topic, weight in self.weights[:3])

    def weight(self, topic: str) -> float:
        """Return what speaks for a topic."""
        return dict(self.weights).get(topic, 0.0)

    def strongest(self, topic: str) -> Evidence | None:
        """Return the best words for a topic."""
        return max((it for it in self.evidence if it.topic == topic), key=lambda it: it.weight, default=None)


def score(reading: Reading, rules: Rules) -> Scores:
    """Weigh the words of a text; a demonym may stand inside a run (« acte allemand de naissance »)."""
    people = {at for name in reading.names if name.demonym for at in range(name.start, name.end)}
    kept = [at for at, word in enumerate(reading.words) if word.key not in STOP and at not in people]
    stems = [reading.words[at].stem for at in kept]
    evidence = [
        Evidence(topic, weight, start, end, " ".join(word.written for word in reading.words[start:end]))
        for hit in rules.topic_words.find(stems)
        for start, end in [(kept[hit.start], kept[hit.end - 1] + 1)]
        for topic, weight in hit.meaning
    ]
    evidence += [
        Evidence(*_OF_PLACES[kind], name.start, name.end, name.written)
        for name in reading.names
        for kind in {sense.kind for sense in name.senses} & _OF_PLACES.keys()
    ]
    return Scores(_weights(evidence, reading), tuple(evidence))


def _weights(evidence: Iterable[Evidence], reading: Reading) -> tuple[tuple[str, float], ...]:
    once: dict[tuple[str, tuple[str, ...]], float] = {}
    for it in evidence:
        once[it.topic, tuple(word.stem for word in reading.words[it.start : it.end])] = it.weight
    weights: dict[str, float] = {}
    for (topic, _), weight in once.items():
        weights[topic] = weights.get(topic, 0.0) + weight
    ranked = sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple((topic, weight) for topic, weight in ranked if weight > 0)
