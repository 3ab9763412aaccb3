"""Killed at every moment, the bot loses nothing, says nothing twice and keeps every conversation in order."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.kills import FIRST, Run, chaos
from tests.chaos.world import world
from tests.servers.postgres import Postgres

SEED = int(os.environ.get("TEST_SEED", "0"))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without tables, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/passerelle.db"
    server: Postgres = request.getfixturevalue("postgres")
    return server.create_database()


def report(url: str, seed: int, run: Run) -> None:
    print(f"\n{url.partition(':')[0]}, seed {seed}: {run}")


async def test_a_few_kills(new_url: Callable[[str], str], postgres: Postgres, tmp_path: Path) -> None:
    """On the database that the seed chooses; the proof does it at length on both."""
    url = new_url(("sqlite", "postgresql")[SEED % 2])
    async with world(url, tmp_path, window=10) as made:
        run = await chaos(made, SEED, 2, first=FIRST[2 + SEED % 4 :][:1])
    report(url, SEED, run)
    assert not run.faults, "\n".join(run.faults)


@pytest.mark.one_in(2)
async def test_a_first_start_that_is_killed_begins_anew(tmp_path: Path) -> None:
    point = FIRST[SEED // 2 % 2]
    async with world(f"sqlite:///{tmp_path}/passerelle.db", tmp_path) as made:
        made.bot.start(point)
        assert await made.bot.dead(30)
        made.bot.start()
        await made.bot.ready()


@pytest.mark.proof
async def test_a_hundred_kills(empty_url: str, tmp_path: Path) -> None:
    async with world(empty_url, tmp_path, window=10) as made:
        run = await chaos(made, SEED, 110)
    report(empty_url, SEED, run)
    assert sum(run.kills.values()) >= 100
    assert not run.faults, "\n".join(run.faults)
