"""What a question is about: weighted words first, the longest run, each once a topic; then what examples taught.

Promised: the same scores for the same words, whatever the order of the examples that were learnt from; and the words
that say so.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, pairwise

from bot.routing.classes import Classes
from bot.routing.found import Found
from bot.routing.learning import NONE, Features, softmax
from bot.routing.names import FRANCE
from bot.routing.reading import Reading
from bot.routing.rules import STOP, Rules

OTHER = "autre"
_OF_PLACES = {"passage": ("circulation_frontaliere", 1.0), "body": ("cooperation_transfrontaliere", 3.5)}
"""What a crossing point or a cross-border body says of the topic by being named."""
_POLITE = frozenset(
    "bonjour bonsoir salut hello hi dear merci thanks thank please cordialement plait regards svp stp re cher chere "
    "chers".split()
)
"""Words that say nothing of a topic, and are left out so that politeness changes nothing."""
_PREFIX = 5
_LONG = 7
_RUN = 4
CLEAR = 3.5
PURPOSE = 2.0
"""What is done for a purpose is about the purpose: an act looked at for a naturalisation is about that.

A topic that clearly is one (a word of weight `CLEAR`) takes so much from those that `over` names in `topics.toml`.
"""
MORE = 0.3
"""How much each word beside the strongest one counts."""


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
    """The topics of a text with their probabilities, best first, what the lexicon alone says, and the evidence."""

    ranked: tuple[tuple[str, float], ...]
    weights: tuple[tuple[str, float], ...]
    evidence: tuple[Evidence, ...]
    features: Features = NONE

    @property
    def best(self) -> str:
        """The most probable topic."""
        return self.ranked[0][0] if self.ranked else OTHER

    @property
    def shares(self) -> tuple[tuple[str, float], ...]:
        """The three most probable topics."""
        return tuple((topic, round(share, 2)) for topic, share in self.ranked[:3])

    def share(self, topic: str) -> float:
        """Return how probable a topic is."""
        return dict(self.ranked).get(topic, 0.0)

    def weight(self, topic: str) -> float:
        """Return what the lexicon has for a topic."""
        return dict(self.weights).get(topic, 0.0)

    def strongest(self, topic: str) -> Evidence | None:
        """Return the best words for a topic."""
        return max(
            (it for it in self.evidence if it.topic == topic),
            key=lambda it: (it.weight, it.end - it.start),
            default=None,
        )


def score(reading: Reading, rules: Rules) -> Scores:
    """Weigh the words of a text; a demonym may stand inside a run (« acte allemand de naissance »)."""
    evidence = tuple(_evidence(reading, rules))
    weights = _weights(evidence, reading, rules)
    shown = features(reading, rules.classes)
    shares = softmax(rules.confidence.fused(rules.model.logits(shown), dict(weights), len(shown[0])))
    ranked = sorted(shares.items(), key=lambda pair: (-pair[1], pair[0]))
    return Scores(tuple(ranked), weights, evidence, shown)


def lexicon(reading: Reading, rules: Rules) -> tuple[tuple[str, float], ...]:
    """Return what the lexicon says of each topic, the most first."""
    return _weights(tuple(_evidence(reading, rules)), reading, rules)


def _evidence(reading: Reading, rules: Rules) -> Iterator[Evidence]:
    people = {at for name in reading.names if name.demonym for at in range(name.start, name.end)}
    kept = [at for at, word in enumerate(reading.words) if word.key not in STOP and at not in people]
    stems = [reading.words[at].stem for at in kept]
    for hit in rules.topic_words.find(stems):
        start, end = kept[hit.start], kept[hit.end - 1] + 1
        for topic, weight in hit.meaning:
            yield Evidence(topic, weight, start, end, reading.said(start, end))
    for name in reading.names:
        for kind in {sense.kind for sense in name.senses} & _OF_PLACES.keys():
            topic, weight = _OF_PLACES[kind]
            yield Evidence(topic, weight, name.start, name.end, name.written)


def _weights(evidence: Iterable[Evidence], reading: Reading, rules: Rules) -> tuple[tuple[str, float], ...]:
    once: dict[tuple[str, tuple[str, ...]], float] = {}
    for it in evidence:
        once[it.topic, tuple(word.stem for word in reading.words[it.start : it.end])] = it.weight
    by_topic: dict[str, list[float]] = {}
    for (topic, _), weight in once.items():
        by_topic.setdefault(topic, []).append(weight)
    weights = {topic: max(found) + MORE * (sum(found) - max(found)) for topic, found in by_topic.items()}
    below = {other for topic, found in by_topic.items() if max(found) >= CLEAR for other in rules.over.get(topic, ())}
    for topic in below & weights.keys():
        weights[topic] = weights[topic] * MORE - PURPOSE
    ranked = sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple((topic, weight) for topic, weight in ranked if weight)


def features(reading: Reading, classes: Classes) -> Features:
    """Return what can be learnt of a text, each once: words, pairs, beginnings of words; runs of letters; classes.

    A name counts as its kind beside another word, and not by itself: that a place is a region abroad says nothing of
    what is asked about it.
    """
    inside = {at: name for name in reading.names for at in range(name.start, name.end)}
    tokens: list[str] = []
    keys: list[str] = []
    meant: list[tuple[str, ...]] = []
    for at, word in enumerate(reading.words):
        name = inside.get(at)
        if name is None and word.key not in STOP and (its := classes.of(word)):
            meant.append(its)
        if name is None and word.key not in STOP and word.key not in _POLITE and not word.key.isdigit():
            tokens.append(word.stem)
            keys.append(word.key)
        elif name is not None and at == name.start:
            tokens.append(_kind(name))
            meant.append((_kind(name),))
    begun = (f"{token[:_PREFIX]}*" for token in tokens if len(token) >= _LONG and token[0] != "<")
    pairs = (f"{one} {other}" for one, other in pairwise(tokens))
    words = (token for token in tokens if token[0] != "<")
    letters = (f"~{run}" for key in keys for run in _runs(f"_{key}_"))
    beside = (f"{one} + {other}" for before, after in pairwise(meant) for one in before for other in after)
    return _once(chain(words, begun, pairs)), _once(letters), _once(chain(chain.from_iterable(meant), beside))


def _once(features: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(features))


def _runs(key: str) -> Iterator[str]:
    return (key[at : at + _RUN] for at in range(len(key) - _RUN + 1))


def _kind(name: Found) -> str:
    if name.demonym:
        return "<people>"
    sense = name.senses[0]
    return f"<french {sense.kind}>" if sense.country == FRANCE else f"<{sense.kind}>"


def explained(scores: Scores, rules: Rules, topic: str, most: int = 8) -> list[tuple[str, float]]:
    """Return what weighed for and against a topic, in logits, the heaviest first; `~` stands before mere letters."""
    unit = rules.confidence.unit(len(scores.features[0]))
    found = [(it.written, unit * it.weight) for it in scores.evidence if it.topic == topic]
    learnt = rules.model.weighed(scores.features, topic)
    found += [(feature, rules.confidence.learnt * weight) for feature, weight in learnt]
    return sorted(found, key=lambda pair: (-abs(pair[1]), pair[0]))[:most]
