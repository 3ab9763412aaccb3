"""The one exit: whatever the bot says becomes rows here, in the transaction that decided it.

The destination's language, its encryption and its limits are settled here, once for all.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import files, jobs, personal, posts
from bot.card import Card, Paragraph, rendered, to_json
from bot.message import Address, Attachment, Drawn, File, User
from bot.parts import split
from bot.posts import NOWHERE, Placing, Post, address_of
from bot.texts import Catalogues, Reader, Text


@dataclass(frozen=True, slots=True)
class Destination:
    """What the exit must know of a place."""

    reader: Reader
    encrypted: bool


Destinations = Callable[[Session, Address], Destination]

HERE = "in"  # the queue of what needs no platform: every process serves it


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

    def for_reader(self, reader: Reader) -> "Outbox":
        """Return this way out, with everything rendered for one reader."""

        def destinations(session: Session, to: Address) -> Destination:
            return replace(self._destinations(session, to), reader=reader)

        return Outbox(self._session, self._catalogues, destinations, self._now)

    def reader(self, to: Address) -> Reader:
        """Return for whom words are rendered at an address."""
        return self._personally(to) or self._destinations(self._session, to).reader

    def _personally(self, to: Address) -> Reader | None:
        return self._personal[1] if to.alone and self._personal is not None and self._personal[0] == to.room else None

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
        shown = self.render(to, card, sealed=placing.sealed, cleared=placing.cleared)
        for index, part in enumerate(split(shown)):
            self._put_part(to, part, key if index == 0 else f"{key}#{index}", index, placing)
        for number, file in enumerate(shown.files):
            self._put_made(to, f"{key}/file{number}", file, placing)
        return key

    def _put_made(self, to: Address, key: str, file: File | Drawn, placing: Placing) -> None:
        name = files.safe_name(str(file.name))
        if not self.expect_file(to, key, name, placing):
            return
        if isinstance(file, File):
            files.keep(self._session, key, name, file.content, self._now)
            self.put_file(to, key, name)
            return
        reader = self.reader(to)
        args = {"to": to_args(to), "target": key, "name": name, "what": dict(file.what)}
        args["reader"] = [reader.language, reader.zone]
        lane = f"drawing:{to.platform}:{to.room}"
        jobs.put(self._session, "draw", args, lane=lane, queue=HERE, key=f"draw:{key}", now=self._now)

    def expect_file(self, to: Address, key: str, file: str, placing: Placing) -> bool:
        """Enter a file in the map that will be said once it is here; False when it was before."""
        return posts.enter(self._session, {**posts.row_of(to, Card(), key, 0, placing, self._now), "file": file})

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
        """Rewrite what was said under `key`; `revision` makes a repeat of the same rewriting harmless.

        What is redrawn at each move costs nothing where it would show what it shows already.
        """
        rows = self._parts_of(key)
        if not rows:
            return
        first = rows[0]
        to = address_of(first)
        redrawn = first.drawn is not None
        side = posts.side_of(first)
        flags = {"sealed": first.sealed, "cleared": first.cleared, "redrawn": redrawn}
        placing = replace(Placing(first.question_id, side, first.source_id), **flags)
        parts = split(self.render(to, card, sealed=first.sealed, cleared=first.cleared))
        for post, part in zip(rows, parts, strict=False):
            drawn = posts.digest(part) if redrawn else None
            if redrawn and post.drawn == drawn:
                continue
            post.drawn = drawn
            post.buttons = posts.pressable(part)
            self._job("edit", to, part, str(post.key), revision)
        for post in rows[len(parts) :]:
            post.gone, post.drawn = True, None
            self._job("delete", to, None, str(post.key), revision)
        beneath = replace(to, thread=first.thread or f"key:{key}")
        for index, part in list(enumerate(parts))[len(rows) :]:
            self._put_part(beneath, part, f"{key}#{index}/{revision}", index, placing)

    def delete(self, key: str, *, revision: str) -> None:
        """Take back what was said under `key`."""
        for post in self._parts_of(key):
            post.gone, post.drawn = True, post.drawn and ""
            self._job("delete", address_of(post), None, str(post.key), revision, file=post.file is not None)

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
        posts.enter(self._session, posts.row_of(to, card, key, part, placing, self._now))

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
