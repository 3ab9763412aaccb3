"""The tick: APScheduler rings, rows say what is due. A second, monotonic ring survives a clock that is set back."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC

import structlog

from bot.errors import in_short

log = structlog.get_logger()

TICK = 15.0  # seconds


async def run(tick: Callable[[], Awaitable[None]], every: float = TICK) -> None:
    """Call `tick` about every `every` seconds until cancelled, never twice at once, whatever the wall clock does."""
    # Loaded here, a fiftieth of a start, for the start is over by now.
    from apscheduler.schedulers import asyncio as schedulers  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]
    from apscheduler.triggers import interval  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]

    ring = asyncio.Event()
    scheduler = schedulers.AsyncIOScheduler(
        timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
    )
    scheduler.add_job(  # pyright: ignore[reportUnknownMemberType]
        _ring, interval.IntervalTrigger(seconds=max(1, int(every)), timezone=UTC), args=(ring,)
    )
    scheduler.start()
    last = time.monotonic()
    try:
        while True:
            try:
                async with asyncio.timeout(every * 1.5):
                    await ring.wait()
            except TimeoutError:
                log.warning("tick_by_monotonic_clock", late=round(time.monotonic() - last - every, 1))
            ring.clear()
            last = time.monotonic()
            await _safely(tick)
    finally:
        scheduler.shutdown(wait=False)


async def _ring(ring: asyncio.Event) -> None:
    ring.set()


async def _safely(tick: Callable[[], Awaitable[None]]) -> None:
    try:
        await tick()
    except Exception as error:  # the next tick finds what this one left
        log.error("tick_failed", reason=in_short(error))
