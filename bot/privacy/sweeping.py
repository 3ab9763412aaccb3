"""The sweep at the end of an erasure: whatever column of whatever table still holds somebody loses it.

Ids become a token that means nobody, the same everywhere, so that rows which belonged together still do; names become
an ellipsis. Organisations are left out: what they are called and how they are reached is not somebody's.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Column, String, Table, Text, and_, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from bot.agenda.tables import Calendar
from bot.audit.tables import Alias, Content, Entry
from bot.db import Base
from bot.privacy.traces import Traces, core, pattern

GONE: Final = "[…]"
_FOLD: Final = re.compile(r"\r?\n[ \t]")
LEFT_OUT: Final = frozenset(
    {"organisation", "competence", "routing_model", Alias.__tablename__, Content.__tablename__, Entry.__tablename__}
)


def sweep(session: Session, traces: Traces, token: str) -> Mapping[str, int]:
    """Take what is left of somebody out of all rows; return how many rows of which tables held something."""
    session.flush()
    ids, names = pattern(traces.ids, exact=True), pattern(traces.names)
    cores = {core(text) for text in (*traces.ids, *traces.names)} - {""}
    found: dict[str, int] = {}
    found |= _calendars(session, ids, names, token)
    for table in Base.metadata.sorted_tables:
        columns = [column for column in table.columns if isinstance(column.type, String | Text)]
        if table.name in LEFT_OUT or not columns:
            continue
        for row in _holding(session, table, columns, cores):
            news = {name: _without(old, ids, names, token) for name, old in row.items()}
            changed = {name: _fitting(table.c[name], new) for name, new in news.items() if new != row[name]}
            if changed:
                found[table.name] = found.get(table.name, 0) + 1
                _write(session, table, row, changed)
    session.expire_all()
    return found


def _calendars(session: Session, ids: re.Pattern[str], names: re.Pattern[str], token: str) -> dict[str, int]:
    """Take somebody out of the calendars that are kept as files: their lines are unfolded, which may part a name."""
    held = 0
    for calendar in session.scalars(select(Calendar).where(Calendar.content.is_not(None))):
        old = _FOLD.sub("", (calendar.content or b"").decode(errors="surrogateescape"))
        new = _without(old, ids, names, token)
        if new != old:
            calendar.content, held = new.encode(errors="surrogateescape"), held + 1
    session.flush()
    return {Calendar.__tablename__: held} if held else {}


def holds(text: str, traces: Traces) -> bool:
    """Say whether a text holds anything by which somebody is found."""
    return bool(pattern(traces.ids, exact=True).search(text) or pattern(traces.names).search(text))


def _holding(session: Session, table: Table, columns: list[Column[Any]], cores: set[str]) -> Iterator[dict[str, Any]]:
    asked = {c.name: c for c in (*table.primary_key.columns, *columns)}
    held = or_(*(func.lower(column).contains(text.lower(), autoescape=True) for column in columns for text in cores))
    yield from [dict(row) for row in session.execute(select(*asked.values()).where(held)).mappings()]


def _without(value: Any, ids: re.Pattern[str], names: re.Pattern[str], token: str) -> Any:
    return names.sub(GONE, ids.sub(token, value)) if isinstance(value, str) else value


def _fitting(column: Column[Any], text: str) -> str:
    """Cut a text to what a column holds: a token may be longer than what it stands for."""
    return text[: getattr(column.type, "length", None)]


def _write(session: Session, table: Table, row: Mapping[str, Any], changed: Mapping[str, Any]) -> None:
    key = and_(*(column == row[column.name] for column in table.primary_key.columns))
    others = [(column, other) for column, other in _referred(table) if column.name in changed]
    if not others:
        session.execute(update(table).where(key).values(**changed))
        return
    whole = session.execute(select(table).where(key)).mappings().one()  # rows of other tables point to its name
    session.execute(insert(table).values({**whole, **changed}))
    for column, other in others:
        session.execute(update(other.table).where(other == row[column.name]).values({other: changed[column.name]}))
    session.execute(delete(table).where(key))


def _referred(table: Table) -> Iterator[tuple[Column[Any], Column[Any]]]:
    """Yield the columns of a table to which columns of others point, each with one of these."""
    for other in Base.metadata.tables.values():
        for key in other.foreign_keys:
            if key.column.table is table:
                yield key.column, key.parent
