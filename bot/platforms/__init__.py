"""What the core asks of a chat platform. Each lives in a package of its own here and imports none of the others.

A platform turns its events into inbound values, hands each to `receive`, and acknowledges it to its server only once
`receive` has returned: by then everything is committed. When `receive` raises, nothing was, and the event must come
again. What the bot says arrives through `send`, one message at a time in each room, from the worker of `bot.jobs`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Protocol, TypeAlias, runtime_checkable

from bot.card import Card, Reply
from bot.fence import Hold
from bot.files import Upload
from bot.message import Address, Inbound

Receive: TypeAlias = Callable[[Inbound], Awaitable[Reply]]
"""Commit one event and return the direct reply to it: a form to open, errors of a form, or None.

Raises `Unavailable` when nothing could be committed.
"""


class Memory(Protocol):
    """Small values that a platform keeps between starts (a sync token, the last `ts` of a channel)."""

    async def get(self, name: str) -> str | None: ...

    async def set(self, values: Mapping[str, str | None]) -> None:
        """Keep these values, in one transaction; None forgets one."""
        ...


Live: TypeAlias = Callable[[], Awaitable[Sequence[Address]]]
"""The threads of one platform in which a conversation is under way: what to read again after a gap."""


class Report(Protocol):
    """How a platform tells its state: `ok` again, or out of reach, in words for an operator."""

    def __call__(self, ok: bool, reason: str = "") -> None: ...


class Platform(Protocol):
    """A chat platform. `name` is the first part of its addresses and of its queue of jobs."""

    name: str

    async def run(self, receive: Receive) -> None:
        """Listen until cancelled, reconnecting by itself.

        Raises `ConfigurationError` only when an operator must act (a dead token, a broken key store).
        """
        ...

    async def close(self) -> None:
        """Close connections and files; called once, when `run` has ended."""
        ...

    async def send(self, to: Address, card: Card, *, key: str, again: bool) -> str:
        """Say a rendered card and return the id of the message.

        `key` is the same at every try of the same card; `again` says that an earlier try may have succeeded, so that
        the platform must find out first, or repeat harmlessly. Raises a `SendError`.
        """
        ...


@runtime_checkable
class Edits(Protocol):
    """A platform on which the bot can rewrite and take back what it said. Both may be repeated harmlessly."""

    async def edit(self, to: Address, message_id: str, card: Card, *, key: str) -> None: ...

    async def delete(self, to: Address, message_id: str, *, key: str) -> None: ...


@runtime_checkable
class Files(Protocol):
    """A platform that carries files."""

    async def send_file(self, to: Address, file: Upload, *, key: str, again: bool) -> str:
        """Say a file and return the id of its message, as `send` does for a card. Raises a `SendError`."""
        ...

    def fetch(self, source: str) -> AsyncIterator[bytes]:
        """Yield the bytes of an attachment as they arrive. What is yielded holds only once the end is reached.

        Raises a `SendError`: `Refused` when the file is not to be had, or is not what its message says.
        """
        ...

    async def delete_file(self, to: Address, message_id: str, *, key: str) -> None:
        """Take back a message that shows a file, and the file. May be repeated harmlessly. Raises a `SendError`."""
        ...


@runtime_checkable
class DirectRooms(Protocol):
    """A platform that has rooms of two for what is for one person alone."""

    async def direct_room(self, to: Address) -> str:
        """Return the room in which the audience of an address is spoken to. Raises a `SendError`."""
        ...


@runtime_checkable
class Joins(Protocol):
    """A platform on which the bot is invited and then joins."""

    async def join(self, room: str) -> None: ...


@runtime_checkable
class Alone(Platform, Protocol):
    """A platform that one process at a time runs. It is given a term, then `run` is called; both may come again."""

    def last_epoch(self) -> int:
        """Return a number that the epoch of the next term must exceed: what lies on disk knows of terms, too."""
        ...

    def begin(self, epoch: int, hold: Hold) -> None:
        """Hear in which term the next `run` happens, and until when anything may be sent in it."""
        ...
