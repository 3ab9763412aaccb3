"""The directory kept in memory, reloaded when any process has changed it."""

from sqlalchemy import BigInteger, String, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.db import Base
from bot.directory.snapshot import Snapshot, load

_SEEN = "directory"


class Stamp(Base):
    """A number that grows with each change of what it names."""

    __tablename__ = "stamp"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger, default=0)


def touch(session: Session) -> None:
    """Say that organisations or competences changed; to be called in the transaction that changes them."""
    session.info.pop(_SEEN, None)
    if not session.execute(update(Stamp).where(Stamp.name == "directory").values(value=Stamp.value + 1)).rowcount:  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        session.add(Stamp(name="directory", value=1))


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
        if self._held is None or self._held[0] != stamp:
            self._held = (stamp, load(session))
        session.info[_SEEN] = self._held[1]
        return self._held[1]
