"""What arrives and where: frozen values that every platform makes from its own events.

`id` is unique on its platform and the same at each redelivery of the same event: it is the receipt's key.
`at` is the platform's own time, good for order only; deadlines count from the time of receipt.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any, Literal, TypeAlias, cast

from bot.texts import Text

LONGEST_ID = 255  # characters of an event's, a message's or a thread's id
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # NUL, which PostgreSQL refuses, and halves of a character

CROSSING = "\N{INCOMING ENVELOPE}"  # on a message: let it cross

Surface: TypeAlias = Literal["room", "direct", "home"]


@dataclass(frozen=True, slots=True)
class User:
    """An account, known by its platform's full id (`U…` on Slack, `@name:server` on Matrix)."""

    platform: str
    id: str
    insider: bool = False  # of the bot's own workspace, or of an allowed server: a linked room vouches for it
    bot: bool = False
    email: str | None = None  # verified by the platform, of a domain that the administrator trusts


@dataclass(frozen=True, slots=True)
class Address:
    """A place where something is said. `audience` narrows it to one person of that place."""

    platform: str
    room: str
    thread: str | None = None  # the root message of a thread
    audience: User | None = None
    surface: Surface = "room"

    @property
    def alone(self) -> bool:
        """Whether what is said there is read by one person."""
        return self.surface != "room" or self.audience is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What all that arrives has in common."""

    id: str
    at: datetime
    author: User
    to: Address
    encrypted: bool = False  # it was said in an end-to-end encrypted room
    cursor: tuple[str, str] | None = None  # a name and value for the platform's memory, kept with the receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that came with a message; its bytes stay on the platform.

    `source` is all that the platform needs to fetch it; `id` tells it from the others of the platform. Name, size and
    type are what the sender says.
    """

    id: str
    name: str
    size: int
    media_type: str
    source: str = field(repr=False)  # may hold keys


@dataclass(frozen=True, slots=True)
class File:
    """A file that the bot made and says with a card: a chart, a calendar, a document. `name` ends in its kind."""

    name: str | Text
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A file that takes too long to make within a transaction: `what` it shows, as a job keeps it."""

    name: str | Text
    what: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(Event):
    """Something was said. `text` is Markdown, without the mention of the bot that may have opened it."""

    message_id: str
    text: str
    reply_to: str | None = None
    mentions_bot: bool = False
    files: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation(Event):
    """A command was asked for by other means than a message: slash command, button, form, shortcut, console."""

    command: str
    line: str = ""
    form: Mapping[str, str] = field(default_factory=dict[str, str])
    pressed: str | None = None  # the message whose button, or on which the shortcut, was used
    trigger: str | None = None  # what the platform needs to open a form in answer; None where it cannot


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit(Event):
    """A message was rewritten by its author; `files` are those that it still shows."""

    message_id: str
    text: str
    files: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion(Event):
    """A message was taken back."""

    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction(Event):
    """An emoji was put on a message: a Unicode emoji, or a name between colons where there is none.

    Where the emoji is `CROSSING`, `on` is that message as it now stands, None when it cannot be read.
    One that is not `proven` came in clear in an encrypted room, and its server's word is not taken for whose it is.
    """

    message_id: str
    emoji: str
    on: Message | None = None
    proven: bool = True


Change: TypeAlias = Literal["invited", "joined", "removed", "archived", "emptied", "upgraded", "encrypted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomChange(Event):
    """Something happened to a room itself; `author` did it."""

    change: Change
    successor: str | None = None  # the room that replaces this one, when upgraded


Inbound: TypeAlias = Message | Invocation | Edit | Deletion | Reaction | RoomChange


def storable(inbound: Inbound) -> Inbound:
    """Return an event that every database keeps: without the characters that break one, under an id short enough."""
    said = {f.name: getattr(inbound, f.name) for f in fields(inbound)}
    changed = {name: bare for name, value in said.items() if (bare := _bare(value)) != value}
    if len(inbound.id) > LONGEST_ID:
        changed["id"] = f"long:{hashlib.sha256(inbound.id.encode(errors='replace')).hexdigest()}"
    return replace(inbound, **changed) if changed else inbound


def _bare(value: Any) -> Any:
    match value:
        case str():
            return _UNSTORABLE.sub("", value)
        case dict():
            return {_bare(k): _bare(v) for k, v in cast("dict[str, str]", value).items()}
        case Attachment() | Address() | User() | Message():
            return replace(value, **{f.name: _bare(getattr(value, f.name)) for f in fields(value)})
        case tuple():
            return tuple(_bare(v) for v in cast("tuple[Any, ...]", value))
        case _:
            return value
