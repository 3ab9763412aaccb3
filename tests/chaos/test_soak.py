"""Half an hour of work: memory stays flat, the write-ahead log stays small, nothing waits."""

import asyncio
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random

import aiohttp
import psutil
import pytest

from tests.chaos.load import Load, audit, furnish
from tests.chaos.world import World, world
from tests.servers import processes

SEED = int(os.environ.get("TEST_SEED", "0"))
SECONDS = float(os.environ.get("SOAK_SECONDS", "1800"))
RATE = 1.1  # conversations a second: 7 messages in and 11 out each, 20 a second together
EVERY = 2.0
WARM = 0.25  # of the time, after which memory may not grow any more
GROWTH = 0.05
WAL = 32_000_000
LATE = 5.0


@dataclass(frozen=True)
class Sample:
    """One look at the running bot."""

    at: float
    memory: int
    wal: int
    late: float


async def watch(made: World, samples: list[Sample]) -> None:
    """Look at it every two seconds."""
    assert made.bot.process is not None
    process, began = psutil.Process(made.bot.process.pid), time.monotonic()
    wal = Path(made.bot.url.removeprefix("sqlite:///") + "-wal")
    async with aiohttp.ClientSession() as http:
        while True:
            async with http.get(f"http://{processes.LOOPBACK}:{made.bot.port}/readyz") as answer:
                late = json.loads(await answer.text())["oldest_job"] or 0.0
            size = wal.stat().st_size if wal.exists() else 0
            samples.append(Sample(time.monotonic() - began, process.memory_info().rss, size, late))
            await asyncio.sleep(EVERY)


@pytest.mark.proof
async def test_it_goes_on_and_on(tmp_path: Path) -> None:
    """`SOAK_SECONDS` makes it shorter than half an hour."""
    samples: list[Sample] = []
    async with world(f"sqlite:///{tmp_path}/passerelle.db", tmp_path) as made:
        made.bot.start()
        await made.bot.ready()
        await furnish(made)
        await made.joined()
        await made.link()
        load = Load(made, Random(SEED))
        load.begin(RATE)
        watching = asyncio.create_task(watch(made, samples))
        try:
            await asyncio.sleep(SECONDS)
            load.enough()
            await load.said_all(60)
            await asyncio.sleep(2.0)
            findings = await audit(load)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await load.end()
    warm = [s.memory for s in samples if s.at > SECONDS * WARM]
    third = len(warm) // 3
    before, after = sum(warm[:third]) / third, sum(warm[-third:]) / third
    words = findings.conversations * 18 / SECONDS
    print(f"\n{SECONDS:.0f} s, {words:.1f} messages/s; {findings}")
    print(f"memory {before / 1e6:.1f} MB, at the end {after / 1e6:.1f} MB; ", end="")
    print(
        f"WAL at most {max(s.wal for s in samples) / 1e6:.1f} MB; job late at most {max(s.late for s in samples):.1f} s"
    )
    assert not findings.faults
    assert after < before * (1 + GROWTH)
    assert max(s.wal for s in samples) < WAL
    assert max(s.late for s in samples) < LATE
