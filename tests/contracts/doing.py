"""A worker whose jobs are written down, and what it is given to do."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime
from typing import Any

from bot import jobs
from bot.clock import system_clock
from bot.db import Database
from bot.jobs.tables import Job, Leased
from bot.jobs.worker import Worker

NOON = datetime(2026, 3, 16, 12, tzinfo=UTC)


def put(database: Database, key: str, lane: str = "a", **more: Any) -> None:
    now = more.pop("now", None) or system_clock()
    database.run_now(lambda s: jobs.put(s, "do", {"n": key}, lane=lane, queue="q", key=key, now=now, **more))


def state(database: Database, key: str) -> Job:
    return database.run_now(lambda s: s.query(Job).filter_by(key=key).one())


class Doing:
    """Performs jobs by writing them down; `plan` may say otherwise for a key, once per listed outcome."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.again: dict[str, bool] = {}
        self.plan: dict[str, list[Exception]] = {}
        self.waits: dict[str, asyncio.Event] = {}

    async def __call__(self, job: Leased) -> str:
        if job.lane in self.waits:
            await self.waits[job.lane].wait()
        self.again[job.key] = job.again
        outcomes = self.plan.get(job.key)
        if outcomes:
            raise outcomes.pop(0)
        self.done.append(job.key)
        return f"id-{job.key}"


@contextlib.asynccontextmanager
async def working(database: Database, doing: Doing, **more: Any) -> AsyncGenerator[Worker]:
    worker = Worker(
        database, queues={"q"}, kinds={"do": doing}, clock=system_clock, settled=lambda s, x, now: None, **more
    )
    database.woken = worker.wake
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        await worker.drain(1)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(condition: Callable[[], bool], seconds: float = 5) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)
