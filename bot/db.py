"""The database: one transaction is one plain function of a `Session`, run in the database's own thread.

SQLite gets exactly one writer thread and takes its write lock at BEGIN, so that a read followed by a write never
finds the file locked. PostgreSQL gets a small pool. The same functions run on both.
"""

import asyncio
import contextlib
import secrets
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol, TypeVar, cast

import structlog
from sqlalchemy import Connection, DateTime, Dialect, MetaData, Table, event, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from bot.clock import Clock
from bot.engines import READING, WRITERS, make_engine
from bot.errors import NotYet, Unavailable

log = structlog.get_logger()

T = TypeVar("T")

GROUP = 32  # transactions that share a commit on SQLite when they wait for the writer anyway
WAITS = 2  # for what a transaction needs and is still being made: the rules of routing, the directory's index
TRIES = 5  # of a transaction on PostgreSQL that lost a deadlock or a serialization conflict, or waited for a lock

CALM = 2.0  # seconds without a failure after which the database counts as back

_CONFLICTS = {"40001", "40P01", "55P03"}  # serialization_failure, deadlock_detected, lock_not_available
_READ_ONLY = "25006"  # read_only_sql_transaction: as after a switch to a standby


class Base(DeclarativeBase):
    """All tables; constraint names are fixed so that migrations can name them on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Instant(TypeDecorator[datetime]):
    """A UTC instant: goes in with any zone, comes out in UTC, on both databases."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse an instant without a zone: it would mean another moment on another machine."""
        if value is None:
            return None
        if value.tzinfo is None:
            message = f"an instant needs a zone: {value!r}"
            raise ValueError(message)
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give SQLite's naive values back as UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Lessee(Protocol):
    """Who in this process does what transactions put: it may be given a job in the transaction that puts it."""

    owner: str
    clock: Clock

    def serves(self, queue: str) -> bool:
        """Say whether jobs of a queue may be given to it. Called in the database's thread."""
        ...

    def committed(self, notes: Sequence[Any]) -> None:
        """Take what a transaction noted for it. Called in the loop, after the commit."""
        ...


class Done(NamedTuple):
    """What a transaction returned, and what it noted for others to know after its commit."""

    result: Any
    queues: set[str]
    notes: list[Any]


class Failure(NamedTuple):
    """A transaction that the database did not take: when, in monotonic time, and its own words."""

    at: float
    reason: str


