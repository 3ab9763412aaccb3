"""The tables of the agenda. An occurrence is a row: the third meeting of a series can be moved without the others."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bot.agenda.model import PLACE, TITLE, Details, When
from bot.db import Base, Instant
from bot.directory.tables import ACCOUNT, ID

UID = 255  # characters of an event's name among all calendars, at most


class Calendar(Base):
    """A calendar that is read again and again: subscribed under its address, or a file whose series have no end."""

    __tablename__ = "calendar"

    id: Mapped[int] = mapped_column(primary_key=True)
    url: Mapped[str | None] = mapped_column(String(2_000), unique=True)  # NULL: a file
    name: Mapped[str] = mapped_column(String(TITLE), default="")
    content: Mapped[bytes | None] = mapped_column(LargeBinary)  # of a file
    organisation: Mapped[str | None] = mapped_column(ForeignKey("organisation.id"))  # on whose behalf
    kind: Mapped[str] = mapped_column(default="other")  # of events that do not say theirs
    visibility: Mapped[str] = mapped_column(default="network")
    zone: Mapped[str]  # of times that have none
    etag: Mapped[str | None] = mapped_column(String(500))
    modified: Mapped[str | None] = mapped_column(String(100))  # Last-Modified, as it was said
    read_at: Mapped[datetime | None] = mapped_column(Instant)  # its content was last taken in
    due_at: Mapped[datetime | None] = mapped_column(Instant, index=True)  # NULL: no longer
    failures: Mapped[int] = mapped_column(default=0)  # in a row
    problem: Mapped[str | None] = mapped_column(String(300))  # why it could not be read the last time


class Event(Base):
    """One event, or one occurrence of a series: `uid` is the series' name among all calendars, `instance` its own.

    Lists are separated by spaces, links by line ends. What was said in an encrypted room that keeps its words is
    `sealed`.
    """

    __tablename__ = "event"
    __table_args__ = (UniqueConstraint("uid", "instance"), Index("ix_event_span", "starts", "ends"))

    id: Mapped[int] = mapped_column(primary_key=True)
    calendar: Mapped[int | None] = mapped_column(ForeignKey("calendar.id"), index=True)  # NULL: entered, or of a file
    uid: Mapped[str] = mapped_column(String(UID))
    instance: Mapped[str] = mapped_column(String(30), default="")
    sequence: Mapped[int] = mapped_column(default=0)
    stamp: Mapped[datetime | None] = mapped_column(Instant)  # when its source last changed it, as the source says
    kind: Mapped[str] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(String(TITLE))
    title_en: Mapped[str] = mapped_column(String(TITLE), default="")  # where the bot found the words
    starts: Mapped[datetime] = mapped_column(Instant)
    ends: Mapped[datetime] = mapped_column(Instant)
    zone: Mapped[str]
    whole_days: Mapped[bool] = mapped_column(default=False)
    place: Mapped[str] = mapped_column(String(PLACE), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    countries: Mapped[str] = mapped_column(Text, default="")
    territories: Mapped[str] = mapped_column(Text, default="")
    bodies: Mapped[str] = mapped_column(Text, default="")
    organisers: Mapped[str] = mapped_column(Text, default="")
    links: Mapped[str] = mapped_column(Text, default="")
    visibility: Mapped[str] = mapped_column(default="network")
    state: Mapped[str] = mapped_column(String(10))
    moved_from: Mapped[datetime | None] = mapped_column(Instant)  # when it was to begin before it was last moved
    sealed: Mapped[bool] = mapped_column(default=False)
    account: Mapped[str | None] = mapped_column(String(ACCOUNT))  # who entered it: the platform's id
    person: Mapped[str | None] = mapped_column(String(ID))  # the same, of the directory
    created_at: Mapped[datetime] = mapped_column(Instant)
    changed_at: Mapped[datetime] = mapped_column(Instant)

    @property
    def number(self) -> str:
        """How people name it."""
        return f"E-{self.id}"

    @property
    def when(self) -> When:
        """When it is."""
        return When(self.starts, self.ends, self.zone, self.whole_days)

    @property
    def details(self) -> Details:
        """All that is known of it, as a value."""
        return Details(
            title=self.title,
            when=self.when,
            kind=self.kind,
            place=self.place,
            note=self.note,
            countries=tuple(self.countries.split()),
            territories=tuple(self.territories.split()),
            bodies=tuple(self.bodies.split()),
            organisers=tuple(self.organisers.split()),
            links=tuple(self.links.splitlines()),
            visibility=self.visibility,
            state=self.state,
            title_en=self.title_en,
        )

    @property
    def facts(self) -> str:
        """What those who depend on it are told of when it changes, in a form to be compared."""
        state = "cancelled" if self.state == "cancelled" else "live"
        return f"{state} {self.starts:%Y%m%dT%H%M}/{self.ends:%Y%m%dT%H%M} {self.place} {self.title}"[:300]

    def take(self, details: Details) -> None:
        """Become what a value says."""
        when = details.when
        self.starts, self.ends, self.zone, self.whole_days = when.starts, when.ends, when.zone, when.whole_days
        self.title, self.title_en = details.title, details.title_en
        self.kind, self.place, self.note = details.kind, details.place, details.note
        for name in ("countries", "territories", "bodies", "organisers"):
            setattr(self, name, " ".join(getattr(details, name)))
        self.links, self.visibility, self.state = "\n".join(details.links), details.visibility, details.state


class Participation(Base):
    """Somebody's answer to an event: `who` is a person of the directory, or an account for which a room vouches."""

    __tablename__ = "participation"

    event: Mapped[int] = mapped_column(ForeignKey("event.id"), primary_key=True, autoincrement=False)
    who: Mapped[str] = mapped_column(String(ACCOUNT), primary_key=True)
    person: Mapped[str | None] = mapped_column(String(ID), index=True)  # whom reminders reach; NULL: a mere account
    organisation: Mapped[str | None] = mapped_column(String(ID))
    answer: Mapped[str] = mapped_column(String(10))  # yes, no, maybe
    stand_in: Mapped[str | None] = mapped_column(String(ID))  # who comes instead, a person's id
    day_for: Mapped[datetime | None] = mapped_column(Instant)  # the beginning of which they were told the day before
    hour_for: Mapped[datetime | None] = mapped_column(Instant)  # the same, the hour before
    informed: Mapped[str] = mapped_column(String(300), default="")  # the event as who comes was last told of it
    at: Mapped[datetime] = mapped_column(Instant)


class Publication(Base):
    """A private address under which somebody's calendar program reads the agenda; the secret itself is not kept."""

    __tablename__ = "publication"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)  # SHA-256 of the secret, in hexadecimal
    account: Mapped[str] = mapped_column(String(ACCOUNT), index=True)  # platform and id of whom it was given
    person: Mapped[str | None] = mapped_column(String(ID), index=True)
    organisation: Mapped[str | None] = mapped_column(String(ID))  # a room vouches for an account without a person
    platform: Mapped[str]
    room: Mapped[str] = mapped_column(String(ACCOUNT))
    words: Mapped[str] = mapped_column(Text, default="")  # the filters
    language: Mapped[str] = mapped_column(default="fr")
    zone: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)
