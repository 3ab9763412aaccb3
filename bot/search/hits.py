"""What a look-up gives."""

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
