"""From texts with a topic to a model, and how well it would do on texts that it has not seen."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from bot.routing.confidence import Confidence
from bot.routing.fitting import train
from bot.routing.learning import Example, Model, softmax
from bot.routing.reading import read
from bot.routing.rules import Rules
from bot.routing.topics import features, lexicon

FOLDS = 5
_CONTRADICTED = 0.01


@dataclass(frozen=True, slots=True)
class Shown:
    """A text with a topic: what can be learnt of it, and what the lexicon says of it."""

    text: str
    example: Example
    lexicon: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Tried:
    """An example judged by a model that was not taught it: what speaks for each topic."""

    text: str
    topic: str
    logits: dict[str, float]

    @property
    def ranked(self) -> list[str]:
        """The topics, best first."""
        return sorted(self.logits, key=lambda topic: (-self.logits[topic], topic))


def prepare(rows: Iterable[tuple[str, str]], rules: Rules) -> list[Shown]:
    """Return each text (given as topic and text) with what it shows."""
    found: list[Shown] = []
    for topic, text in rows:
        reading = read(text, rules)
        found.append(Shown(text, Example(topic, features(reading, rules.classes)), lexicon(reading, rules)))
    return found


def teach(rows: Iterable[tuple[str, str]], rules: Rules) -> tuple[Model, list[Tried]]:
    """Return a model of all examples, and how each was judged by a model of the others."""
    prepared = prepare(rows, rules)
    topics = sorted(rules.topics)
    tried = list(cross_validated(prepared, topics, rules.confidence))
    return train((it.example for it in prepared), topics), tried


def cross_validated(prepared: Sequence[Shown], topics: Sequence[str], confidence: Confidence) -> Iterable[Tried]:
    """Judge each example by a model taught with the other folds."""
    for number in range(FOLDS):
        model = train((it.example for it in prepared if fold(it.text) != number), topics)
        for it in prepared:
            if fold(it.text) == number:
                shown = it.example.features
                logits = confidence.fused(model.logits(shown), dict(it.lexicon), len(shown[0]))
                yield Tried(it.text, it.example.topic, logits)


def fold(text: str) -> int:
    """Return in which of the parts a text is left out of learning: it follows from its words alone."""
    return sha256(text.encode()).digest()[0] % FOLDS


def doubtful(tried: Sequence[Tried]) -> list[Tried]:
    """Return the examples that all the others contradict with certainty: mislabelled, or of another time."""
    return [it for it in tried if it.ranked[0] != it.topic and softmax(it.logits)[it.topic] < _CONTRADICTED]
