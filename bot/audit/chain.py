"""The chain: each entry's hash covers the one before it.

Entries are sealed a moment after they were written, by one process at a time: a chain that every transaction prolonged
would let each of them wait for the one before, and all of them for a process that is frozen. What somebody with the
database in hand did before a head was last given away, the chain alone cannot show; what they do afterwards it can.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from sqlalchemy import ColumnElement, bindparam, func, select, text, update
from sqlalchemy.orm import Session

from bot.audit.recording import digest
from bot.audit.tables import Content, Entry
from bot.db import Database

AT_ONCE: Final = 500  # entries sealed in a transaction
_LOCK: Final = 7_202_711  # of PostgreSQL's advisory locks
_PAGE: Final = 1_000  # entries read at once
_GENESIS: Final = hashlib.sha256(b"passerelle audit 1").hexdigest()


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain: whoever keeps it can tell later whether what was before is still there, and unchanged."""

    position: int
    hash: str

    def __str__(self) -> str:
        """As it is given away: `position:hash`."""
        return f"{self.position}:{self.hash}"


Wrong: TypeAlias = Literal["missing", "changed", "content", "truncated", "rewritten"]


@dataclass(frozen=True, slots=True)
class Fault:
    """The first place where the log is not what it was; `entry` is a row's id where there is a row."""

    position: int | None
    entry: int | None
    what: Wrong


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check of the whole log found: how many contents are gone, as they must in time, and how much waits."""

    head: Head
    waiting: int
    erased: int
    fault: Fault | None


def seal(session: Session) -> int:
    """Prolong the chain by what waits, as much as fits in a transaction; return how much that was.

    Another process that is at it is left alone.
    """
    connection = session.connection()
    if connection.dialect.name == "postgresql" and not connection.scalar(
        text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK}
    ):
        return 0
    waiting = [_Line(*row) for row in connection.execute(_WAITING)]
    if not waiting:
        return 0
    last = head(session)
    rows: list[dict[str, Any]] = []
    for position, entry in enumerate(waiting, last.position + 1):
        last = Head(position, _hash(last.hash, position, entry))
        rows.append({"entry": entry.id, "place": position, "sealed": last.hash})
    connection.execute(_SEALED, rows)
    return len(rows)


def seal_all(database: Database) -> Head:
    """Prolong the chain by all that waits, in the calling thread; return its end. For the command line."""
    while database.run_now(seal) == AT_ONCE:
        pass
    return database.run_now(head)


def head(session: Session) -> Head:
    """Return the end of the chain."""
    last = (
        select(Entry.position, Entry.hash).where(Entry.position.is_not(None)).order_by(Entry.position.desc()).limit(1)
    )
    found = session.execute(last).first()
    return Head(found.position, found.hash) if found is not None else Head(0, _GENESIS)


def verify(session: Session, given: Head | None = None) -> Verdict:
    """Walk the whole chain, and the contents that are left; `given` is a head that was kept elsewhere."""
    last, erased = Head(0, _GENESIS), 0
    kept = given if given is None or given.position else None
    for entry in _sealed(session):
        position = last.position + 1
        if entry.position != position:
            return Verdict(last, 0, erased, Fault(position, None, "missing"))
        last = Head(position, _hash(last.hash, position, entry))
        if last.hash != entry.hash:
            return Verdict(last, 0, erased, Fault(position, entry.id, "changed"))
        if not _fits(entry):
            return Verdict(last, 0, erased, Fault(position, entry.id, "content"))
        if kept is not None and kept.position == last.position and kept.hash != last.hash:
            return Verdict(last, 0, erased, Fault(position, entry.id, "rewritten"))
        erased += bool(entry.digest) and entry.salt is None
    if kept is not None and kept.position > last.position:
        return Verdict(last, 0, erased, Fault(last.position + 1, None, "truncated"))
    for entry in _unsealed(session):
        if not _fits(entry):
            return Verdict(last, 0, erased, Fault(None, entry.id, "content"))
    waiting = session.scalar(select(func.count()).where(Entry.position.is_(None))) or 0
    return Verdict(last, waiting, erased, None)


def parse(head_: str) -> Head | None:
    """Return the head that somebody kept; None when it is none."""
    position, _, digits = head_.strip().partition(":")
    whole = position.isascii() and position.isdecimal() and len(position) <= 18
    hexadecimal = len(digits) == len(_GENESIS) and set(digits) <= set("0123456789abcdef")
    return Head(int(position), digits) if whole and hexadecimal else None


class _Line(NamedTuple):
    """An entry, and its content as far as it is still there."""

    id: int
    at: datetime
    action: str
    actor: str
    about: str
    digest: str
    position: int | None = None
    hash: str | None = None
    salt: str | None = None
    content: str | None = None


def _hash(before: str, position: int, entry: _Line) -> str:
    at = entry.at.astimezone(UTC).isoformat(timespec="microseconds")
    covered = [before, position, at, entry.action, entry.actor, entry.about, entry.digest]
    return hashlib.sha256(json.dumps(covered, ensure_ascii=False).encode()).hexdigest()


def _fits(entry: _Line) -> bool:
    """Whether a content is the one that was digested; one that is gone fits."""
    return entry.salt is None or entry.content is None or digest(entry.salt, entry.content) == entry.digest


_COLUMNS = (Entry.id, Entry.at, Entry.action, Entry.actor, Entry.about, Entry.digest)
_WAITING = select(*_COLUMNS).where(Entry.position.is_(None)).order_by(Entry.id).limit(AT_ONCE)
_SEALED = (
    update(Entry)
    .where(Entry.id == bindparam("entry"), Entry.position.is_(None))
    .values(position=bindparam("place"), hash=bindparam("sealed"))
)
_WHOLE = select(*_COLUMNS, Entry.position, Entry.hash, Content.salt, Content.content).outerjoin(
    Content, Content.entry == Entry.id
)


def _sealed(session: Session) -> Iterator[_Line]:
    last = 0
    while page := _page(session, Entry.position.is_not(None), Entry.position > last, Entry.position):
        yield from page
        last = page[-1].position or 0


def _unsealed(session: Session) -> Iterator[_Line]:
    last = 0
    while page := _page(session, Entry.position.is_(None), Entry.id > last, Entry.id):
        yield from page
        last = page[-1].id


def _page(session: Session, which: ColumnElement[bool], after: ColumnElement[bool], order: Any) -> list[_Line]:
    return [_Line(*row) for row in session.execute(_WHOLE.where(which, after).order_by(order).limit(_PAGE))]
