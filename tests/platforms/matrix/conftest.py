"""A homeserver for all tests here, people on it, and bots that are only the adapter with a memory in a dictionary."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import pytest
import pytest_asyncio

from bot.card import Card, Paragraph
from bot.message import Address, Inbound, Message, RoomChange
from bot.platforms.matrix import MatrixOptions, MatrixPlatform, patience
from tests.platforms.matrix.person import Person
from tests.servers.synapse import Account, Synapse

T = TypeVar("T", bound=Inbound)


class InMemory:
    """A platform's memory that outlives its bot."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    async def get(self, name: str) -> str | None:
        return self.values.get(name)

    async def set(self, values: Mapping[str, str | None]) -> None:
        for name, value in values.items():
            if value is None:
                self.values.pop(name, None)
            else:
                self.values[name] = value


class Bot:
    """The adapter, listening. Everything that arrives lies in `inbox`; invitations are accepted."""

    def __init__(self, account: Account, folder: Path, memory: InMemory, options: dict[str, Any]) -> None:
        self.account = account
        self.user_id = account.user_id
        self.memory = memory
        self.inbox: list[Inbound] = []
        self.reports: list[tuple[bool, str]] = []
        self.before: Callable[[Inbound], None] = lambda _: None  # may raise: nothing was committed then
        self.joins = True
        given: dict[str, Any] = {
            "homeserver": options.pop("homeserver"),
            "user_id": account.user_id,
            "password": account.password,
            "store": folder,
            "store_key": "the key",
            **options,
        }
        self.options = MatrixOptions(**given)
        self.platform = MatrixPlatform(self.options, memory=memory, report=self._report, live=_nothing)
        self._task: asyncio.Task[None] | None = None

    def _report(self, ok: bool, reason: str = "") -> None:
        self.reports.append((ok, reason))

    async def start(self) -> "Bot":
        """Run, and return once the bot is known to the homeserver and has listened once."""
        self._task = asyncio.create_task(self.platform.run(self._receive))
        async with asyncio.timeout(20):
            while "sync" not in self.memory.values or self.platform._connected is None:
                if self._task.done():
                    self._task.result()
                await asyncio.sleep(0.01)
        return self

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self._task
            self._task = None
        await self.platform.close()

    async def ends(self) -> BaseException:
        """What ended the listening."""
        assert self._task is not None
        async with asyncio.timeout(15):
            with suppress(BaseException):
                await asyncio.shield(self._task)
        error = self._task.exception()
        assert error is not None
        return error

    async def _receive(self, value: Inbound) -> None:
        self.before(value)
        self.inbox.append(value)
        if self.joins and isinstance(value, RoomChange) and value.change == "invited":
            await self.platform.join(value.to.room)

    async def gets(self, kind: type[T], seconds: float = 10, **wanted: Any) -> T:
        """Wait for an inbound value with these attributes."""
        async with asyncio.timeout(seconds):
            while True:
                for value in self.inbox:
                    if isinstance(value, kind) and all(getattr(value, k) == v for k, v in wanted.items()):
                        return value
                await asyncio.sleep(0.01)

    def texts(self) -> list[str]:
        return [value.text for value in self.inbox if isinstance(value, Message)]

    async def joined(self, room: str) -> None:
        async with asyncio.timeout(10):
            while not any(isinstance(v, RoomChange) and v.change == "joined" and v.to.room == room for v in self.inbox):
                await asyncio.sleep(0.01)

    async def say(self, room: str, text: str, *, key: str = "", again: bool = False, **more: Any) -> str:
        to = Address("matrix", room, **more)
        return await self.platform.send(to, card(text), key=key or secrets.token_hex(8), again=again)


def card(text: str) -> Card:
    return Card(blocks=(Paragraph(text),))


async def _nothing() -> Sequence[Address]:
    return ()


class House:
    """Makes people and bots, and sends them home at the end."""

    def __init__(self, homeserver: Synapse, folder: Path) -> None:
        self.homeserver = homeserver
        self.folder = folder
        self._guests: list[Person | Bot] = []

    async def person(self, name: str = "agent", *, encrypts: bool = False, sign: bool = True) -> Person:
        person = await Person.register(self.homeserver, self.folder, name)
        self._guests.append(person)
        return await person.encrypts(sign=sign) if encrypts else person

    async def second_device(self, person: Person) -> Person:
        other = await person.second_device(self.folder)
        self._guests.append(other)
        return other

    async def bot(self, *, start: bool = True, **options: Any) -> Bot:
        """A new bot, running unless `start` is false."""
        account = await self.homeserver.register(f"bot-{secrets.token_hex(4)}", "secret")
        return await self.again(account, self.folder / account.user_id[1:12], InMemory(), start=start, **options)

    async def again(
        self, account: Account, folder: Path, memory: InMemory, *, start: bool = True, **options: Any
    ) -> Bot:
        """A bot with the account, key store and memory of an earlier one."""
        bot = Bot(account, folder, memory, {"homeserver": self.homeserver.url, "poll": 5.0, **options})
        self._guests.append(bot)
        return await bot.start() if start else bot

    async def restarted(self, bot: Bot, **options: Any) -> Bot:
        await bot.stop()
        return await self.again(bot.account, bot.options.store, bot.memory, **options)

    async def close(self) -> None:
        for guest in self._guests:
            await (guest.stop() if isinstance(guest, Bot) else guest.close())


@pytest_asyncio.fixture
async def house(synapse: Synapse, tmp_path: Path) -> AsyncIterator[House]:
    made = House(synapse, tmp_path)
    yield made
    await made.close()


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin waiting with a twentieth of a second."""
    monkeypatch.setattr(patience, "FIRST", 0.05)


@pytest.fixture
def memory() -> InMemory:
    return InMemory()
