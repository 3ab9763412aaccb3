"""Restoring a backup into an empty place: tables of its own release first, then all rows, then today's tables.

What it had to say is held back: it may have been said after the backup was made. Its keys are marked as old.
"""

import base64
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Table, inspect, text
from sqlalchemy.orm import Session

from bot import posts
from bot.backup.writing import FORMAT
from bot.db import Database
from bot.errors import ConfigurationError
from bot.jobs import outgoing
from bot.jobs.tables import Lane
from bot.jobs.tenure import Tenure
from bot.migrate import to_revision

RESTORED = "restored"  # a file beside the keys: they are older than what was done with them since
_ROWS = 500


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of a table, in the order of their keys."""

    table: str
    rows: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Piece:
    """The next bytes of a file; the first piece is empty."""

    file: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Restored:
    """What a backup held."""

    at: datetime
    rows: int
    files: int


def verify(lines: Iterator[str]) -> Restored:
    """Read a backup to its end. Raises ConfigurationError when it is not whole."""
    reading = _Reading(lines)
    for _ in reading.parts():
        pass
    return reading.done()


def restore(lines: Iterator[str], database: Database, folder: Path, now: datetime) -> Restored:
    """Restore everything, or nothing. Raises ConfigurationError when it cannot be, in words that say what to do."""
    if folder.exists() and any(folder.iterdir()):
        raise ConfigurationError(f"{folder} holds keys already: move it away, and restore again")
    beside = folder.with_name(f"{folder.name}.restoring")
    beside.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in beside.iterdir():
        left.unlink()
    done = database.run_now(lambda session: _restored(session, _Reading(lines), beside, now))
    (beside / RESTORED).touch(mode=0o600)
    if folder.exists():
        folder.rmdir()
    beside.rename(folder)
    return done


def _restored(session: Session, reading: "_Reading", folder: Path, now: datetime) -> Restored:
    connection = session.connection()
    if inspect(connection).get_table_names():
        raise ConfigurationError("database_url: the database is not empty; expected an empty one to restore into")
    to_revision(connection, reading.revision)
    tables = sa.MetaData()
    tables.reflect(connection)
    for part in reading.parts():
        match part:
            case Piece(file, content):
                _keep(folder / Path(file).name, content)
            case Rows(table, rows):
                _fill(connection, tables.tables[table], rows)
    _count_on(connection, tables)
    to_revision(connection, "head")
    session.execute(sa.update(Lane).values(owner=None, leased_until=None))
    session.execute(sa.update(Tenure).values(owner=None, until=None))
    posts.forget_drawn(session)
    outgoing.close(session, now)
    return reading.done()


def _keep(file: Path, content: bytes) -> None:
    with os.fdopen(os.open(file, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600), "wb") as out:
        out.write(content)


def _fill(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    readers = {column.name: _reader(column.type, connection.dialect.name) for column in table.columns}
    read = [{name: v if v is None else readers[name](v) for name, v in row.items()} for row in rows]
    connection.execute(sa.insert(table), read)


def _reader(kind: sa.types.TypeEngine[Any], dialect: str) -> Any:
    match kind:
        case sa.DateTime():
            return _naive if dialect == "sqlite" else datetime.fromisoformat
        case sa.Date():
            return date.fromisoformat
        case sa.LargeBinary():
            return base64.b64decode
        case _:
            return _same


def _same(value: object) -> object:
    return value


def _naive(value: str) -> datetime:
    return datetime.fromisoformat(value).astimezone(UTC).replace(tzinfo=None)


def _count_on(connection: Connection, tables: sa.MetaData) -> None:
    """Let PostgreSQL number new rows after the restored ones; SQLite does by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables.sorted_tables:
        for column in table.primary_key.columns:
            sequence = connection.scalar(
                text("SELECT pg_get_serial_sequence(:table, :column)"),
                {"table": f'"{table.name}"', "column": column.name},
            )
            if sequence is not None:
                last = connection.scalar(sa.select(sa.func.max(column)))
                connection.execute(
                    text("SELECT setval(:sequence, :last, :used)"),
                    {"sequence": sequence, "last": last or 1, "used": last is not None},
                )


class _Reading:
    """The lines of a backup, as what they mean."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        head = json.loads(next(lines, "{}"))
        if head.get("format") != FORMAT:
            raise ConfigurationError("the backup is of another format than this release reads")
        self.revision = str(head["revision"])
        self._at = datetime.fromisoformat(head["at"])
        self._rows = self._files = 0
        self._end: int | None = None

    def parts(self) -> Iterator[Rows | Piece]:
        """Yield what there is, as it comes."""
        name, columns = "", list[str]()
        rows = list[dict[str, Any]]()
        for line in self._lines:
            value: Any = json.loads(line)
            if rows and (line.startswith("{") or len(rows) == _ROWS):
                yield Rows(name, rows)
                rows = []
            if line.startswith("["):
                rows.append(dict(zip(columns, value, strict=True)))
                self._rows += 1
            elif line.startswith('"'):
                yield Piece(name, base64.b64decode(value))
            elif "table" in value:
                name, columns = value["table"], value["columns"]
            elif "file" in value:
                name = value["file"]
                self._files += 1
                yield Piece(name, b"")
            else:
                self._end = value.get("end")

    def done(self) -> Restored:
        """Return what there was. Raises ConfigurationError when that is not all."""
        if self._end != self._rows:
            raise ConfigurationError("the backup is not complete")
        return Restored(self._at, self._rows, self._files)
