"""The tables of the directory; ids and columns are those of the directory files.

A text that is absent is the empty string, and texts are stored without white space around them; an absent reference,
account, day or instant is NULL. A last day (`end`, `valid_to`) is included.
"""

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from bot.db import Base, Instant

ID = 100  # characters of an id of the directory, at most
ACCOUNT = 255  # characters of a platform's id of an account or a room, at most


class Organisation(Base):
    """A prefecture, a post abroad, a ministry's bureau, a body: whoever can be asked or written to."""

    __tablename__ = "organisation"

    id: Mapped[str] = mapped_column(String(ID), primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    short_name: Mapped[str] = mapped_column(default="")
    country: Mapped[str] = mapped_column(default="")  # ISO 3166-1, two letters: where it is
    subdivision: Mapped[str] = mapped_column(default="")  # whose public holidays it keeps, beside its country's
    city: Mapped[str] = mapped_column(default="")
    address: Mapped[str] = mapped_column(default="")
    territory: Mapped[str] = mapped_column(default="")  # a département's code or a region's id
    parent: Mapped[str | None] = mapped_column(
        ForeignKey("organisation.id", deferrable=True, initially="DEFERRED"), index=True
    )
    successor: Mapped[str | None] = mapped_column(ForeignKey("organisation.id", deferrable=True, initially="DEFERRED"))
    timezone: Mapped[str] = mapped_column(default="")  # IANA name
    opening_hours: Mapped[str] = mapped_column(default="")  # OpenStreetMap syntax
    phone: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")
    website: Mapped[str] = mapped_column(default="")
    languages: Mapped[str] = mapped_column(default="")  # spoken there: codes separated by spaces
    language: Mapped[str] = mapped_column(default="")  # fr, en: where no person or room chose; empty: the bot's
    visibility: Mapped[str] = mapped_column(default="all")  # all, network, own
    status: Mapped[str] = mapped_column(default="open")  # open, closed, suspended
    source: Mapped[str] = mapped_column(default="")
    checked_on: Mapped[date | None] = mapped_column(Date)
    shipped: Mapped[bool] = mapped_column(default=False)  # it came with a release
    edited: Mapped[bool] = mapped_column(default=False)  # somebody changed it: releases leave it alone


class Person(Base):
    """An agent, known by an id of the directory and by at most one account on each platform."""

    __tablename__ = "person"

    id: Mapped[str] = mapped_column(String(ID), primary_key=True)
    given_name: Mapped[str] = mapped_column(default="")
    family_name: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="")  # fr, en; empty: their room's, else their organisation's
    timezone: Mapped[str | None]  # IANA name; NULL: their organisation's
    visibility: Mapped[str] = mapped_column(default="all")
    slack_id: Mapped[str | None] = mapped_column(String(ACCOUNT), unique=True)
    matrix_id: Mapped[str | None] = mapped_column(String(ACCOUNT), unique=True)


class Posting(Base):
    """A person holds an office at an organisation from a day to a day."""

    __tablename__ = "posting"

    person: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    organisation: Mapped[str] = mapped_column(ForeignKey("organisation.id"), primary_key=True, index=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    start: Mapped[date] = mapped_column(Date, primary_key=True)
    end: Mapped[date | None] = mapped_column(Date)


class Absence(Base):
    """A person is away from a day to a day; somebody may stand in."""

    __tablename__ = "absence"

    person: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    start: Mapped[date] = mapped_column(Date, primary_key=True)
    end: Mapped[date | None] = mapped_column(Date)
    stand_in: Mapped[str | None] = mapped_column(ForeignKey("person.id"))


class Closure(Base):
    """An organisation's own days, the first and the last included: it is closed, or open although they are holidays."""

    __tablename__ = "closure"

    organisation: Mapped[str] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    start: Mapped[date] = mapped_column(Date, primary_key=True)
    end: Mapped[date] = mapped_column(Date)
    open: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[str] = mapped_column(default="")


class Duty(Base):
    """A person is on duty for an organisation from a day to a day: first to be called there."""

    __tablename__ = "duty"

    organisation: Mapped[str] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    start: Mapped[date] = mapped_column(Date, primary_key=True)
    end: Mapped[date] = mapped_column(Date)


class Room(Base):
    """A place where the bot sits. Without an organisation it is known, but not linked."""

    __tablename__ = "room"

    platform: Mapped[str] = mapped_column(primary_key=True)
    room: Mapped[str] = mapped_column(String(ACCOUNT), primary_key=True)
    organisation: Mapped[str | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    language: Mapped[str] = mapped_column(default="")
    relay_unencrypted: Mapped[bool] = mapped_column(default=False)  # what is said here may go to unencrypted rooms
    encrypted: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(default="open")  # open, closed: the bot can no longer speak there
    linked_at: Mapped[datetime | None] = mapped_column(Instant)  # NULL: imported


class Competence(Base):
    """An organisation, by one of its offices, answers for a topic and a place, from a day to a day.

    An empty topic, country, territory or place means any. `key` is all of it but the legal basis, made by
    `competence_key`: the columns themselves may be empty, which no primary key allows.
    """

    __tablename__ = "competence"
    __table_args__ = (Index("ix_competence_organisation_role", "organisation", "role"),)

    key: Mapped[str] = mapped_column(primary_key=True)
    organisation: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    role: Mapped[str]
    topic: Mapped[str] = mapped_column(default="")
    country: Mapped[str] = mapped_column(default="")
    territory: Mapped[str] = mapped_column(default="")
    place: Mapped[str] = mapped_column(default="")
    direction: Mapped[str] = mapped_column(default="both")  # to_post, to_prefecture, both
    legal_basis: Mapped[str] = mapped_column(default="")
    valid_from: Mapped[date | None] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    shipped: Mapped[bool] = mapped_column(default=False)
    edited: Mapped[bool] = mapped_column(default=False)


class Right(Base):
    """A person may do what this right of use allows."""

    __tablename__ = "granted_right"

    person: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    right: Mapped[str] = mapped_column(primary_key=True)


class LinkCode(Base):
    """A code that one account was given, for another account of the same person to enter."""

    __tablename__ = "link_code"

    code: Mapped[str] = mapped_column(primary_key=True)
    platform: Mapped[str]
    account: Mapped[str] = mapped_column(String(ACCOUNT))
    person: Mapped[str | None] = mapped_column(ForeignKey("person.id"))  # whose account it is, when already linked
    created_at: Mapped[datetime] = mapped_column(Instant)


class LinkTry(Base):
    """An account entered a code: tries are counted, whatever came of them."""

    __tablename__ = "link_try"
    __table_args__ = (Index("ix_link_try_account_at", "platform", "account", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    platform: Mapped[str]
    account: Mapped[str] = mapped_column(String(ACCOUNT))
    at: Mapped[datetime] = mapped_column(Instant)


def competence_key(  # noqa: PLR0913 - the key of the file has as many columns
    *,
    organisation: str,
    role: str,
    topic: str,
    country: str,
    territory: str,
    place: str,
    direction: str,
    valid_from: date | None,
    valid_to: date | None,
) -> str:
    """Return the key of a competence. Only `place` is free text and it comes last, so no two keys are alike."""
    days = (str(valid_from or ""), str(valid_to or ""))
    return "|".join((organisation, role, topic, country, territory, direction, *days, place))
