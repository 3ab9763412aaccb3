"""The process of its own that reads and writes the directory's files (`bot.directory.apart`), as the bot sees it.

It is lent a folder that only this account can read, for as long as it runs.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import structlog

from bot import files
from bot.clock import Clock
from bot.db import Database
from bot.directory.preview import Outcome
from bot.directory.proposals import Proposal
from bot.performers.fetching import tidy

log = structlog.get_logger()

PATIENCE: Final = 180.0  # seconds for a process
_LINE: Final = 16 * 1024**2  # bytes of an answer

Told = Callable[[str, int], Awaitable[None]]
"""Called now and then with the file that is read and the number of its line."""


class GaveUp(Exception):
    """The process ended without an answer: it took too long or too much."""


@dataclass(frozen=True, slots=True)
class Beside:
    """Starts that process, a new one for each request; `folder` is where it is lent its own."""

    database: Database
    folder: Path
    clock: Clock

    async def read(self, row: Proposal, told: Told | None = None, *, store: bool = False) -> tuple[Outcome, bytes]:
        """Return what a proposal would do, or what it did if it is to be stored, and the list of it. Raises GaveUp."""
        author = {"account": row.account, "at": self.clock().isoformat()}
        asked = {**self._asked("import", row.person, json.loads(row.scope)), **author}
        asked |= {"agreed": row.agreed, "store": row.id if store else None}
        async with self._workplace() as folder:
            listing = folder / "changes.csv"
            paths = await self._laid_out(row, folder)
            said = await self.answer({**asked, "paths": paths, "changes": str(listing)}, told)
            return Outcome.of(said), await asyncio.to_thread(listing.read_bytes) if listing.exists() else b""

    async def write(self, args: Mapping[str, Any], at: datetime, largest: int) -> bytes | None:
        """Return an archive of what somebody may export; None where it has more bytes than that. Raises GaveUp."""
        asked = {**self._asked("export", args["person"], args["scope"]), "format": args["format"], "at": at.isoformat()}
        async with self._workplace() as folder:
            archive = folder / "archive.zip"
            said = await self.answer({**asked, "folder": str(folder / "out"), "archive": str(archive)})
            fits = said["size"] is not None and said["size"] <= largest
            return await asyncio.to_thread(archive.read_bytes) if fits else None

    def _asked(self, kind: str, person: str, scope: object) -> dict[str, Any]:
        return {"kind": kind, "url": self.database.url, "person": person, "scope": scope}

    @contextlib.asynccontextmanager
    async def _workplace(self) -> AsyncGenerator[Path]:
        await asyncio.to_thread(tidy, self.folder, self.clock())
        made = await asyncio.to_thread(tempfile.TemporaryDirectory, dir=self.folder)
        try:
            yield Path(made.name)
        finally:
            await asyncio.to_thread(made.cleanup)

    async def _laid_out(self, row: Proposal, folder: Path) -> list[str]:
        """Write a proposal's files into a folder; return their paths."""
        paths: list[str] = []
        for key, name in row.parcels:
            kept = await files.opened(self.database, key)
            path = folder / name
            with path.open("xb") as stream:
                async for piece in kept.pieces() if kept is not None else _nothing():
                    await asyncio.to_thread(stream.write, piece)
            paths.append(str(path))
        return paths

    async def answer(self, asked: dict[str, Any], told: Told | None = None) -> dict[str, Any]:
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
