"""The directory kept in memory, reloaded when any process has changed it."""

import secrets
from collections.abc import Collection

from sqlalchemy import BigInteger, String, delete, insert, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.db import Base
from bot.directory.snapshot import Snapshot, load
from bot.directory.tables import ID

_SEEN = "directory"
_CHANGED = "directory changed"
NAMED = 200  # rows whose change is told one by one
KEPT = 2000  # changes that are remembered; who looked away for longer reads all


class Stamp(Base):
    """A number that is another one after each change of what it names."""

    __tablename__ = "stamp"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger, default=0)


class Changed(Base):
    """A row that can be looked up changed; `kind` is organisation or person, or `all` for too many to name."""

    __tablename__ = "directory_change"
    stamp: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    id: Mapped[str] = mapped_column(String(ID), primary_key=True)


def touch(session: Session) -> None:
    """Say that what is kept in memory changed; to be called in the transaction that changes it."""
    session.info.pop(_SEEN, None)
    session.info[_CHANGED] = True
    fresh = secrets.randbits(62)  # no number that was undone comes again
    if not session.execute(update(Stamp).where(Stamp.name == "directory").values(value=fresh)).rowcount:  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        session.add(Stamp(name="directory", value=fresh))


def changed(session: Session, *, organisations: Collection[str] = (), people: Collection[str] = ()) -> None:
    """Say whose entries changed, by their ids, or that any may have; in the transaction that changes them.

    A person's postings and absences are theirs.
    """
    session.info[_CHANGED] = True
    stamp = _next(session, "entries")
    rows = [("organisation", id_) for id_ in organisations] + [("person", id_) for id_ in people]
    if not rows or len(rows) > NAMED:
        rows = [("all", "")]
        session.execute(delete(Changed))
    session.execute(delete(Changed).where(Changed.stamp <= stamp - KEPT))
    session.execute(insert(Changed), [{"stamp": stamp, "kind": kind, "id": id_} for kind, id_ in dict.fromkeys(rows)])


def changed_here(session: Session) -> bool:
    """Say whether this transaction changed the directory: what it sees may never be."""
    return _CHANGED in session.info


def entries_stamp(session: Session) -> int:
    """Return a number that grows with each change of what can be looked up."""
    return session.connection().scalar(_ENTRIES) or 0


def changes_since(session: Session, stamp: int) -> set[tuple[str, str]] | None:
    """Return what changed after a stamp, as (kind, id); None when that may be all."""
    if entries_stamp(session) - stamp > KEPT:
        return None
    rows = session.execute(select(Changed.kind, Changed.id).where(Changed.stamp > stamp))
    found = {(kind, id_) for kind, id_ in rows}
    return None if ("all", "") in found else found


def _next(session: Session, name: str) -> int:
    """Let a stamp grow, and return it. Whoever changes the same waits for this transaction to end."""
    grown = update(Stamp).where(Stamp.name == name).values(value=Stamp.value + 1).returning(Stamp.value)
    value = session.connection().scalar(grown)
    if value is None:
        session.execute(insert(Stamp), [{"name": name, "value": 1}])
    return value or 1


_ENTRIES = select(Stamp.value).where(Stamp.name == "entries")
_STAMP = select(Stamp.value).where(Stamp.name == "directory")


class Current:
    """The newest snapshot. Reading the stamp costs one row."""

    def __init__(self) -> None:
        self._held: tuple[int, Snapshot] | None = None

    def get(self, session: Session) -> Snapshot:
        """Return the directory as this transaction sees it; it is asked for once."""
        if _SEEN in session.info:
            return session.info[_SEEN]
        stamp = session.connection().scalar(_STAMP) or 0
        held = self._held  # read once: threads share it
        found = held[1] if held is not None and held[0] == stamp else load(session)
        if _CHANGED not in session.info:  # what is not committed yet may never be
            self._held = (stamp, found)
        session.info[_SEEN] = found
        return found
