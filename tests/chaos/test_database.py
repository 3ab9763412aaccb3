"""Whatever becomes of the database while people talk: nothing is lost, an operator is told, and it mends by itself."""

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from random import Random

import aiohttp
import pytest

from tests.chaos.load import Load, audit, furnish, logged
from tests.chaos.world import World, world
from tests.servers import processes
from tests.servers.postgres import Postgres

SEED = int(os.environ.get("TEST_SEED", "0"))
PATIENCE = 90.0

Harm = Callable[[World, Postgres], AbstractAsyncContextManager[None]]
"""Do harm, and undo it when the block ends."""


@contextlib.asynccontextmanager
async def restarted(made: World, postgres: Postgres) -> AsyncGenerator[None]:
    await postgres.kill()  # at once, as a crash would
    yield
    await postgres.start()


@contextlib.asynccontextmanager
async def cut(made: World, postgres: Postgres) -> AsyncGenerator[None]:
    for _ in range(5):
        assert postgres.kill_connections(made.bot.url)
        await asyncio.sleep(0.3)
    yield


@contextlib.asynccontextmanager
async def full(made: World, postgres: Postgres) -> AsyncGenerator[None]:
    with _lying_there(made, "full"):
        yield


@contextlib.asynccontextmanager
async def read_only(made: World, postgres: Postgres) -> AsyncGenerator[None]:
    with _lying_there(made, "read-only"):
        yield


@contextlib.asynccontextmanager
async def locked(made: World, postgres: Postgres) -> AsyncGenerator[None]:
    """By another program, for longer than is waited for it."""
    with contextlib.closing(sqlite3.connect(made.bot.url.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("PRAGMA busy_timeout=5000")
        other.execute("BEGIN EXCLUSIVE")
        await asyncio.sleep(11.0)
        yield
        other.execute("ROLLBACK")


@contextlib.contextmanager
def _lying_there(made: World, name: str) -> Generator[None]:
    file = made.bot.directory / name
    file.touch()
    yield
    file.unlink()


HARM: dict[str, tuple[str, Harm, str]] = {
    "restarted": ("postgresql", restarted, "onnection"),
    "connections killed": ("postgresql", cut, "onnection"),
    "disk full": ("sqlite", full, "database or disk is full"),
    "read-only": ("sqlite", read_only, "attempt to write a readonly database"),
    "locked": ("sqlite", locked, "database is locked"),
}


async def readiness(made: World) -> tuple[int, str]:
    url = f"http://{processes.LOOPBACK}:{made.bot.port}/readyz"
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        return answer.status, await answer.text()


async def suffer(made: World, postgres: Postgres, harm: Harm, words: str, seconds: float, rate: float) -> str:
    """Let people talk, do harm meanwhile, and compare the ledgers; return what they say."""
    made.bot.start(CHAOS_SICK=str(made.bot.directory))
    await made.bot.ready()
    await furnish(made)
    await made.joined()
    await made.link()
    load = Load(made, Random(SEED))
    load.begin(rate)
    try:
        await asyncio.sleep(seconds)
        async with harm(made, postgres):
            await asyncio.sleep(seconds)
            if harm is not cut:  # of which every next connection is whole
                status, said = await readiness(made)
                assert status == 503
                assert words in said
        await asyncio.sleep(seconds)
        load.enough()
        await load.said_all(PATIENCE)
        async with asyncio.timeout(PATIENCE):
            while (findings := await audit(load)).faults:
                await asyncio.sleep(0.5)
        await asyncio.sleep(1.0)  # what comes twice comes now
        findings = await audit(load)
    finally:
        await load.end()
    assert not findings.faults
    assert made.bot.alive
    assert await made.bot.ready() < 10
    log = made.bot.log.read_text()
    assert "database_unavailable" in log or "slack_payload_not_kept" in log
    assert words in log or harm is cut
    assert "Traceback" not in log
    assert logged(made.bot.log) == [], "whatever goes wrong, no word of what is said is in the log"
    return str(findings)


async def _one(name: str, new_url: Callable[[str], str], postgres: Postgres, folder: Path, seconds: float) -> None:
    kind, harm, words = HARM[name]
    async with world(new_url(kind), folder) as made:
        print(f"{name}: {await suffer(made, postgres, harm, words, seconds, 2.0)}")


async def test_one_harm(new_url: Callable[[str], str], postgres: Postgres, tmp_path: Path) -> None:
    """The quickest; the proof does all."""
    await _one("connections killed", new_url, postgres, tmp_path, 1.0)


@pytest.mark.proof
@pytest.mark.parametrize("name", HARM)
async def test_all_harm(name: str, new_url: Callable[[str], str], postgres: Postgres, tmp_path: Path) -> None:
    await _one(name, new_url, postgres, tmp_path, 4.0)
