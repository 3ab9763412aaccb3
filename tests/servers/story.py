"""People in rooms, as stories tell them: they say, answer, edit, react, and expect to see things in time.

The same verbs drive a strict client against Synapse and a plain one against the stub homeserver.
"""

import asyncio
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.typed import typed


@dataclass(frozen=True, slots=True)
class RoomEvent:
    """An event as its reader sees it now: decrypted, with edits, redactions and reactions applied."""

    id: str
    room: str
    sender: str
    type: str = "m.room.message"
    body: str = ""
    html: str | None = None
    content: Mapping[str, Any] = field(default_factory=dict[str, Any], hash=False)
    state_key: str | None = None
    at: int = 0
    encrypted: bool = False
    failure: str | None = None  # Why it cannot be read, as the library names it.
    shield: str = "none"  # "none", "grey" or "red": the warning shown beside it,
    shield_reason: str | None = None  # and why.
    reply_to: str | None = None
    thread: str | None = None
    replaces: str | None = None
    edited: bool = False
    redacted: bool = False
    reactions: Mapping[str, list[str]] = field(default_factory=dict[str, list[str]], hash=False)


class Participant(ABC):
    """Somebody logged in. The abstract part is a client; the rest is what people do with it."""

    user_id: str

    def __init__(self) -> None:
        self._news = 0
        self._bell = asyncio.Event()

    @abstractmethod
    async def events(self, room: str, *, last: int = 500) -> list[RoomEvent]:
        """The newest events of a room, oldest first."""

    @abstractmethod
    async def rooms(self) -> dict[str, str]:
        """The rooms this user knows, with the own membership: invite, join, leave, ban."""

    @abstractmethod
    async def send(self, room: str, event_type: str, content: Mapping[str, Any], *, txn: str | None = None) -> str:
        """Send any event; return its id."""

    @abstractmethod
    async def redact(self, event: RoomEvent, reason: str = "") -> str:
        """Take an event back."""

    def notice_change(self) -> None:
        """For the client: something may look different now."""
        self._news += 1
        self._bell.set()

    async def say(
        self,
        room: str,
        text: str,
        *,
        html: str | None = None,
        reply_to: RoomEvent | None = None,
        thread: RoomEvent | None = None,
    ) -> RoomEvent:
        """Write a message, an answer to one, or one in the thread that `thread` starts or belongs to."""
        content: dict[str, Any] = {"msgtype": "m.text", "body": text, "m.mentions": {}}
        if html is not None:
            content |= {"format": "org.matrix.custom.html", "formatted_body": html}
        relation = _relation(reply_to, thread)
        if relation:
            content["m.relates_to"] = relation
        event_id = await self.send(room, "m.room.message", content)
        return RoomEvent(event_id, room, self.user_id, body=text, html=html, content=content, thread=_root(thread))

    async def edit(self, event: RoomEvent, text: str) -> RoomEvent:
        """Change the text of an own message."""
        content = {
            "msgtype": "m.text",
            "body": f"* {text}",
            "m.new_content": {"msgtype": "m.text", "body": text, "m.mentions": {}},
            "m.relates_to": {"rel_type": "m.replace", "event_id": event.id},
            "m.mentions": {},
        }
        await self.send(event.room, "m.room.message", content)
        return replace(event, body=text, edited=True)

    async def react(self, event: RoomEvent, key: str) -> RoomEvent:
        """Put a reaction under a message; redact what this returns to take it off."""
        relation = {"rel_type": "m.annotation", "event_id": event.id, "key": key}
        event_id = await self.send(event.room, "m.reaction", {"m.relates_to": relation})
        return RoomEvent(event_id, event.room, self.user_id, type="m.reaction")

    async def expect(
        self,
        room: str,
        contains: str | re.Pattern[str],
        *,
        sender: str | None = None,
        after: RoomEvent | None = None,
        timeout: float = 10,
    ) -> RoomEvent:
        """The first message of somebody else (or of `sender`) with this text, behind `after`; waits for it."""

        def wanted(event: RoomEvent) -> bool:
            theirs = event.sender != self.user_id if sender is None else event.sender == sender
            return theirs and event.replaces is None and re.search(_pattern(contains), typed(event.body)) is not None

        return await self.until(room, wanted, what=f"message with {contains!r}", after=after, timeout=timeout)

    async def expect_edited(self, event: RoomEvent, contains: str, *, timeout: float = 10) -> RoomEvent:
        """The message, once its text was changed to this."""
        return await self._expect_same(event, lambda now: now.edited and contains in typed(now.body), "edit", timeout)

    async def expect_redacted(self, event: RoomEvent, *, timeout: float = 10) -> RoomEvent:
        """The message, once it was taken back."""
        return await self._expect_same(event, lambda now: now.redacted, "redaction", timeout)

    async def expect_reaction(self, event: RoomEvent, key: str, *, timeout: float = 10) -> RoomEvent:
        """The message, once somebody put this reaction under it."""
        return await self._expect_same(event, lambda now: key in now.reactions, f"reaction {key}", timeout)

    async def expect_unreadable(self, room: str, *, timeout: float = 10) -> RoomEvent:
        """An event that this client refuses or fails to decrypt; its `failure` says why."""
        return await self.until(room, lambda event: event.failure is not None, what="unreadable", timeout=timeout)

    async def expect_nothing(self, room: str, contains: str, *, seconds: float = 1) -> None:
        """No message of somebody else with this text appears within this time."""
        try:
            seen = await self.expect(room, contains, timeout=seconds)
        except AssertionError:
            return
        msg = f"{self.user_id} sees what should not be there: {seen}"
        raise AssertionError(msg)

    async def expect_membership(self, room: str, membership: str = "invite", *, timeout: float = 10) -> None:
        """The own membership in a room becomes this one."""
        await self._wait(lambda rooms: rooms.get(room) == membership, f"{membership} in {room}", timeout)

    async def until(
        self,
        room: str,
        wanted: Callable[[RoomEvent], bool],
        *,
        what: str = "event",
        after: RoomEvent | None = None,
        timeout: float = 10,
    ) -> RoomEvent:
        """The first event of the room (behind `after`) that is wanted; an AssertionError with the transcript."""
        deadline = time.monotonic() + timeout
        while True:
            news = self._news
            events = await self.events(room)
            if after is not None:
                ids = [event.id for event in events]
                events = events[ids.index(after.id) + 1 :] if after.id in ids else []
            found = next(filter(wanted, events), None)
            if found is not None:
                return found
            if not await self._news_since(news, deadline):
                msg = f"{self.user_id} waited {timeout} s in vain: {what}\n{await self.transcript(room)}"
                raise AssertionError(msg)

    async def transcript(self, room: str) -> str:
        """What stands in the room, a line a message, for asserting and for reading a failure."""
        lines = [_line(event) for event in await self.events(room) if event.replaces is None]
        return "\n".join(line for line in lines if line)

    async def _expect_same(
        self, event: RoomEvent, is_so: Callable[[RoomEvent], bool], what: str, timeout: float
    ) -> RoomEvent:
        wanted: Callable[[RoomEvent], bool] = lambda now: now.id == event.id and is_so(now)  # noqa: E731
        return await self.until(event.room, wanted, what=f"{what} of {event.body!r}", timeout=timeout)

    async def _wait(self, is_so: Callable[[dict[str, str]], bool], what: str, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while True:
            news = self._news
            if is_so(rooms := await self.rooms()):
                return
            if not await self._news_since(news, deadline):
                msg = f"{self.user_id} waited {timeout} s in vain: {what}\n{rooms}"
                raise AssertionError(msg)

    async def _news_since(self, news: int, deadline: float) -> bool:
        """Wait for a change after `news`; False when time is up."""
        while self._news == news:
            self._bell.clear()
            try:
                await asyncio.wait_for(self._bell.wait(), max(0.0, deadline - time.monotonic()))
            except TimeoutError:
                return False
        return time.monotonic() < deadline


def _pattern(contains: str | re.Pattern[str]) -> re.Pattern[str]:
    return re.compile(re.escape(contains)) if isinstance(contains, str) else contains


def _root(thread: RoomEvent | None) -> str | None:
    return None if thread is None else thread.thread or thread.id


def _relation(reply_to: RoomEvent | None, thread: RoomEvent | None) -> dict[str, Any]:
    if thread is None:
        return {"m.in_reply_to": {"event_id": reply_to.id}} if reply_to else {}
    # Clients without threads show it as an answer to the last message: that is the "falling back".
    answered = (reply_to or thread).id
    return {
        "rel_type": "m.thread",
        "event_id": _root(thread),
        "is_falling_back": reply_to is None,
        "m.in_reply_to": {"event_id": answered},
    }


def _line(event: RoomEvent) -> str:
    who = event.sender.removeprefix("@").partition(":")[0]
    if event.failure:
        return f"{who}: [unreadable: {event.failure}]"
    if event.redacted and event.type in {"m.room.message", "m.room.encrypted"}:
        return f"{who}: [removed]"
    if event.type != "m.room.message":
        return ""
    given = "".join(f" {{{key} {len(senders)}}}" for key, senders in sorted(event.reactions.items()))
    return f"{who}: {event.body}{' [edited]' if event.edited else ''}{given}"
