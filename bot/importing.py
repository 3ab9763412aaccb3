"""The directory's files in and out of the chat: read and written beside the bot, by a process of its own.

The bot lends that process a folder that only this account can read, tells its person how far it is, and says what came
of it. Whatever becomes of either process, a proposal is stored once or not at all: what is stored and that it is are
written in one transaction (`proposals.note_stored`), and who comes again finds it done.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import structlog
from sqlalchemy.orm import Session

from bot import files
from bot.card import Card, Paragraph
from bot.clock import Clock
from bot.clockwork import Again, Kind, Ring
from bot.context import Scope, World
from bot.db import Database
from bot.directory import preview, proposals, scopes
from bot.directory.identity import identify, reader_of
from bot.directory.preview import Outcome
from bot.directory.proposals import Proposal
from bot.directory.tables import Person
from bot.errors import UserError
from bot.fetching import REASONS, tidy
from bot.foureyes import Act
from bot.jobs import Leased
from bot.leases import Settled
from bot.message import Address, File, User
from bot.outbox import Destinations, Outbox, from_args
from bot.texts import Text, unescaped

log = structlog.get_logger()

PATIENCE: Final = 180.0  # seconds for a process
TOLD_EVERY: Final = timedelta(seconds=3)  # how far it is
_LINE: Final = 16 * 1024**2  # bytes of an answer

Say = Callable[[Session, Outbox], None]
Told = Callable[[str, int], Awaitable[None]]


class GaveUp(Exception):
    """The process ended without an answer: it took too long or too much."""


class Importing:
    """Performs `import` and `export` jobs."""

    def __init__(self, database: Database, world: World, where: Destinations, folder: Path, clock: Clock) -> None:
        self._database = database
        self._world = world
        self._where = where
        self._folder = folder
        self._clock = clock

    async def bring(self, job: Leased) -> None:
        """Read what a proposal holds and show it, or store what was agreed to."""
        id_ = int(job.args["proposal"])
        row = await self._database.run(lambda session: session.get(Proposal, id_))
        if row is None or row.state not in ("reading", "storing"):
            await self._database.run(lambda session: self._tell_stored(session, id_))
            return
        async with self._workplace() as folder:
            asked = {**self._asked("import", row), "paths": await self._laid_out(row, folder)}
            asked |= {"agreed": row.agreed, "store": id_ if row.state == "storing" else None}
            listing = folder / "changes.csv"
            try:
                said = await self._answer({**asked, "changes": str(listing)}, self._progress(row))
            except GaveUp:
                await self._database.run(lambda session: self._fail(session, id_, "proposal.gave_up"))
                return
            listed = await asyncio.to_thread(listing.read_bytes) if listing.exists() else b""
        await self._database.run(lambda session: self._conclude(session, id_, Outcome.of(said), listed))

    async def send(self, job: Leased) -> None:
        """Write what somebody may see of the directory into an archive, and say it."""
        to, at = from_args(job.args["to"]), datetime.fromisoformat(job.args["at"])
        async with self._workplace() as folder:
            archive = folder / "archive.zip"
            names = ("format", "scope", "at", "person")
            asked = {"kind": "export", "url": self._database.url, **{name: job.args[name] for name in names}}
            try:
                said = await self._answer({**asked, "folder": str(folder / "out"), "archive": str(archive)})
            except GaveUp:
                said = {"size": None}
            fits = said["size"] is not None and said["size"] <= self._world.limits.largest
            content = await asyncio.to_thread(archive.read_bytes) if fits else b""
        card = Card(None, (Paragraph(Text.of("export.done" if fits else "export.too_large")),))
        made = (File(Text.of("export.file", day=f"{at:%Y-%m-%d}"), content),) if fits else ()

        def say(session: Session) -> None:
            outbox = self._outbox(session, str(job.args["person"]), to)
            outbox.put(to, Card(card.title, card.blocks, files=made), key=f"{job.key}/said")

        await self._database.run(say)

    def _asked(self, kind: str, row: Proposal) -> dict[str, Any]:
        author = {"at": self._clock().isoformat(), "person": row.person, "account": row.account}
        return {"kind": kind, "url": self._database.url, "scope": json.loads(row.scope), **author}

    @contextlib.asynccontextmanager
    async def _workplace(self) -> AsyncGenerator[Path]:
        await asyncio.to_thread(tidy, self._folder, self._clock())
        made = await asyncio.to_thread(tempfile.TemporaryDirectory, dir=self._folder)
        try:
            yield Path(made.name)
        finally:
            await asyncio.to_thread(made.cleanup)

    async def _laid_out(self, row: Proposal, folder: Path) -> list[str]:
        """Write a proposal's files into a folder; return their paths."""
        paths: list[str] = []
        for key, name in row.parcels:
            kept = await files.opened(self._database, key)
            path = folder / name
            with path.open("xb") as stream:
                async for piece in kept.pieces() if kept is not None else _nothing():
                    await asyncio.to_thread(stream.write, piece)
            paths.append(str(path))
        return paths

    async def _answer(self, asked: dict[str, Any], told: Told | None = None) -> dict[str, Any]:
        """Let a process do something and return its outcome. Raises GaveUp."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "bot.directory.apart",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, limit=_LINE,
        )  # fmt: skip
        try:
            async with asyncio.timeout(PATIENCE):
                said = await _spoken(process, json.dumps(asked).encode(), told)
                status = await process.wait()
        except (TimeoutError, ValueError, OSError) as error:
            raise GaveUp from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if said is None or status != 0:
            log.error("directory_process_failed", status=status)
            raise GaveUp
        return said

    def _progress(self, row: Proposal) -> Told:
        begun = last = self._clock()

        async def tell(name: str, line: int) -> None:
            nonlocal last
            now = self._clock()
            if now - last >= TOLD_EVERY:
                last = now
                revision = f"{begun.isoformat()}/{name}/{line}"
                card = preview.progress(name, line)
                await self._database.run(
                    lambda session: self._outbox(session, row.person, row.to).edit(row.key, card, revision=revision)
                )

        return tell

    def _conclude(self, session: Session, id_: int, found: Outcome, listing: bytes) -> None:
        """Say what came of a proposal, and let it wait or end."""
        row = proposals.locked(session, id_)
        if row is None or row.state in proposals.OVER:
            self._tell_stored(session, id_)
            return
        outbox = self._outbox(session, row.person, row.to)
        again = row.state == "storing"
        outbox.edit(row.key, preview.read(found), revision="read")
        if again and row.card_key is not None:
            outbox.edit(row.card_key, preview.over("proposal.overtaken"), revision="overtaken")
        if found.total and not found.errors:
            key = proposals.show(row, found.digest, (found.added, found.changed, found.closed))
            outbox.put(row.to, preview.changes(id_, found, listing, again=again), key=key)
            return
        proposals.end(session, row, "refused")
        reader = outbox.reader(row.to)
        card = preview.complaints(found, lambda text: unescaped(self._world.catalogues.render(text, reader)))
        outbox.put(row.to, card if found.errors else preview.nothing(found), key=f"{row.key}/nothing")

    def _tell_stored(self, session: Session, id_: int) -> None:
        """Say of a proposal that is stored that it is, once; its files are of no use any more."""
        row = proposals.locked(session, id_)
        if row is not None and row.state == "stored":
            proposals.end(session, row, "stored")
            card = preview.stored(row.counts)
            self._outbox(session, row.person, row.to).edit(row.card_key or row.key, card, revision="stored")

    def _fail(self, session: Session, id_: int, why: str) -> None:
        row = proposals.locked(session, id_)
        if row is None or row.state in proposals.OVER:
            self._tell_stored(session, id_)
            return
        proposals.end(session, row, "refused")
        self._outbox(session, row.person, row.to).put(row.to, preview.over(why), key=f"{row.key}/failed")

    def _outbox(self, session: Session, person: str, to: Address) -> Outbox:
        """Return the exit for one person: in their language and zone."""
        now = self._clock()
        there = self._where(session, to).reader
        row = session.get(Person, person)
        reader = reader_of(session, row, there, now) if row is not None else there
        return Outbox(session, self._world.catalogues, self._where, now, (to.room, reader))


async def _nothing() -> AsyncGenerator[bytes]:
    return
    yield b""


async def _spoken(process: asyncio.subprocess.Process, asked: bytes, told: Told | None) -> dict[str, Any] | None:
    """Give a process its request, hand on how far it is, and return its last answer."""
    if process.stdin is None or process.stdout is None:
        return None
    process.stdin.write(asked)
    await process.stdin.drain()
    process.stdin.close()
    said: dict[str, Any] | None = None
    async for line in process.stdout:
        answer: dict[str, Any] = json.loads(line)
        if "progress" not in answer:
            said = answer
        elif told is not None:
            await told(*answer["progress"])
    return said


def tell_unread(session: Session, settled: Settled, outbox: Outbox) -> None:
    """Tell the author of a proposal that a file of it could not be fetched, or that it could not be read."""
    row = proposals.locked(session, int(settled.job.args["proposal"]))
    if row is None or row.state in proposals.OVER:
        return
    proposals.end(session, row, "refused")
    name = settled.job.args.get("name")
    if name is None:
        words = Text.of("proposal.gave_up")
    else:
        reason = settled.error if settled.error in REASONS else "file.unreadable"
        words = Text.of("proposal.unfetched", name=name, reason=Text.of(reason))
    outbox.put(row.to, Card(None, (Paragraph(words),)), key=f"{row.key}/failed")


def expire(ctx: Scope, ring: Ring) -> Again:
    """Forget a proposal that waited too long for its author's word."""
    row = proposals.locked(ctx.session, int(ring.key))
    if row is None or row.state in proposals.OVER:
        return None
    if row.state in ("asked", "storing"):
        return ctx.now + timedelta(hours=1)
    _over(ctx, row, "expired")
    proposals.end(ctx.session, row, "dropped")
    return None


