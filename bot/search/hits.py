"""What a look-up gives."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hit:
    """What was found, as far as it may be shown; `score` is between 0 and 1."""

    kind: str  # organisation, person
    id: str
    name: str
    role: str | None
    organisation: str | None
    country: str | None
    city: str | None
    phone: str | None
    email: str | None
    score: float
    sure: bool = True  # it has all that was asked; else it comes near


AHEAD = 0.85  # of the best score: who comes nearer than that is meant as well


def meant(hits: Sequence[Hit]) -> Sequence[Hit]:
    """Return the best of hits that are in order, and those that come near it: one alone is what was asked for."""
    return [hit for hit in hits if hit.score > AHEAD * hits[0].score]
