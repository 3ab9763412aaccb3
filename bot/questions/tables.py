"""The tables of questions. Text lives in `Question` and nowhere else for long; history holds moves, not words."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from bot.db import Base, Instant


class Counter(Base):
    """The last number given in a year: numbers are consecutive and never given twice."""

    __tablename__ = "question_counter"
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


class Question(Base):
    """A question and where it stands.

    `recipient` is who is competent; `placed_with` is whose room it lies in, another one while the competent post has
    no reachable room. `because` holds the reasons, as texts to be rendered for each reader.
    """

    __tablename__ = "question"
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    state: Mapped[str] = mapped_column(String(12))  # asked_back routed taken answered closed cancelled
    text: Mapped[str] = mapped_column(Text)
    sealed: Mapped[bool] = mapped_column(default=False)
    urgent: Mapped[bool] = mapped_column(default=False)
    topic: Mapped[str | None] = mapped_column(String(40))
    because: Mapped[str] = mapped_column(Text, default="[]")
    asker_account: Mapped[str] = mapped_column(String(255))
    asker_person: Mapped[str | None] = mapped_column(String(100))
    asker_organisation: Mapped[str | None] = mapped_column(String(100))
    recipient: Mapped[str | None] = mapped_column(String(100))
    role: Mapped[str | None] = mapped_column(String(40))
    fallback: Mapped[str | None] = mapped_column(String(100))
    placed_with: Mapped[str | None] = mapped_column(String(100))
    taken_by: Mapped[str | None] = mapped_column(String(255))
    asked_at: Mapped[datetime] = mapped_column(Instant)
    taken_at: Mapped[datetime | None] = mapped_column(Instant)
    answered_at: Mapped[datetime | None] = mapped_column(Instant)
    closed_at: Mapped[datetime | None] = mapped_column(Instant)

    __table_args__ = (
        Index("ix_question_placed", "placed_with", "state"),
        Index("ix_question_asker", "asker_account", "state"),
    )


class Endpoint(Base):
    """Where a side of a question is: a room, the root of its thread there, and the card that shows its state."""

    __tablename__ = "endpoint"
    question_id: Mapped[int] = mapped_column(ForeignKey("question.id"), primary_key=True, autoincrement=False)
    side: Mapped[str] = mapped_column(String(10), primary_key=True)
    platform: Mapped[str] = mapped_column(String(20))
    room: Mapped[str] = mapped_column(String(255))
    thread: Mapped[str | None] = mapped_column(String(300))
    surface: Mapped[str] = mapped_column(String(10), default="room")
    card_key: Mapped[str] = mapped_column(String(300))

    __table_args__ = (Index("ix_endpoint_room", "platform", "room"),)


class Move(Base):
    """One line of a question's history: who did what, when; never the words."""

    __tablename__ = "move"
    id: Mapped[int] = mapped_column(primary_key=True)
    question_id: Mapped[int] = mapped_column(ForeignKey("question.id"), index=True)
    at: Mapped[datetime] = mapped_column(Instant)
    kind: Mapped[str] = mapped_column(String(20))
    account: Mapped[str | None] = mapped_column(String(255))
    person: Mapped[str | None] = mapped_column(String(100))
    organisation: Mapped[str | None] = mapped_column(String(100))
    detail: Mapped[str | None] = mapped_column(String(200))
