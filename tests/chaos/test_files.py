"""Killed at every moment of its way, a file is neither lost nor shown twice."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.chaos.load import furnish
from tests.chaos.tail import Tail
from tests.chaos.world import BOT, World, world
from tests.servers.postgres import Postgres

SEED = int(os.environ.get("TEST_SEED", "0"))
POINTS = ("fetched", "sliced", "carried", "announced", "unshared", "shared", "uploaded", "sent")
PREFECTURE, POST = "prefecture-57", "consulat-francfort"
CONTENT = bytes(range(256)) * 3000  # two slices
SLOW = 40.0


@pytest.mark.one_in(2)
async def test_a_file_survives_a_kill(new_url: Callable[[str], str], postgres: Postgres, tmp_path: Path) -> None:
    url = new_url(("sqlite", "postgresql")[SEED % 2])
    await _kills(url, tmp_path, [POINTS[SEED // 2 % len(POINTS)]])


@pytest.mark.proof
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize("time", ["", ":2"], ids=["first", "second"])
async def test_a_file_survives_kills_at_every_point(
    new_url: Callable[[str], str], postgres: Postgres, tmp_path: Path, kind: str, time: str
) -> None:
    await _kills(new_url(kind), tmp_path, [f"{point}{time}" for point in POINTS])


async def _kills(url: str, tmp_path: Path, points: list[str]) -> None:
    async with world(url, tmp_path) as made:
        made.bot.start()
        await made.bot.ready()
        await furnish(made, (PREFECTURE,), (POST,))
        await made.joined()
        await made.link()
        agent = made.slack.user("U1", "agent")
        channel = made.channels[PREFECTURE]
        root = await agent.say(
            channel, f"{made.slack.mention} Nous doutons d'un acte de naissance établi à Sarrebruck."
        )
        await made.matrix.expect(made.rooms[POST], "Q-", sender=BOT, timeout=SLOW)
        shown = Shown(made)
        for step, point in enumerate(points):
            made.bot.kill()
            made.bot.start(point)  # it may pass the point, and die, before it is ready
            for number in range(2):
                await agent.upload(channel, f"s{step}-{number}.pdf", CONTENT, thread=root)
                await _attach(made, f"m{step}-{number}.pdf")
            assert await made.bot.dead(SLOW), f"{point} was never passed"
            made.bot.start()
            await made.bot.ready()
            names = {f"{side}{step}-{number}.pdf" for side in "sm" for number in range(2)}
            await shown.all_of(names, point)
        await asyncio.sleep(1)
        assert shown.doubled() == []


class Shown:
    """The files that the bot showed on both sides, by their names."""

    def __init__(self, made: World) -> None:
        self._made = made
        self._slack, self._matrix = Tail(made.slack_ledger), Tail(made.matrix_ledger)
        self.names: list[str] = []

    def look(self) -> list[str]:
        self.names += [e["name"] for e in self._slack.news() if e["kind"] == "file" and e["user"] == "U0PASSERELLE"]
        sent = [e for e in self._matrix.news() if e["sender"] == BOT]
        self.names += [e["content"]["filename"] for e in sent if e["content"].get("msgtype") == "m.file"]
        return self.names

    async def all_of(self, names: set[str], point: str) -> None:
        for _ in range(int(SLOW / 0.1)):
            if names <= set(self.look()):
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"{point}: lost {sorted(names - set(self.names))}\n{self._made.bot.tail()}")

    def doubled(self) -> list[str]:
        return sorted({name for name in self.look() if self.names.count(name) > 1})


async def _attach(made: World, name: str) -> None:
    """Somebody of the post attaches a file, and a colleague lets it cross."""
    headers = {"Authorization": f"Bearer {made.matrix.access_token}"}
    address = f"{made.stub.url}/_matrix/media/v3/upload"
    async with aiohttp.ClientSession(headers=headers) as http, http.post(address, data=CONTENT) as answer:
        address = (await answer.json())["content_uri"]
    content: dict[str, Any] = {"msgtype": "m.file", "body": name, "url": address, "info": {"size": len(CONTENT)}}
    event = await made.matrix.send(made.rooms[POST], "m.room.message", content)
    relation = {"rel_type": "m.annotation", "event_id": event, "key": "📨"}
    await made.colleague.send(made.rooms[POST], "m.reaction", {"m.relates_to": relation})
