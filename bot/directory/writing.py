"""Rows made ready for the driver before the transaction that writes them: on SQLite all others wait for that."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, cast

from sqlalchemy import ColumnDefault, Insert, Table, Update, bindparam
from sqlalchemy.orm import Session

from bot.db import Base

OLD = "at_"  # before the name of a key's column, in an update: its value as it is stored


@dataclass(frozen=True, slots=True)
class Ready:
    """A statement of the database's own dialect, and its parameters as the driver takes them."""

    statement: str
    rows: Sequence[Any]


def write(session: Session, ready: Iterable[Ready]) -> None:
    """Write what is ready."""
    session.flush()
    for each in ready:
        session.connection().exec_driver_sql(each.statement, list(each.rows))


def inserting(session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> list[Ready]:
    """Return the insertion of rows that have the same columns; the columns that they lack get their defaults."""
    if not rows:
        return []
    table = cast("Table", model.__table__)
    defaults: dict[str, object] = {
        column.name: cast("object", column.default.arg)
        for column in table.columns
        if isinstance(column.default, ColumnDefault) and column.default.is_scalar and column.name not in rows[0]
    }
    return [_ready(session, table.insert(), table, [{**defaults, **row} for row in rows])]


def updating(session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> list[Ready]:
    """Return the change of rows, each by its key, that have the same columns."""
    if not rows:
        return []
    table = cast("Table", model.__table__)
    keys = [column.name for column in table.primary_key]
    statement = table.update().where(*(table.c[name] == bindparam(f"{OLD}{name}") for name in keys))
    statement = statement.values({name: bindparam(name) for name in rows[0] if name not in keys})
    renamed = {name: f"{OLD}{name}" for name in keys}
    return [
        _ready(
            session, statement, table, [{renamed.get(name, name): value for name, value in row.items()} for row in rows]
        )
    ]


def _ready(session: Session, statement: Insert | Update, table: Table, rows: Sequence[Mapping[str, Any]]) -> Ready:
    dialect, names = session.get_bind().dialect, list(rows[0])
    columns = names if isinstance(statement, Insert) else None
    compiled = statement.compile(dialect=dialect, column_keys=columns)
    stored: dict[str, Callable[[Any], Any] | None] = {
        name: table.c[name.removeprefix(OLD)].type.dialect_impl(dialect).bind_processor(dialect) for name in names
    }
    converted = {name: convert for name, convert in stored.items() if convert is not None}
    made = ({**row, **{name: convert(row[name]) for name, convert in converted.items()}} for row in rows)
    if compiled.positiontup is None:
        return Ready(str(compiled), list(made))
    return Ready(str(compiled), list(map(itemgetter(*compiled.positiontup), made)))  # SQLite reads these twice as soon
