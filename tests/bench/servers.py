"""The servers of a measurement: the fake Slack, the timed stub, many linked rooms on both."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import aiohttp

from bot.db import Database
from bot.directory.reference import load_shipped
from bot.migrate import upgrade
from bot.opening import CONFIG
from tests.bench.peers import NAME
from tests.chaos.world import BOT, ROOT, BotProcess, link
from tests.fakes.slack import SlackControl
from tests.servers import processes
from tests.servers.matrix_stub import StubProcess, StubUser

ORGANISATION = "prefecture-57"
PEOPLE = 20
FAST = "100000"  # a second and room: the bot's own pace, made for real servers, is not what is measured


class TimedStubProcess(StubProcess):
    """The stub that notes times."""

    @property
    def timeline(self) -> Path:
        return self.directory / "timeline.jsonl"

    async def __aenter__(self) -> Self:
        self.directory.mkdir(parents=True, exist_ok=True)
        log = self.directory / "stub.log"
        argv = [sys.executable, "-m", "tests.bench.stub", "--port", str(self.port), "--timeline", self.timeline]
        self._process = processes.spawn(argv, log=log, cwd=ROOT, env={"PYTHONPATH": str(ROOT)})
        await processes.wait_ready(self._process, lambda: processes.accepts(self.port), log=log)
        return self


@dataclass
class Servers:
    """Where bots are measured."""

    directory: Path
    slack: SlackControl
    stub: TimedStubProcess
    channels: list[str]
    rooms: list[str]
    http: aiohttp.ClientSession

    @property
    def slack_timeline(self) -> Path:
        return self.directory / "slack.jsonl"

    @property
    def settings(self) -> dict[str, str]:
        fast = {f"PASSERELLE_{p}__{k}": FAST for p in ("SLACK", "MATRIX") for k in ("PACE", "BURST")}
        return fast | {
            "PASSERELLE_SLACK__BOT_TOKEN": self.slack.bot_token,
            "PASSERELLE_SLACK__APP_TOKEN": self.slack.app_token,
            "PASSERELLE_SLACK__API_URL": self.slack.api_url,
            "PASSERELLE_MATRIX__HOMESERVER": self.stub.url,
            "PASSERELLE_MATRIX__USER_ID": BOT,
            "PASSERELLE_MATRIX__PASSWORD": "any",
            "PASSERELLE_MATRIX__STORE_KEY": "a key for measuring",
            "PYTHONPATH": str(ROOT),
        }

    def ours(self, url: str, name: str = "ours") -> BotProcess:
        """Return our bot, not started."""
        return BotProcess(url, self.directory / name, self.settings, "tests.bench.ours")

    async def say_on_slack(self, said: list[tuple[int, str]]) -> None:
        """Mention the bot in channels, by number."""
        text = f"{self.slack.mention} echo "
        await self.slack.burst(
            [
                {"user": f"U{n % PEOPLE:03}", "channel": self.channels[n % len(self.channels)], "text": text + token}
                for n, token in said
            ]
        )

    async def say_on_matrix(self, said: list[tuple[int, str]]) -> None:
        """Say a command in rooms, by number."""
        body: dict[str, Any] = {
            "said": [
                {"user": "@consul:stub.test", "room": self.rooms[n % len(self.rooms)], "text": f"!echo {token}"}
                for n, token in said
            ]
        }
        async with self.http.post(f"{self.stub.url}/_bench/say", json=body) as answer:
            answer.raise_for_status()


def prepared(url: str) -> None:
    """Make the tables and load the reference data: that is no part of a start."""
    database = Database(url)
    upgrade(database)
    load_shipped(database, Path(str(CONFIG / "reference")))
    database.close()


@contextlib.asynccontextmanager
async def servers(directory: Path, rooms: int) -> AsyncGenerator[Servers]:
    """Start servers and furnish them.

    Ours and its peers have servers of their own, alike: what is said to a peer while ours is down, ours would answer
    when it comes back.
    """
    directory.mkdir(parents=True, exist_ok=True)
    async with (
        SlackControl.spawn(ledger=directory / "slack.jsonl") as slack,
        TimedStubProcess(directory / "stub") as stub,
        StubUser(stub.url, "consul") as consul,
        StubUser(stub.url, "colleague") as colleague,
        aiohttp.ClientSession() as http,
    ):
        people = [slack.user(f"U{n:03}") for n in range(PEOPLE)]
        channels = [slack.channel(f"C{n:04}", members=people).id for n in range(rooms)]
        await slack.flush()
        invite = [BOT, NAME, colleague.user_id]
        made = [await consul.create_room(f"r{n}", invite=invite) for n in range(rooms)]
        for room in made:
            await colleague.join(room)
        yield Servers(directory, slack, stub, channels, made, http)


async def linked(servers: Servers, url: str) -> None:
    """Let all rooms speak for an organisation, so that who is there is served."""
    places = [(ORGANISATION, "slack", c) for c in servers.channels]
    places += [(ORGANISATION, "matrix", r) for r in servers.rooms]
    await asyncio.to_thread(link, url, places)