def _store(ctx: Scope, args: Mapping[str, Any], _who: str) -> None:
    """Store what a second person agreed to, as far as its author still may. Raises UserError."""
    row = proposals.locked(ctx.session, int(args["proposal"]))
    author = row and identify(ctx.session, User("console", row.person), ("console", ""), direct=True, at=ctx.now)
    scope = scopes.of(ctx.session, author, ctx.now) if author else None
    if scope is None or not scope.useful:
        _drop(ctx, args)
        raise UserError("proposal.editors_only")
    _over(ctx, proposals.second(ctx.session, row, scope.as_json(), ctx.now), "storing")


def _drop(ctx: Scope, args: Mapping[str, Any]) -> None:
    """Forget a proposal that no second person agreed to."""
    row = proposals.locked(ctx.session, int(args["proposal"]))
    if row is not None and row.state == "asked":
        _over(ctx, row, "not_seconded")
        proposals.end(ctx.session, row, "dropped")


def _over(ctx: Scope, row: Proposal, state: str) -> None:
    if row.card_key is not None:
        ctx.outbox.edit(row.card_key, preview.ended(state), revision=state)


KINDS = {proposals.EXPIRY: Kind(expire)}
SECONDED = Act(_store, _drop)
"""What becomes of an import of many rows once a second person has decided."""
