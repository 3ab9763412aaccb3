"""The history of the directory: each change with what was before and what is after, who made it and when.

`record` is called in the transaction of the change. What a release ships is not recorded: its files say it.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import Index, String, select, update
from sqlalchemy import Text as LongText
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot import due
from bot.audit import recording as audit
from bot.db import Base, Instant
from bot.directory.current import Stamp, changed, touch
from bot.directory.files import ABSENCES, COMPETENCES, DUTIES, ORGANISATIONS, PEOPLE, POSTINGS, File
from bot.directory.writing import inserting, write

Via: TypeAlias = Literal["import", "card", "link", "email", "command"]
Row: TypeAlias = Mapping[str, Any]

_STAMP = "directory rows"
_ROUTED = frozenset(file.name for file in (ORGANISATIONS, COMPETENCES, POSTINGS, ABSENCES))
"""What is kept in memory and must be read anew."""
PRESENCE = ("person", "rota")  # the kinds of due things that look at who is there
_PRESENCE = frozenset((POSTINGS.name, ABSENCES.name, DUTIES.name))
_ENTRIES = {
    **dict.fromkeys((file.name for file in (ORGANISATIONS, COMPETENCES)), "organisation"),
    **dict.fromkeys((file.name for file in (PEOPLE, POSTINGS, ABSENCES)), "person"),
}
"""What is looked up, by whose it is: a key begins with that one's id."""


class Change(Base):
    """A change of a row. `before` is NULL for one that is new; both hold the changed columns alone, as JSON."""

    __tablename__ = "directory_history"
    __table_args__ = (Index("ix_directory_history_row", "file", "row"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    file: Mapped[str] = mapped_column(String(40))  # the directory file whose row it is
    row: Mapped[str]  # its key, the columns with a space between them
    before: Mapped[str | None] = mapped_column(LongText)
    after: Mapped[str] = mapped_column(LongText)
    via: Mapped[str] = mapped_column(String(10))
    person: Mapped[str | None]  # who made it; NULL: the operator, or an account that is nobody's yet
    account: Mapped[str | None]


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes the directory, when, and by which way."""

    at: datetime
    via: Via
    person: str | None = None
    account: str | None = None


def record(session: Session, author: Author, file: File, row: Row, before: Row | None, after: Row) -> None:
    """Record that a row changed: `row` holds at least its key, `before` and `after` the columns that may differ."""
    found = change(author, file, row, before, after)
    if found is not None:
        write(session, inserting(session, Change, [found]))
        _audit(session, author, found)
        mark(session, [(found["file"], found["row"])])


def change(author: Author, file: File, row: Row, before: Row | None, after: Row) -> dict[str, Any] | None:
    """Return a change as its table has it, None where nothing differs."""
    names = [name for name, value in after.items() if before is None or before[name] != value]
    if not names:
        return None
    return {
        "at": author.at,
        "file": file.name,
        "row": key_text(file, row),
        "before": None if before is None else _json({name: before[name] for name in names}),
        "after": _json({name: after[name] for name in names}),
        "via": author.via,
        "person": author.person,
        "account": author.account,
    }


def _audit(session: Session, author: Author, found: Row) -> None:
    file = str(found["file"]).partition(".")[0]
    kind = _ENTRIES.get(str(found["file"]), file)
    audit.record(
        session,
        author.at,
        f"directory.{file}",
        actor=audit.who(author.person, author.account),
        about=f"{kind}:{str(found['row']).partition(' ')[0]}" if kind != file else file,
        content={name: found[name] for name in ("row", "before", "after", "via")},
    )


def mark(session: Session, rows: Collection[tuple[str, str]]) -> None:
    """Say that rows changed, each by its file and its key as `key_text` has it; an empty key is all of the file.

    Who keeps them reads them anew, who planned with them plans anew.
    """
    found = session.connection().execute(update(Stamp).where(Stamp.name == _STAMP).values(value=Stamp.value + 1))
    if not found.rowcount:
        session.add(Stamp(name=_STAMP, value=1))
        session.flush()
    files = {file for file, _ in rows}
    if not _PRESENCE.isdisjoint(files):
        due.wake(session, PRESENCE)
    if not _ROUTED.isdisjoint(files):
        touch(session)
    found = {(_ENTRIES[file], key.partition(" ")[0]) for file, key in rows if file in _ENTRIES}
    if any(not id_ for _, id_ in found):
        changed(session)
    elif found:
        changed(
            session,
            organisations={id_ for kind, id_ in found if kind == "organisation"},
            people={id_ for kind, id_ in found if kind == "person"},
        )


def version(session: Session) -> int:
    """Return a number that grows with each change of the directory, in whichever process."""
    return session.connection().scalar(select(Stamp.value).where(Stamp.name == _STAMP)) or 0


def of(session: Session, file: File, row: Row, limit: int = 20) -> list[Change]:
    """Return the latest changes of a row, the newest first."""
    found = select(Change).where(Change.file == file.name, Change.row == key_text(file, row))
    return list(session.scalars(found.order_by(Change.id.desc()).limit(limit)))


def last(session: Session, file: File, row: Row, column: str) -> Change | None:
    """Return the latest change of one column of a row, None where the history has none, or none any more."""
    found = select(Change).where(Change.file == file.name, Change.row == key_text(file, row))
    named = found.where(Change.after.contains(f'"{column}":', autoescape=True))
    return session.scalar(named.order_by(Change.id.desc()).limit(1))


def values(change: Change) -> tuple[Row | None, Row]:
    """Return the columns that a change is about, before (None: the row is new) and after it."""
    return json.loads(change.before) if change.before is not None else None, json.loads(change.after)


def key_text(file: File, row: Row) -> str:
    """Return the key of a row as the history has it."""
    return " ".join(str(row[name] or "-") for name in file.key)


def _json(values: Row) -> str:
    plain = {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
