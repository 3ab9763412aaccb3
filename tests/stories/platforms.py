"""The stage's verbs on the platforms themselves: rooms on a strict Slack and, encrypted, on a real homeserver.

The bot runs in this process on a clock that a test moves; its platforms, their servers and people's clients are real,
but for Slack's. Each verb returns when the bot has taken what was done and said what it has to say.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias
from zoneinfo import ZoneInfo

from pydantic import SecretStr
from sqlalchemy import select

from bot.app import App, build
from bot.card import Reply
from bot.connections import connect
from bot.db import Database
from bot.directory import rooms
from bot.jobs.tables import Job
from bot.life import running
from bot.message import Inbound, Message
from config.settings import MatrixSettings, Settings, SlackSettings
from tests.fakes.slack import FakeSlack
from tests.servers.strict_client import StrictClients
from tests.servers.synapse import Synapse
from tests.stories.on_matrix import Home, MatrixRoom
from tests.stories.on_slack import SlackRoom, Workspace
from tests.stories.scene import Clock, at_rest

PATIENCE = 20.0  # seconds
SOON = timedelta(seconds=5)  # what is held back or tried again so soon is waited for
Servers: TypeAlias = tuple[Synapse, StrictClients]


@dataclass
class Platforms:
    """A running bot with rooms on Slack, and one on Matrix if there is a homeserver."""

    app: App
    clock: Clock
    slack: Workspace
    matrix: Home | None
    arrived: set[str] = field(default_factory=set[str])  # events and messages that the bot has taken

    def link(self, organisation: str, **columns: object) -> SlackRoom | MatrixRoom:
        """Return the room of an organisation, linked: on Matrix if it has one there, else in a channel."""
        here = self.matrix if self.matrix is not None and self.matrix.organisation == organisation else None
        room = here.room if here is not None else self.slack.channel(organisation).id
        platform = "slack" if here is None else "matrix"

        def work(session: rooms.Session) -> None:
            row = rooms.link(session, organisation, platform, room, self.clock())
            for name, value in columns.items():
                setattr(row, name, value)

        self.app.database.run_now(work)
        return SlackRoom(self, organisation) if here is None else MatrixRoom(self, organisation)

    async def at(self, instant: str, zone: str = "Europe/Paris") -> None:
        """Let it be an instant, and the clockwork do what is due then."""
        self.clock.at = datetime.fromisoformat(instant).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        await self.tick()

    async def tick(self) -> None:
        await self.app.clockwork.tick(self.clock())
        await self.settle()

    async def arrives(self, event: str) -> None:
        """Wait until the bot has taken an event."""
        deadline = time.monotonic() + PATIENCE
        while event not in self.arrived:
            assert time.monotonic() < deadline, f"{event} did not reach the bot"
            await asyncio.sleep(0.005)

    async def more_arrive(self, before: int, *, must: bool) -> None:
        """Wait until something has arrived since there was so much; unless it must, not for long."""
        deadline = time.monotonic() + (PATIENCE if must else 1.0)
        while len(self.arrived) == before:
            if time.monotonic() > deadline:
                assert not must, "nothing reached the bot"
                return
            await asyncio.sleep(0.005)

    async def settle(self) -> None:
        """Wait until nothing is due any more, and look at what the rooms show then."""
        await self.slack.fake.settled()
        await at_rest(self.app, self.clock, ahead=SOON)
        await self.slack.look()
        if self.matrix is not None:
            await self.matrix.look()

    async def shown_beside(self, homes: Collection[str]) -> str:
        """Return all that was shown outside of the rooms of these organisations, and the jobs that showed it."""
        shown = await self.slack.shown_beside(homes)
        lanes = {f"slack:{self.slack.channel(name).id}" for name in homes}
        if self.matrix is not None and self.matrix.organisation not in homes:
            shown += await self.matrix.all_shown()
        if self.matrix is not None and self.matrix.organisation in homes:
            lanes |= {f"matrix:{room}" for room in await self.matrix.rooms()}
        jobs = self.app.database.run_now(lambda s: s.execute(select(Job.lane, Job.args)).all())
        outward = [args for lane, args in jobs if lane.startswith(("slack:", "matrix:")) and lane not in lanes]
        return "\n".join((shown, *outward))


@contextlib.asynccontextmanager
async def on_platforms(
    database: Database,
    folder: Path,
    *,
    clock: Clock,
    matrix: tuple[str, Sequence[str], Servers] | None = None,
    guests: Sequence[str] = (),
) -> AsyncGenerator[Platforms]:
    """Run a bot on a Slack of its own and, of `matrix`, with one organisation and these people on a homeserver.

    With `guests`, who sit in that room too, no homeserver is allowed: the directory knows its people, and no guest yet.
    """
    async with FakeSlack() as fake, contextlib.AsyncExitStack() as stack:
        workspace = Workspace(fake)
        home, people = None, ()
        if matrix is not None:
            organisation, people, (homeserver, strict) = matrix
            home = await Home.opened(homeserver, strict, organisation, (*people, *guests))
        app = build(_settings(folder, fake, home, foreign=bool(guests)), database, clock)
        play = Platforms(app, clock, workspace, home)
        _note_arrivals(app, play.arrived, clock)
        connect(app)
        await stack.enter_async_context(running(app))
        async with asyncio.timeout(60):
            await app.connected.wait()
        if home is not None:
            room = play.link(home.organisation)
            for person in people if guests else ():
                room.as_(person).employ(home.organisation)
            await home.invite_bot()
        yield play
        violations = [
            v for v in await fake.violations() if v["method"] != "conversations.replies"
        ]  # gone when asked for
        assert violations == [], violations


def _note_arrivals(app: App, arrived: set[str], clock: Callable[[], datetime]) -> None:
    """Have what arrives noted once it was taken; the platforms' own time is the story's."""
    receive = app.dispatcher.receive

    async def noting(inbound: Inbound) -> Reply:
        reply = await receive(replace(inbound, at=clock()))
        arrived.add(inbound.id)
        if isinstance(inbound, Message):
            arrived.add(inbound.message_id)
        return reply

    app.dispatcher.receive = noting  # type: ignore[method-assign]


def _settings(folder: Path, fake: FakeSlack, home: Home | None, *, foreign: bool) -> Settings:
    slack = SlackSettings(
        bot_token=SecretStr(fake.bot_token),
        app_token=SecretStr(fake.app_token),
        api_url=fake.api_url,
        pace=1000,
        burst=1000,
        trust_email=(),
    )
    if home is None:
        return Settings(data_dir=folder, slack=slack)
    matrix = MatrixSettings(
        homeserver=home.server.url,
        user_id=home.bot.user_id,
        password=SecretStr(home.bot.password),
        store_key=SecretStr("a key for the key store"),
        pace=1000,
        burst=1000,
        requests_per_second=0,
        allowed_servers=("ailleurs.example",) if foreign else (),
    )
    return Settings(data_dir=folder, slack=slack, matrix=matrix)


def accounts(play: Platforms, people: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return the column and value by which the directory knows each person's account, by person and organisation."""
    return {
        person: ("matrix_id", play.matrix.people[person].user_id)
        if play.matrix is not None and play.matrix.organisation == organisation
        else ("slack_id", play.slack.person(organisation, person).id)
        for person, organisation in people.items()
    }
