"""The directory kept in memory, reloaded when any process has changed it."""

import secrets

from sqlalchemy import BigInteger, String, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.db import Base
from bot.directory.snapshot import Snapshot, load

_SEEN = "directory"
_CHANGED = "directory changed"


class Stamp(Base):
    """A number that is another one after each change of what it names."""

    __tablename__ = "stamp"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger, default=0)


def touch(session: Session) -> None:
    """Say that organisations or competences changed; to be called in the transaction that changes them."""
    session.info.pop(_SEEN, None)
    session.info[_CHANGED] = True
    fresh = secrets.randbits(62)  # no number that was undone comes again
    if not session.execute(update(Stamp).where(Stamp.name == "directory").values(value=fresh)).rowcount:  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        session.add(Stamp(name="directory", value=fresh))


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
