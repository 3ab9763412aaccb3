"""Notes: good answers that a post keeps for others, in its own name and for a time."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.db import Base, Instant
from bot.questions.passages import Passage
from bot.questions.tables import Question
from bot.routing.identifiers import masked

MONTHS = 12  # until a note ends, unless its owner says otherwise
LONGEST = 36


class Note(Base):
    """An answer kept for all whom the bot serves. `about` is what was asked, for comparison only: it is not shown.

    Identifiers of persons are masked in both. `owner` is an organisation; the last day it holds is `until`.
    """

    __tablename__ = "note"
    id: Mapped[int] = mapped_column(primary_key=True)
    question_id: Mapped[int] = mapped_column(ForeignKey("question.id"), unique=True)
    passage: Mapped[int] = mapped_column(ForeignKey("passage.id"), index=True)
    owner: Mapped[str] = mapped_column(String(100), index=True)
    person: Mapped[str | None] = mapped_column(String(100))
    topic: Mapped[str | None] = mapped_column(String(40))
    recipient: Mapped[str | None] = mapped_column(String(100))
    about: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    kept_at: Mapped[datetime] = mapped_column(Instant)
    until: Mapped[date]

    __table_args__ = (Index("ix_note_topic", "topic", "recipient", "until"),)


def keep(
    session: Session, question: Question, answer: Passage, owner: str, person: str | None, now: datetime, months: int
) -> Note:
    """Keep an answer to a question as a note; one that was kept before is replaced."""
    note = session.scalar(select(Note).where(Note.question_id == question.id))
    if note is None:
        note = Note(question_id=question.id)
        session.add(note)
    note.owner, note.person = owner, person
    note.topic, note.recipient = question.topic, question.recipient
    note.about, note.text = masked(question.text), masked(answer.text)
    note.passage = answer.id
    note.kept_at, note.until = now, after(now.date(), months)
    session.flush()
    return note


def follow(session: Session, question: Question) -> None:
    """Let a note be what its answer is now: it goes with the answer, with the question, and where these are sealed."""
    note = session.scalar(select(Note).where(Note.question_id == question.id))
    answer = session.get(Passage, note.passage) if note is not None else None
    if note is None or answer is None:
        return
    if not answer.text or not question.text or answer.sealed or question.sealed:
        session.delete(note)
        session.flush()
    else:
        note.about, note.text = masked(question.text), masked(answer.text)


def after(day: date, months: int) -> date:
    """Return the same day some months later; the last of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    raise AssertionError  # every month has 28 days


def of(session: Session, owner: str, today: date) -> Sequence[Note]:
    """Return the notes of an organisation that hold, those that end first before the others."""
    return session.scalars(
        select(Note).where(Note.owner == owner, Note.until >= today).order_by(Note.until, Note.id)
    ).all()


def about(session: Session, topic: str | None, recipient: str | None, today: date) -> Sequence[Note]:
    """Return the notes that may help with a question of a topic for a recipient."""
    held = select(Note).where(Note.topic == topic, Note.recipient == recipient, Note.until >= today)
    return session.scalars(held.order_by(Note.id.desc()).limit(200)).all()
