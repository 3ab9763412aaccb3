"""Killed at every moment, the bot loses nothing, says nothing twice and keeps every conversation in order."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.kills import FIRST, Run, chaos
from tests.chaos.world import world
from tests.servers.postgres import Postgres

SEED = int(os.environ.get("TEST_SEED", "0"))
KINDS = ("sqlite", "postgresql")

pytestmark = pytest.mark.proof  # until the small sizes end within the suite's five minutes on a busy machine


def report(kind: str, seed: int, run: Run) -> None:
    print(f"\n{kind}, seed {seed}: {run}")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_few_kills(kind: str, new_url: Callable[[str], str], tmp_path: Path) -> None:
    async with world(new_url(kind), tmp_path, window=10) as made:
        run = await chaos(made, SEED, 8, first=FIRST[2 + SEED % 4 :][:1])
    report(kind, SEED, run)
    assert not run.faults, "\n".join(run.faults)


@pytest.mark.parametrize("point", FIRST[:2])
async def test_a_first_start_that_is_killed_begins_anew(point: str, tmp_path: Path) -> None:
    async with world(f"sqlite:///{tmp_path}/passerelle.db", tmp_path) as made:
        made.bot.start(point)
        assert await made.bot.dead(30)
        made.bot.start()
        await made.bot.ready()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_hundred_kills(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    if kind == "sqlite":
        url = f"sqlite:///{tmp_path}/passerelle.db"
    else:
        server: Postgres = request.getfixturevalue("postgres")
        url = server.create_database()
    async with world(url, tmp_path, window=10) as made:
        run = await chaos(made, SEED, 110)
    report(kind, SEED, run)
    assert sum(run.kills.values()) >= 100
    assert not run.faults, "\n".join(run.faults)
