"""One run: people talk, the bot is killed at points and at random moments, comes back, and finishes its work."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from sqlalchemy import func, select

from bot.db import Database
from bot.jobs.tables import OPEN, Job
from bot.receipts import Receipt
from tests.chaos.load import Findings, Load, audit, furnish
from tests.chaos.world import World

FIRST = ("tables", "loading", "logging-in", "keys", "identity", "first-sync")
PATIENCE = 240.0  # seconds in which everything must have come to rest after the last start
WORKING = (
    "received-slack",
    "received-matrix",
    "committing",
    "leased",
    "sent",
    "settling",
    "settled",
    "before-token",
    "after-token",
    "matrix-page",
    "slack-page",
    "looked",
)


@dataclass
class Run:
    """What was done to the bot, and what came of it."""

    kills: Counter[str] = field(default_factory=Counter)
    findings: Findings = field(default_factory=Findings)
    open_jobs: int = 0
    failed_jobs: list[str] = field(default_factory=list)
    failed_events: list[str] = field(default_factory=list)
    starts: int = 0
    seconds: float = 0
    settled_in: float = 0
    taken: dict[str, datetime] = field(default_factory=dict[str, datetime])  # when, by the key of its receipt
    history: list[str] = field(default_factory=list[str])  # what was done, and when
    delays: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])

    @property
    def faults(self) -> list[str]:
        left = [f"{self.open_jobs} jobs are still open"] if self.open_jobs else []
        return [*self.findings.faults, *left, *self.failed_jobs, *self.failed_events]

    def __str__(self) -> str:
        points = ", ".join(f"{name} {count}" for name, count in sorted(self.kills.items()))
        return (
            f"{sum(self.kills.values())} kills in {self.seconds:.0f} s ({points}); "
            f"settled {self.settled_in:.1f} s after the last start; {self.findings}"
        )


async def first_start(world: World, points: Sequence[str], run: Run) -> None:
    """Kill the first start again and again, each time a little further on."""
    for name in points:
        world.bot.start(name)
        await _until_dead(world, name, run, 30)


async def torment(world: World, random: Random, kills: int, run: Run, points: Sequence[str] = WORKING) -> None:
    """Kill the bot while people talk: at each point in turn, and every fourth time at any moment."""
    named = list(points)
    random.shuffle(named)
    for number in range(kills):
        if number % 4 == 3:
            world.bot.start()
            if number % 8 == 3:
                await world.bot.ready()
            await _until_dead(world, "any moment", run, random.uniform(0.1, 1.5))
        else:
            name = named.pop()
            named = named or random.sample(points, len(points))
            # Some points are passed once a start, others again and again.
            rare = name in ("slack-page", "matrix-page", "looked")
            world.bot.start(f"{name}:{1 if rare else random.randint(1, 8)}")
            await _until_dead(world, name, run, 6)


async def _until_dead(world: World, name: str, run: Run, seconds: float) -> None:
    if not await world.bot.dead(seconds):
        name = "any moment"
        world.bot.kill()
    run.kills[name] += 1


async def chaos(world: World, seed: int, kills: int, first: Sequence[str] = FIRST, rate: float = 1.5) -> Run:
    """Do all of it on fresh servers, and look at the ledgers in the end."""
    began = time.monotonic()
    random, run = Random(seed), Run()
    await first_start(world, first, run)
    world.bot.start()
    await world.bot.ready()
    await furnish(world)
    await world.joined()
    await world.link()
    world.bot.kill()
    run.kills["any moment"] += 1
    load = Load(world, random)
    load.begin(rate)
    try:
        await torment(world, random, kills - len(first) - 1, run)
        world.bot.start()
        await world.bot.ready()
        back = time.monotonic()
        load.enough()
        await load.said_all(PATIENCE)
        while time.monotonic() - back < PATIENCE:
            run.findings = await audit(load)
            await asyncio.to_thread(look, world.bot.url, run)
            if not run.faults:
                break
            await asyncio.sleep(1.0)
        run.settled_in = time.monotonic() - back
        await asyncio.sleep(1.0)  # what comes twice comes now
        run.findings = await audit(load)
    finally:
        await load.end()
        run.starts = world.bot.starts
    look(world.bot.url, run)
    run.seconds = time.monotonic() - began
    return run


def look(url: str, run: Run) -> None:
    database = Database(url)
    try:
        open_ = select(func.count()).select_from(Job).where(Job.state.in_(OPEN))
        failed = select(Job.key, Job.error).where(Job.state == "failed")
        events = select(Receipt.event_id, Receipt.error).where(Receipt.outcome == "failed")
        kept = database.run_now(lambda s: s.scalars(select(Receipt)).all())
        run.taken = {receipt.event_id: receipt.at for receipt in kept}
        run.open_jobs = database.run_now(lambda s: s.scalar(open_)) or 0
        run.failed_jobs = [f"job {k}: {e}" for k, e in database.run_now(lambda s: s.execute(failed).all())]
        run.failed_events = [f"event {k}: {e}" for k, e in database.run_now(lambda s: s.execute(events).all())]
    finally:
        database.close()
