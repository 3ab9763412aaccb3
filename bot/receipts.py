"""Receipts: each inbound event is taken once. They keep ids and outcome, never words.

A failed event is the exception: it keeps what is needed to handle it again, until that is done.
"""

from datetime import datetime
from functools import cache
from typing import Any, Literal

from sqlalchemy import ColumnElement, Index, String, Text, UniqueConstraint, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.sql.dml import ReturningInsert

from bot import wire
from bot.db import Base, Instant, insert_on
from bot.message import Inbound

_FAILED = text("outcome = 'failed'")

Outcome = Literal["done", "ignored", "refused", "stranger", "deferred", "failed", "replayed"]


class Receipt(Base):
    """One event, by its platform's id."""

    __tablename__ = "receipt"
    id: Mapped[int] = mapped_column(primary_key=True)
    platform: Mapped[str] = mapped_column(String(20))
    event_id: Mapped[str] = mapped_column(String(255))
    kind: Mapped[str] = mapped_column(String(12))
    at: Mapped[datetime] = mapped_column(Instant)
    outcome: Mapped[str] = mapped_column(String(10))
    payload: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        UniqueConstraint("platform", "event_id"),
        Index("ix_receipt_failed", "id", sqlite_where=_FAILED, postgresql_where=_FAILED),
    )


def record(session: Session, inbound: Inbound, now: datetime, outcome: Outcome = "done") -> bool:
    """Take an event; False when it was taken before."""
    row = {
        "platform": inbound.to.platform,
        "event_id": inbound.id,
        "kind": type(inbound).__name__.lower(),
        "at": now,
        "outcome": outcome,
    }
    connection = session.connection()
    return connection.execute(_taking(connection.dialect.name), row).first() is not None


@cache
def _taking(dialect: str) -> ReturningInsert[Any]:
    """Made once: to make a statement anew costs more than to execute it."""
    insert = insert_on(dialect, Receipt)
    return insert.on_conflict_do_nothing(index_elements=["platform", "event_id"]).returning(Receipt.id)


def reopen(session: Session, inbound: Inbound) -> bool:
    """Take an event that was put off or failed; False when that was done before."""
    waits = Receipt.outcome.in_(("deferred", "failed"))
    done = session.execute(update(Receipt).where(*_is(inbound), waits).values(outcome="done").returning(Receipt.id))
    return done.first() is not None


def conclude(session: Session, inbound: Inbound, outcome: Outcome) -> None:
    """Write how an event ended."""
    session.execute(update(Receipt).where(*_is(inbound)).values(outcome=outcome, payload=None))


def fail(session: Session, inbound: Inbound, now: datetime, error: str) -> int:
    """Keep an event that could not be handled, to be handled again later; return its number."""
    record(session, inbound, now)
    values = {"outcome": "failed", "payload": wire.dump(inbound), "error": error}
    session.execute(update(Receipt).where(*_is(inbound)).values(**values))
    return session.scalars(select(Receipt.id).where(*_is(inbound))).one()


def conclude_held(session: Session, platform: str, event_id: str) -> None:
    """Write that an event which waited for a choice ended without one."""
    waits = (Receipt.platform == platform, Receipt.event_id == event_id, Receipt.outcome == "deferred")
    session.execute(update(Receipt).where(*waits).values(outcome="ignored"))


def failed(session: Session) -> list[Receipt]:
    """Return the events that wait to be handled again, oldest first."""
    return list(session.scalars(select(Receipt).where(Receipt.outcome == "failed").order_by(Receipt.id)))


def _is(inbound: Inbound) -> tuple[ColumnElement[bool], ...]:
    return Receipt.platform == inbound.to.platform, Receipt.event_id == inbound.id
