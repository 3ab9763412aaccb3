"""Carrying files: what somebody attached is fetched, looked at, and kept until it is said on the other side.

Nothing crosses that is too large, of a kind that is not wanted, or that the operator's scanner does not pass. What
does not cross is told to who attached it, and to the side that would wait for it.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncGenerator, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Final

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import files, jobs
from bot.card import Card, Paragraph
from bot.clock import Clock
from bot.db import Database
from bot.directory import proposals
from bot.errors import Refused
from bot.files import Limits
from bot.jobs.leases import Settled
from bot.jobs.tables import Leased
from bot.outbox import Outbox, from_args
from bot.platforms import Files, Platform
from bot.posts import Post
from bot.texts import Text

log = structlog.get_logger()

AT_ONCE: Final = 3
LEFT_BEHIND: Final = 3600.0  # seconds after which a file of a process that died is taken away
REASONS: Final = ("file.too_large", "file.empty", "file.infected", "file.unscanned", "file.unreadable")

Exit = Callable[[Session, datetime], Outbox]


class Fetching:
    """Performs `fetch` jobs."""

    def __init__(
        self,
        database: Database,
        platforms: Mapping[str, Platform],
        limits: Limits,
        folder: Path,
        clock: Clock,
        exit_: Exit,
    ) -> None:
        self._database = database
        self._platforms = platforms
        self._limits = limits
        self._folder = folder
        self._clock = clock
        self._exit = exit_
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def fetch(self, job: Leased) -> None:
        """Bring a file here, and put the job that says it. Raises a `SendError`."""
        platform = self._platforms[from_args(job.args["from"]).platform]
        if not isinstance(platform, Files):
            raise Refused("file.unreadable")
        if job.again and await self._database.run(lambda s: jobs.known(s, str(job.args["target"]))):
            return  # it is kept, and may be on its way by now: it must not be changed under it
        async with self._turns, _workplace(self._folder, files.ending(job.args["name"]), self._clock()) as (file, path):
            size = await self._download(platform, str(job.args["source"]), file)
            await self._scan(path)
            await self._keep(job, file, size)

    async def _download(self, platform: Files, source: str, file: IO[bytes]) -> int:
        size = 0
        try:
            async for piece in platform.fetch(source):
                size += len(piece)
                if size > self._limits.largest:
                    break
                file.write(piece)
        except Refused as refused:
            log.warning("file_unreadable", reason=str(refused))
            raise Refused("file.unreadable") from refused
        if size > self._limits.largest or not size:
            raise Refused("file.too_large" if size else "file.empty")
        file.flush()
        return size

    async def _scan(self, path: Path) -> None:
        """Let the operator's command judge a file: 0 passes it, 1 finds something, anything else is no judgement."""
        if not self._limits.scan:
            return
        try:
            scanner = await asyncio.create_subprocess_exec(
                *self._limits.scan,
                str(path),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            log.error("file_scanner_missing", reason=str(error))
            raise Refused("file.unscanned") from error
        try:
            async with asyncio.timeout(self._limits.scan_seconds):
                status = await scanner.wait()
        except TimeoutError:
            status = None
        finally:
            if scanner.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(scanner.pid, signal.SIGKILL)
        if status:
            log.warning("file_refused_by_scanner", status=status)
        if status != 0:
            raise Refused("file.infected" if status == 1 else "file.unscanned")

    async def _keep(self, job: Leased, file: IO[bytes], size: int) -> None:
        key, name, now = str(job.args["target"]), str(job.args["name"]), self._clock()
        await self._database.run(lambda s: files.begin(s, key, name, size, now))
        file.seek(0)
        for number, content in enumerate(iter(lambda: file.read(files.SLICE), b"")):
            await self._database.run(lambda s, n=number, c=content: files.add(s, key, n, c))

        def say(session: Session) -> None:
            if "proposal" in job.args:
                proposals.arrived(session, int(job.args["proposal"]), key, self._clock())
                return
            post = session.scalar(select(Post).where(Post.key == key).with_for_update())
            if post is None or post.gone:  # taken back meanwhile
                files.discard(session, [key])
                return
            self._exit(session, self._clock()).put_file(
                from_args(job.args["to"]), key, name, told=from_args(job.args["from"])
            )

        await self._database.run(say)


def tell_failed(session: Session, settled: Settled, outbox: Outbox) -> None:
    """Tell both sides of a file that did not cross, once; of one that the bot made, those who wait for it."""
    key = str(settled.job.args.get("target") or settled.job.key)
    post = session.scalar(select(Post).where(Post.key == key).with_for_update())
    if post is None or post.gone:
        return
    post.gone = True
    name = str(settled.job.args.get("name") or "")
    to, told = from_args(settled.job.args["to"]), settled.job.args.get("told") or settled.job.args.get("from")
    outbox.put(to, Card(None, (Paragraph(Text.of("file.missing", name=name)),)), key=f"{key}/missing")
    if told:
        reason = settled.error if settled.error in REASONS else "file.unreadable"
        words = Text.of("file.not_sent", name=name, reason=Text.of(reason))
        outbox.put(from_args(told), Card(None, (Paragraph(words),)), key=f"{key}/refused")


@contextlib.asynccontextmanager
async def _workplace(folder: Path, ending: str, now: datetime) -> AsyncGenerator[tuple[IO[bytes], Path]]:
    """Lend a file that only this account can read, for as long as the block lasts."""
    await asyncio.to_thread(tidy, folder, now)
    with tempfile.NamedTemporaryFile(dir=folder, suffix=f".{ending}" if ending else "") as file:
        yield file, Path(file.name)


def tidy(folder: Path, now: datetime) -> None:
    """Make the folder, and take away what a process that died left behind in it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in folder.iterdir():
        with contextlib.suppress(OSError):
            if now.timestamp() - left.stat().st_mtime > LEFT_BEHIND:
                shutil.rmtree(left) if left.is_dir() else left.unlink()