class Database:
    """Runs transactions. `woken` is called in the caller's loop after a commit, with the queues that were noted."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = make_engine(url)
        self.sqlite = self.engine.dialect.name == "sqlite"
        self.woken: Callable[[set[str]], None] | None = None
        self.lessee: Lessee | None = None
        self.logs = False  # a running bot logs that it is away; a command says so to who gave it
        self.failure: Failure | None = None  # while the database is away
        self._told: set[str] = set()  # reasons, each logged once while it is away
        self._threads = ThreadPoolExecutor(1 if self.sqlite else WRITERS, thread_name_prefix="db")
        self._asked: deque[_Asked] = deque()

    async def run(self, work: Callable[[Session], T], *, patience: float | None = None) -> T:
        """Run `work` in one transaction and return its result, committed; anew once what it finds `NotYet` made is.

        Raises whatever `work` raised, with everything undone, `NotYet` after so many seconds of waiting for it if
        `patience` says so; `Unavailable` when the database itself failed.
        """
        deadline = None if patience is None else asyncio.get_running_loop().time() + patience
        for _ in range(WAITS):
            try:
                return await self._run(work)
            except NotYet as early:
                try:
                    async with asyncio.timeout_at(deadline):
                        await asyncio.to_thread(early.made)
                except TimeoutError:
                    raise early from None
        return await self._run(work)

    async def _run(self, work: Callable[[Session], T]) -> T:
        asked = _Asked(work, asyncio.get_running_loop(), self.lessee)
        self._asked.append(asked)
        self._threads.submit(self._answer)
        done = await asked.future
        if done.queues and self.woken is not None:
            self.woken(done.queues)
        return done.result

    def run_now(self, work: Callable[[Session], T]) -> T:
        """Like `run`, in the calling thread: for the command line, where a transaction may take its time."""
        return self._threads.submit(self._transaction, lambda s: work(self._unhurried(s)), None).result().result

    def _unhurried(self, session: Session) -> Session:
        if not self.sqlite:
            session.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            session.execute(text("SET LOCAL lock_timeout = 0"))
        return session

    def reading(self, work: Callable[[Session], T]) -> T:
        """Run `work`, which only reads and may take long, in the calling thread: it keeps no writer waiting.

        It sees the database as it was at one moment. Raises `Unavailable` when the database failed.
        """
        for _ in range(WAITS):
            try:
                return self._read(work)
            except NotYet as early:
                early.made()
        return self._read(work)

    def _read(self, work: Callable[[Session], T]) -> T:
        try:
            with Session(self.engine.execution_options(**READING[self.sqlite]), info=_info(None)) as session:
                return work(self._unhurried(session))
        except (DBAPIError, PoolTimeout) as error:
            raise Unavailable(str(error.__cause__ or error)) from error

    def close(self) -> None:
        """Wait for what is under way and close all connections."""
        self._threads.shutdown()
        self.engine.dispose()

    def _answer(self) -> None:
        """Run what was asked: on SQLite all that waits, up to a limit, under one commit; else one piece of work."""
        group: list[_Asked] = []
        try:
            while self._asked and len(group) < (GROUP if self.sqlite else 1):
                group.append(self._asked.popleft())
        except IndexError:  # another thread was quicker
            pass
        if len(group) > 1:
            self._together(group)
            return
        for asked in group:
            self._alone(asked)
        _tell(group)

    def _together(self, group: list["_Asked"]) -> None:
        """Run works under one commit. When one of them fails nothing is kept, and each is run anew by itself."""
        try:
            with self.engine.connect() as connection, connection.begin():
                outcomes = [_within(connection, asked) for asked in group]
        except BaseException:  # whosever it is, and of whatever kind: it costs the others a repeat
            for asked in group:
                self._alone(asked)
        else:
            self._took()
            for asked, outcome in zip(group, outcomes, strict=True):
                asked.outcome = outcome
        _tell(group)

    def _alone(self, asked: "_Asked") -> None:
        try:
            asked.outcome = self._transaction(asked.work, asked.lessee)
        except BaseException as error:
            asked.error = error

    def _transaction(self, work: Callable[[Session], Any], lessee: Lessee | None) -> Done:
        for attempt in range(1, TRIES + 1):
            try:
                with Session(self.engine, expire_on_commit=False, info=_info(lessee)) as session, session.begin():
                    result = work(session)
                self._took()
                return _done(result, session)
            except (OperationalError, InterfaceError, PoolTimeout) as error:
                if not (attempt < TRIES and _lost_a_race(error)):
                    raise self._refused(error) from error
                time.sleep(secrets.randbelow(20) * attempt / 1000)  # whom it met tries again too, and not just now
            except DBAPIError as error:
                if error.connection_invalidated or _takes_nothing(error):
                    raise self._refused(error) from error
                raise
        raise AssertionError  # the loop returns or raises

    def _refused(self, error: Exception) -> Unavailable:
        reason = str(error.__cause__ or error)
        if self.logs and reason not in self._told:
            log.error("database_unavailable", reason=reason)
            self._told.add(reason)
        self.failure = Failure(time.monotonic(), reason)
        return Unavailable(reason)

    def _took(self) -> None:
        """Note a commit; a full disk takes small ones between those that it refuses."""
        if self.failure is not None and time.monotonic() - self.failure.at > CALM:
            if self.logs:
                log.info("database_back")
            self._told.clear()
            self.failure = None


class _Asked:
    """A piece of work that was asked for, and what became of it."""

    def __init__(self, work: Callable[[Session], Any], loop: asyncio.AbstractEventLoop, lessee: Lessee | None) -> None:
        self.work = work
        self.loop = loop
        self.lessee = lessee
        self.future: asyncio.Future[Done] = loop.create_future()
        self.outcome: Done | None = None
        self.error: BaseException | None = None

    def tell(self) -> None:
        """Resolve the future; to be called in its loop."""
        if self.error is None and self.outcome is not None and self.outcome.notes and self.lessee is not None:
            self.lessee.committed(self.outcome.notes)  # also when nobody waits for the result any more
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        elif self.outcome is not None:
            self.future.set_result(self.outcome)


def _within(connection: Connection, asked: _Asked) -> Done:
    """Run one work as a part of a transaction."""
    info = _info(asked.lessee)
    with (
        Session(connection, join_transaction_mode="rollback_only", expire_on_commit=False, info=info) as session,
        session.begin(),
    ):
        result = asked.work(session)
    return _done(result, session)


def _tell(group: list[_Asked]) -> None:
    for loop in {asked.loop for asked in group}:
        mine = [asked for asked in group if asked.loop is loop]
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(lambda mine=mine: [asked.tell() for asked in mine])


def _info(lessee: Lessee | None) -> dict[str, Any]:
    return {"lessee": lessee, "notes": []}


def _done(result: object, session: Session) -> Done:
    return Done(result, session.info.get("queues", set()), [note for _, note in session.info["notes"]])


def insert_into(session: Session, model: type[Base]) -> sqlite.Insert:
    """Return an INSERT of the session's own dialect, which can say what a conflict does: both say it alike."""
    return insert_on(session.get_bind().dialect.name, model)


def insert_on(dialect: str, model: type[Base]) -> sqlite.Insert:
    """Return an INSERT of a dialect, by its name."""
    table = cast("Table", model.__table__)
    if dialect == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415 -- a twentieth of a start, of no use on SQLite

    return cast("sqlite.Insert", postgresql.insert(table))


def _keep(session: Session, instance: object) -> None:
    """Hold what a transaction has read until it ends: the identity map alone forgets it, and asks again."""
    session.info.setdefault("kept", []).append(instance)


event.listen(Session, "loaded_as_persistent", _keep)


def _takes_nothing(error: DBAPIError) -> bool:
    """Say whether it is not our statement that is wrong: a file is damaged, or a server is a copy that is only read."""
    return type(error) is DatabaseError or getattr(error.orig, "sqlstate", None) == _READ_ONLY


def _lost_a_race(error: Exception) -> bool:
    return getattr(getattr(error, "orig", None), "sqlstate", None) in _CONFLICTS
