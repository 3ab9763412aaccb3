"""Other processes are told of work at once, and find it without being told."""

import asyncio
import contextlib
from collections.abc import Callable

import pytest

from bot.db import Database
from bot.jobs import hints
from tests.contracts.doing import Doing, put, until, working
from tests.servers.postgres import Postgres


async def test_work_that_nobody_was_told_of_is_found_at_the_next_look(
    shipped: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hint is lost without a word when its connection dies."""
    monkeypatch.setattr("bot.jobs.worker.POLL", 0.1)
    doing = Doing()
    async with working(shipped, doing):
        await asyncio.sleep(0.2)
        with contextlib.closing(Database(shipped.url)) as other:
            await asyncio.to_thread(put, other, "k")
        await until(lambda: doing.done == ["k"], 2)


async def test_hints_are_heard_again_after_their_connection_died(
    new_url: Callable[[str], str], postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.jobs.hints.AGAIN", 0.05)
    heard: list[set[str]] = []
    with contextlib.closing(Database(new_url("postgresql"))) as database:
        listening = asyncio.create_task(hints.take(database.url, heard.append))
        for _ in range(2):
            async with asyncio.timeout(5):
                while not heard:
                    await database.run(lambda s: hints.give(s, {"q"}))
                    await asyncio.sleep(0.02)
            assert heard[0] == {"q"}
            await asyncio.to_thread(database.engine.dispose)
            assert await asyncio.to_thread(postgres.kill_connections, database.url)
            heard.clear()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def test_another_process_is_told_of_its_work_at_once(
    new_url: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL; on SQLite, where there is seldom another one, it looks every second."""
    monkeypatch.setattr("bot.jobs.worker.POLL", 60.0)
    doing, url = Doing(), new_url("postgresql")
    with contextlib.closing(Database(url)) as database, contextlib.closing(Database(url)) as other:
        async with working(database, doing) as worker:
            listening = asyncio.create_task(hints.take(url, worker.wake))
            await asyncio.sleep(0.3)
            await asyncio.to_thread(put, other, "k")
            await until(lambda: doing.done == ["k"], 2)
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
