"""What we must know of a room to speak in it: who is there, whether it is encrypted, who may do what."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from bot.platforms.matrix.signing import at
from bot.platforms.matrix.wire import Homeserver, Json

CREATORS_RULE_FROM = 12  # room version


@dataclass(slots=True)
class Room:
    """The present state of one room, as far as it concerns us."""

    id: str
    own_id: str
    members: dict[str, str] = field(default_factory=dict[str, str])  # joined and invited users and their names
    encrypted: bool = False
    creators: frozenset[str] = frozenset()
    predecessor: str | None = None
    successor: str | None = None
    encryption_event: str = ""
    named: bool = False
    _levels: Json = field(default_factory=dict)

    def apply(self, events: Iterable[Json]) -> bool:
        """Follow state events, in order; return whether somebody came or went."""
        before = set(self.members)
        for event in events:
            content = event.get("content")
            if not isinstance(content, dict) or not isinstance(event.get("state_key"), str):
                continue
            match event.get("type"), event["state_key"]:
                case "m.room.member", user_id:
                    self._member(user_id, content)
                case "m.room.encryption", "":
                    self.encrypted = True  # it can never be taken back
                    self.encryption_event = str(event.get("event_id", ""))
                case "m.room.name", "":
                    self.named = bool(content.get("name"))
                case "m.room.power_levels", "":
                    self._levels = content
                case "m.room.create", "":
                    self._created(event, content)
                case "m.room.tombstone", "":
                    self.successor = str(content.get("replacement_room") or "") or None
                case _:
                    pass
        return set(self.members) != before

    def _member(self, user_id: str, content: Json) -> None:
        if content.get("membership") in {"join", "invite"}:
            name = content.get("displayname")
            self.members[user_id] = name if isinstance(name, str) else ""
        else:
            self.members.pop(user_id, None)

    def _created(self, event: Json, content: Json) -> None:
        """From version 12 the creators stand above all and are not among the power levels (MSC4289)."""
        predecessor = at(content, "predecessor", "room_id")
        self.predecessor = predecessor if isinstance(predecessor, str) else None
        version = str(content.get("room_version", "1"))
        if version.isdigit() and int(version) >= CREATORS_RULE_FROM:
            more = content.get("additional_creators")
            named = [user for user in more if isinstance(user, str)] if isinstance(more, list) else []
            self.creators = frozenset([str(event.get("sender")), *named])

    def power(self, user_id: str) -> float:
        """Return a member's power level; that of a creator is above every number."""
        if user_id in self.creators:
            return float("inf")
        level = at(self._levels, "users", user_id)
        level = self._levels.get("users_default", 0) if level is None else level
        return level if isinstance(level, int) else 0

    @property
    def others(self) -> frozenset[str]:
        """Who else is there, or invited."""
        return frozenset(self.members) - {self.own_id}

    @property
    def direct(self) -> bool:
        """Whether this is a conversation with one other person, who may not be there yet: we make such rooms ourselves.

        A room with a name was made for more of them.
        """
        return len(self.others) <= 1 and not self.named

    def is_with(self, user_id: str) -> bool:
        """Tell whether nobody but we and this person are there."""
        return self.others == frozenset((user_id,))

    @property
    def own_name(self) -> str:
        """What we are called in this room."""
        return self.members.get(self.own_id, "")


class Rooms:
    """The rooms we have to do with. Each is asked for once, when it first matters, and followed from then on."""

    def __init__(self, home: Homeserver, own_id: str) -> None:
        self._home = home
        self._own_id = own_id
        self._rooms: dict[str, Room] = {}
        self._loading: dict[str, asyncio.Lock] = {}

    def known(self, room_id: str) -> Room | None:
        """Return a room that was asked for already."""
        return self._rooms.get(room_id)

    async def get(self, room_id: str) -> Room:
        """Return a room. A whole state at start for every room would make the first sync minutes long."""
        async with self._loading.setdefault(room_id, asyncio.Lock()):
            if room_id not in self._rooms:
                room = Room(room_id, self._own_id)
                room.apply(await self.state(room_id))
                self._rooms[room_id] = room
            return self._rooms[room_id]

    async def state(self, room_id: str) -> list[Json]:
        """Return the present state events of a room."""
        answer = await self._home.get_list("rooms", room_id, "state")
        return [event for event in answer if isinstance(event, dict)]

    async def joined(self) -> list[str]:
        """Return the rooms that we are in."""
        rooms = (await self._home.get("joined_rooms")).get("joined_rooms")
        return [room for room in rooms if isinstance(room, str)] if isinstance(rooms, list) else []

    def forget(self, room_id: str) -> None:
        """Ask again when it matters again."""
        self._rooms.pop(room_id, None)
        self._loading.pop(room_id, None)
