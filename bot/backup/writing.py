"""Writing a backup beside a running bot: all tables as they were at one moment, and the files of a folder."""

import base64
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from bot.backup.sealing import Sealer
from bot.db import Base, Database
from bot.jobs.peers import Process
from bot.migrate import newest

FORMAT = 1
LEFT_OUT = frozenset({Process.__tablename__})  # who runs, which says nothing of another day
UNFINISHED = (".part", "-journal", ".in-use")
_SLICE = 48 * 1024
_ROWS = 1000


def write(sealer: Sealer, database: Database, folder: Path, now: datetime) -> int:
    """Write everything; return how many rows that were. Raises `Unavailable` when the database failed."""
    sealer.write(_json({"format": FORMAT, "revision": newest(), "at": now.isoformat()}))
    count = database.reading(lambda session: _tables(session, sealer))
    for file in sorted(folder.glob("*")) if folder.exists() else ():
        if file.is_file() and not file.name.endswith(UNFINISHED):
            sealer.write(_json({"file": file.name}))
            for part in _slices(_content(file)):
                sealer.write(_json(base64.b64encode(part).decode()))
    sealer.write(_json({"end": count}))
    return count


def _tables(session: Session, sealer: Sealer) -> int:
    count = 0
    for table in Base.metadata.sorted_tables:
        if table.name in LEFT_OUT:
            continue
        sealer.write(_json({"table": table.name, "columns": [column.name for column in table.columns]}))
        for row in _rows(session, table):
            sealer.write(_json([_plain(value) for value in row]))
            count += 1
    return count


def _rows(session: Session, table: Table) -> Iterator[Any]:
    query = select(table).order_by(*table.primary_key.columns).execution_options(yield_per=_ROWS)
    return session.execute(query)


def _plain(value: object) -> object:
    match value:
        case datetime() | date():
            return value.isoformat()
        case bytes():
            return base64.b64encode(value).decode()
        case _:
            return value


def _content(file: Path) -> bytes:
    """Return a file; a database as it was at one moment, whoever writes to it."""
    content = file.read_bytes()
    if not content.startswith(b"SQLite format 3\0"):
        return content
    with (
        closing(sqlite3.connect(file, timeout=10)) as source,
        closing(sqlite3.connect(":memory:")) as copy,
    ):
        source.backup(copy)
        return copy.serialize()


def _slices(content: bytes) -> Iterator[bytes]:
    return (content[at : at + _SLICE] for at in range(0, len(content), _SLICE))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
