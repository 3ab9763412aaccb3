"""A stage for stories: rooms of organisations on a platform in memory, with people who say, expect and click."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.app import App, build
from bot.card import Buttons, Card, Errors, Fields, Form, Paragraph, Reply, buttons_of, to_text
from bot.connections import add
from bot.db import Database
from bot.directory import identity, rooms
from bot.directory.tables import Person, Posting
from bot.errors import NotSent, Refused, SendError
from bot.files import Upload
from bot.jobs import leases
from bot.jobs.tables import Job
from bot.life import running
from bot.message import (
    Address,
    Attachment,
    Change,
    Deletion,
    Edit,
    Inbound,
    Invocation,
    Message,
    Reaction,
    RoomChange,
    Surface,
    User,
)
from bot.questions.find import by_number
from bot.questions.tables import Question
from config.settings import Settings
from tests.stories.seen import Seen
from tests.typed import typed

NOON = datetime(2026, 3, 16, 12, tzinfo=UTC)


@dataclass
class Shown:
    """A message as a room shows it now."""

    id: str
    to: Address
    card: Card
    key: str
    edits: int = 0

    @property
    def text(self) -> str:
        return typed(to_text(self.card))

    @property
    def buttons(self) -> list[str]:
        return [typed(str(b.label)) for b in buttons_of(self.card)]


@dataclass
class Stage:
    """A platform in memory. `fail` may raise in place of a delivery."""

    name: str = "stage"
    posts: dict[str, Shown] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)  # said, by message
    lies: dict[str, bytes] = field(default_factory=dict)  # what people attached, by source
    deleted: list[str] = field(default_factory=list)
    joined: list[str] = field(default_factory=list)
    sent: list[tuple[str, str]] = field(default_factory=list)  # (room, key), in order
    fail: Callable[[Address, str], SendError | None] = lambda to, key: None
    given: list[tuple[str, str]] = field(default_factory=list)  # (room, words) of all that was said and rewritten
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, receive: object) -> None:
        await asyncio.Event().wait()

    async def close(self) -> None:
        pass

    async def send(self, to: Address, card: Card, *, key: str, again: bool) -> str:
        error = self.fail(to, key)
        if error is not None:
            raise error
        id_ = f"m{len(self.sent) + 1}"
        self.sent.append((to.room, key))
        self.posts[id_] = Shown(id_, to, card, key)
        self.given.append((to.room, to_text(card)))
        self.changed.set()
        return id_

    async def edit(self, to: Address, message_id: str, card: Card, *, key: str) -> None:
        error = self.fail(to, key)
        if error is not None:
            raise error
        shown = self.posts[message_id]
        shown.card, shown.edits = card, shown.edits + 1
        self.given.append((to.room, to_text(card)))
        self.changed.set()

    async def delete(self, to: Address, message_id: str, *, key: str) -> None:
        self.posts.pop(message_id, None)
        self.deleted.append(message_id)
        self.changed.set()

    async def send_file(self, to: Address, file: Upload, *, key: str, again: bool) -> str:
        error = self.fail(to, key)
        if error is not None:
            raise error
        content = b"".join([piece async for piece in file.pieces()])
        assert len(content) == file.size
        id_ = await self.send(to, Card(None, (Paragraph(f"📎 {file.name}"),)), key=key, again=again)
        self.files[id_] = content
        return id_

    async def fetch(self, source: str) -> AsyncIterator[bytes]:
        if source not in self.lies:
            raise Refused("no such file")
        for at in range(0, len(self.lies[source]), 1000):
            yield self.lies[source][at : at + 1000]

    async def delete_file(self, to: Address, message_id: str, *, key: str) -> None:
        self.files.pop(message_id, None)
        await self.delete(to, message_id, key=key)

    async def join(self, room: str) -> None:
        self.joined.append(room)
        self.changed.set()


@dataclass
class Clock:
    """A clock that a test moves."""

    at: datetime = NOON

    def __call__(self) -> datetime:
        return self.at

    def pass_(self, **spans: float) -> None:
        self.at += timedelta(**spans)


@dataclass
class Scene:
    """A running bot with its stage."""

    app: App
    stage: Stage
    clock: Clock
    said: dict[str, Message] = field(default_factory=dict)  # by people, as it now stands
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def link(self, organisation: str, room: str | None = None, **columns: object) -> "Place":
        room = room or organisation

        def work(session: Session) -> None:
            row = rooms.link(session, organisation, self.stage.name, room, self.clock())
            for name, value in columns.items():
                setattr(row, name, value)

        self.app.database.run_now(work)
        return Place(self, room)

    def question(self, number: str = "Q-2026-00001") -> Question:
        found = self.app.database.run_now(lambda s: by_number(s, number))
        assert found is not None
        return found

    async def at(self, instant: str, zone: str = "Europe/Paris") -> None:
        """Let it be an instant, and the clockwork do what is due then."""
        self.clock.at = datetime.fromisoformat(instant).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        await self.tick()

    async def tick(self) -> None:
        await self.app.clockwork.tick(self.clock())
        await self.settle()

    async def receive(self, inbound: Inbound) -> Reply:
        return await self.app.dispatcher.receive(inbound)

    async def settle(self) -> None:
        """Wait until nothing is due any more."""
        await at_rest(self.app, self.clock)

    async def shown_beside(self, homes: Collection[str]) -> str:
        """Return all that was ever shown outside of these rooms: messages, files, and the jobs that showed them."""
        posts, files = self.stage.posts, self.stage.files
        shown = [p.text for p in posts.values() if p.to.room not in homes]
        shown += [words for room, words in self.stage.given if room not in homes]  # rewritten or deleted since
        shown += [repr(content) for id_, content in files.items() if posts[id_].to.room not in homes]
        jobs = self.app.database.run_now(lambda s: s.execute(select(Job.lane, Job.args)).all())
        lanes = {f"{self.stage.name}:{room}" for room in homes}
        shown += [args for lane, args in jobs if lane.startswith(f"{self.stage.name}:") and lane not in lanes]
        return "\n".join(shown)


async def at_rest(app: App, clock: Clock, *, ahead: timedelta = timedelta(0), patience: float = 30.0) -> None:
    """Wait until nothing is due any more, nor within `ahead`, for which the clock is moved.

    `patience` is in seconds of this machine, however busy it is.
    """
    quiet, deadline = 0, time.monotonic() + patience
    while quiet < 4:  # a lease under way in another thread shows neither as due nor in hand
        assert time.monotonic() < deadline, "the worker does not come to rest"
        app.worker.wake()
        await asyncio.sleep(0.003)
        due = await app.database.run(lambda s: leases.next_due(s, app.worker.queues, app.worker.owner))
        rests = app.worker.idle and (due is None or due > clock() + ahead)
        if app.worker.idle and due is not None and not rests:
            clock.at = max(clock.at, due)
        quiet = quiet + 1 if rests else 0


@dataclass
class Place(Seen[Shown]):
    """A room, as one of its people sees it."""

    scene: Scene
    room: str
    account: str = "agent"
    surface: Surface = "room"
    insider: bool = True
    encrypted: bool = False

    def as_(self, account: str, **changes: Any) -> "Place":
        return replace(self, account=account, **changes)

    def employ(self, organisation: str) -> None:
        """Let the directory know this person; a test must have accounts known by their names (`named_by_account`)."""
        employed(self.scene.app.database, self.account, organisation)

    @property
    def user(self) -> User:
        return User(self.scene.stage.name, f"{self.room}/{self.account}", insider=self.insider)

    def to(self, thread: str | None = None) -> Address:
        return Address(self.scene.stage.name, self.room, thread, surface=self.surface)

    def _event(self, thread: str | None = None) -> dict[str, Any]:
        n = next(self.scene.numbers)
        clock = self.scene.clock
        return {"id": f"e{n}", "at": clock(), "author": self.user, "to": self.to(thread), "encrypted": self.encrypted}

    async def say(
        self,
        text: str,
        *,
        mention: bool = True,
        reply_to: Shown | str | None = None,
        thread: Shown | str | None = None,
        files: Mapping[str, bytes] | None = None,
    ) -> str:
        """Say something; return its message id."""
        event = self._event(_id(thread))
        id_ = f"u{event['id']}"
        message = Message(
            **event,
            message_id=id_,
            text=text,
            mentions_bot=mention,
            reply_to=_id(reply_to) or _id(thread),
            files=self.attached(files or {}),
        )
        self.scene.said[id_] = message
        await self.scene.receive(message)
        await self.scene.settle()
        return id_

    def attached(self, files: Mapping[str, bytes]) -> tuple[Attachment, ...]:
        """Files as the platform tells of them."""
        stage = self.scene.stage
        for name, content in files.items():
            stage.lies[f"F-{name}"] = content
        return tuple(
            Attachment(id=f"F-{n}", name=n, size=len(c), media_type="x/y", source=f"F-{n}") for n, c in files.items()
        )

    async def edit(self, message_id: str, text: str, *, files: Mapping[str, bytes] | None = None) -> None:
        old = self.scene.said.get(message_id)
        left = self.attached(files) if files is not None else old.files if old else ()
        if old is not None:
            self.scene.said[message_id] = replace(old, text=text, files=left)
        await self.scene.receive(Edit(**self._event(), message_id=message_id, text=text, files=left))
        await self.scene.settle()

    async def delete(self, message_id: str) -> None:
        await self.scene.receive(Deletion(**self._event(), message_id=message_id))
        await self.scene.settle()

    async def react(self, shown: Shown | str, emoji: str, *, proven: bool = True) -> None:
        message_id = shown.id if isinstance(shown, Shown) else shown
        on = self.scene.said.get(message_id)
        await self.scene.receive(Reaction(**self._event(), message_id=message_id, emoji=emoji, on=on, proven=proven))
        await self.scene.settle()

    async def change(self, change: Change, successor: str | None = None) -> None:
        await self.scene.receive(RoomChange(**self._event(), change=change, successor=successor))
        await self.scene.settle()

    async def react_too_late(self, message_id: str, emoji: str) -> None:
        """React to a message that its author has taken back, so that nobody can look at it any more."""
        self.scene.said.pop(message_id)
        await self.delete(message_id)
        await self.react(message_id, emoji)

    async def slash(self, command: str, line: str = "", *, forms: bool = False) -> Reply:
        return await self.invoke(command, line, trigger="t" if forms else None)

    def event(self, command: str, line: str = "", **more: Any) -> Invocation:
        """What somebody does here, not done yet."""
        return Invocation(**self._event(), command=command, line=line, **more)

    async def invoke(self, command: str, line: str = "", **more: Any) -> Reply:
        reply = await self.scene.receive(self.event(command, line, **more))
        await self.scene.settle()
        return reply

    async def click(self, shown: Shown, label: str, *, forms: bool = False) -> Reply:
        """Press a button by its label; one that the card has no room for, behind « Plus… »."""
        if label not in shown.buttons and "Plus…" in shown.buttons:
            await self.click(shown, "Plus…")
            shown = self.sees("que faire d’autre")
        button = next(b for b in buttons_of(shown.card) if typed(str(b.label)) == label)
        thread = shown.to.thread or shown.id
        event = self._event(thread)
        trigger = "t" if forms else None
        reply = await self.scene.receive(
            Invocation(**event, command=button.command, line=button.line, pressed=shown.id, trigger=trigger)
        )
        await self.scene.settle()
        return reply

    async def submit(self, form: Reply, **values: str) -> Reply:
        assert isinstance(form, Form), form
        return await self.invoke(form.command, form.line, form=values)

    async def fill(self, command: str, line: str = "", *, text: str) -> None:
        """Send the form of a command, with this in its one field."""
        await self.invoke(command, line, form={"text": text})

    async def shortcut(self, command: str, on: str) -> None:
        """Use a command on a message."""
        await self.invoke(command, "", pressed=on, trigger="t")

    async def home_page(self) -> str:
        """Return what this person's App Home shows."""
        page = await self.as_(self.account, surface="home").invoke("accueil")
        return typed(to_text(page)) if isinstance(page, Card) else ""

    @property
    def posts(self) -> list[Shown]:
        return [p for p in self.scene.stage.posts.values() if p.to.room == self.room]


