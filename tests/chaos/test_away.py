"""What is said while the bot is away, or while its platforms limit it, arrives once and hinders nobody else."""

import asyncio
import re
import statistics
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.chaos.load import furnish
from tests.chaos.tail import Tail
from tests.chaos.world import BOT, World, link, world
from tests.servers.matrix_stub import StubUser

ASKED = "Nous doutons d'un acte de naissance établi à Sarrebruck, dossier {}."
BACK = "La préfecture de la Moselle peut-elle vérifier une attestation d'accueil établie à Metz ? Dossier {}."
PREFECTURE, POST = "prefecture-57", "consulat-francfort"
_NAME = re.compile(r"\b[sm]\d{4}\b")


async def _furnished(made: World) -> None:
    """Start the bot for the first time in one channel and one room, and let it be known there."""
    made.bot.start()
    await made.bot.ready()
    await furnish(made, (PREFECTURE,), (POST,))
    await made.joined()
    await made.link()


async def _ask_on_slack(made: World, names: list[str]) -> None:
    channel = made.channels[PREFECTURE].id
    texts = [f"{made.slack.mention} {ASKED.format(name)}" for name in names]
    said = [{"user": f"U{n % 9}", "channel": channel, "text": text, "thread": ""} for n, text in enumerate(texts)]
    for user in sorted({one["user"] for one in said}):
        made.slack.user(user)
    await made.slack.burst(said)


async def _ask_on_matrix(made: World, people: list[StubUser], names: list[str]) -> None:
    for number, name in enumerate(names):
        content = {"msgtype": "m.text", "body": f"!question {BACK.format(name)}", "m.mentions": {}}
        await people[number % len(people)].send(made.rooms[POST], "m.room.message", content)


class Cards:
    """The bot's cards on both sides, counted by what they ask."""

    def __init__(self, made: World) -> None:
        self._slack, self._matrix = Tail(made.slack_ledger), Tail(made.matrix_ledger)
        self.slack: Counter[str] = Counter()
        self.matrix: Counter[str] = Counter()
        self.told: dict[str, float] = {}  # when an asker on Slack saw the card

    def look(self) -> None:
        for entry in self._slack.news():
            if entry["kind"] == "post" and (found := _NAME.search(entry["text"])):
                self.slack[found[0]] += 1
                self.told.setdefault(found[0], entry["at"])
        for sent in self._matrix.news():
            if sent["sender"] != BOT or "m.new_content" in sent["content"]:
                continue
            if found := _NAME.search(sent["content"].get("body", "")):
                self.matrix[found[0]] += 1

    async def all_seen(self, names: list[str], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not all(self.slack[name] and self.matrix[name] for name in names):
            assert time.monotonic() < deadline, [n for n in names if not (self.slack[n] and self.matrix[n])]
            await asyncio.sleep(0.02)
            self.look()


async def _away(made: World, slack: int, matrix: int, people: int) -> None:
    """Say things while the bot is down; each is a question once, on both sides, and no more than that."""
    await _furnished(made)
    more = [StubUser(made.stub.url, f"p{n}") for n in range(people)]
    for person in more:
        await person.__aenter__()
        await made.matrix.invite(made.rooms[POST], person.user_id)
        await person.join(made.rooms[POST])
    await made.bot.stop()
    names = [f"s{n:04}" for n in range(slack)], [f"m{n:04}" for n in range(matrix)]
    await _ask_on_slack(made, names[0])
    await _ask_on_matrix(made, more, names[1])
    made.bot.start()
    cards = Cards(made)
    await cards.all_seen([*names[0], *names[1]], 60 + (slack + matrix) / 4)
    await asyncio.sleep(1.5)  # what comes twice comes now
    cards.look()
    assert {name: count for name, count in (cards.slack + cards.matrix).items() if count != 2} == {}
    for person in more:
        await person.__aexit__(None, None, None)


async def test_twenty_of_twenty_said_while_away_are_answered_once(url: str, tmp_path: Path) -> None:
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
        cards, said = Cards(made), dict[str, float]()
        for number in range(count):
            name, user = f"s{number:04}", f"U{number % 20}"
            made.slack.user(user)
            text = f"{made.slack.mention} {ASKED.format(name)}"
            said[name] = time.time()
            await made.slack.burst([{"user": user, "channel": channels[number % rooms], "text": text, "thread": ""}])
            await asyncio.sleep(0.05)
        await cards.all_seen([*said], 60)
        await asyncio.sleep(1.5)
        cards.look()
        assert {name: times for name, times in (cards.slack + cards.matrix).items() if times != 2} == {}
        waited = sorted(cards.told[name] - said[name] for name in said)
        print(f"answered after {statistics.median(waited):.2f} s, the slowest tenth after {waited[-count // 10]:.2f} s")
        assert waited[-1] > wait, "some were limited"
        assert statistics.median(waited) < wait / 4
