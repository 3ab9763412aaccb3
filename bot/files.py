"""Files on their way: their names made safe, and their bytes kept in slices until they are said.

A file waits in the database like everything else that the bot has yet to say, so that any process can go on with it
after a crash. It is deleted once its job has ended.
"""

import mimetypes
import re
import unicodedata
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import ForeignKey, LargeBinary, String, delete, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.db import Base, Database, Instant
from bot.texts import Text

ENDINGS: Final = frozenset(
    "pdf png jpg jpeg gif webp heic tif tiff txt md csv rtf odt ods odp doc docx xls xlsx ppt pptx ics vcf eml msg "
    "mp3 m4a ogg opus wav mp4 mov webm".split()
)
SLICE: Final = 512 * 1024  # bytes that are held in memory at once
LONGEST_NAME: Final = 100  # characters
_OTHER_TYPE: Final = "application/octet-stream"
_UNSAFE: Final = re.compile(r'[/\\:*?"<>|`\s]+')
_ENDING: Final = re.compile(r"\.([A-Za-z0-9]{1,10})$")
_TYPES: Final = {"ics": "text/calendar", "vcf": "text/vcard", "webp": "image/webp", "heic": "image/heic"}


class Parcel(Base):
    """A file that a job says; `begun` is what the platform calls it as soon as it has a name for it."""

    __tablename__ = "parcel"
    key: Mapped[str] = mapped_column(String(300), primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    size: Mapped[int]
    begun: Mapped[str | None] = mapped_column(String(255))
    at: Mapped[datetime] = mapped_column(Instant)


class Slice(Base):
    """A run of a parcel's bytes."""

    __tablename__ = "slice"
    parcel: Mapped[str] = mapped_column(ForeignKey("parcel.key", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(LargeBinary)


async def _forget(_name: str) -> None:
    """Keep nothing: what is said from memory is gone with it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What may cross: files up to `largest` bytes whose names end in one of `endings`.

    `scan` is a command that is given a file's path: status 0 lets it cross, within `scan_seconds`.
    """

    largest: int = 25 * 1024 * 1024
    endings: frozenset[str] = ENDINGS
    scan: tuple[str, ...] = ()
    scan_seconds: float = 60.0

    def refuse(self, name: str, size: int) -> Text | None:
        """Return why a file may not cross, by what is said of it; None when it may try."""
        if size > self.largest:
            return Text.of("file.too_large.limit", limit=self.largest // 1_000_000 or 1)
        kind = ending(name)
        if kind not in self.endings:
            return Text.of("file.kind", kind=f".{kind}" if kind else "—")
        return None


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as a platform is given it: `pieces` yields its `size` bytes, each time from the beginning.

    `begun` is what an earlier try called it; a platform that makes a name before anything can be seen gives it to
    `begin`, which keeps it.
    """

    name: str
    size: int
    pieces: Callable[[], AsyncIterator[bytes]] = field(repr=False)
    begun: str | None = None
    begin: Callable[[str], Awaitable[None]] = field(repr=False, default=_forget)

    @property
    def media_type(self) -> str:
        """What the name's ending says; nobody's word is taken for it."""
        return media_type(self.name)


def media_type(name: str) -> str:
    """Return the type of a file by the ending of its name."""
    return _TYPES.get(ending(name)) or mimetypes.guess_type(f"x.{ending(name)}")[0] or _OTHER_TYPE


def ending(name: str) -> str:
    """Return the kind that a file's name ends in, in small letters; empty when it has none."""
    found = _ENDING.search(name)
    return found[1].casefold() if found else ""


def safe_name(name: str) -> str:
    """Return a file's name that is one on every system and shows as what it is.

    No folder, nothing invisible, no sign that turns the reading direction round; the ending stays.
    """
    plain = "".join(c if c == " " or unicodedata.category(c)[0] not in "CZ" else " " for c in _whole(name))
    plain = _UNSAFE.sub(" ", unicodedata.normalize("NFC", plain)).rstrip(" .")
    found = _ENDING.search(plain)
    stem = (plain[: found.start()] if found else plain).strip(" .")[:LONGEST_NAME].strip(" .") or "fichier"
    return f"{stem}.{found[1].casefold()}" if found else stem


def _whole(name: str) -> str:
    return name.encode("utf-8", "replace").decode()


def keep(session: Session, key: str, name: str, content: bytes, now: datetime) -> None:
    """Keep a whole file for the job of this key."""
    begin(session, key, name, len(content), now)
    for number, at in enumerate(range(0, len(content), SLICE)):
        add(session, key, number, content[at : at + SLICE])


def begin(session: Session, key: str, name: str, size: int, now: datetime) -> None:
    """Begin to keep a file; what was kept under its key before is forgotten."""
    discard(session, [key])
    session.add(Parcel(key=key, name=name, size=size, at=now))
    session.flush()


def add(session: Session, key: str, number: int, content: bytes) -> None:
    """Keep one more slice of a file."""
    session.execute(insert(Slice).values(parcel=key, number=number, content=content))


def discard(session: Session, keys: Iterable[str]) -> None:
    """Forget files."""
    named = list(keys)
    session.execute(delete(Slice).where(Slice.parcel.in_(named)))
    session.execute(delete(Parcel).where(Parcel.key.in_(named)))


async def opened(database: Database, key: str) -> Upload | None:
    """Return a kept file as a platform is given it, read slice by slice; None when nothing is kept under the key."""

    def look(session: Session) -> tuple[str, int, str | None] | None:
        row = session.get(Parcel, key)
        return (row.name, row.size, row.begun) if row is not None else None

    async def pieces() -> AsyncIterator[bytes]:
        number = 0
        one = select(Slice.content).where(Slice.parcel == key)
        while (piece := await database.run(lambda s, n=number: s.scalar(one.where(Slice.number == n)))) is not None:
            yield piece
            number += 1

    async def begin(name: str) -> None:
        def note(session: Session) -> None:
            session.get_one(Parcel, key).begun = name

        await database.run(note)

    found = await database.run(look)
    return Upload(found[0], found[1], pieces, found[2], begin) if found is not None else None
