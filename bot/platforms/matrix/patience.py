"""Waiting longer after each failure, never all at the same moment."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TypeVar

import structlog

from bot.errors import Unavailable
from bot.platforms import Memory
from bot.platforms.matrix.wire import HomeserverError, TokenIsDead, Unreachable

log = structlog.get_logger(__name__)

T = TypeVar("T")

LONGEST = 30.0
LONGEST_FOR_DATABASE = 5.0  # ours alone: nobody else comes back to it at the same moment
FIRST = 0.5


class Backoff:
    """Doubles the wait from half a second to half a minute, or to what is said, with a random part."""

    def __init__(self, longest: float = LONGEST) -> None:
        self._longest = longest
        self._next = FIRST

    async def wait(self, at_least: float | None = None) -> None:
        """Wait for the present step, or for what the homeserver asked if that is longer."""
        step, self._next = self._next, min(self._longest, self._next * 2)
        await asyncio.sleep(max(step * random.uniform(0.5, 1.0), at_least or 0.0))  # noqa: S311 - no secret

    def reset(self) -> None:
        """Begin anew after a success."""
        self._next = FIRST


class PatientMemory:
    """A memory that waits while the database is away: a batch of the sync may be late, never half remembered.

    One process listens to Matrix, and nobody else writes here: what was read or kept once is not asked for again.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._values: dict[str, str | None] = {}
        self._turn = asyncio.Lock()

    def forget(self) -> None:
        """Know nothing any more: another process may have been the one that listens."""
        self._values.clear()

    async def get(self, name: str) -> str | None:
        """Return a value."""
        async with self._turn:  # nothing older than what was just kept may come to be remembered
            if name not in self._values:
                self._values[name] = await _once_available(lambda: self._memory.get(name))
            return self._values[name]

    async def set(self, values: Mapping[str, str | None]) -> None:
        """Keep values."""
        async with self._turn:
            await _once_available(lambda: self._memory.set(values))
            self._values.update(values)


async def _once_available(use: Callable[[], Awaitable[T]]) -> T:
    backoff = Backoff(LONGEST_FOR_DATABASE)
    while True:
        try:
            return await use()
        except Unavailable as error:
            log.warning("matrix.database_unavailable", error=str(error))
            await backoff.wait()


async def together(works: Iterable[Callable[[], Awaitable[T]]], most: int) -> list[T]:
    """Do works at once, `most` of them at a time; return their results in order. The first that fails ends all."""
    turns = asyncio.Semaphore(most)

    async def in_turn(work: Callable[[], Awaitable[T]]) -> T:
        async with turns:
            return await work()

    tasks = [asyncio.create_task(in_turn(work)) for work in works]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def insist(request: Callable[[], Awaitable[T]]) -> T:
    """Make a request until it has an answer that will not change by itself.

    For what the handling of a batch needs from the homeserver: an outage delays the batch, it loses nothing of it.
    Raises HomeserverError when the homeserver refuses for good, and TokenIsDead.
    """
    backoff = Backoff()
    while True:
        try:
            return await request()
        except Unreachable as error:
            log.warning("matrix.waiting", reason=str(error))
            await backoff.wait()
        except HomeserverError as error:
            if error.token_is_dead:
                raise TokenIsDead(error) from error
            if not error.passing:
                raise
            log.warning("matrix.waiting", reason=str(error))
            await backoff.wait(error.retry_after)
