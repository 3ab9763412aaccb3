"""The stub homeserver's memory: users, devices, rooms and one stream of numbered events.

A position in the stream is the only kind of token: `s42` means "after the 42nd thing that happened".
"""

import asyncio
import itertools
import secrets
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


class MatrixError(Exception):
    """An answer that is an error, as the specification words it."""

    def __init__(self, status: int, errcode: str, error: str) -> None:
        super().__init__(error)
        self.status = status
        self.body: Json = {"errcode": errcode, "error": error}


def forbidden(error: str) -> MatrixError:
    """What a server says to somebody without the right."""
    return MatrixError(403, "M_FORBIDDEN", error)


@dataclass(slots=True)
class Event:
    """One event of a room. `pos` is its place in the stream of everything."""

    id: str
    pos: int
    room: str
    sender: str
    type: str
    content: Json
    at: int
    state_key: str | None = None
    redacts: str | None = None
    redacted_because: "Event | None" = None

    def as_json(self) -> Json:
        """The form clients see."""
        unsigned: Json = {"age": max(0, now_ms() - self.at)}
        if self.redacted_because is not None:
            unsigned["redacted_because"] = self.redacted_because.as_json()
        shown: Json = {
            "event_id": self.id,
            "room_id": self.room,
            "sender": self.sender,
            "type": self.type,
            "content": self.content,
            "origin_server_ts": self.at,
            "unsigned": unsigned,
        }
        if self.state_key is not None:
            shown["state_key"] = self.state_key
        if self.redacts is not None:
            shown["redacts"] = self.redacts
        return shown


@dataclass(slots=True)
class Room:
    """A room: its events in order, and its current state."""

    id: str
    events: list[Event] = field(default_factory=list[Event])
    by_id: dict[str, Event] = field(default_factory=dict[str, Event])
    state: dict[tuple[str, str], Event] = field(default_factory=dict[tuple[str, str], Event])
    joined: set[str] = field(default_factory=set[str])

    def add(self, event: Event) -> None:
        """Append an event and let it change the state."""
        self.events.append(event)
        self.by_id[event.id] = event
        if event.state_key is not None:
            self.state[event.type, event.state_key] = event
            if event.type == "m.room.member":
                change = self.joined.add if event.content["membership"] == "join" else self.joined.discard
                change(event.state_key)

    def membership(self, user: str) -> str:
        """join, invite, leave or ban."""
        event = self.state.get(("m.room.member", user))
        return str(event.content["membership"]) if event else "leave"

    def members(self, membership: str) -> list[str]:
        """The users with this membership."""
        return [
            key
            for (kind, key), event in self.state.items()
            if kind == "m.room.member" and event.content["membership"] == membership
        ]

    def joined_between(self, user: str, after: int) -> bool:
        """Whether the user came in after this position, and so has yet to see the room."""
        event = self.state.get(("m.room.member", user))
        return event is not None and event.content["membership"] == "join" and event.pos > after


@dataclass(slots=True)
class Device:
    """A logged-in device; `inbox` holds to-device messages until a later sync confirms them."""

    user: str
    id: str
    token: str
    inbox: deque[tuple[int, Json]] = field(default_factory=deque[tuple[int, Json]])
    answers: dict[str, Json] = field(default_factory=dict[str, Json])  # by path with transaction id
    keys: Json | None = None
    one_time_keys: dict[str, Json] = field(default_factory=dict[str, Json])


@dataclass(slots=True)
class User:
    """A user, who exists from the first login or mention on."""

    id: str
    name: str
    devices: dict[str, Device] = field(default_factory=dict[str, Device])
    rooms: dict[str, Room] = field(default_factory=dict[str, Room])
    bells: set[asyncio.Event] = field(default_factory=set[asyncio.Event])
    signing_keys: Json = field(default_factory=dict[str, Any])

    def wake(self) -> None:
        """Something happened that this user's waiting syncs should see."""
        for bell in self.bells:
            bell.set()


