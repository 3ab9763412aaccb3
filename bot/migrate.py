"""Bringing a database to this release's tables, whoever comes first."""

from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from bot import jobs, memory, outbox, receipts
from bot.db import Database
from bot.directory import confirming, current, history, tables
from bot.errors import ConfigurationError, Unavailable
from bot.questions import tables as questions
from bot.routing import tables as routing

LOCK = 7_202_515  # advisory lock on PostgreSQL: two processes may start at once


WITH_TABLES = (jobs, memory, outbox, receipts, confirming, current, history, tables, questions, routing)
"""Every module that has tables: loading them fills `Base.metadata`."""


def upgrade(database: Database) -> None:
    """Create or upgrade the tables; does nothing when they are up to date.

    Raises ConfigurationError when the database cannot be reached, or is of a newer release.
    """
    try:
        database.run_now(lambda session: _upgrade(session.connection()))
    except (Unavailable, DBAPIError) as error:
        reason = _first_line(error.orig or error if isinstance(error, DBAPIError) else error)
        message = f"database_url: the database cannot be used: {reason}"
        raise ConfigurationError(message) from None


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    config = configuration(connection)
    script = ScriptDirectory.from_config(config)
    now = MigrationContext.configure(connection).get_current_revision()
    if now == script.get_current_head():
        return
    try:
        if now is not None:
            script.get_revision(now)
        command.upgrade(config, "head")
    except CommandError:
        message = f"database_url: the database is of a newer release (revision {now}); run that release"
        raise ConfigurationError(message) from None


def configuration(connection: Connection) -> Config:
    """Return Alembic's configuration on a connection."""
    config = Config()
    config.set_main_option("script_location", str(files("bot") / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _first_line(error: BaseException | None) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
