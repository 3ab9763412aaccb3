"""The rows of the outbox: lanes and jobs, and a job that this process may do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Float,
    ForeignKey,
    Index,
    String,
    Text,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from bot.db import Base, Instant

OPEN = ("waiting", "sending", "unknown")

NOTHING = "{}"  # is left of the arguments of a job that is over: what it said has gone where it belongs

OPEN_STATES = text("state IN ('waiting', 'sending', 'unknown')")


class Lane(Base):
    """A destination's line of jobs: when its head is due, and which process works on it."""

    __tablename__ = "lane"
    name: Mapped[str] = mapped_column(String(300), primary_key=True)
    queue: Mapped[str] = mapped_column(String(150))
    due_at: Mapped[datetime | None] = mapped_column(Instant)
    owner: Mapped[str | None] = mapped_column(String(150))
    leased_until: Mapped[datetime | None] = mapped_column(Instant)
    epoch: Mapped[int] = mapped_column(default=0)

    __table_args__ = (Index("ix_lane_due", "queue", "due_at"),)


class Job(Base):
    """One thing to do outside. `key` is unique for ever: putting the same key again does nothing."""

    __tablename__ = "job"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    lane: Mapped[str] = mapped_column(ForeignKey("lane.name"))
    key: Mapped[str] = mapped_column(String(300), unique=True)
    args: Mapped[str] = mapped_column(Text)
    target: Mapped[str | None] = mapped_column(String(300), index=True)
    position: Mapped[float | None] = mapped_column(Float(53))  # None: its id; set to go before rows put earlier
    source_at: Mapped[datetime | None] = mapped_column(Instant)  # when what it carries was said, for order
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)
    done_at: Mapped[datetime | None] = mapped_column(Instant)
    result: Mapped[str | None] = mapped_column(String(300))
    error: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        Index(
            "ix_job_open",
            "lane",
            "id",
            sqlite_where=OPEN_STATES,
            postgresql_where=OPEN_STATES,
        ),
        Index("ix_job_done", "state", "done_at"),
        {"sqlite_autoincrement": True},
    )


@dataclass(frozen=True, slots=True)
class Leased:
    """A job that this process may do now, under the lease of its lane of that epoch.

    `again`: an earlier try may have succeeded.
    """

    id: int
    kind: str
    lane: str
    key: str
    args: Mapping[str, Any]
    attempts: int
    due_at: datetime
    created_at: datetime
    again: bool
    epoch: int = 0


ORDER = func.coalesce(Job.position, Job.id)