def _id(what: Shown | str | None) -> str | None:
    return what.id if isinstance(what, Shown) else what


@contextlib.asynccontextmanager
async def scene(
    database: Database,
    clock: Clock | None = None,
    platform: str = "stage",
    settings: Settings | None = None,
    stage: Stage | None = None,
) -> AsyncGenerator[Scene]:
    """Run a bot on a stage for as long as the block lasts; the stage may be one that another bot left."""
    clock = clock or Clock()
    app = build(settings or Settings(), database, clock)
    stage = stage or Stage(platform)
    add(app, stage, {platform})
    async with running(app):
        yield Scene(app, stage, clock)


def fields_of(card: Card) -> Mapping[str, str]:
    """Return the labels and values of a card."""
    return {str(k): str(v) for b in card.blocks if isinstance(b, Fields) for k, v in b.pairs}


__all__ = ["Buttons", "Errors", "NotSent", "Paragraph", "Scene", "fields_of", "scene"]


def named_by_account(session: Session, user: User) -> Person | None:
    """Return the person whose id ends an account of the stage: there, an account is linked by its name."""
    return session.get(Person, user.id.rpartition("/")[2])


def employed(database: Database, name: str, organisation: str, **account: str) -> None:
    """Enter somebody into the directory, with an office and an account."""

    def work(session: Session) -> None:
        session.add(Person(id=name, given_name=name.title(), family_name="Exemple", **account))
        session.flush()
        session.add(Posting(person=name, organisation=organisation, role="desk", start=NOON.date()))

    database.run_now(work)


def in_private(play: Scene, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Return the direct room of a person of the prefecture, whose account counts as linked."""

    def work(session: Session) -> None:
        session.add(Person(id="agent-a", given_name="Agent", family_name="Exemple"))
        session.flush()
        session.add(Posting(person="agent-a", organisation="prefecture-57", role="desk", start=NOON.date()))

    play.app.database.run_now(work)
    known = identity.person_of
    monkeypatch.setattr(
        identity, "person_of", lambda s, user: s.get(Person, "agent-a") if user.id == "direct/agent" else known(s, user)
    )
    return Place(play, "direct", surface="direct")
