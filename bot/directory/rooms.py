"""Rooms: which organisation a room speaks for, and where an organisation can be reached."""

from datetime import UTC, datetime
from typing import Literal, NamedTuple

from sqlalchemy import bindparam, event, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, SessionTransaction

from bot.directory.files import ROOMS
from bot.directory.history import Author, mark, record
from bot.directory.tables import Organisation, Room
from bot.errors import UserError

_BEGINNING = datetime.min.replace(tzinfo=UTC)  # imported rooms were always there


class Place(NamedTuple):
    """What is known of a room."""

    organisation: str | None
    language: str
    relay_unencrypted: bool
    encrypted: bool
    state: str


_PLACE = select(Room.organisation, Room.language, Room.relay_unencrypted, Room.encrypted, Room.state).where(
    Room.platform == bindparam("platform"), Room.room == bindparam("room")
)
_SEEN = "rooms"


def room_of(session: Session, platform: str, room: str) -> Place | None:
    """Return what is known of a room, linked or not; None if nothing is. A transaction asks for it once."""
    seen: dict[tuple[str, str], Place | None] = session.info.setdefault(_SEEN, {})
    key = (platform, room)
    if key not in seen:
        row = session.connection().execute(_PLACE, {"platform": platform, "room": room}).first()
        seen[key] = Place(*row) if row is not None else None
    return seen[key]


def rooms_of(session: Session, organisation: str) -> list[Room]:
    """Return the open rooms of an organisation: those of real platforms before consoles, the oldest first."""
    found = session.scalars(select(Room).where(Room.organisation == organisation, Room.state == "open"))
    return sorted(found, key=_rank)


def link(
    session: Session, organisation: str, platform: str, room: str, at: datetime, *, author: Author | None = None
) -> Room:
    """Make a room one of an organisation, whatever it was before, and return it; the author is for the history.

    Raises UserError when there is no such organisation.
    """
    if session.get(Organisation, organisation) is None:
        raise UserError("directory.unknown_organisation", organisation=organisation)
    row = _known(session, platform, room)
    if row.organisation != organisation:
        key = {"platform": platform, "room": room}
        if author is not None:
            record(session, author, ROOMS, key, {"organisation": row.organisation}, {"organisation": organisation})
        mark(session, [(ROOMS.name, f"{platform} {room}")])
        row.organisation, row.linked_at = organisation, at
    row.state = "open"
    session.flush()
    return row


def note(
    session: Session,
    platform: str,
    room: str,
    *,
    encrypted: bool | None = None,
    state: Literal["open", "closed"] | None = None,
) -> Room:
    """Keep what a platform says of a room, known before or not. What is once encrypted stays so."""
    row = _known(session, platform, room)
    row.encrypted = row.encrypted or bool(encrypted)
    if state is not None:
        row.state = state
    session.flush()
    return row


def move(session: Session, platform: str, old: str, new: str) -> Room:
    """Let a room take the place of another, as an upgrade does, and return it.

    It takes over the link, unless it has one of its own, the language and the consent to relay; whether it is
    encrypted is not inherited: that must be seen (`note`). The old room is closed and keeps its link as history.
    """
    before, row = _known(session, platform, old), _known(session, platform, new)
    if row.organisation is None:
        row.organisation, row.linked_at = before.organisation, before.linked_at
        row.language, row.relay_unencrypted = before.language, before.relay_unencrypted
        mark(session, [(ROOMS.name, f"{platform} {new}")])
    before.state = "closed"
    session.flush()
    return row


def _unsee(session: Session, _undone: SessionTransaction) -> None:
    session.info.pop(_SEEN, None)


event.listen(Session, "after_soft_rollback", _unsee)


def speak(session: Session, platform: str, room: str, language: str, *, author: Author) -> bool:
    """Let a room be written to in a language; False when nothing is known of the room."""
    known = room_of(session, platform, room)
    if known is None:
        return False
    key = {"platform": platform, "room": room}
    record(session, author, ROOMS, key, {"language": known.language}, {"language": language})
    _known(session, platform, room).language = language
    session.flush()
    return True


def _known(session: Session, platform: str, room: str) -> Room:
    """Return a room's row, to be changed."""
    session.info.pop(_SEEN, None)
    row = session.get(Room, (platform, room))
    if row is not None:
        return row
    row = Room(platform=platform, room=room)
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:  # another process has just learnt of it
        return session.get_one(Room, (platform, room))
    return row


def _rank(row: Room) -> tuple[bool, datetime, str, str]:
    return row.platform == "console", row.linked_at or _BEGINNING, row.platform, row.room
