"""What time does to a question: which step comes next while it waits, and when. Pure.

While an answer is expected: a reminder at half of the time, another at the deadline, then one step of the ladder after
the other. While the asker is silent: a warning, then it is closed. Each step is taken once; after an outage a reminder
whose turn is over is left out for the one whose turn it is.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from bot.questions.moves import PENDING
from bot.questions.tables import Question
from bot.questions.terms import Terms
from bot.worktime.calendar import Calendar, after, usual

Kind: TypeAlias = Literal["remind", "late", "raise", "warn", "close"]
LATE = 2  # steps after which the deadline is over


@dataclass(frozen=True, slots=True)
class Step:
    """A step, and when it is to be taken."""

    kind: Kind
    at: datetime


def deadline(question: Question, calendar: Calendar, terms: Terms) -> datetime | None:
    """Return when an answer is expected of whoever keeps this calendar; None while none is."""
    if not awaits_answer(question) or question.counted_from is None:
        return None
    span = terms.span(question.topic, urgent=question.urgent)
    return _after(question, calendar, terms, question.counted_from, span)


def awaits_answer(question: Question) -> bool:
    """Say whether it is the recipient's turn."""
    return question.state in PENDING and question.state != "asked_back"


def awaits_asker(question: Question) -> bool:
    """Say whether it is the asker's turn, and silence ends the question."""
    return question.state in ("asked_back", "answered")


def next_step(
    question: Question, calendar: Calendar, terms: Terms, now: datetime, last_word: datetime | None = None
) -> Step | None:
    """Return the next step, due already or to come; None when nothing comes any more.

    `calendar` is the recipient's, `last_word` when somebody last said something in the conversation.
    """
    if question.counted_from is None:
        return None
    if awaits_answer(question):
        return _of_answer(question, calendar, terms, now)
    if awaits_asker(question):
        if is_warned(question, last_word) and question.stepped_at is not None:
            return Step("close", question.stepped_at + terms.close)
        return Step("warn", _heard(question, last_word) + terms.warn)
    return None


def is_warned(question: Question, last_word: datetime | None = None) -> bool:
    """Say whether the asker was told that a question ends, and nobody has said anything since."""
    if question.counted_from is None or not (awaits_asker(question) and question.steps):
        return False
    return question.stepped_at is not None and question.stepped_at > _heard(question, last_word)


def _heard(question: Question, last_word: datetime | None) -> datetime:
    heard = (question.counted_from, last_word, question.answered_at)
    return max(at for at in heard if at is not None)


def _of_answer(question: Question, calendar: Calendar, terms: Terms, now: datetime) -> Step | None:
    since, end = question.counted_from, question.due_at
    if since is None or end is None:
        return None
    if question.steps < LATE and now >= end:
        return Step("late", end)
    if question.steps == 0:
        half = terms.span(question.topic, urgent=question.urgent) / 2
        return Step("remind", min(end, _after(question, calendar, terms, since, half)))
    if question.steps < LATE:
        return Step("late", end)
    if question.steps - LATE >= len(terms.ladder):
        return None
    step = terms.step(urgent=question.urgent)
    return Step("raise", _after(question, calendar, terms, question.stepped_at or end, step))


def _after(question: Question, calendar: Calendar, terms: Terms, at: datetime, span: timedelta) -> datetime:
    """Return when so much time has passed: on the clock for what is urgent, else of work.

    An office that never works is taken for one that keeps the usual hours.
    """
    if question.urgent:
        return at + span
    found = after(calendar, at, span)
    if found is None:
        found = after(usual(terms.hours, calendar.zone, calendar.place), at, span)
    return found if found is not None else at + span
