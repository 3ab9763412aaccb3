"""A Slack and a homeserver in processes of their own, rooms of organisations on both, and the bot as a process."""

import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from bot.clock import system_clock
from bot.db import Database
from bot.directory import rooms
from tests.fakes.slack import Room, SlackControl
from tests.servers import processes
from tests.servers.matrix_stub import StubProcess, StubUser

ROOT = Path(__file__).parents[2]
BOT = "@passerelle:stub.test"


@dataclass
class BotProcess:
    """`passerelle run`, started and ended as often as one likes, always on the same database and data."""

    url: str
    directory: Path
    settings: Mapping[str, str]
    module: str = "tests.chaos.bot"
    port: int = field(default_factory=processes.free_port)
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0

    @property
    def log(self) -> Path:
        return self.directory / "bot.log"

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self, point: str = "", **environment: str) -> None:
        """Start it, armed to die at a point."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with self.log.open("a") as log:
            log.write(f"--- start {self.starts}, {point or 'unarmed'}\n")
        self.starts += 1
        own = {
            "PASSERELLE_DATABASE_URL": self.url,
            "PASSERELLE_DATA_DIR": str(self.directory / "data"),
            "PASSERELLE_HTTP__PORT": str(self.port),
            "CHAOS_POINT": point,
            "PYTHONPATH": str(ROOT),
            **self.settings,
            **environment,
        }
        argv = [sys.executable, "-m", "tests.chaos.deployed", self.module, "run"]
        self.process = processes.spawn(argv, log=self.log, cwd=self.directory, env=own)

    async def ready(self, seconds: float = 30) -> float:
        """Wait until all platforms are connected; return how many seconds after this call that was."""
        began = time.monotonic()
        async with aiohttp.ClientSession() as http:
            while time.monotonic() - began < seconds:
                if not self.alive:
                    raise RuntimeError(f"the bot ended by itself:\n{self.tail()}")
                with contextlib.suppress(aiohttp.ClientError, OSError):
                    async with http.get(f"http://{processes.LOOPBACK}:{self.port}/readyz") as answer:
                        if answer.status == 200:
                            return time.monotonic() - began
                await asyncio.sleep(0.01)
        raise RuntimeError(f"the bot is not ready:\n{self.tail()}")

    async def dead(self, seconds: float) -> bool:
        """Wait until it ended; False when it lives on."""
        deadline = time.monotonic() + seconds
        while self.alive:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.01)
        return True

    def kill(self) -> None:
        """End it as a power cut would."""
        processes.reap(self.process)

    async def stop(self) -> None:
        """End it politely."""
        if self.process is not None:
            await processes.stop(self.process)

    def tail(self, characters: int = 4000) -> str:
        return self.log.read_text(errors="replace")[-characters:] if self.log.exists() else ""


@dataclass
class World:
    """Servers, people and the bot between them. `channels` and `rooms` hold an organisation each."""

    slack: SlackControl
    stub: StubProcess
    matrix: StubUser
    colleague: StubUser
    bot: BotProcess
    channels: dict[str, Room] = field(default_factory=dict)
    rooms: dict[str, str] = field(default_factory=dict)

    @property
    def slack_ledger(self) -> Path:
        return self.bot.directory.parent / "slack.jsonl"

    @property
    def matrix_ledger(self) -> Path:
        return self.stub.directory / "ledger.jsonl"

    def channel(self, organisation: str, id_: str) -> Room:
        """Make a channel of an organisation, with the bot in it."""
        self.channels[organisation] = self.slack.channel(id_, organisation)
        return self.channels[organisation]

    async def room(self, organisation: str, name: str = "") -> str:
        """Make a room of an organisation, with the bot invited; two people and the bot are no direct room."""
        invite = [BOT, self.colleague.user_id]
        made = self.rooms[organisation] = await self.matrix.create_room(name or organisation, invite=invite)
        await self.colleague.join(made)
        return made

    async def link(self) -> None:
        """Let all rooms speak for their organisations; the tables must be there."""
        await self.slack.flush()
        places = [(o, "slack", c.id) for o, c in self.channels.items()]
        places += [(o, "matrix", r) for o, r in self.rooms.items()]
        await asyncio.to_thread(link, self.bot.url, places)

    async def joined(self, seconds: float = 60) -> None:
        """Wait until the bot has accepted all invitations."""
        deadline = time.monotonic() + seconds
        for room in self.rooms.values():
            while BOT not in (await self.matrix.call("GET", f"/rooms/{room}/joined_members"))["joined"]:
                if time.monotonic() > deadline:
                    raise AssertionError(f"the bot did not join {room}:\n{self.bot.tail()}")
                await asyncio.sleep(0.02)


def link(url: str, places: Sequence[tuple[str, str, str]]) -> None:
    """Enter rooms in the directory, beside a running bot or not."""
    database = Database(url)
    now = system_clock()
    try:
        database.run_now(lambda s: [rooms.link(s, owner, platform, room, now) for owner, platform, room in places])
    finally:
        database.close()


@contextlib.asynccontextmanager
async def world(
    url: str, directory: Path, *, window: int = 100, module: str = "tests.chaos.bot", fast: bool = True, **more: str
) -> AsyncGenerator[World]:
    """Start the servers; the bot is started by whoever tests it. `fast` lifts the bot's own pace."""
    directory.mkdir(parents=True, exist_ok=True)
    async with (
        SlackControl.spawn(ledger=directory / "slack.jsonl") as slack,
        StubProcess(directory / "stub", window=window) as stub,
        StubUser(stub.url, "consul") as matrix,
        StubUser(stub.url, "colleague") as colleague,
    ):
        settings = {
            "PASSERELLE_SLACK__BOT_TOKEN": slack.bot_token,
            "PASSERELLE_SLACK__APP_TOKEN": slack.app_token,
            "PASSERELLE_SLACK__API_URL": slack.api_url,
            "PASSERELLE_MATRIX__HOMESERVER": stub.url,
            "PASSERELLE_MATRIX__USER_ID": BOT,
            "PASSERELLE_MATRIX__PASSWORD": "any",
            "PASSERELLE_MATRIX__STORE_KEY": "a key for tests",
        }
        if fast:
            settings |= {f"PASSERELLE_{p}__{k}": "100000" for p in ("SLACK", "MATRIX") for k in ("PACE", "BURST")}
        bot = BotProcess(url, directory / "bot", {**settings, **more}, module)
        try:
            yield World(slack, stub, matrix, colleague, bot)
        finally:
            bot.kill()
