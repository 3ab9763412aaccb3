"""Connections to both databases, with the settings that durability needs."""

import sqlite3
import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from bot.errors import ConfigurationError

WRITERS = 4  # threads and connections on PostgreSQL

READING: Mapping[bool, Mapping[str, Any]] = {  # options of a connection that only reads, by whether it is SQLite
    True: {"reading": True},
    False: {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}


_NOTICE_THE_END = {
    # A process that is frozen, or cut off, in the middle of its transactions gives their locks back before its leases
    # end. Those of them that wait for one another must not run out one after the other: who waits lets go first.
    "options": "-c idle_in_transaction_session_timeout=3000 -c lock_timeout=2000",
    # A server that is gone without a word is noticed.
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""Options of libpq."""


def make_engine(url: str) -> Engine:
    """Return an engine with the settings that durability needs.

    Raises ConfigurationError for a URL of no supported database, without repeating it: it may hold a password.
    """
    try:
        return _engine(url)
    except (ArgumentError, ValueError) as error:
        reason = str(error) if isinstance(error, _NotSupported) else "this is no address of a database"
        message = f"database_url: {reason}; expected sqlite:///FILE or postgresql+psycopg://…"
        raise ConfigurationError(message) from None


class _NotSupported(ValueError):
    """A database that others may use."""


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.drivername == "sqlite":
        if parsed.database in (None, "", ":memory:"):
            raise _NotSupported("a database in memory is lost when the bot stops")
        engine = create_engine(
            parsed, hide_parameters=True, pool_size=1, max_overflow=1, connect_args={"check_same_thread": False}
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_immediate)
        return engine
    if parsed.drivername == "postgresql+psycopg":
        return create_engine(
            parsed,
            hide_parameters=True,
            pool_size=WRITERS,
            max_overflow=2,
            pool_timeout=5,
            pool_pre_ping=False,
            connect_args=_NOTICE_THE_END,
        )
    raise _NotSupported(f"{parsed.drivername!r} is not supported")


def _begin_immediate(connection: Connection) -> None:
    reading = connection.get_execution_options().get("reading")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves; the driver would commit at DDL
    for pragma in ("busy_timeout=10000", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    until = time.monotonic() + 10.0
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:  # another process is at it; SQLite does not wait here by itself
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.02)
