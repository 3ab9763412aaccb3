"""How soon what waits is said once a bot that was killed starts again."""

import asyncio
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.load import furnish
from tests.chaos.tail import Tail
from tests.chaos.world import BOT, World, world
from tests.servers.postgres import Postgres

ROUNDS = int(os.environ.get("RESTART_ROUNDS", "5"))
WITHIN = 1.5  # seconds from the start of the process
ASKED = "Nous doutons d'un acte de naissance établi à Sarrebruck, dossier {}."


async def first_words(made: World, number: int) -> tuple[float, float]:
    """Kill the bot with its answers to a question in hand; return how long after a start they are said on each side."""
    made.bot.start("leased")
    await made.bot.ready()
    [channel] = made.channels.values()
    asked = f"{made.slack.mention} {ASKED.format(number)}"
    await made.slack.burst([{"user": "U1", "channel": channel.id, "text": asked, "thread": ""}])
    assert await made.bot.dead(10)
    slack, matrix = Tail(made.slack_ledger), Tail(made.matrix_ledger)
    before = [*slack.news(), *matrix.news()]
    assert before, "what comes from here on is new"
    began = time.monotonic()
    made.bot.start()
    said: dict[str, float] = {}
    async with asyncio.timeout(30):
        while len(said) < 2:
            await asyncio.sleep(0.005)
            now = time.monotonic() - began
            if any(entry["kind"] == "post" for entry in slack.news()):
                said.setdefault("slack", now)
            if any(sent["sender"] == BOT and sent["type"] == "m.room.message" for sent in matrix.news()):
                said.setdefault("matrix", now)
    await asyncio.sleep(1.0)  # what Slack repeats is acknowledged, and the next round begins with nothing in hand
    await made.bot.stop()
    return said["slack"], said["matrix"]


@pytest.mark.proof
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_what_waits_is_said_soon_after_a_restart(
    kind: str, new_url: Callable[[str], str], postgres: Postgres, tmp_path: Path
) -> None:
    async with world(new_url(kind), tmp_path) as made:
        made.bot.start()
        await made.bot.ready()
        await furnish(made, ("prefecture-57",), ("consulat-francfort",))
        await made.joined()
        await made.link()
        made.slack.user("U1")
        await asyncio.sleep(1.0)  # what it says where it was invited is said
        await made.bot.stop()
        found = [await first_words(made, number) for number in range(ROUNDS)]
    first = [min(pair) for pair in found]
    print(
        f"\n{kind}, {ROUNDS} restarts: first words after {statistics.median(first):.2f} s, at most {max(first):.2f} s;"
    )
    for at, name in enumerate(("Slack", "Matrix")):
        took = [pair[at] for pair in found]
        print(f"  on {name} after {statistics.median(took):.2f} s, at most {max(took):.2f} s")
    assert statistics.median(first) < WITHIN
