"""Bringing a database to this release's tables, whoever comes first."""

import re
from importlib.resources import files
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from bot import due, foureyes, jobs, memory, posts, receipts
from bot import files as parcels
from bot.agenda import associates, crossings, seats
from bot.agenda import tables as agenda
from bot.audit import tables as audit
from bot.clock import system_clock
from bot.db import Database
from bot.digests import tables as digests
from bot.directory import confirming, current, history, proposals, tables
from bot.errors import ConfigurationError, Unavailable
from bot.jobs import peers, tenure
from bot.questions import notes, passages
from bot.questions import tables as questions
from bot.relay import holding
from bot.routing import tables as routing

if TYPE_CHECKING:  # it takes a fifth of every command's start, and is needed once in a release
    from alembic.config import Config

LOCK = 7_202_515  # advisory lock on PostgreSQL: two processes may start at once


WITH_TABLES = (
    parcels, holding, due, peers, tenure,
    jobs, memory, posts, receipts, confirming, current, history, proposals, tables, questions, notes, passages,
    routing, agenda, digests, associates, seats, crossings,
    audit, foureyes,
)  # fmt: skip
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
    now = _revision(connection)
    if now == newest():
        return
    from alembic import command  # noqa: PLC0415 - see above
    from alembic.script import ScriptDirectory  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = configuration(connection)
    try:
        if now is not None:
            ScriptDirectory.from_config(config).get_revision(now)
            _see_that_nobody_runs(connection)
        command.upgrade(config, "head")
    except CommandError:
        message = f"database_url: the database is of a newer release (revision {now}); run that release"
        raise ConfigurationError(message) from None


def _see_that_nobody_runs(connection: Connection) -> None:
    """Refuse to change the tables under processes of an older release: they know nothing of the new ones."""
    if not inspect(connection).has_table(peers.Process.__tablename__):
        return
    living = peers.living(Session(connection), "", system_clock())
    if living:
        where = ", ".join(sorted(process.owner.rpartition("/")[0] for process in living))
        raise ConfigurationError(f"the database is used by an older release (on {where}); stop it there first")


def to_revision(connection: Connection, revision: str) -> None:
    """Bring the tables up to a revision. Raises ConfigurationError when this release does not know it."""
    from alembic import command  # noqa: PLC0415 - see above
    from alembic.util import CommandError  # noqa: PLC0415

    try:
        command.upgrade(configuration(connection), revision)
    except CommandError:
        message = f"the backup is of a newer release (revision {revision}); restore it with that release"
        raise ConfigurationError(message) from None


def newest() -> str:
    """Return the revision that this release's tables have, as the migrations say it themselves; empty without any."""
    scripts = (files("bot") / "migrations" / "versions").iterdir()
    texts = [script.read_text("utf-8") for script in scripts if script.name.endswith(".py")]
    before = {found for each in texts for found in re.findall(r'^down_revision = "(\w+)"$', each, re.MULTILINE)}
    heads = {found for each in texts for found in re.findall(r'^revision = "(\w+)"$', each, re.MULTILINE)} - before
    return heads.pop() if heads else ""


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.scalar(text("SELECT version_num FROM alembic_version"))


def configuration(connection: Connection) -> "Config":
    """Return Alembic's configuration on a connection."""
    from alembic.config import Config  # noqa: PLC0415 - see above

    config = Config()
    config.set_main_option("script_location", str(files("bot") / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _first_line(error: BaseException | None) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
