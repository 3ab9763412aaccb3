"""The tick: it goes on whatever the wall clock does and whatever a tick does."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from apscheduler.schedulers import base
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot import schedule


@contextlib.asynccontextmanager
async def ticking(tick: Callable[[], Awaitable[None]], every: float = 1.0) -> AsyncGenerator[None]:
    task = asyncio.create_task(schedule.run(tick, every))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(condition: Callable[[], bool], seconds: float = 8) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


class Ticks:
    """Counts ticks; `fail` makes them fail, `last` makes them last."""

    def __init__(self, *, fail: bool = False, last: float = 0.0) -> None:
        self.count = 0
        self.at_once = 0
        self.most_at_once = 0
        self._fail, self._last = fail, last

    async def __call__(self) -> None:
        self.count += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(self._last)
        self.at_once -= 1
        if self._fail:
            raise ZeroDivisionError


async def test_the_wall_clock_may_be_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    back = timedelta(0)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz) - back

    monkeypatch.setattr(base, "datetime", Clock)
    ticks = Ticks()
    async with ticking(ticks):
        await until(lambda: ticks.count >= 1)
        back, before = timedelta(hours=2), ticks.count
        await until(lambda: ticks.count >= before + 2)


async def test_the_wall_clock_may_be_set_forward(monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = timedelta(0)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz) + ahead

    monkeypatch.setattr(base, "datetime", Clock)
    ticks = Ticks()
    async with ticking(ticks):
        await until(lambda: ticks.count >= 1)
        ahead, before = timedelta(days=1), ticks.count
        await until(lambda: ticks.count > before)
        await asyncio.sleep(0.3)
        assert ticks.count <= before + 2, "a day that was skipped is not made up for"


async def test_a_failing_tick_does_not_stop_the_next() -> None:
    ticks = Ticks(fail=True)
    async with ticking(ticks, 0.2):
        await until(lambda: ticks.count >= 3)


async def test_a_slow_tick_is_never_run_twice_at_once() -> None:
    ticks = Ticks(last=0.7)
    async with ticking(ticks, 0.2):
        await until(lambda: ticks.count >= 3)
    assert ticks.most_at_once == 1


async def test_it_ends_when_it_is_cancelled_and_leaves_nothing_running() -> None:
    before = asyncio.all_tasks()
    ticks = Ticks()
    async with ticking(ticks, 0.1):
        await until(lambda: ticks.count >= 1)
    await asyncio.sleep(0.3)
    assert asyncio.all_tasks() == before
    assert ticks.at_once == 0


async def test_the_scheduler_is_the_tick_only(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[AsyncIOScheduler] = []

    def start(self: AsyncIOScheduler, *args: Any, **more: Any) -> None:
        made.append(self)
        started(self, *args, **more)

    started = AsyncIOScheduler.start
    monkeypatch.setattr(AsyncIOScheduler, "start", start)
    async with ticking(Ticks()):
        await until(lambda: bool(made))
        [scheduler] = made
        [job] = scheduler.get_jobs()
        assert scheduler.timezone == UTC
        assert [type(store).__name__ for store in scheduler._jobstores.values()] == ["MemoryJobStore"]
        assert job.misfire_grace_time is None
        assert job.coalesce is True
        assert job.max_instances == 1
