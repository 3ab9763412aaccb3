"""The tables of the audit log.

An entry never changes, but that it is given its place in the chain once. It names people by an alias and holds a salted
digest of what is to be known: to erase somebody is to delete contents and the alias, and the chain stays sound.
"""

from datetime import datetime

from sqlalchemy import Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.db import Base, Instant

_WAITS = text("position IS NULL")
HASH = 64  # hexadecimal digits of SHA-256


class Entry(Base):
    """One thing that was done, or refused. `position` and `hash` are NULL until the entry is sealed (`chain.seal`)."""

    __tablename__ = "audit_entry"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    action: Mapped[str] = mapped_column(String(60))
    actor: Mapped[str] = mapped_column(String(255), index=True)
    about: Mapped[str] = mapped_column(String(255), index=True)
    digest: Mapped[str] = mapped_column(String(HASH))  # of the content with its salt; empty without content
    position: Mapped[int | None] = mapped_column(unique=True)  # from 1, without gaps
    hash: Mapped[str | None] = mapped_column(String(HASH))  # of the one before, and of all the columns above but `id`

    __table_args__ = (
        Index("ix_audit_entry_waits", "id", sqlite_where=_WAITS, postgresql_where=_WAITS),
        {"sqlite_autoincrement": True},
    )


class Content(Base):
    """What an entry is about, as JSON, with the salt of its digest. It goes when its time is over, or with a person."""

    __tablename__ = "audit_content"
    entry: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    salt: Mapped[str] = mapped_column(String(32))
    content: Mapped[str] = mapped_column(Text)


class Alias(Base):
    """How the log calls somebody: drawn at random, so that without this row nobody can say whom it means."""

    __tablename__ = "audit_alias"
    name: Mapped[str] = mapped_column(String(300), primary_key=True)
    alias: Mapped[str] = mapped_column(String(40), unique=True)
