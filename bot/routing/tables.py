"""The tables of learning: questions that were redirected, and what was learnt of those that a coordinator confirmed."""

from datetime import datetime

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from bot.db import Base, Instant


class RoutingExample(Base):
    """A question that people sent elsewhere than routing did; its text is masked and forgotten unless confirmed.

    `topic` is what it is about as far as that is known: at first the topic for which its new recipient is competent.
    """

    __tablename__ = "routing_example"
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(20))  # of the question
    text: Mapped[str] = mapped_column(Text)
    asker: Mapped[str | None] = mapped_column(String(100))
    before: Mapped[str | None] = mapped_column(String(100))  # where routing had sent it
    organisation: Mapped[str] = mapped_column(String(100))  # where it was sent instead
    role: Mapped[str | None] = mapped_column(String(40))
    topic: Mapped[str | None] = mapped_column(String(40))
    by: Mapped[str | None] = mapped_column(String(255))  # the organisation whose people redirected it
    why: Mapped[str | None] = mapped_column(String(200))
    at: Mapped[datetime] = mapped_column(Instant)
    state: Mapped[str] = mapped_column(String(10), default="proposed")  # proposed confirmed refused
    settled_by: Mapped[str | None] = mapped_column(String(100))
    settled_at: Mapped[datetime | None] = mapped_column(Instant)

    __table_args__ = (Index("ix_routing_example_state", "state", "at"),)


class RoutingModel(Base):
    """A model that was learnt from the shipped examples and the confirmed ones; the newest is used."""

    __tablename__ = "routing_model"
    id: Mapped[int] = mapped_column(primary_key=True)
    trained_at: Mapped[datetime] = mapped_column(Instant)
    examples: Mapped[int]
    shipped: Mapped[str] = mapped_column(String(64))  # which shipped examples and words it was learnt with
    model: Mapped[str] = mapped_column(Text)
