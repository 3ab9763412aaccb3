"""What is known of a decision before it is made: how probable each organisation is, and how its place was found."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from bot.routing.answers import BY_RULE_ONLY, Case, Option, options

POSSIBLE = 0.005
"""A topic less probable than this is not weighed."""
TOPICS_WEIGHED = 12
_TINY = 1e-3


@dataclass(frozen=True, slots=True)
class Leads:
    """Where all that a question may be about leads: options by the probability of their organisation, best first."""

    options: tuple[Option, ...]
    weights: dict[str, float]

    def weight(self, option: Option) -> float:
        """Return how probable the organisation of an option is, whatever the topic."""
        return self.weights.get(option.charge.recipient.organisation, 0.0)


def leads(case: Case) -> Leads:
    """Return where each possible topic leads."""
    shares = [(topic, share) for topic, share in case.scores.ranked if share >= POSSIBLE and topic not in BY_RULE_ONLY]
    weights: dict[str, float] = {}
    found: list[Option] = []
    for topic, share in shares[:TOPICS_WEIGHED]:
        of_topic = list(options(case, (topic,)))
        found += of_topic
        organisations = organisations_of(of_topic)
        for organisation in organisations:
            weights[organisation] = weights.get(organisation, 0.0) + share / len(organisations)
    return Leads(tuple(sorted(found, key=lambda it: -weights[it.charge.recipient.organisation])), weights)


def organisations_of(found: Iterable[Option]) -> set[str]:
    """Return the organisations of some options."""
    return {option.charge.recipient.organisation for option in found}


def shown(case: Case, option: Option, led: Leads) -> tuple[float, ...]:
    """Return what `Confidence.weights` weighs, in the order of `confidence.SHOWN`."""
    sense = option.sense
    named = [it for it in case.reading.names if sense in it.senses] if sense else []
    countries = len(case.reading.countries)
    return (
        _logit(led.weight(option)),
        _logit(case.scores.share(option.topic)),
        float(not named),
        float(bool(named) and named[0].by_default),
        float(countries > 1),
        float(not case.asker.id),
    )


def _logit(share: float) -> float:
    within = min(max(share, _TINY), 1 - _TINY)
    return math.log(within / (1 - within))
