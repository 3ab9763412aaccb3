"""The sweep at the end of an erasure: whatever column of whatever table still holds somebody loses it.

Ids become a token that means nobody, the same everywhere, so that rows which belonged together still do; names become
an ellipsis. Organisations are left out: what they are called and how they are reached is not somebody's.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Column, String, Table, Text, and_, func, or_, select, update
from sqlalchemy.orm import Session

from bot.audit.tables import Alias, Content, Entry
from bot.db import Base
from bot.privacy.traces import Traces, core, pattern

GONE: Final = "[…]"
_LEFT_OUT: Final = frozenset(
    {"organisation", "competence", "routing_model", Alias.__tablename__, Content.__tablename__, Entry.__tablename__}
)


def sweep(session: Session, traces: Traces, token: str) -> Mapping[str, int]:
    """Take what is left of somebody out of all rows; return how many rows of which tables held something."""
    session.flush()
    ids, names = pattern(traces.ids, exact=True), pattern(traces.names)
    cores = {core(text) for text in (*traces.ids, *traces.names)} - {""}
    found: dict[str, int] = {}
    for table in Base.metadata.sorted_tables:
        columns = [column for column in table.columns if isinstance(column.type, String | Text)]
        if table.name in _LEFT_OUT or not columns:
            continue
        for row in _holding(session, table, columns, cores):
            changed = {name: new for name, old in row.items() if (new := _without(old, ids, names, token)) != old}
            if changed:
                found[table.name] = found.get(table.name, 0) + 1
                _write(session, table, row, changed)
    session.expire_all()
    return found


def holds(text: str, traces: Traces) -> bool:
    """Say whether a text holds anything by which somebody is found."""
    return bool(pattern(traces.ids, exact=True).search(text) or pattern(traces.names).search(text))


def _holding(session: Session, table: Table, columns: list[Column[Any]], cores: set[str]) -> Iterator[dict[str, Any]]:
    asked = {c.name: c for c in (*table.primary_key.columns, *columns)}
    held = or_(*(func.lower(column).contains(text.lower(), autoescape=True) for column in columns for text in cores))
    yield from [dict(row) for row in session.execute(select(*asked.values()).where(held)).mappings()]


def _without(value: Any, ids: re.Pattern[str], names: re.Pattern[str], token: str) -> Any:
    return names.sub(GONE, ids.sub(token, value)) if isinstance(value, str) else value


def _write(session: Session, table: Table, row: Mapping[str, Any], changed: Mapping[str, Any]) -> None:
    key = and_(*(column == row[column.name] for column in table.primary_key.columns))
    session.execute(update(table).where(key).values(**changed))
