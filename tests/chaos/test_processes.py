"""Three processes on PostgreSQL, one killed, frozen or cut off every second: nothing is lost, doubled or reordered."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from bot import jobs
from bot.jobs import tenure
from tests.chaos.crowd import crowd
from tests.chaos.kills import PATIENCE, Run, look
from tests.chaos.load import Load, audit, furnish, logged
from tests.chaos.world import World, world
from tests.servers.postgres import Postgres

SEED = int(os.environ.get("TEST_SEED", "0"))
SECONDS = float(os.environ.get("PROCESSES_SECONDS", "600"))
LEASE = max(jobs.LEASE, tenure.LENGTH).total_seconds()


async def torment(made: World, seconds: float, rate: float) -> Run:
    """Let people talk while one process after another suffers; return what came of it."""
    random = Random(SEED)
    async with crowd(made, random) as processes:
        await processes.start()
        await furnish(made)
        await made.joined()
        await made.link()
        run, load, began = Run(), Load(made, random), time.monotonic()
        load.begin(rate)
        try:
            await processes.torment(seconds)
            load.enough()
            await processes.rest()
            back = time.monotonic()
            await load.said_all(PATIENCE)
            while time.monotonic() - back < PATIENCE:
                run.findings = await audit(load)
                await asyncio.to_thread(look, made.bot.url, run)
                if not run.faults:
                    break
                await asyncio.sleep(1.0)
            await asyncio.sleep(2.0)  # what comes twice comes now
            run.findings = await audit(load)
        finally:
            await load.end()
        assert logged(*(member.bot.log for member in processes.members)) == []
        await asyncio.to_thread(look, made.bot.url, run)
        run.history = processes.history
        run.delays = load.delays(run.taken)
        run.kills, run.seconds, run.settled_in = processes.suffered, time.monotonic() - began, time.monotonic() - back
        return run


def report(run: Run) -> None:
    delays = [seconds for seconds, _ in run.delays]
    shares = {share: delays[min(len(delays) - 1, int(len(delays) * share))] for share in (0.5, 0.95, 0.99, 1)}
    print(f"\nseed {SEED}: {run}\ndelays: {', '.join(f'{share:.0%} {took:.2f} s' for share, took in shares.items())}")
    print("what was done:", *run.history, sep="\n  ")
    slowest = [f"{words} in {seconds:.1f} s" for seconds, words in run.delays[-12:]]
    print("the slowest:", *slowest, sep="\n  ")


@pytest.mark.one_in(3)
async def test_a_few_seconds_of_it(new_url: Callable[[str], str], postgres: Postgres, tmp_path: Path) -> None:
    async with world(new_url("postgresql"), tmp_path) as made:
        run = await torment(made, 3, 1.0)
    report(run)
    assert not run.faults, "\n".join(run.faults)


@pytest.mark.proof
async def test_one_suffers_every_second(new_url: Callable[[str], str], postgres: Postgres, tmp_path: Path) -> None:
    """`PROCESSES_SECONDS` makes it shorter than ten minutes."""
    async with world(new_url("postgresql"), tmp_path) as made:
        run = await torment(made, SECONDS, 1.0)
    report(run)
    assert not run.faults, "\n".join(run.faults)
    assert run.delays[-1][0] < LEASE + 2
