"""What is known of a decision before it is made: how probable each organisation is, and how its place was found."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from bot.routing.answers import BY_RULE_ONLY, Case, Option, options
from bot.routing.model import Recipient

POSSIBLE = 0.005
"""A topic less probable than this is not weighed."""
TOPICS_WEIGHED = 12
_TINY = 1e-3


@dataclass(frozen=True, slots=True)
class Leads:
    """Where all that a question may be about leads: options by the probability of their organisation, best first.

    `weights`: how probable each organisation is, whatever the topic; `offices`: the same of its offices.
    """

    options: tuple[Option, ...]
    weights: dict[str, float]
    offices: dict[Recipient, float]


def leads(case: Case) -> Leads:
    """Return where each possible topic leads."""
    shares = [(topic, share) for topic, share in case.scores.ranked if share >= POSSIBLE and topic not in BY_RULE_ONLY]
    weights: dict[str, float] = {}
    offices: dict[Recipient, float] = {}
    found: list[Option] = []
    for topic, share in shares[:TOPICS_WEIGHED]:
        of_topic = list(options(case, (topic,)))
        found += of_topic
        organisations = organisations_of(of_topic)
        for organisation in organisations:
            weights[organisation] = weights.get(organisation, 0.0) + share / len(organisations)
        recipients = {option.charge.recipient for option in of_topic}
        for recipient in recipients:
            offices[recipient] = offices.get(recipient, 0.0) + share / len(recipients)
    return Leads(tuple(sorted(found, key=lambda it: -weights[it.charge.recipient.organisation])), weights, offices)


def organisations_of(found: Iterable[Option]) -> set[str]:
    """Return the organisations of some options."""
    return {option.charge.recipient.organisation for option in found}


def shown(case: Case, option: Option, led: Leads) -> tuple[float, ...]:
    """Return what `Confidence.weights` weighs, in the order of `confidence.SHOWN`."""
    sense = option.sense
    named = [it for it in case.reading.names if sense in it.senses] if sense else []
    countries = len(case.reading.countries)
    row = option.charge.by
    return (
        _logit(led.offices.get(option.charge.recipient, 0.0)),
        _logit(case.scores.share(option.topic)),
        float(row is not None and bool(row.place)),
        float(not named),
        float(bool(named) and named[0].by_default),
        float(countries > 1),
        float(not case.asker.id),
    )


def _logit(share: float) -> float:
    within = min(max(share, _TINY), 1 - _TINY)
    return math.log(within / (1 - within))
