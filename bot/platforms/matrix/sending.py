"""Saying something in a room, exactly once under a key.

A homeserver returns the first event again for a transaction id that it has seen from this device, encrypted or not;
so the id is made of the key, and a repeat is harmless. Synapse remembers for a day and per device: a marker of the key
inside the event is what a repeat after that, or from another device, looks for.
"""

import asyncio
import hashlib
import json
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from bot.errors import NotSent, OutcomeUnknown, Refused
from bot.platforms.matrix.drawing import MARKER
from bot.platforms.matrix.keys import Keys
from bot.platforms.matrix.machine import Machine
from bot.platforms.matrix.rooms import Rooms
from bot.platforms.matrix.signing import at
from bot.platforms.matrix.wire import Homeserver, HomeserverError, Json, Unreachable

_PAGES_BACK = 3


def transaction(key: str) -> str:
    """Return the transaction id, and marker, of a key: nothing of the key can be read from it."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


class Sending:
    """Puts events into rooms, one at a time in each."""

    def __init__(self, home: Homeserver, machine: Machine, keys: Keys, rooms: Rooms) -> None:
        self._home = home
        self._machine = machine
        self._keys = keys
        self._rooms = rooms
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def say(self, room_id: str, content: Json, txn: str, *, again: bool = False, clear: bool = False) -> str:
        """Put a message into a room and return its event id; `clear` leaves it readable for excluded devices.

        Raises a SendError.
        """
        async with self._turns[room_id]:
            async with mapped(sent=False):
                earlier = await self._earlier(room_id, txn) if again else None
                if earlier is not None:
                    return earlier
                kind, body = await self._sealed(room_id, content, clear=clear)
            async with mapped(sent=True):
                answer = await self._put(room_id, kind, body, txn)
            event_id = answer.get("event_id")
            if not isinstance(event_id, str):
                raise OutcomeUnknown("the homeserver named no event")
            return event_id

    async def _put(self, room_id: str, kind: str, body: Json, txn: str) -> Json:
        try:
            return await self._home.put("rooms", room_id, "send", kind, txn, body=body)
        except HomeserverError as error:
            if error.status != 400 or at(body, "m.relates_to", "rel_type") != "m.thread":
                raise
        # The event named is no root of a thread: answer to it, as clients without threads would show it anyway.
        reply = {"m.in_reply_to": body["m.relates_to"]["m.in_reply_to"]}
        return await self._home.put("rooms", room_id, "send", kind, txn, body={**body, "m.relates_to": reply})

    async def earlier(self, room_id: str, txn: str) -> str | None:
        """Return the event that an earlier try may have made. Raises a SendError."""
        async with mapped(sent=False):
            return await self._earlier(room_id, txn)

    async def redact(self, room_id: str, event_id: str, txn: str) -> None:
        """Take a message back (spec: «Redactions»; they are never encrypted, so no reason is given)."""
        async with self._turns[room_id], mapped(sent=True):
            await self._home.put("rooms", room_id, "redact", event_id, txn, body={})

    async def _sealed(self, room_id: str, content: Json, *, clear: bool) -> tuple[str, Json]:
        room = await self._rooms.get(room_id)
        if self._machine.user_id not in room.members:
            raise Refused("we are not in this room", gone=True)
        if clear or not (room.encrypted or self._machine.is_encrypted(room_id)):
            return "m.room.message", content
        sealed = await self._keys.encrypt(room_id, frozenset(room.members), "m.room.message", content)
        # The server may see what replies to what, and that this is ours; both hold nothing that was said.
        outside = {name: content[name] for name in ("m.relates_to", MARKER) if name in content}
        return "m.room.encrypted", {**sealed, **outside}

    async def _earlier(self, room_id: str, txn: str) -> str | None:
        """Return the event of an earlier try: ours, with this key's marker."""
        token: str | None = None
        for _ in range(_PAGES_BACK):
            query = {"dir": "b", "limit": "100", "filter": json.dumps({"senders": [self._machine.user_id]})}
            page = await self._home.get("rooms", room_id, "messages", query=query | ({"from": token} if token else {}))
            for event in page.get("chunk") or []:
                if at(event, "sender") == self._machine.user_id and at(event, "content", MARKER, "key") == txn:
                    return str(event["event_id"])
            token = page.get("end")
            if not isinstance(token, str):
                return None
        return None


@asynccontextmanager
async def mapped(*, sent: bool) -> AsyncGenerator[None]:
    """Tell what became of a message, in the core's words; `sent` says that the request itself was the message."""
    try:
        yield
    except Unreachable as error:
        if sent and error.sent:
            raise OutcomeUnknown(str(error)) from error
        raise NotSent(str(error), outage=True) from error
    except HomeserverError as error:
        raise _sorted(error, sent=sent) from error


def _sorted(error: HomeserverError, *, sent: bool) -> Exception:
    if error.status == 429:
        return NotSent(str(error), retry_after=error.retry_after or 5.0)
    if error.token_is_dead:
        return NotSent(str(error), outage=True)
    if error.status >= 500:
        return OutcomeUnknown(str(error)) if sent else NotSent(str(error), outage=True)
    return Refused(str(error), gone=error.code in {"M_FORBIDDEN", "M_NOT_FOUND"})
