"""A bot without a core: it keeps what it receives and answers what a test tells it to."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from bot.card import Reply
from bot.errors import Unavailable
from bot.message import Address, Edit, Inbound, Invocation, Message
from bot.platforms.slack import SlackOptions, SlackPlatform
from tests.fakes.slack import FakeSlack, Room, User


class Memory(dict[str, str]):
    """The platform's memory, in memory."""

    away = False

    async def get(self, name: str) -> str | None:  # type: ignore[override]
        self._see()
        return dict.get(self, name)

    async def set(self, values: Mapping[str, str | None]) -> None:
        self._see()
        for name, value in values.items():
            self.pop(name, None)
            if value is not None:
                self[name] = value

    def _see(self) -> None:
        if self.away:
            raise Unavailable("the database is away")


@dataclass
class Bot:
    """The platform under test with a receiver that remembers; `receipts` are unique, `offered` are all."""

    slack: FakeSlack
    memory: Memory = field(default_factory=Memory)
    offered: list[Inbound] = field(default_factory=list[Inbound])
    kept: list[Inbound] = field(default_factory=list[Inbound])
    reports: list[tuple[bool, str]] = field(default_factory=list[tuple[bool, str]])
    threads: list[Address] = field(default_factory=list[Address])
    answer: Callable[[Inbound], Reply] = lambda _: None
    down: bool = False
    delay: float = 0.0
    options: dict[str, object] = field(default_factory=dict[str, object])
    platform: SlackPlatform = field(init=False)
    task: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        given = {
            "bot_token": self.slack.bot_token,
            "app_token": self.slack.app_token,
            "signing_secret": self.slack.signing_secret,
            "api_url": self.slack.api_url,
            "pace": 0.0,
            **self.options,
        }
        self.platform = SlackPlatform(
            SlackOptions(**given),  # type: ignore[arg-type]
            memory=self.memory,
            report=self.report,
            live=self.live,
        )

    def report(self, ok: bool, reason: str = "") -> None:
        self.reports.append((ok, reason))

    async def live(self) -> Sequence[Address]:
        return self.threads

    async def receive(self, inbound: Inbound) -> Reply:
        if self.down:
            raise Unavailable("the database is away")
        await asyncio.sleep(self.delay)
        self.offered.append(inbound)
        if inbound.id not in {known.id for known in self.kept}:
            self.kept.append(inbound)
            if inbound.cursor:
                self.memory[inbound.cursor[0]] = inbound.cursor[1]
        return self.answer(inbound)

    async def start(self) -> None:
        """Begin, and wait until it is connected and has read what it missed."""
        before = len(self.reports)
        self.task = asyncio.create_task(self.platform.run(self.receive))
        async with asyncio.timeout(5):
            while not any(ok for ok, _ in self.reports[before:]):
                await asyncio.sleep(0.005)
        await self.caught_up()

    async def stop(self) -> None:
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
            self.task = None
        await self.platform.close()

    async def until(self, count: int, timeout: float = 5.0) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while len(self.kept) < count:
                    await asyncio.sleep(0.01)

    async def caught_up(self, timeout: float = 5.0) -> None:
        async with asyncio.timeout(timeout):
            while self.platform._backfill._behind is not None:
                await asyncio.sleep(0.01)

    @property
    def texts(self) -> list[str]:
        return [each.text for each in self.kept if isinstance(each, Message | Edit)]

    @property
    def invocations(self) -> list[Invocation]:
        return [each for each in self.kept if isinstance(each, Invocation)]


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as fake:
        yield fake


@pytest.fixture
async def bot(slack: FakeSlack) -> AsyncIterator[Bot]:
    made = Bot(slack)
    yield made
    await made.stop()


@pytest.fixture
def agent(slack: FakeSlack) -> User:
    return slack.user("U1AGENT", "agent")


@pytest.fixture
def room(slack: FakeSlack, agent: User) -> Room:
    return slack.channel("C1PREFECTURE", "prefecture", members=[agent])
