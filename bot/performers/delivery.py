"""What performs the jobs: each kind asks one thing of a platform."""

import hashlib
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from bot import files, wire
from bot.card import from_json
from bot.db import Database
from bot.errors import Refused
from bot.jobs.leases import Settled
from bot.jobs.tables import Leased
from bot.jobs.worker import Perform
from bot.message import Address, Inbound, RoomChange, User
from bot.outbox import from_args
from bot.performers.fetching import Exit, tell_failed
from bot.performers.importing import tell_unread
from bot.platforms import DirectRooms, Edits, Files, Joins, Platform
from bot.posts import forget_drawn, message_of, note_sent
from bot.turns import put_off

REMEMBERED = 10_000  # messages whose ids are kept in memory


def performers(
    database: Database, platforms: Mapping[str, Platform], again: Callable[[Inbound], Awaitable[None]], fetch: Perform
) -> Mapping[str, Perform]:
    """Return what performs each kind of job."""
    speaking = _Speaking(database, platforms)

    async def join(job: Leased) -> None:
        to = from_args(job.args["to"])
        platform = platforms[to.platform]
        if not isinstance(platform, Joins):
            raise Refused("this platform has no invitations")
        await platform.join(to.room)

    async def handle(job: Leased) -> None:
        await again(wire.load(job.args["event"]))

    return {
        "say": speaking.say,
        "file": speaking.file,
        "fetch": fetch,
        "edit": speaking.edit,
        "delete": speaking.delete,
        "join": join,
        "handle": handle,
    }


class _Speaking:
    """Says, rewrites and takes back."""

    def __init__(self, database: Database, platforms: Mapping[str, Platform]) -> None:
        self._database = database
        self._platforms = platforms
        self._said = Said(database)

    async def say(self, job: Leased) -> str:
        to, platform, where = await self._where(job)
        message_id = await platform.send(to, from_json(job.args["card"]), key=job.key, again=job.again)
        self._said.note(job.key, message_id)
        return _named(message_id, where)

    async def file(self, job: Leased) -> str:
        to, platform, where = await self._where(job)
        upload = await files.opened(self._database, job.key)
        if not isinstance(platform, Files) or upload is None:
            raise Refused("this platform carries no files")
        message_id = await platform.send_file(to, upload, key=job.key, again=job.again)
        self._said.note(job.key, message_id)
        return _named(message_id, where)

    async def edit(self, job: Leased) -> None:
        to, platform, _ = await self._where(job)
        message_id = await self._said.id_of(str(job.args["target"]))
        if message_id is not None and isinstance(platform, Edits):
            await platform.edit(to, message_id, from_json(job.args["card"]), key=job.key)

    async def delete(self, job: Leased) -> None:
        to, platform, _ = await self._where(job)
        message_id = await self._said.id_of(str(job.args["target"]))
        if message_id is not None and job.args.get("file") and isinstance(platform, Files):
            await platform.delete_file(to, message_id, key=job.key)
        elif message_id is not None and isinstance(platform, Edits):
            await platform.delete(to, message_id, key=job.key)

    async def _where(self, job: Leased) -> tuple[Address, Platform, str | None]:
        """Return a job's address and platform, and the direct room where it is for one person alone."""
        to = await self._said.place(from_args(job.args["to"]))
        platform = self._platforms[to.platform]
        if to.audience is None or not isinstance(platform, DirectRooms):
            return to, platform, None
        return to, platform, await platform.direct_room(to)


def _named(message_id: str, room: str | None) -> str:
    """Return the result of a job that said something; ids and rooms have no spaces."""
    return f"{message_id} {room}" if room else message_id


def note_settled(session: Session, settled: Collection[Settled], now: datetime, exit_: Exit) -> None:
    """Write in the map what the platforms called our messages; a room that is closed to us is handled like an event."""
    said = [s for s in settled if s.job.kind in ("say", "file")]
    names = {s.job.key: s.result.partition(" ") for s in said if s.state == "sent" and s.result}
    ids = {key: message_id for key, (message_id, _, _) in names.items()}
    note_sent(session, ids, {key: room for key, (_, _, room) in names.items() if room})
    files.discard(session, [s.job.key for s in said if s.job.kind == "file" and s.state in ("sent", "failed")])
    if kept := [str(s.job.args["target"]) for s in settled if s.state == "failed" and s.job.kind == "edit"]:
        forget_drawn(session, kept)
    for s in settled:
        if s.state == "failed" and "proposal" in s.job.args:
            tell_unread(session, s, exit_(session, now))
        elif s.state == "failed" and s.job.kind in ("file", "fetch", "draw"):
            tell_failed(session, s, exit_(session, now))
    for s in said:
        if s.state == "failed" and (s.error or "").startswith("gone: "):
            put_off(session, _lost(s.job, now), now)


def _lost(job: Leased, now: datetime) -> RoomChange:
    to = from_args(job.args["to"])
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