class Homeserver:
    """Everything the stub knows; plain memory, which outlives every client."""

    def __init__(self, server_name: str, window: int) -> None:
        self.server_name = server_name
        self.window = window
        self.head = 0
        self.users: dict[str, User] = {}
        self.rooms: dict[str, Room] = {}
        self.tokens: dict[str, Device] = {}
        self.filters: dict[str, Json] = {}
        self.media: dict[str, tuple[bytes, str]] = {}
        self.key_changes: list[tuple[int, str]] = []
        self._numbers = itertools.count(1)

    def user(self, user_id: str) -> User:
        """The user of this id, who begins to exist if need be."""
        if user_id not in self.users:
            self.users[user_id] = User(user_id, user_id[1:].partition(":")[0])
        return self.users[user_id]

    def login(self, localpart: str, device_id: str | None) -> Device:
        """Any password will do; the same device id again is the same device with a new token."""
        user_id = localpart if localpart.startswith("@") else f"@{localpart}:{self.server_name}"
        user = self.user(user_id)
        token = f"stub_{localpart.strip('@')}_{secrets.token_hex(8)}"
        device = user.devices.get(device_id or "")
        if device is None:
            device = Device(user_id, device_id or secrets.token_hex(5).upper(), token)
            user.devices[device.id] = device
        self.tokens.pop(device.token, None)
        device.token = token
        self.tokens[token] = device
        return device

    def room(self, room_id: str) -> Room:
        """The room, or the error a client gets who asks for one that is not there."""
        room = self.rooms.get(room_id)
        if room is None:
            raise forbidden(f"room {room_id} is not known")
        return room

    def new_room(self) -> Room:
        """A room with an id as room version 12 makes them, without a server name."""
        room = Room(f"!{secrets.token_urlsafe(32)}")
        self.rooms[room.id] = room
        return room

    def append(
        self,
        room: Room,
        sender: str,
        kind: str,
        content: Mapping[str, Any],
        *,
        state_key: str | None = None,
        redacts: str | None = None,
    ) -> Event:
        """Add an event to a room and wake whoever should see it."""
        self.head += 1
        event_id = f"$stub{next(self._numbers):09d}"
        event = Event(event_id, self.head, room.id, sender, kind, dict(content), now_ms(), state_key, redacts)
        room.add(event)
        if kind == "m.room.member" and state_key is not None:
            member = self.user(state_key)
            member.rooms[room.id] = room
            member.wake()
        for user_id in room.joined:
            self.users[user_id].wake()
        return event

    def redact(self, room: Room, sender: str, event_id: str, content: Json) -> Event:
        """Take the content of an event away, in the present and in the past."""
        redaction = self.append(room, sender, "m.room.redaction", {**content, "redacts": event_id}, redacts=event_id)
        target = room.by_id.get(event_id)
        if target is not None and target.state_key is None:
            target.content = {}
            target.redacted_because = redaction
        return redaction

    def to_device(self, sender: str, kind: str, target: Device, content: Json) -> None:
        """Put a message into a device's inbox."""
        self.head += 1
        target.inbox.append((self.head, {"sender": sender, "type": kind, "content": content}))
        self.users[target.user].wake()

    def keys_changed(self, user_id: str) -> None:
        """Note that a user's devices or identity changed; everyone in a room with them is to look again."""
        self.head += 1
        self.key_changes.append((self.head, user_id))
        for room in self.user(user_id).rooms.values():
            for member in room.joined:
                self.users[member].wake()


def now_ms() -> int:
    """The server's clock."""
    return time.time_ns() // 1_000_000


def read_token(token: str | None) -> int | None:
    """The position of a token; None for no token."""
    if not token:
        return None
    if token[:1] != "s" or not token[1:].isdecimal():
        raise MatrixError(400, "M_UNKNOWN", f"invalid token {token}")
    return int(token[1:])
