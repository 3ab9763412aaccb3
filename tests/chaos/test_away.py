"""What is said while the bot is away, or while its platforms limit it, arrives once and hinders nobody else."""

import asyncio
import contextlib
import os
import re
import statistics
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.load import furnish
from tests.chaos.tail import Tail
from tests.chaos.world import BOT, World, link, world
from tests.servers.matrix_stub import StubUser
from tests.servers.postgres import Postgres

ASKED = "Nous doutons d'un acte de naissance établi à Sarrebruck, dossier {}."
BACK = "La préfecture de la Moselle peut-elle vérifier une attestation d'accueil établie à Metz ? Dossier {}."
SEED = int(os.environ.get("TEST_SEED", "0"))
PREFECTURE, POST = "prefecture-57", "consulat-francfort"
_NAME = re.compile(r"\b[sm]\d{4}\b")


async def _furnished(made: World) -> None:
    """Start the bot for the first time in one channel and one room, and let it be known there."""
    made.bot.start()
    await made.bot.ready()
    await furnish(made, (PREFECTURE,), (POST,))
    await made.joined()
    await made.link()


async def _ask_on_slack(made: World, names: list[str], channels: list[str]) -> dict[str, str]:
    """Ask as nine people; return the threads of the questions, with their names."""
    said = [
        {
            "user": f"U{number % 9}",
            "channel": channels[number % len(channels)],
            "text": f"{made.slack.mention} {ASKED.format(name)}",
            "thread": "",
        }
        for number, name in enumerate(names)
    ]
    for user in sorted({one["user"] for one in said}):
        made.slack.user(user)
    return dict(zip(await made.slack.burst(said), names, strict=True))


async def _ask_on_matrix(made: World, people: list[StubUser], names: list[str]) -> dict[str, str]:
    """Ask as several people; return the messages that asked, with their names."""
    asked: dict[str, str] = {}
    for number, name in enumerate(names):
        content = {"msgtype": "m.text", "body": f"!question {BACK.format(name)}", "m.mentions": {}}
        asked[await people[number % len(people)].send(made.rooms[POST], "m.room.message", content)] = name
    return asked


class Cards:
    """The bot's cards: how often each question was told to the other side, and answered to who asked it."""

    def __init__(self, made: World, asked: dict[str, str]) -> None:
        self._slack, self._matrix = Tail(made.slack_ledger), Tail(made.matrix_ledger)
        self._asked = asked
        self.told: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.at: dict[str, float] = {}  # when its asker was answered on Slack

    def look(self) -> None:
        for entry in self._slack.news():
            if entry["kind"] == "post":
                self._note(entry["text"], entry["thread_ts"], entry["at"])
        for sent in self._matrix.news():
            content = sent["content"]
            if sent["sender"] == BOT and sent["type"] == "m.room.message" and "m.new_content" not in content:
                relation = content.get("m.relates_to", {})
                self._note(content["body"], relation.get("event_id"), 0.0)

    def _note(self, text: str, root: str | None, at: float) -> None:
        if root in self._asked:
            self.answered[self._asked[root]] += 1
            self.at.setdefault(self._asked[root], at)
        elif found := _NAME.search(text):
            self.told[found[0]] += 1

    async def complete(self, seconds: float) -> None:
        """Wait until every question has a card on both sides, a moment longer, and see that none has two."""
        names = set(self._asked.values())
        deadline = time.monotonic() + seconds
        while missing := [name for name in sorted(names) if not (self.told[name] and self.answered[name])]:
            assert time.monotonic() < deadline, f"{len(missing)} of {len(names)} are missing: {missing[:5]}"
            await asyncio.sleep(0.05)
            self.look()
        await asyncio.sleep(1.5)
        self.look()
        assert self.told == self.answered == dict.fromkeys(names, 1)


async def _away(made: World, slack: int, matrix: int, people: int) -> None:
    """Say things while the bot is down; each is a question once, on both sides."""
    await _furnished(made)
    async with contextlib.AsyncExitStack() as stack:
        crowd = [await stack.enter_async_context(StubUser(made.stub.url, f"p{n}")) for n in range(people)]
        for person in crowd:
            await made.matrix.invite(made.rooms[POST], person.user_id)
            await person.join(made.rooms[POST])
        await made.bot.stop()
        asked = await _ask_on_slack(made, [f"s{n:04}" for n in range(slack)], [made.channels[PREFECTURE].id])
        asked |= await _ask_on_matrix(made, crowd, [f"m{n:04}" for n in range(matrix)])
        made.bot.start()
        await Cards(made, asked).complete(60 + (slack + matrix) / 4)


async def test_twenty_of_twenty_said_while_away_are_answered_once(
    new_url: Callable[[str], str], postgres: Postgres, tmp_path: Path
) -> None:
    """On the database that the seed leaves to it; the proof does more on both."""
    url = new_url(("postgresql", "sqlite")[SEED % 2])
    async with world(url, tmp_path, window=10) as made:
        await _away(made, 20, 20, 3)


@pytest.mark.proof
async def test_five_hundred_behind_a_window_of_ten_are_answered_once(url: str, tmp_path: Path) -> None:
    async with world(url, tmp_path, window=10) as made:
        await _away(made, 500, 500, 20)


@pytest.mark.proof
async def test_a_platform_that_limits_every_tenth_call_loses_nothing_and_delays_no_other_room(
    url: str, tmp_path: Path
) -> None:
    """Each limited call waits `wait` seconds; were others held up by it, the usual time would come near that."""
    wait, rooms, count = 2, 40, 240
    async with world(url, tmp_path) as made:
        made.bot.start()
        await made.bot.ready()
        channels = [made.slack.channel(f"C9{n:03}", f"r{n}").id for n in range(rooms)]
        await made.room(POST)
        await made.joined()
        await made.link()
        await asyncio.to_thread(link, url, [(PREFECTURE, "slack", channel) for channel in channels])
        await made.slack.configure(limited_every=10, retry_after=wait)
        asked, said = dict[str, str](), dict[str, float]()
        for number in range(count):
            name = f"s{number:04}"
            said[name] = time.time()
            asked |= await _ask_on_slack(made, [name], [channels[number % rooms]])
            await asyncio.sleep(0.05)
        cards = Cards(made, asked)
        await cards.complete(90)
        waited = sorted(cards.at[name] - said[name] for name in said)
        print(f"answered after {statistics.median(waited):.2f} s, the slowest tenth after {waited[-count // 10]:.2f} s")
        assert waited[-1] > wait, "some were limited"
        assert statistics.median(waited) < wait / 4
