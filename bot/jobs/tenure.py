"""What one process at a time may do, shown by a row with an epoch. Who does not renew it in time is replaced.

Whatever the holder writes names its epoch in the `WHERE`; whatever it sends is looked at by `bot.fence` as it leaves.
A holder that comes back after its time finds that nothing of what it does counts any more.
"""

import asyncio
import contextlib
import functools
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, String, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.clock import Clock
from bot.db import Base, Database, Instant, insert_into
from bot.errors import Unavailable
from bot.jobs import leases
from bot.jobs.tables import Lane

log = structlog.get_logger()

LENGTH = timedelta(seconds=5)  # less than of a lane: who takes over has to begin there before it can say anything
RENEW = 1.0  # seconds between renewals
LOOK = 0.25  # seconds between looks of those who would take over; sooner where a term ends sooner
BREATH = 0.01  # seconds between looks at the least
SAFETY = 1.0  # seconds before its end after which the holder sends nothing more


class Tenure(Base):
    """Who holds what only one may hold, and until when."""

    __tablename__ = "tenure"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    owner: Mapped[str | None] = mapped_column(String(150))
    epoch: Mapped[int] = mapped_column(default=0)
    until: Mapped[datetime | None] = mapped_column(Instant)


@dataclass(frozen=True, slots=True)
class Term:
    """One holder's time. `epoch` grows with each holder and is never used again."""

    name: str
    owner: str
    epoch: int


def take(session: Session, name: str, owner: str, now: datetime, *, above: int = 0) -> Term | None:
    """Begin a term, its epoch above the last and `above`, if nobody holds it any more.

    What the last holder had in hand goes to who comes next.
    """
    insert = insert_into(session, Tenure).values(name=name, epoch=0)
    session.execute(insert.on_conflict_do_nothing(index_elements=["name"]))
    if _held(session.get_one(Tenure, name), now):
        return None
    row = session.scalars(select(Tenure).where(Tenure.name == name).with_for_update(), execution_options=_ANEW).one()
    if _held(row, now):
        return None
    leases.free(session, Lane.queue == name)
    row.owner, row.epoch, row.until = owner, max(row.epoch, above) + 1, now + LENGTH
    return Term(name, owner, row.epoch)


_ANEW = {"populate_existing": True}


def _held(row: Tenure, now: datetime) -> bool:
    return row.owner is not None and row.until is not None and row.until > now and leases.lives(row.owner)


def renew(session: Session, term: Term, now: datetime) -> bool:
    """Keep a term; False when it is over."""
    kept = update(Tenure).where(*_is(term)).values(until=now + LENGTH).returning(Tenure.epoch)
    return session.execute(kept).first() is not None


def end(session: Session, term: Term) -> None:
    """Give a term back, unless it is another's already."""
    session.execute(update(Tenure).where(*_is(term)).values(owner=None, until=None))


def require(session: Session, term: Term) -> None:
    """See in a transaction that what it writes still counts. Raises `Unavailable` when the term is over."""
    if session.execute(select(Tenure.epoch).where(*_is(term)).with_for_update()).first() is None:
        raise Unavailable(f"another process holds {term.name}")


@dataclass(slots=True)
class Hold:
    """A term in hand, and until when something may be sent in it, in monotonic time."""

    term: Term
    until: float


class Office:
    """One process's part in who holds what: it waits for its term, and keeps it."""

    def __init__(self, database: Database, name: str, owner: str, clock: Clock) -> None:
        self._database = database
        self._name = name
        self._owner = owner
        self._clock = clock
        self.hold: Hold | None = None

    @property
    def holds(self) -> bool:
        """Whether this process's term goes on."""
        return self.hold is not None and self.hold.until > time.monotonic()

    async def waited_for(self, above: Callable[[], int], waits: Callable[[], None]) -> Hold:
        """Return the hold of a new term, as soon as nobody else has one; `waits` is called if somebody has."""
        told = False
        while True:
            until, wait = _until(), LOOK
            with contextlib.suppress(Unavailable):
                term, wait = await self._database.run(functools.partial(self._take, above=above()))
                if term is not None:
                    log.info("term_begun", name=term.name, epoch=term.epoch)
                    self.hold = Hold(term, until)
                    return self.hold
                if not told:
                    waits()
                told = True
            await asyncio.sleep(wait)

    def _take(self, session: Session, above: int) -> tuple[Term | None, float]:
        """Begin a term if nobody else has one, or return after how many seconds to look again."""
        now = self._clock()
        term = take(session, self._name, self._owner, now, above=above)
        ends = session.get_one(Tenure, self._name).until
        return term, LOOK if ends is None else min(LOOK, max(BREATH, (ends - now).total_seconds()))

    async def kept(self, hold: Hold) -> None:
        """Renew a term, and return when that did not succeed in time or it is another's."""
        while hold.until > time.monotonic():
            await asyncio.sleep(RENEW)
            until, now = _until(), self._clock()
            try:
                async with asyncio.timeout(max(RENEW, hold.until - time.monotonic())):
                    if not await self._database.run(functools.partial(renew, term=hold.term, now=now)):
                        break
            except (Unavailable, TimeoutError):
                continue
            hold.until = until
        log.warning("term_lost", name=hold.term.name, epoch=hold.term.epoch)

    async def left(self, hold: Hold) -> None:
        """Let others begin at once."""
        hold.until = 0.0
        with contextlib.suppress(Unavailable):
            await self._database.run(lambda s: end(s, hold.term))

    def require(self, session: Session) -> None:
        """See in a transaction that what it writes still counts. Raises `Unavailable` when it does not."""
        if self.hold is None:
            raise Unavailable(f"another process holds {self._name}")
        require(session, self.hold.term)


def _until() -> float:
    return time.monotonic() + LENGTH.total_seconds() - SAFETY


def _is(term: Term) -> tuple[ColumnElement[bool], ...]:
    return Tenure.name == term.name, Tenure.owner == term.owner, Tenure.epoch == term.epoch
