"""Whatever becomes of the database while people talk: nothing is lost, an operator is told, and it mends by itself."""

import asyncio
import contextlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import aiohttp
import psycopg
import pytest

from tests.chaos.load import Load, audit, furnish, logged
from tests.chaos.world import World, world
from tests.servers import processes
from tests.servers.postgres import Postgres

SEED = int(os.environ.get("TEST_SEED", "0"))
PATIENCE = 90.0
DISK = 64_000_000  # bytes of a disk that can be filled
TOO_LONG = 11.0  # seconds for which nobody waits for a lock


@dataclass(frozen=True)
class Harm:
    """What is done to a database and undone when the block ends; what the log says of it, and `/readyz` at its end."""

    kind: str
    do: Callable[[World, Postgres], AbstractAsyncContextManager[None]]
    logged: str
    said: str = ""  # nothing: by then all is well again


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
async def exhausted(made: World, postgres: Postgres) -> AsyncGenerator[None]:
    """Others have taken every connection that the server gives."""
    with contextlib.ExitStack() as theirs:
        await asyncio.to_thread(_take_all, made, postgres, theirs)
        yield


def _take_all(made: World, postgres: Postgres, theirs: contextlib.ExitStack) -> None:
    """Take what is free, end the bot's, and take these too, until it has none left."""
    url = postgres.url.replace("+psycopg", "")
    first = theirs.enter_context(psycopg.connect(url, autocommit=True))
    bots = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s"
    ended = 1
    while ended:
        with contextlib.suppress(psycopg.OperationalError):
            while True:
                theirs.enter_context(psycopg.connect(url))
        [ended] = first.execute(bots, [made.bot.url.rpartition("/")[2]]).fetchone() or [0]


@contextlib.asynccontextmanager
async def tables_locked(made: World, postgres: Postgres) -> AsyncGenerator[None]:
    """By another program: each connection of the bot's hangs on them."""
    with psycopg.connect(made.bot.url.replace("+psycopg", "")) as other:
        tables = other.execute("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'").fetchall()
        other.execute(f"LOCK TABLE {', '.join(name for (name,) in tables)} IN ACCESS EXCLUSIVE MODE".encode())
        await asyncio.sleep(TOO_LONG)
        yield


@contextlib.asynccontextmanager
async def file_locked(made: World, postgres: Postgres) -> AsyncGenerator[None]:
    """By another program, for longer than is waited for it."""
    with contextlib.closing(sqlite3.connect(_file(made), isolation_level=None)) as other:
        other.execute("PRAGMA busy_timeout=5000")
        other.execute("BEGIN EXCLUSIVE")
        await asyncio.sleep(TOO_LONG)
        yield
        other.execute("ROLLBACK")


@contextlib.asynccontextmanager
async def full(made: World, postgres: Postgres) -> AsyncGenerator[None]:
    ballast = _file(made).with_name("ballast")
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    yield
    ballast.unlink()


@contextlib.asynccontextmanager
async def read_only(made: World, postgres: Postgres) -> AsyncGenerator[None]:
    file = made.bot.directory / "read-only"
    file.touch()
    yield
    file.unlink()


def _file(made: World) -> Path:
    return Path(made.bot.url.removeprefix("sqlite:///"))


HARM = {
    "restarted": Harm("postgresql", restarted, "onnection", "onnection refused"),
    "connections killed": Harm("postgresql", cut, "onnection"),
    "no connection left": Harm("postgresql", exhausted, "too many clients", "too many clients"),
    "tables locked": Harm("postgresql", tables_locked, "lock timeout", "keep it locked"),
    "disk full": Harm("sqlite", full, "full", "full"),
    "read-only": Harm("sqlite", read_only, "readonly database", "attempt to write a readonly database"),
    "file locked": Harm("sqlite", file_locked, "database is locked", "keep it locked"),
}


@pytest.fixture
def url(request: pytest.FixtureRequest, new_url: Callable[[str], str], tmp_path: Path) -> Generator[str]:
    """A fresh database of the kind that is harmed; one whose disk gets full lies on a small one of its own."""
    name = request.node.callspec.params["name"]
    made = new_url(HARM[name].kind)
    if HARM[name].do is not full:
        yield made
        return
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "none", str(disk)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("needs the right to mount a small disk")
    try:
        shutil.copy(made.removeprefix("sqlite:///"), disk / "passerelle.db")
        yield f"sqlite:///{disk}/passerelle.db"
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


async def readiness(made: World) -> tuple[int, str]:
    url = f"http://{processes.LOOPBACK}:{made.bot.port}/readyz"
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        return answer.status, await answer.text()


async def suffer(made: World, postgres: Postgres, harm: Harm, seconds: float, rate: float) -> str:
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
        async with harm.do(made, postgres):
            await asyncio.sleep(seconds)
            if harm.said:
                status, said = await readiness(made)
                assert status == 503
                assert harm.said in said
        back = asyncio.get_running_loop().time()
        again = await made.bot.ready(PATIENCE)
        await asyncio.sleep(seconds)
        load.enough()
        await load.said_all(PATIENCE)
        while (findings := await audit(load)).faults and asyncio.get_running_loop().time() - back < PATIENCE:
            await asyncio.sleep(0.5)
        settled = asyncio.get_running_loop().time() - back
        await asyncio.sleep(1.0)  # what comes twice comes now
        findings = await audit(load)
    finally:
        await load.end()
    assert not findings.faults, "\n".join(findings.faults)
    assert made.bot.alive
    log = made.bot.log.read_text()
    assert "database_unavailable" in log
    assert harm.logged in log
    assert "database_back" in log or not harm.said
    assert "Traceback" not in log
    assert logged(made.bot.log) == [], "whatever goes wrong, no word of what is said is in the log"
    return f"{findings}; ready again after {again:.1f} s, all said after {settled:.1f} s"


@pytest.mark.proof
@pytest.mark.parametrize("name", HARM)
async def test_all_harm(name: str, url: str, postgres: Postgres, tmp_path: Path) -> None:
    async with world(url, tmp_path / "world") as made:
        print(f"\n{name}: {await suffer(made, postgres, HARM[name], 4.0, 2.0)}")
