"""The map of messages: each message received or said that belongs to a conversation, with what it copies.

By it edits, deletions, replies and numbers find their twin on the other side.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal

from sqlalchemy import ForeignKey, Index, Select, String, UniqueConstraint, bindparam, select, update
from sqlalchemy import Text as LongText
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.sql.dml import ReturningInsert

from bot.card import Button, Card, buttons_of, to_json
from bot.db import Base, Instant, insert_on
from bot.message import Address

Side = Literal["asker", "recipient"]

ALONE = "to:"  # begins the room of what is for one account alone, until its platform says where that was said


class Post(Base):
    """A message of a conversation, ours (`key` set) or received, known by its platform's id once it has one."""

    __tablename__ = "post"
    id: Mapped[int] = mapped_column(primary_key=True)
    platform: Mapped[str] = mapped_column(String(20))
    room: Mapped[str] = mapped_column(String(255))
    message_id: Mapped[str | None] = mapped_column(String(255))
    key: Mapped[str | None] = mapped_column(String(300), unique=True)
    thread: Mapped[str | None] = mapped_column(String(300))
    question_id: Mapped[int | None] = mapped_column(index=True)
    side: Mapped[str | None] = mapped_column(String(10))
    source_id: Mapped[int | None] = mapped_column(ForeignKey("post.id"), index=True)
    part: Mapped[int] = mapped_column(default=0)
    author: Mapped[str | None] = mapped_column(String(255))  # who wrote it; of ours, whom it answers
    file: Mapped[str | None] = mapped_column(String(255))  # it is a file: the id of what it copies, or its name
    buttons: Mapped[str | None] = mapped_column(LongText)  # JSON: [[command, line], …], what the numbers press
    prompt: Mapped[str | None] = mapped_column(LongText)  # JSON: [command, line], what a reply completes
    sealed: Mapped[bool] = mapped_column(default=False)  # said in an encrypted room that keeps its words
    cleared: Mapped[bool] = mapped_column(default=False)  # identifiers in it are shown, as its author chose
    gone: Mapped[bool] = mapped_column(default=False)
    drawn: Mapped[str | None] = mapped_column(String(64))  # of a card redrawn at each move: see `digest`
    at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = (
        UniqueConstraint("platform", "room", "message_id"),
        Index("ix_post_thread", "platform", "room", "thread"),
    )


@dataclass(frozen=True, slots=True)
class Placing:
    """Where a card stands in a conversation: which question and side, and which received message it copies."""

    question_id: int | None = None
    side: Side | None = None
    source_id: int | None = None
    prompt: tuple[str, str] | None = None  # the command and line that an answer to this card completes
    asked_of: str | None = None  # the account that was asked for it, or answered
    sealed: bool = False
    cleared: bool = False  # its author chose that identifiers of persons in it are shown
    source_at: datetime | None = None  # order among words of one conversation
    hold: timedelta = timedelta(0)  # wait this long for words said earlier but still on their way
    redrawn: bool = False  # it shows a row as that now stands, and is drawn anew whenever that may have changed


NOWHERE = Placing()


def enter(session: Session, row: Mapping[str, object]) -> bool:
    """Enter a message of ours, once for its key; False when it was entered before."""
    connection = session.connection()
    return connection.execute(_enter(connection.dialect.name), row).first() is not None


@cache
def _enter(dialect: str) -> ReturningInsert[Any]:
    return insert_on(dialect, Post).on_conflict_do_nothing(index_elements=["key"]).returning(Post.id)


_NAME = update(Post).where(Post.key == bindparam("said")).values(message_id=bindparam("called"))
_NAME_ELSEWHERE = _NAME.values(room=bindparam("place"), thread=None)


def note_sent(session: Session, ids: Mapping[str, str], rooms: Mapping[str, str]) -> None:
    """Write what the platforms called what was said, by its key; `rooms` are the direct ones in which it was said."""
    named = [{"said": key, "called": message_id} for key, message_id in sorted(ids.items())]
    if here := [row for row in named if row["said"] not in rooms]:
        session.connection().execute(_NAME, here)
    if elsewhere := [{**row, "place": rooms[row["said"]]} for row in named if row["said"] in rooms]:
        session.connection().execute(_NAME_ELSEWHERE, elsewhere)


def message_of(session: Session, key: str) -> str | None:
    """Return the platform's id of what was said under `key`, None while it has none."""
    return session.scalar(select(Post.message_id).where(Post.key == key))


def row_of(to: Address, card: Card, key: str, part: int, placing: Placing, now: datetime) -> dict[str, object]:
    """Return the row of a message of ours."""
    return {
        "platform": to.platform,
        "room": to.room if to.audience is None else f"{ALONE}{to.audience.id}"[:255],
        "key": key,
        "thread": to.thread,
        "question_id": placing.question_id,
        "side": placing.side,
        "source_id": placing.source_id,
        "part": part,
        "file": None,
        "buttons": pressable(card),
        "prompt": json.dumps(placing.prompt) if placing.prompt else None,
        "author": placing.asked_of,
        "sealed": placing.sealed,
        "cleared": placing.cleared,
        "gone": False,
        "drawn": digest(card) if placing.redrawn else None,
        "at": now,
    }


def digest(card: Card) -> str:
    """Return what tells a rendered card from another, so that one that did not change is not sent again.

    A digest lets short words be guessed. So it is kept of cards alone whose words stand in rows of ours for as long,
    goes with its row or when the card is taken back, and is replaced when the card is.
    """
    return hashlib.sha256(to_json(card).encode()).hexdigest()


def forget_drawn(session: Session, keys: Collection[str] | Select[Any] | None = None) -> None:
    """Trust no longer that messages, all or those said under these keys, show what was last drawn."""
    of = () if keys is None else (Post.key.in_(keys),)
    session.execute(update(Post).where(Post.drawn.is_not(None), *of).values(drawn=""))


def pressable(card: Card) -> str | None:
    """Return what the numbers of a card press, as its row keeps it."""
    buttons: tuple[Button, ...] = buttons_of(card)
    return json.dumps([[b.command, b.line] for b in buttons]) if buttons else None


def address_of(post: Post) -> Address:
    """Return where a message was said."""
    return Address(post.platform, post.room, post.thread)


def side_of(post: Post) -> Side | None:
    """Return the side of a question that a message was said to."""
    return post.side if post.side in ("asker", "recipient") else None  # type: ignore[return-value]
