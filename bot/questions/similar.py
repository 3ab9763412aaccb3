"""Answered questions that are like a new one, as far as who asks may see them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from bot.questions import notes, passages
from bot.questions.notes import Note
from bot.questions.tables import Question
from bot.routing.spelling import stem

ENOUGH = 0.5  # how much of their words two texts share
SHOWN = 2
LOOKED_AT = 200  # of one topic and recipient, the newest

Tokens = Callable[[str], frozenset[str]]


@dataclass(frozen=True, slots=True)
class Known:
    """An answer that may help: a note of `owner`, or the answer to a question of one's own organisation."""

    text: str
    likeness: float
    owner: str | None
    number: str | None
    at: datetime | date


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Return how much of their words two texts share, from 0 to 1."""
    return 2 * len(one & other) / (len(one) + len(other)) if one and other else 0.0


def figures(tokens: frozenset[str]) -> frozenset[str]:
    """Return the words with a figure in them: they tell one case from another."""
    return frozenset(token for token in tokens if any(c.isdigit() for c in token))


def stems(tokens: tuple[str, ...]) -> frozenset[str]:
    """Return what two texts are compared by."""
    return frozenset(stem(token) for token in tokens if len(token) > 1)


def known(
    session: Session,
    text: str,
    topic: str | None,
    recipient: str | None,
    organisation: str | None,
    today: date,
    tokens: Tokens,
) -> list[Known]:
    """Return the best answers to what is like a text, of the same topic and recipient.

    They are notes, which all may see, and answers that were given to `organisation` and settled the matter: the
    question is closed, or who asked said that it helped. What came from an encrypted room is left out.
    """
    if recipient is None:
        return []
    kept = notes.about(session, topic, recipient, today)
    settled = _settled(session, topic, recipient, organisation) if organisation else ()
    if not kept and not settled:
        return []
    words = tokens(text)
    best: dict[str, Known] = {}
    for it in sorted((*_noted(kept, tokens, words), *_answered(session, settled, tokens, words)), key=_order):
        best.setdefault(it.text, it)
    return list(best.values())[:SHOWN]


def _order(it: Known) -> tuple[float, bool]:
    return -it.likeness, it.number is not None


def _noted(kept: Sequence[Note], tokens: Tokens, words: frozenset[str]) -> Iterator[Known]:
    for note in kept:
        alike = likeness(words, tokens(note.about))
        if alike >= ENOUGH:
            yield Known(note.text, alike, note.owner, None, note.until)


def _settled(session: Session, topic: str | None, recipient: str, organisation: str) -> Sequence[Question]:
    """Return the questions of an organisation whose answer settled the matter, the newest first."""
    own = (
        select(Question)
        .where(Question.asker_organisation == organisation, Question.state.in_(("answered", "closed")))
        .where(Question.topic == topic, Question.recipient == recipient, Question.sealed.is_(False))
        .where(or_(Question.state == "closed", Question.helped.is_(True)), Question.helped.is_not(False))
        .where(Question.text != "")
    )
    return session.scalars(own.order_by(Question.id.desc()).limit(LOOKED_AT)).all()


def _answered(session: Session, settled: Sequence[Question], tokens: Tokens, words: frozenset[str]) -> Iterator[Known]:
    for question in settled:
        others = tokens(question.text)
        alike = likeness(words, others)
        if alike < ENOUGH or figures(words) != figures(others):  # another file, another date: another case
            continue
        said = [it for it in passages.answers(session, question) if not it.sealed]
        if said:
            yield Known(said[-1].text, alike, None, question.number, question.answered_at or said[-1].at)
