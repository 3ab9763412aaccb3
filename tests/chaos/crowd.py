"""Several processes on one database, each killed, frozen or cut off in turn while the others go on."""

import asyncio
import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Literal
from urllib.parse import urlsplit

from tests.chaos.world import BotProcess, World
from tests.servers.forwarder import Forwarder

Fault = Literal["killed", "frozen", "cut off"]
FAULTS: tuple[Fault, ...] = ("killed", "frozen", "frozen", "cut off", "cut off")  # who is killed is away for longest
SHORT = (0.1, 0.9)  # seconds that most faults last, within a lease
LONG = (7.0, 9.0)  # longer than a lease: somebody else takes over meanwhile
APART = 20.0  # seconds between two long ones: a message that waits for one lease is not made to wait for the next


@dataclass
class Member:
    """One process, with cables of its own to the database and the homeserver."""

    name: str
    bot: BotProcess
    cables: tuple[Forwarder, ...]
    fault: Fault | None = None
    coming: asyncio.Task[None] | None = None

    @property
    def well(self) -> bool:
        return self.fault is None

    async def suffer(self, fault: Fault, seconds: float) -> None:
        """Go wrong for a while, then be well again."""
        self.fault = fault
        process = self.bot.process
        assert process is not None
        if fault == "killed":
            self.bot.kill()
            self.bot.start()
            await self.bot.ready(60)
        elif fault == "frozen":
            os.kill(process.pid, signal.SIGSTOP)
            await asyncio.sleep(seconds)
            os.kill(process.pid, signal.SIGCONT)
        else:
            for cable in self.cables:
                cable.cut()
            await asyncio.sleep(seconds)
            for cable in self.cables:
                cable.mend()
        self.fault = None


@dataclass
class Crowd:
    """The processes, and what was done to them."""

    members: list[Member]
    random: Random
    suffered: Counter[str] = field(default_factory=Counter)
    history: list[str] = field(default_factory=list[str])
    last_long: float = 0.0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self) -> None:
        """Start all."""
        for member in self.members:
            member.bot.start()
        await asyncio.gather(*(member.bot.ready(60) for member in self.members))

    async def torment(self, seconds: float, every: float = 1.0) -> None:
        """Let something happen to one of them every second, never to the last that is well: then as soon as it may."""
        began, due = time.monotonic(), 0.0
        while time.monotonic() - began < seconds:
            well = [member for member in self.members if member.well]
            if len(well) > 1 and time.monotonic() >= due:
                due = time.monotonic() + every
                fault = self.random.choice(FAULTS)
                long = fault != "killed" and time.monotonic() - self.last_long > APART
                self.last_long = time.monotonic() if long else self.last_long
                self.harm(self.random.choice(well), fault, LONG if long else SHORT)
            await asyncio.sleep(0.05)
            for task in [task for task in self._tasks if task.done()]:
                self._tasks.discard(task)
                task.result()

    def harm(self, member: Member, fault: Fault, between: tuple[float, float]) -> None:
        """Begin a fault."""
        seconds = self.random.uniform(*between)
        self.suffered[fault if fault == "killed" or seconds < SHORT[1] else f"{fault} for long"] += 1
        self.history.append(f"{datetime.now(UTC):%H:%M:%S.%f} {member.name} {fault} {seconds:.1f} s")
        member.fault = fault
        self._tasks.add(asyncio.create_task(member.suffer(fault, seconds)))

    async def rest(self) -> None:
        """Wait until all are well."""
        await asyncio.gather(*self._tasks)
        for member in self.members:
            await member.bot.ready(30)


@contextlib.asynccontextmanager
async def crowd(world: World, random: Random, count: int = 3) -> AsyncGenerator[Crowd]:
    """Give a world several processes in place of its one, on the same data folder."""
    async with contextlib.AsyncExitStack() as stack:
        members: list[Member] = []
        base = world.bot
        for number in range(count):
            directory = base.directory.with_name(f"bot-{number}")
            database, homeserver = urlsplit(base.url), urlsplit(base.settings["PASSERELLE_MATRIX__HOMESERVER"])
            cables = [await stack.enter_async_context(Forwarder(part.port or 0)) for part in (database, homeserver)]
            url = base.url.replace(f":{database.port}/", f":{cables[0].port}/")
            settings = {
                **base.settings,
                "PASSERELLE_MATRIX__HOMESERVER": f"http://127.0.0.1:{cables[1].port}",
                "PASSERELLE_DATA_DIR": str(base.directory / "data"),
            }
            members.append(Member(f"p{number}", BotProcess(url, directory, settings, base.module), tuple(cables)))
        made = Crowd(members, random)
        try:
            yield made
        finally:
            for task in made._tasks:
                task.cancel()
            for member in members:
                member.bot.kill()
