"""The processes that run on one database: each says again and again that it lives, of which release it is."""

import asyncio
import contextlib
import functools
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import String, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.clock import Clock
from bot.db import Base, Database, Instant, insert_into
from bot.errors import Unavailable
from bot.jobs import leases
from bot.jobs.tables import Lane

BEAT = 0.5  # seconds; on SQLite, where a beat is a write to disk and there is seldom a second process, ten
SILENT = timedelta(seconds=30)  # after which a process counts as gone


class Process(Base):
    """One running bot."""

    __tablename__ = "process"
    owner: Mapped[str] = mapped_column(String(150), primary_key=True)
    revision: Mapped[str] = mapped_column(String(32))  # of the tables that it works with
    started_at: Mapped[datetime] = mapped_column(Instant)
    seen_at: Mapped[datetime] = mapped_column(Instant)


@dataclass(frozen=True, slots=True)
class Around:
    """What a beat found: how many others there are, or were just now, and how far our clock is ahead of the database's.

    Who was just now may have died with what it was told.
    """

    others: int = 1
    ahead: timedelta = timedelta()


class Peers:
    """One process among others."""

    def __init__(self, database: Database, owner: str, revision: str, clock: Clock) -> None:
        self._database = database
        self._owner = owner
        self._revision = revision
        self._clock = clock
        self._started_at = clock()
        self._buried: set[str] = set()
        self.around = Around()
        self.beaten_at = -math.inf  # when the database last took a beat down, in monotonic time

    @property
    def alone(self) -> bool:
        """Whether there is no other process, nor was one just now. False until it is known."""
        return self.around.others == 0

    async def run(self) -> None:
        """Say that this process lives, until cancelled."""
        try:
            while True:
                with contextlib.suppress(Unavailable):
                    await self.beat()
                await asyncio.sleep(BEAT * 20 if self._database.sqlite else BEAT)
        finally:
            with contextlib.suppress(Unavailable):
                await self._database.run(lambda s: s.execute(delete(Process).where(Process.owner == self._owner)))

    async def beat(self) -> None:
        """Say now that this process lives. Raises `Unavailable` when the database does not take that down."""
        self.around = await self._database.run(functools.partial(self._beat, now=self._clock()))
        self.beaten_at = time.monotonic()

    def _beat(self, session: Session, now: datetime) -> Around:
        insert = insert_into(session, Process).values(
            owner=self._owner, revision=self._revision, started_at=self._started_at, seen_at=now
        )
        session.execute(insert.on_conflict_do_update(index_elements=["owner"], set_={"seen_at": now}))
        session.execute(delete(Process).where(Process.seen_at < now - 10 * SILENT))
        ahead = timedelta()
        if session.get_bind().dialect.name == "postgresql":
            ahead = now - session.scalars(select(func.clock_timestamp())).one().astimezone(UTC)
        seen = {process.owner for process in _seen(session, self._owner, now)}
        dead = {owner for owner in seen - self._buried if not leases.lives(owner)}
        if dead:  # what they had in hand need not wait for the end of its lease
            leases.free(session, Lane.owner.in_(dead))
        self._buried = (self._buried & seen) | dead
        return Around(len(seen), ahead)


def _seen(session: Session, owner: str, now: datetime) -> Sequence[Process]:
    return session.scalars(select(Process).where(Process.owner != owner, Process.seen_at > now - SILENT)).all()


def living(session: Session, owner: str, now: datetime) -> list[Process]:
    """Return the other processes that may still live."""
    return [process for process in _seen(session, owner, now) if leases.lives(process.owner)]
