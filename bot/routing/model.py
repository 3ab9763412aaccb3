"""The values that go into routing and come out of it; the fields of an assignment are those of `route --json`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from bot.texts import Text

Decision: TypeAlias = Literal["route", "ask", "refuse", "advise"]
AdviceTo: TypeAlias = Literal[
    "ofpra", "justice", "foreign_consulate", "crisis_centre", "ccpd", "emergency", "public_service", "other"
]

CHOICES = 3
"""At most so many choices are offered when the bot asks back."""


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asks, and for which organisation they ask (None: not known)."""

    text: str
    asker: str | None = None


@dataclass(frozen=True, slots=True)
class Recipient:
    """An office of an organisation, never a bare person."""

    organisation: str
    role: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the answers to a question back, and who gets the question then."""

    label: Text
    recipient: Recipient


@dataclass(frozen=True, slots=True)
class QuestionBack:
    """What the bot asks instead of guessing; without choices the answer is written."""

    text: Text
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Assignment:
    """Where a question goes and why.

    `countries` are those named or clearly meant. `advice` comes with the decision `advise`; with a recipient besides,
    there is danger to life and the question is urgent.
    """

    decision: Decision
    topic: str | None = None
    topics: tuple[tuple[str, float], ...] = ()
    countries: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    recipient: Recipient | None = None
    copies: tuple[Recipient, ...] = ()
    fallback: Recipient | None = None
    confidence: float = 0.0
    question_back: QuestionBack | None = None
    advice: Text | None = None
    advice_to: AdviceTo | None = None
    because: tuple[Text, ...] = ()

    @property
    def urgent(self) -> bool:
        """Whether there is danger to life: the advice first, and the question at once."""
        return self.decision == "advise" and self.recipient is not None


def to_json(assignment: Assignment, render: Callable[[Text], str]) -> dict[str, Any]:
    """Return the assignment as `route --json` gives it, its texts rendered."""
    back = assignment.question_back
    return {
        "topic": assignment.topic,
        "topics": [[topic, share] for topic, share in assignment.topics],
        "countries": list(assignment.countries),
        "places": list(assignment.places),
        "decision": assignment.decision,
        "recipient": _recipient(assignment.recipient),
        "copies": [_recipient(copy) for copy in assignment.copies],
        "fallback": _recipient(assignment.fallback),
        "confidence": assignment.confidence,
        "question_back": back
        and {
            "text": render(back.text),
            "choices": [
                {"label": render(choice.label), "recipient": _recipient(choice.recipient)} for choice in back.choices
            ],
        },
        "advice": assignment.advice and render(assignment.advice),
        "advice_to": assignment.advice_to,
        "because": [render(reason) for reason in assignment.because],
    }


def _recipient(recipient: Recipient | None) -> dict[str, str] | None:
    return recipient and {"organisation": recipient.organisation, "role": recipient.role}
