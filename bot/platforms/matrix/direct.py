"""The one direct, encrypted room with a person: found, or made once."""

import asyncio
from collections import defaultdict

import structlog

from bot.platforms import Memory
from bot.platforms.matrix.rooms import Room, Rooms
from bot.platforms.matrix.wire import Homeserver, HomeserverError, Json

log = structlog.get_logger(__name__)

_MAKING = "?"


class DirectRooms:
    """Remembers a room for each person, and checks at each use that nobody else is in it."""

    def __init__(self, home: Homeserver, rooms: Rooms, memory: Memory, own_id: str) -> None:
        self._home = home
        self._rooms = rooms
        self._memory = memory
        self._own_id = own_id
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def room_with(self, user_id: str) -> str:
        """Return the direct room, making it when there is none.

        Raises HomeserverError or Unreachable, with nothing lost: the next call goes on.
        """
        async with self._turns[user_id]:
            kept = await self._memory.get(_name(user_id))
            if kept == _MAKING:
                # We were interrupted while making it. createRoom cannot be repeated harmlessly, so look first.
                kept = await self._found(user_id)
            if kept is not None and await self._serves(kept, user_id):
                await self._memory.set({_name(user_id): kept})
                return kept
            return await self._make(user_id)

    async def remember(self, user_id: str, room_id: str) -> None:
        """Keep a direct room that the person opened, unless there is one that serves."""
        kept = await self._memory.get(_name(user_id))
        if kept in {None, _MAKING} or not await self._serves(str(kept), user_id):
            await self._memory.set({_name(user_id): room_id})

    async def _serves(self, room_id: str, user_id: str) -> bool:
        """Tell whether the room is direct, encrypted and alive; one whom it lost is asked back once a call."""
        try:
            room = await self._rooms.get(room_id)
        except HomeserverError as error:
            if error.passing:
                raise
            return False
        if not room.encrypted or room.successor or self._own_id not in room.members:
            return False
        if not room.others:
            return await self._asked_back(room, user_id)
        return room.is_with(user_id)

    async def _asked_back(self, room: Room, user_id: str) -> bool:
        try:
            await self._home.post("rooms", room.id, "invite", body={"user_id": user_id})
        except HomeserverError as error:
            if error.passing:
                raise
            return False
        room.members[user_id] = ""
        return True

    async def _found(self, user_id: str) -> str | None:
        for room_id in await self._rooms.joined():
            if await self._serves_exactly(room_id, user_id):
                return room_id
        return None

    async def _serves_exactly(self, room_id: str, user_id: str) -> bool:
        room = await self._rooms.get(room_id)
        return room.encrypted and not room.successor and room.is_with(user_id)

    async def _make(self, user_id: str) -> str:
        await self._memory.set({_name(user_id): _MAKING})
        body: Json = {
            "preset": "trusted_private_chat",
            "is_direct": True,
            "invite": [user_id],
            "initial_state": [
                {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}
            ],
        }
        room_id = str((await self._home.post("createRoom", body=body))["room_id"])
        # A sync may have told of the room while it was half made, without the person who is invited.
        self._rooms.forget(room_id)
        await self._memory.set({_name(user_id): room_id})
        await self._list(user_id, room_id)
        return room_id

    async def _list(self, user_id: str, room_id: str) -> None:
        """Mark the room as direct for other clients of the account (spec: m.direct); it only serves display."""
        path = ("user", self._own_id, "account_data", "m.direct")
        try:
            try:
                listed = await self._home.get(*path)
            except HomeserverError as error:
                if error.code != "M_NOT_FOUND":
                    raise
                listed = {}
            await self._home.put(*path, body={**listed, user_id: [room_id]})
        except HomeserverError as error:
            log.warning("matrix.direct_not_listed", error=str(error))


def _name(user_id: str) -> str:
    return f"direct:{user_id}"
