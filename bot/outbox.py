"""The one exit: whatever the bot says becomes rows here, in the transaction that decided it.

`Post` is the map of messages: each message received or said that belongs to a conversation, with what it copies. The
destination's language, its encryption and its limits are settled here, once for all.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, bindparam, select, update
from sqlalchemy import Text as LongText
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.sql.dml import ReturningInsert

from bot import files, jobs, personal
from bot.card import Button, Card, Paragraph, buttons_of, rendered, to_json
from bot.db import Base, Instant, insert_on
from bot.message import Address, Attachment, File, User
from bot.parts import split
from bot.texts import Catalogues, Reader, Text

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
    at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = (
        UniqueConstraint("platform", "room", "message_id"),
        Index("ix_post_thread", "platform", "room", "thread"),
    )


@dataclass(frozen=True, slots=True)
class Destination:
    """What the exit must know of a place."""

    reader: Reader
    encrypted: bool


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


NOWHERE = Placing()

Destinations = Callable[[Session, Address], Destination]


def queue_of(to: Address) -> str:
    """Return the queue whose worker can reach an address: a console serves its own room only."""
    return f"console:{to.room}" if to.platform == "console" else to.platform


def lane_of(to: Address) -> str:
    """Return the lane of an address: a room, with all its threads."""
    return f"{to.platform}:{to.room}"


def from_args(args: Sequence[Any]) -> Address:
    """Return the address that `to_args` wrote."""
    platform, room, thread, audience, surface = args
    return Address(platform, room, thread, User(platform, audience) if audience else None, surface)


def to_args(to: Address) -> list[str | None]:
    """Return an address as a job keeps it."""
    return [to.platform, to.room, to.thread, to.audience.id if to.audience else None, to.surface]


class Outbox:
    """Says things within one transaction."""

    def __init__(
        self,
        session: Session,
        catalogues: Catalogues,
        destinations: Destinations,
        now: datetime,
        personal: tuple[str, Reader] | None = None,
    ) -> None:
        """`personal`: in this room, what is for one person alone is rendered for that reader."""
        self._personal = personal
        self._session = session
        self._catalogues = catalogues
        self._destinations = destinations
        self._now = now

    def reader(self, to: Address) -> Reader:
        """Return for whom words are rendered at an address."""
        return self._personally(to) or self._destinations(self._session, to).reader

    def _personally(self, to: Address) -> Reader | None:
        alone = to.surface != "room" or to.audience is not None
        return self._personal[1] if alone and self._personal is not None and self._personal[0] == to.room else None

    def encrypted(self, to: Address) -> bool:
        """Say whether what is said at an address is encrypted from end to end."""
        return self._destinations(self._session, to).encrypted

    def render(self, to: Address, card: Card, *, sealed: bool = False, cleared: bool = False) -> Card:
        """Return a card in its destination's words; what may not be said there is withheld, or masked."""
        destination = self._destinations(self._session, to)
        if sealed and not destination.encrypted:
            card = _withheld(card)
        reader = self._personally(to) or destination.reader
        shown = rendered(card, lambda words: self._catalogues.render(words, reader))
        return shown if destination.encrypted or cleared else _masked(shown)

    def put(self, to: Address, card: Card, *, key: str, placing: Placing = NOWHERE) -> str:
        """Say a card, once for all times this key is put. Return the key, by which it can be rewritten."""
        parts = split(self.render(to, card, sealed=placing.sealed, cleared=placing.cleared))
        for index, part in enumerate(parts):
            self._put_part(to, part, key if index == 0 else f"{key}#{index}", index, placing)
        for number, file in enumerate(card.files):
            self._put_made(to, f"{key}/file{number}", file, placing)
        return key

    def _put_made(self, to: Address, key: str, file: File, placing: Placing) -> None:
        name = files.safe_name(file.name)
        if self.expect_file(to, key, name, placing):
            files.keep(self._session, key, name, file.content, self._now)
            self.put_file(to, key, name)

    def expect_file(self, to: Address, key: str, file: str, placing: Placing) -> bool:
        """Enter a file in the map that will be said once it is here; False when it was before."""
        return self._enter({**_post(to, Card(), key, 0, placing, self._now), "file": file})

    def put_file(self, to: Address, key: str, name: str, *, told: Address | None = None) -> None:
        """Say a file that is kept under `key`; `told` is where its sender learns that it could not be said."""
        args = {"to": to_args(to), "name": name, "told": to_args(told) if told else None}
        self._put_job("file", to, args, key, None, self._now)

    def carry_file(self, to: Address, file: Attachment, said_at: Address, *, key: str, placing: Placing) -> None:
        """Fetch what was attached somewhere, and say it here."""
        name = files.safe_name(file.name)
        if not placing.cleared and not self.encrypted(to):
            name = personal.masked(name)
        if self.expect_file(to, key, file.id, placing):
            args = {"to": to_args(to), "from": to_args(said_at), "source": file.source, "name": name, "target": key}
            lane = f"files:{said_at.platform}:{said_at.room}"
            queue = queue_of(said_at)
            jobs.put(self._session, "fetch", args, lane=lane, queue=queue, key=f"fetch:{key}", now=self._now)

    def edit(self, key: str, card: Card, *, revision: str) -> None:
        """Rewrite what was said under `key`; `revision` makes a repeat of the same rewriting harmless."""
        posts = self._parts_of(key)
        if not posts:
            return
        first = posts[0]
        to = _address(first)
        placing = Placing(
            first.question_id, _side(first.side), first.source_id, sealed=first.sealed, cleared=first.cleared
        )
        parts = split(self.render(to, card, sealed=first.sealed, cleared=first.cleared))
        for post, part in zip(posts, parts, strict=False):
            post.buttons = _pressable(part)
            self._job("edit", to, part, str(post.key), revision)
        for post in posts[len(parts) :]:
            post.gone = True
            self._job("delete", to, None, str(post.key), revision)
        beneath = replace(to, thread=first.thread or f"key:{key}")
        for index, part in list(enumerate(parts))[len(posts) :]:
            self._put_part(beneath, part, f"{key}#{index}/{revision}", index, placing)

    def delete(self, key: str, *, revision: str) -> None:
        """Take back what was said under `key`."""
        for post in self._parts_of(key):
            post.gone = True
            self._job("delete", _address(post), None, str(post.key), revision, file=post.file is not None)

    def join(self, to: Address, *, key: str) -> None:
        """Enter a room the bot was invited to."""
        self._put_job("join", to, {"to": to_args(to)}, key, None, self._now)

    def _parts_of(self, key: str) -> Sequence[Post]:
        first = self._session.scalar(select(Post).where(Post.key == key))
        if first is None:
            return []
        rest = self._session.scalars(
            select(Post)
            .where(Post.key.startswith(f"{key}#", autoescape=True), Post.gone.is_(False))
            .order_by(Post.part)
        )
        return [first, *rest]

    def _put_part(self, to: Address, card: Card, key: str, part: int, placing: Placing) -> None:
        args = {"to": to_args(to), "card": to_json(card)}
        order = f"{placing.question_id}/{placing.side}" if placing.source_at else None
        self._put_job("say", to, args, key, placing.source_at, self._now + placing.hold, order)
        self._enter(_post(to, card, key, part, placing, self._now))

    def _enter(self, row: Mapping[str, object]) -> bool:
        connection = self._session.connection()
        return connection.execute(_enter(connection.dialect.name), row).first() is not None

    def _job(
        self, kind: str, to: Address, card: Card | None, target: str, revision: str, *, file: bool = False
    ) -> None:
        """Put a rewriting or taking back of one message; it makes those that still wait useless."""
        jobs.cancel(self._session, lane_of(to), target, "edit")
        args = {"to": to_args(to), "target": target, "card": to_json(card) if card else None, "file": file}
        self._put_job(kind, to, args, f"{kind}:{target}:{revision}", None, self._now, target)

    def _put_job(
        self,
        kind: str,
        to: Address,
        args: Mapping[str, object],
        key: str,
        source_at: datetime | None,
        due_at: datetime,
        target: str | None = None,
    ) -> None:
        jobs.put(
            self._session,
            kind,
            args,
            lane=lane_of(to),
            queue=queue_of(to),
            key=key,
            now=self._now,
            due_at=due_at,
            target=target,
            source_at=source_at,
        )


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


