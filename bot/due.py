"""What is due at an instant: one row a thing, found by its instant alone, so that what waits for later costs nothing.

A row is put in the transaction that makes it necessary and is claimed in the one that does what it says: once, whatever
stops in between and however many processes look. What is due is said by a kind (which function) and a key (about what);
putting the same again moves its instant.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import cast

from sqlalchemy import Index, String, Table, and_, bindparam, delete, func, select, update
from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.db import Base, Instant, insert_into, insert_on

KEY = 200  # characters of a key, at most
_RETRY = timedelta(minutes=1)  # after a failure; doubled each time
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_LONGEST = timedelta(hours=6)


class Due(Base):
    """Something to do at an instant; `tries` counts the failures so far."""

    __tablename__ = "due"
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    key: Mapped[str] = mapped_column(String(KEY), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(Instant)
    meant_at: Mapped[datetime] = mapped_column(Instant)  # as it was put, before any failure
    tries: Mapped[int] = mapped_column(default=0)

    __table_args__ = (Index("ix_due_at", "due_at"),)


@dataclass(frozen=True, slots=True)
class Item:
    """A row that was found due, as it was then."""

    kind: str
    key: str
    due_at: datetime
    meant_at: datetime
    tries: int


def put(session: Session, kind: str, key: str, at: datetime) -> None:
    """Let something be due at an instant, whenever it was due before."""
    _put(session, kind, key, at, keep_earlier=False)


def hasten(session: Session, kind: str, key: str, at: datetime) -> None:
    """Let something be due at an instant, or earlier where it was."""
    _put(session, kind, key, at, keep_earlier=True)


def hasten_all(session: Session, kind: str, instants: Mapping[str, datetime]) -> None:
    """Let many things of a kind, by their keys, be due at their instants or earlier, in one go."""
    rows = [
        {"kind": kind, "key": key, "due_at": at, "meant_at": at, "tries": 0} for key, at in sorted(instants.items())
    ]
    if rows:
        connection = session.connection()
        connection.execute(_upsert(connection.dialect.name, keep_earlier=True), rows)


def drop(session: Session, kind: str, key: str) -> None:
    """Let something not be due any more."""
    session.execute(delete(Due).where(Due.kind == kind, Due.key == key))


def found(session: Session, now: datetime, limit: int, kinds: Collection[str] = ()) -> list[Item]:
    """Return what is due, of some kinds if any are named, the longest due first; nothing is locked."""
    columns = (Due.kind, Due.key, Due.due_at, Due.meant_at, Due.tries)
    wanted = [Due.due_at <= now, *([Due.kind.in_(kinds)] if kinds else [])]
    rows = session.execute(select(*columns).where(*wanted).order_by(Due.due_at).limit(limit))
    return [Item(*row) for row in rows]


def claim(session: Session, item: Item) -> bool:
    """Take a row away to do what it says; False when it has been done, moved or dropped since it was found."""
    same = {"its_kind": item.kind, "its_key": item.key, "found_at": item.due_at}
    return session.connection().execute(_CLAIM, same).first() is not None


_TABLE = cast("Table", Due.__table__)
_CLAIM = (  # made once: to make a statement anew costs as much as to execute it
    delete(_TABLE)
    .where(
        _TABLE.c.kind == bindparam("its_kind"),
        _TABLE.c.key == bindparam("its_key"),
        _TABLE.c.due_at == bindparam("found_at"),
    )
    .returning(_TABLE.c.kind)
)


def wake(session: Session, kinds: Collection[str]) -> None:
    """Let all that is put of some kinds be looked at now: what it is about may have changed."""
    session.execute(update(Due).where(Due.kind.in_(kinds)).values(due_at=_LONG_AGO))


def ensure(session: Session, kind: str, key: str, at: datetime) -> None:
    """Let something be due at an instant unless it is due at some instant already."""
    row = insert_into(session, Due).values(kind=kind, key=key, due_at=at, meant_at=at, tries=0)
    session.execute(row.on_conflict_do_nothing(index_elements=["kind", "key"]))


def put_off(session: Session, item: Item, now: datetime) -> None:
    """Let what could not be done be tried again, later each time."""
    wait = min(_RETRY * 2 ** min(item.tries, 10), _LONGEST)
    same = and_(Due.kind == item.kind, Due.key == item.key, Due.due_at == item.due_at)
    session.execute(update(Due).where(same).values(due_at=now + wait, tries=item.tries + 1))


def _put(session: Session, kind: str, key: str, at: datetime, *, keep_earlier: bool) -> None:
    row = {"kind": kind, "key": key, "due_at": at, "meant_at": at, "tries": 0}
    connection = session.connection()
    connection.execute(_upsert(connection.dialect.name, keep_earlier=keep_earlier), row)


@cache
def _upsert(dialect: str, *, keep_earlier: bool) -> Insert:
    first = insert_on(dialect, Due)
    earlier = func.min if dialect == "sqlite" else func.least
    values = {
        name: earlier(_TABLE.c[name], first.excluded[name]) if keep_earlier else first.excluded[name]
        for name in ("due_at", "meant_at")
    }
    return first.on_conflict_do_update(index_elements=["kind", "key"], set_={**values, "tries": 0})
