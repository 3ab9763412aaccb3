"""The tables of digests: who reads one and when, and which of its days and times have been said."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from bot.db import Base, Instant
from bot.digests.rhythm import Rhythm, from_data, to_data
from bot.directory.tables import ACCOUNT, ID

WORDS = 300  # characters of a filter


@dataclass(frozen=True, slots=True)
class Wish:
    """What a digest is asked to be. Empty: the language, the zone of whom it is for."""

    rhythm: Rhythm
    words: str = ""  # which events, in the words of `agenda`
    topics: tuple[str, ...] = ()  # of which questions; none: all
    horizon: int = 7  # days
    language: str = ""
    zone: str = ""
    when_empty: bool = True  # it is said that there is nothing


@dataclass(frozen=True, slots=True)
class Told:
    """What the last digest said: up to which day, the newest event there was, and how each event that comes stood."""

    until: date
    newest: int
    events: Mapping[int, tuple[int, datetime, bool]] = field(default_factory=dict[int, tuple[int, datetime, bool]])
    """By the event's id: its sequence, when it began, whether it was cancelled."""


class Digest(Base):
    """Somebody's subscription: a person's (`person`), or a room's, which speaks for an `organisation`."""

    __tablename__ = "digest"

    id: Mapped[int] = mapped_column(primary_key=True)
    person: Mapped[str | None] = mapped_column(ForeignKey("person.id"), index=True)
    organisation: Mapped[str | None] = mapped_column(ForeignKey("organisation.id"))  # of a room, as it was then
    platform: Mapped[str]
    room: Mapped[str] = mapped_column(String(ACCOUNT))  # of a person: where they asked for it
    account: Mapped[str] = mapped_column(String(ACCOUNT), default="")  # the person's, on that platform
    rhythm: Mapped[str] = mapped_column(Text)  # JSON
    words: Mapped[str] = mapped_column(String(WORDS), default="")
    topics: Mapped[str] = mapped_column(Text, default="")
    horizon: Mapped[int]
    language: Mapped[str] = mapped_column(default="")
    zone: Mapped[str] = mapped_column(default="")
    when_empty: Mapped[bool] = mapped_column(default=True)
    paused_until: Mapped[date | None] = mapped_column(Date)  # the first day on which it is said again
    since: Mapped[datetime] = mapped_column(Instant)  # what was due by then is not said
    told: Mapped[str | None] = mapped_column(Text)  # JSON; NULL: nothing yet
    by: Mapped[str | None] = mapped_column(String(ID))  # who asked for it last, a person's id
    created_at: Mapped[datetime] = mapped_column(Instant)

    @property
    def number(self) -> str:
        """How people name it."""
        return f"D-{self.id}"

    @property
    def wish(self) -> Wish:
        """What it is asked to be."""
        return Wish(
            from_data(json.loads(self.rhythm)),
            self.words,
            tuple(self.topics.split()),
            self.horizon,
            self.language,
            self.zone,
            self.when_empty,
        )

    def take(self, wish: Wish) -> None:
        """Become what is asked."""
        self.rhythm = json.dumps(to_data(wish.rhythm), separators=(",", ":"))
        self.words, self.topics, self.horizon = wish.words[:WORDS], " ".join(wish.topics), wish.horizon
        self.language, self.zone, self.when_empty = wish.language, wish.zone, wish.when_empty

    @property
    def last(self) -> Told | None:
        """What it said last."""
        if self.told is None:
            return None
        data = json.loads(self.told)
        events = {
            int(id_): (sequence, datetime.fromisoformat(starts), bool(cancelled))
            for id_, (sequence, starts, cancelled) in data["events"].items()
        }
        return Told(date.fromisoformat(data["until"]), data["newest"], events)

    def note(self, told: Told) -> None:
        """Keep what was said."""
        events = {id_: [seq, starts.isoformat(), int(gone)] for id_, (seq, starts, gone) in told.events.items()}
        data = {"until": told.until.isoformat(), "newest": told.newest, "events": events}
        self.told = json.dumps(data, separators=(",", ":"))


class Issue(Base):
    """An occurrence that was dealt with, by its local day and time: there is one row at most, whatever stops when."""

    __tablename__ = "digest_issue"

    digest: Mapped[int] = mapped_column(ForeignKey("digest.id"), primary_key=True, autoincrement=False)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    at: Mapped[str] = mapped_column(String(5), primary_key=True)  # HH:MM
    issued_at: Mapped[datetime] = mapped_column(Instant, index=True)
    outcome: Mapped[str] = mapped_column(String(10))  # said, silent (it was empty)