def _post(to: Address, card: Card, key: str, part: int, placing: Placing, now: datetime) -> dict[str, object]:
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
        "buttons": _pressable(card),
        "prompt": json.dumps(placing.prompt) if placing.prompt else None,
        "author": placing.asked_of,
        "sealed": placing.sealed,
        "cleared": placing.cleared,
        "gone": False,
        "at": now,
    }


def _pressable(card: Card) -> str | None:
    buttons: tuple[Button, ...] = buttons_of(card)
    return json.dumps([[b.command, b.line] for b in buttons]) if buttons else None


def _withheld(card: Card) -> Card:
    """Return a card without what people wrote, and without its files; that it waits elsewhere is said once."""
    words = Paragraph(Text.of("sealed.withheld"))
    first = next((b for b in card.blocks if isinstance(b, Paragraph) and b.theirs), None)
    kept = (
        words if b is first else b for b in card.blocks if b is first or not (isinstance(b, Paragraph) and b.theirs)
    )
    return replace(card, blocks=tuple(kept), files=())


def _masked(card: Card) -> Card:
    """Return a rendered card without the identifiers that people wrote: the net under every way to a place in clear."""
    return replace(
        card,
        blocks=tuple(
            replace(b, text=personal.masked(str(b.text))) if isinstance(b, Paragraph) and b.theirs else b
            for b in card.blocks
        ),
    )


def _address(post: Post) -> Address:
    return Address(post.platform, post.room, post.thread)


def _side(side: str | None) -> Side | None:
    return side if side in ("asker", "recipient") else None  # type: ignore[return-value]
