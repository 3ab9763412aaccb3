"""What performs the jobs: each kind asks one thing of a platform."""

import hashlib
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from bot import wire
from bot.card import from_json
from bot.db import Database
from bot.errors import Refused
from bot.jobs import Leased
from bot.leases import Settled
from bot.message import Address, Inbound, RoomChange, User
from bot.outbox import message_of, note_sent
from bot.platforms import Edits, Joins, Platform
from bot.turns import put_off
from bot.worker import Perform

REMEMBERED = 10_000  # messages whose ids are kept in memory


def performers(
    database: Database, platforms: Mapping[str, Platform], again: Callable[[Inbound], Awaitable[None]]
) -> Mapping[str, Perform]:
    """Return what performs each kind of job."""
    said = Said(database)

    async def say(job: Leased) -> str:
        to = await said.place(_address(job.args["to"]))
        message_id = await platforms[to.platform].send(to, from_json(job.args["card"]), key=job.key, again=job.again)
        said.note(job.key, message_id)
        return message_id

    async def edit(job: Leased) -> None:
        to, message_id, platform = await _said(job)
        if message_id is not None and isinstance(platform, Edits):
            await platform.edit(to, message_id, from_json(job.args["card"]), key=job.key)

    async def delete(job: Leased) -> None:
        to, message_id, platform = await _said(job)
        if message_id is not None and isinstance(platform, Edits):
            await platform.delete(to, message_id, key=job.key)

    async def _said(job: Leased) -> tuple[Address, str | None, Platform]:
        to = await said.place(_address(job.args["to"]))
        return to, await said.id_of(str(job.args["target"])), platforms[to.platform]

    async def join(job: Leased) -> None:
        to = _address(job.args["to"])
        platform = platforms[to.platform]
        if not isinstance(platform, Joins):
            raise Refused("this platform has no invitations")
        await platform.join(to.room)

    async def handle(job: Leased) -> None:
        await again(wire.load(job.args["event"]))

    return {"say": say, "edit": edit, "delete": delete, "join": join, "handle": handle}


def note_settled(session: Session, settled: Collection[Settled], now: datetime) -> None:
    """Write in the map what the platforms called our messages; a room that is closed to us is handled like an event."""
    said = [s for s in settled if s.job.kind == "say"]
    note_sent(session, {s.job.key: s.result for s in said if s.state == "sent" and s.result})
    for s in said:
        if s.state == "failed" and (s.error or "").startswith("gone: "):
            put_off(session, _lost(s.job, now), now)


def _lost(job: Leased, now: datetime) -> RoomChange:
    to = _address(job.args["to"])
    name = hashlib.sha256(job.key.encode()).hexdigest()[:32]
    author = User(to.platform, "passerelle", insider=True)
    return RoomChange(id=f"gone-{name}", at=now, author=author, to=Address(to.platform, to.room), change="removed")


class Said:
    """What the platforms called our messages: the newest are known here before their jobs are settled."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._newest: dict[str, str] = {}

    def note(self, key: str, message_id: str) -> None:
        """Remember a message that was just said: the next job of its lane may belong beneath it, or rewrite it."""
        if message_id:
            self._newest[key] = message_id
        if len(self._newest) > REMEMBERED:
            del self._newest[next(iter(self._newest))]

    async def id_of(self, key: str) -> str | None:
        """Return the platform's id of a message, None when it was never said."""
        return self._newest.get(key) or await self._database.run(lambda s: message_of(s, key))

    async def place(self, to: Address) -> Address:
        """Return an address whose thread, if it is one of our own messages, has that message's id."""
        if to.thread is None or not to.thread.startswith("key:"):
            return to
        return replace(to, thread=await self.id_of(to.thread.removeprefix("key:")))


def _address(args: list[Any]) -> Address:
    platform, room, thread, audience, surface = args
    return Address(platform, room, thread, User(platform, audience) if audience else None, surface)
