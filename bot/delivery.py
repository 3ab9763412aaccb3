"""What performs the jobs: each kind asks one thing of a platform."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from bot import wire
from bot.card import from_json
from bot.db import Database
from bot.errors import Refused
from bot.jobs import Leased, Settled
from bot.message import Address, Inbound, User
from bot.outbox import message_of, note_sent
from bot.platforms import Edits, Joins, Platform
from bot.worker import Perform


def performers(
    database: Database, platforms: Mapping[str, Platform], again: Callable[[Inbound], Awaitable[None]]
) -> Mapping[str, Perform]:
    """Return what performs each kind of job."""

    async def say(job: Leased) -> str:
        to = await _placed(database, _address(job.args["to"]))
        return await platforms[to.platform].send(to, from_json(job.args["card"]), key=job.key, again=job.again)

    async def edit(job: Leased) -> None:
        to, message_id, platform = await _said(job)
        if message_id is not None and isinstance(platform, Edits):
            await platform.edit(to, message_id, from_json(job.args["card"]), key=job.key)

    async def delete(job: Leased) -> None:
        to, message_id, platform = await _said(job)
        if message_id is not None and isinstance(platform, Edits):
            await platform.delete(to, message_id, key=job.key)

    async def _said(job: Leased) -> tuple[Address, str | None, Platform]:
        to = await _placed(database, _address(job.args["to"]))
        target = str(job.args["target"])
        message_id = await database.run(lambda s: message_of(s, target))
        return to, message_id, platforms[to.platform]

    async def join(job: Leased) -> None:
        to = _address(job.args["to"])
        platform = platforms[to.platform]
        if not isinstance(platform, Joins):
            raise Refused("this platform has no invitations")
        await platform.join(to.room)

    async def handle(job: Leased) -> None:
        await again(wire.load(job.args["event"]))

    return {"say": say, "edit": edit, "delete": delete, "join": join, "handle": handle}


def note_settled(session: Session, settled: Collection[Settled]) -> None:
    """Write in the map what the platforms called our messages."""
    for s in settled:
        if s.state == "sent" and s.job.kind == "say" and s.result:
            note_sent(session, s.job.key, s.result)


async def _placed(database: Database, to: Address) -> Address:
    """Return an address whose thread, if it is one of our own messages, has that message's id."""
    if to.thread is None or not to.thread.startswith("key:"):
        return to
    key = to.thread.removeprefix("key:")
    return replace(to, thread=await database.run(lambda s: message_of(s, key)))


def _address(args: list[Any]) -> Address:
    platform, room, thread, audience, surface = args
    return Address(platform, room, thread, User(platform, audience) if audience else None, surface)
