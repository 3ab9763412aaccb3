"""Three processes on one PostgreSQL, killed at random while digests fall due: each is said once, by Slack's own ledger."""

import asyncio
import json
import os
import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from datetime import time as wall
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from bot.clock import system_clock
from bot.db import Database
from bot.digests.keeping import DIGEST
from bot.digests.rhythm import Rhythm, to_data
from bot.digests.tables import Digest, Issue
from bot.due import Due
from tests.chaos.tail import Tail
from tests.chaos.world import BotProcess, World, world
from tests.servers import processes
from tests.servers.postgres import Postgres

SEED = int(os.environ.get("TEST_SEED", "0"))
POINTS = ("issuing", "issued", "leased", "sent", "settling", "settled")
ROOMS = 40
PROCESSES = 3
NO_MATRIX: dict[str, Any] = {
    f"PASSERELLE_MATRIX__{name}": "" for name in ("HOMESERVER", "USER_ID", "PASSWORD", "STORE_KEY", "PACE", "BURST")
}

_NUMBER = re.compile(r"arrêter D-(\d+)")


def subscribe(session: Session, count: int, now: datetime) -> None:
    """Enter digests of which one occurrence each is due, the day before yesterday at noon."""
    on = (now - timedelta(days=2)).date()
    rhythm = json.dumps(to_data(Rhythm((wall(12),), dates=frozenset({on.day}))))
    row = {"rhythm": rhythm, "horizon": 7, "platform": "slack", "since": now - timedelta(days=20), "created_at": now}
    rooms = [{"organisation": f"prefecture-{21 + at}", "room": f"C{at:04}"} for at in range(ROOMS)]
    numbers = range(1, count + 1)
    session.execute(insert(Digest), [{**row, **rooms[number % ROOMS], "id": number} for number in numbers])
    what = {"kind": DIGEST, "due_at": now, "meant_at": now, "tries": 0}
    session.execute(insert(Due), [{**what, "key": str(number)} for number in numbers])


def noted(session: Session) -> Sequence[int]:
    """Return how many occurrences are noted, and of how many digests."""
    return session.execute(select(func.count(), func.count(Issue.digest.distinct())).select_from(Issue)).one()


class Said:
    """How often Slack was told each digest."""

    def __init__(self, made: World) -> None:
        self._tail = Tail(made.slack_ledger)
        self.times: Counter[int] = Counter()

    def look(self) -> Counter[int]:
        for entry in self._tail.news():
            if entry["kind"] == "post":
                found = _NUMBER.search(json.dumps(entry["blocks"], ensure_ascii=False))
                self.times.update([int(found[1])] if found else [])
        return self.times


async def torment(
    made: World, url: str, seed: int, count: int, kills: int, seconds: float
) -> tuple[Counter[int], Counter[str]]:
    """Let digests fall due for several processes, kill these in turns, and return how often each was said."""
    draw, said, killed = Random(seed), Said(made), Counter[str]()
    bots = [
        replace(made.bot, directory=made.bot.directory.with_name(f"bot{at}"), port=processes.free_port())
        for at in range(PROCESSES)
    ]
    try:
        first = bots[0]
        first.start(CHAOS_TICK="1")
        await first.ready()
        await made.link()
        database = Database(url)
        database.run_now(lambda session: subscribe(session, count, system_clock()))
        database.close()
        deadline = time.monotonic() + seconds
        while len(said.look()) < count and time.monotonic() < deadline:
            for bot in bots:
                if not bot.alive:
                    point = draw.choice(POINTS) if sum(killed.values()) < kills and draw.random() < 0.7 else ""
                    bot.start(f"{point}:{draw.randint(1, 1 + count // 20)}" if point else "", CHAOS_TICK="1")
                    killed[point] += bool(point)
            await asyncio.sleep(draw.uniform(0.5, 2.5))
            if sum(killed.values()) < kills and draw.random() < 0.5:
                victim: BotProcess = draw.choice(bots)
                if victim.alive:
                    victim.kill()
                    killed["any moment"] += 1
        await asyncio.sleep(2)  # what comes twice comes now
        said.look()
    finally:
        for bot in bots:
            bot.kill()
    return said.times, killed


async def once_each(postgres: Postgres, folder: Path, seed: int, count: int, kills: int, seconds: float) -> None:
    url = postgres.create_database()
    async with world(url, folder, window=100, fast=True, **NO_MATRIX) as made:
        for at in range(ROOMS):
            made.channel(f"prefecture-{21 + at}", f"C{at:04}")
        began = time.monotonic()
        times, killed = await torment(made, url, seed, count, kills, seconds)
        database = Database(url)
        rows, digests = database.run_now(noted)
        database.close()
    print(
        f"\nseed {seed}: {count} due, {len(times)} said, {sum(times.values())} messages; {dict(killed)}; "
        f"{time.monotonic() - began:.0f} s"
    )
    assert sorted(times) == list(range(1, count + 1)), (
        f"never said: {sorted(set(range(1, count + 1)) - set(times))[:20]}"
    )
    assert {number for number, said in times.items() if said > 1} == set()
    assert (rows, digests) == (count, count), "what is noted"


@pytest.mark.one_in(3)
async def test_a_few_digests_and_kills(postgres: Postgres, tmp_path: Path) -> None:
    await once_each(postgres, tmp_path, SEED, 40, 1, 60)


@pytest.mark.proof
@pytest.mark.parametrize("piece", range(4))
async def test_ten_thousand_digests(piece: int, postgres: Postgres, tmp_path: Path) -> None:
    """In four pieces of 2,500, each with a seed of its own."""
    await once_each(postgres, tmp_path, SEED * 4 + piece, 2_500, 25, 240)
