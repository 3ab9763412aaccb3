"""What happened in a room, event by event, in the room's order, as inbound values."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Protocol, TypeAlias

import structlog

from bot.message import CROSSING, Edit, Inbound, Message, Reaction, RoomChange
from bot.platforms.matrix import inbound, notices
from bot.platforms.matrix.connected import Connected
from bot.platforms.matrix.drawing import carries_marker, constant
from bot.platforms.matrix.inbound import Place, Seen
from bot.platforms.matrix.machine import KeyMissing, Opened, Unreadable
from bot.platforms.matrix.options import server_of
from bot.platforms.matrix.parking import Parking
from bot.platforms.matrix.patience import insist
from bot.platforms.matrix.rooms import Room
from bot.platforms.matrix.sending import transaction
from bot.platforms.matrix.signing import at
from bot.platforms.matrix.wire import Homeserver, HomeserverError, Json

log = structlog.get_logger(__name__)

NEVER_ENCRYPTED = {"m.reaction", "m.room.redaction"}  # by any client: nothing secret belongs there, nothing is proven

Deliver: TypeAlias = Callable[[Inbound], Awaitable[None]]


class Say(Protocol):
    """Says a notice in a room, once under a transaction id; `clear` leaves it unencrypted. Never raises."""

    async def __call__(self, room_id: str, content: Json, txn: str, *, clear: bool) -> None: ...


class Timeline:
    """Turns the events of rooms into inbound values and hands each over."""

    def __init__(self, connected: Connected, parking: Parking, say: Say) -> None:
        self._options = connected.options
        self._home = connected.home
        self._machine = connected.machine
        self._keys = connected.keys
        self._rooms = connected.rooms
        self._memory = connected.memory
        self._clock = connected.clock
        self._own_id = connected.own_id
        self._parking = parking
        self._say = say
        self._telling: set[str] = set()  # whom another room of this batch is telling just now

    async def take(self, room: Room, events: Sequence[Json], deliver: Deliver) -> None:
        """Hand over what happened in a joined room. Hostile events are passed over, one by one."""
        sound = [event for raw in events if (event := inbound.seen(raw)) is not None]
        writers = {event.sender for event in sound if event.type == "m.room.encrypted"} - {self._own_id}
        if writers:
            await self._learn(writers)
        for event in sound:
            await self._guarded(room, event, deliver)

    async def unpark(self, deliver: Deliver) -> None:
        """Hand over what waited for a key that has come, and tell the rooms where too much waits."""
        for entry in self._parking:
            raw = await self._parking.raw(entry)
            event = inbound.seen(raw)
            if event is None:
                self._parking.remove(entry.event)
            elif self._machine.find_session(entry.room, str(event.content.get("session_id"))) is not None:
                try:
                    room = await insist(lambda room_id=entry.room: self._rooms.get(room_id))
                except HomeserverError:
                    self._parking.remove(entry.event)
                    continue
                await self._guarded(room, event, deliver)
        for room_id in self._parking.overdue(self._clock()):
            key = f"unreadable {room_id} {self._clock().isoformat()}"
            text = notices.words(notices.UNREADABLE, self._options.language)
            await self._say(room_id, constant(text, transaction(key)), transaction(key), clear=False)

    async def _guarded(self, room: Room, event: Seen, deliver: Deliver) -> None:
        """Convert one event. Whatever goes wrong in that concerns this event alone; delivery is not guarded."""
        try:
            values = await self._values(room, event)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as error:
            log.warning("matrix.event_malformed", event_id=event.id, error=type(error).__name__)
            return
        for value in values:
            await deliver(value)

    async def _values(self, room: Room, event: Seen) -> list[Inbound]:
        if event.state_key is not None:
            return await self._state(room, event)
        if event.sender == self._own_id or carries_marker(event.content):
            return []
        if at(event.raw, "unsigned", "redacted_because") is not None:
            return []
        said = await self._said(room, event)
        if said is None or carries_marker(said.content):
            return []
        place = Place(room, self._options.servers, self._machine.is_encrypted(room.id))
        edits = inbound.edited(said) is not None
        value = await self._edit(said, place) if edits else inbound.convert(said, place)
        if isinstance(value, Message):
            value = inbound.reaction_in_words(value) or value
        if isinstance(value, Reaction):
            clear = place.encrypted and event.type != "m.room.encrypted"
            value = replace(value, proven=not clear or self._options.reactions == "all")
            if value.emoji.startswith(CROSSING):
                value = replace(value, on=await self._pointed(room, value, place))
        return [value] if value is not None else []

    async def _said(self, room: Room, event: Seen) -> Seen | None:
        """Return what was said, decrypted; None of what cannot be read or must not be believed."""
        if event.type == "m.room.encrypted":
            opened = await self._opened(room, event)
            return None if opened is None else event.opened(opened.type, opened.content)
        if self._machine.is_encrypted(room.id) and event.type not in NEVER_ENCRYPTED:
            # In an encrypted room nothing proves who said this: the server itself may have.
            log.info("matrix.clear_event_in_encrypted_room", event_id=event.id)
            return None
        return event

    # --- encrypted events

    async def _opened(self, room: Room, event: Seen) -> Opened | None:
        """Return the event decrypted if its sender's own, signed device demonstrably wrote it."""
        try:
            opened = self._machine.open(room.id, event.raw)
            if opened.device is None:
                # Perhaps the device is newer than what we know of the sender: ask again, once.
                await self._learn({event.sender}, again=True)
                opened = self._machine.open(room.id, event.raw)
        except KeyMissing:
            self._parking.add(room.id, event.raw, self._clock())
            return None
        except Unreadable as error:
            self._parking.remove(event.id)
            log.warning("matrix.event_unreadable", event_id=event.id, reason=str(error))
            return None
        if opened.device is None and self._keys.waits_for(event.sender):
            self._parking.add(room.id, event.raw, self._clock())
            return None
        self._parking.remove(event.id)
        if opened.device is None:
            log.warning("matrix.event_of_unsigned_device", event_id=event.id, sender=event.sender)
            await self._explain(room, event, opened)
            return None
        return opened

    async def _learn(self, users: set[str], *, again: bool = False) -> None:
        try:
            await insist(lambda: self._keys.know(users, again=again))
        except HomeserverError as error:
            log.warning("matrix.keys_not_known", error=str(error))

    async def _explain(self, room: Room, event: Seen, opened: Opened) -> None:
        """Tell somebody who speaks to the bot, once a day, why it does not obey and what helps."""
        value = inbound.convert(
            event.opened(opened.type, opened.content), Place(room, self._options.servers, encrypted=True)
        )
        if value is None or not (room.direct or getattr(value, "mentions_bot", False) or _is_command(opened.content)):
            return
        name, today = f"told:{event.sender}", self._clock().date().isoformat()
        if name in self._telling or await self._memory.get(name) == today:
            return
        self._telling.add(name)
        await self._memory.set({name: today})
        self._telling.discard(name)
        # Who has no signed device at all could read nothing that we encrypt; the words hold no secret.
        clear = not any(device.verified for device in self._machine.devices_of(event.sender))
        txn = transaction(f"unsigned {event.id}")
        notice = notices.RESET if self._keys.blocks(event.sender) else notices.UNSIGNED
        await self._say(room.id, constant(notices.words(notice, self._options.language), txn), txn, clear=clear)

    # --- edits

    async def _edit(self, event: Seen, place: Place) -> Edit | None:
        """Return an edit, if it is by the author of what it rewrites: servers do not check that."""
        target = str(inbound.edited(event))
        said = inbound.rewritten(event, place)
        if said is None:
            return None
        try:
            original = await insist(lambda: self._home.get("rooms", place.room.id, "event", target))
        except HomeserverError:
            return None
        if original.get("sender") != event.sender or original.get("type") not in {event.type, event.raw.get("type")}:
            return None
        thread = inbound.thread_of(original.get("content"))
        return Edit(
            id=event.id,
            at=event.at,
            author=said.author,
            to=place.address(thread),
            encrypted=place.encrypted,
            message_id=target,
            text=said.text,
            files=said.files,
        )

    # --- what a reaction points at

    async def _pointed(self, room: Room, reaction: Reaction, place: Place) -> Message | None:
        """Return the message that a reaction lets cross, as it now stands; None when it cannot be believed or read."""
        try:
            raw = await insist(lambda: self._home.get("rooms", room.id, "event", reaction.message_id))
        except HomeserverError:
            return None
        event = inbound.seen(raw)
        if event is None or event.sender == self._own_id or at(raw, "unsigned", "redacted_because") is not None:
            return None
        await self._learn({event.sender})
        original = await self._read(room, event, place)
        replacement = inbound.seen(at(raw, "unsigned", "m.relations", "m.replace"))
        if original is None or replacement is None or replacement.sender != event.sender:
            return original
        newer = await self._said(room, replacement)
        said = inbound.rewritten(newer, place) if newer is not None else None
        return None if said is None else replace(original, text=said.text, files=said.files)

    async def _read(self, room: Room, event: Seen, place: Place) -> Message | None:
        said = await self._said(room, event)
        value = inbound.convert(said, place) if said is not None and not carries_marker(said.content) else None
        return value if isinstance(value, Message) else None

    # --- the room itself

    async def _state(self, room: Room, event: Seen) -> list[Inbound]:
        match event.type, event.state_key:
            case "m.room.member", self._own_id if _enters(event.raw):
                return await self._joined(room, event)
            case "m.room.encryption", "":
                self._machine.remember_encrypted(room.id)
                return [self._change(room, event, "encrypted", event.id)]
            case "m.room.tombstone", "" if room.successor:
                await self._follow(room, event)
                return []
            case _:
                return []

    def _change(self, room: Room, event: Seen, change: str, change_id: str, successor: str | None = None) -> RoomChange:
        place = Place(room, self._options.servers, self._machine.is_encrypted(room.id))
        return RoomChange(
            id=change_id,
            at=event.at,
            author=place.user(event.sender),
            to=place.address(),
            encrypted=place.encrypted,
            change=change,  # pyright: ignore[reportArgumentType]
            successor=successor,
        )

    async def _joined(self, room: Room, event: Seen) -> list[Inbound]:
        changes: list[Inbound] = []
        if room.encrypted:
            self._machine.remember_encrypted(room.id)
        left = await self._memory.get(f"upgrade:{room.id}")  # stays: after a crash it must be told again
        if left is not None:
            changes += self._moved(room, event, json.loads(left))
        changes.append(self._change(room, event, "joined", event.id))
        if room.encrypted:
            changes.append(self._change(room, event, "encrypted", f"{event.id} encrypted"))
        return changes

    async def _follow(self, room: Room, event: Seen) -> None:
        """Go after an upgraded room (spec: m.room.tombstone). Where we may not yet, an invitation may come."""
        successor = str(room.successor)
        upgrade = {"room": room.id, "event": event.id, "by": event.sender}
        await self._memory.set({f"upgrade:{successor}": json.dumps(upgrade)})
        servers = sorted({server_of(event.sender), server_of(self._own_id)})
        try:
            await insist(lambda: join(self._home, successor, servers))
        except HomeserverError as error:
            log.warning("matrix.successor_closed", room=successor, error=str(error))

    def _moved(self, room: Room, event: Seen, upgrade: dict[str, str]) -> list[Inbound]:
        """Tell the upgrade, once we are in the new room and it says itself where it comes from."""
        if room.predecessor != upgrade["room"]:
            log.warning("matrix.successor_denies", room=room.id, predecessor=upgrade["room"])
            return []
        old = self._rooms.known(upgrade["room"]) or Room(upgrade["room"], self._own_id)
        by = Seen(upgrade["event"], "m.room.tombstone", upgrade["by"], event.at, {}, {})
        return [self._change(old, by, "upgraded", upgrade["event"], room.id)]

    def emptied(self, room: Room, events: Sequence[Json]) -> RoomChange | None:
        """Return the change that left us alone in a room, if these events did."""
        if room.others:
            return None
        for raw in reversed(events):
            event = inbound.seen(raw)
            if event is not None and event.type == "m.room.member" and event.state_key != self._own_id:
                return self._change(room, event, "emptied", event.id)
        return None

    def removed(self, room: Room, events: Sequence[Json]) -> RoomChange | None:
        """Return the change that took us out of a room, or our invitation back."""
        for raw in reversed(events):
            event = inbound.seen(raw)
            if event is not None and event.type == "m.room.member" and event.state_key == self._own_id:
                return self._change(room, event, "removed", event.id)
        return None


async def join(home: Homeserver, room_id: str, servers: Sequence[str] = ()) -> None:
    """Enter a room. From version 12 a room's id names no server, so others say through whom (MSC4291)."""
    await home.post("join", room_id, body={}, query={"via": servers, "server_name": servers})


def _enters(event: Json) -> bool:
    """Tell whether a member event is an entry, and not a new name of somebody who is there."""
    before = at(event, "unsigned", "prev_content", "membership")
    return at(event, "content", "membership") == "join" and before != "join"


def own_entry(events: Sequence[Json], own_id: str) -> int | None:
    """Return the index of our own last entry among events of a room."""
    for index in range(len(events) - 1, -1, -1):
        event = events[index]
        if at(event, "type") == "m.room.member" and at(event, "state_key") == own_id and _enters(event):
            return index
    return None


def _is_command(content: Json) -> bool:
    body = content.get("body")
    return isinstance(body, str) and body.startswith("!")
