"""What is measured: the time from a message to its answer, how many a second, how soon a start is ready, and memory."""

import asyncio
import itertools
import re
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.bench.servers import Servers
from tests.chaos.tail import Tail

Say = Callable[[list[tuple[int, str]]], Awaitable[None]]

_TOKEN = re.compile(r"b\d{6}")
_tokens = itertools.count(1)


@dataclass(frozen=True)
class Latency:
    """Milliseconds."""

    p50: float
    p99: float


class Clocks:
    """When each token was said and answered, as the server of a platform saw it."""

    def __init__(self, servers: Servers, platform: str) -> None:
        self.said: dict[str, float] = {}
        self.answered: dict[str, float] = {}
        self.say: Say = servers.say_on_slack if platform == "slack" else servers.say_on_matrix
        self._slack = platform == "slack"
        self._tail = Tail(servers.slack_timeline if self._slack else servers.stub.timeline)

    def look(self) -> None:
        """Read what happened since."""
        for entry in self._tail.news():
            if self._slack:
                if entry["kind"] in ("said", "post"):
                    self._note(entry["text"], entry["at"], own=entry["kind"] == "said")
            else:
                self._note(entry["body"], entry["at"], own=entry["sender"].startswith("@consul"))

    def _note(self, text: str, at: float, *, own: bool) -> None:
        found = _TOKEN.search(text)
        if found:
            (self.said if own else self.answered).setdefault(found[0], at)

    async def wait(self, tokens: list[str], seconds: float) -> None:
        """Wait until all are answered."""
        deadline = time.monotonic() + seconds
        while not all(token in self.answered for token in tokens):
            if time.monotonic() > deadline:
                missing = [token for token in tokens if token not in self.answered]
                raise RuntimeError(f"{len(missing)} of {len(tokens)} were never answered: {missing[:5]}")
            await asyncio.sleep(0.1)
            self.look()


def fresh(count: int) -> list[str]:
    """Return words that were never said."""
    return [f"b{next(_tokens):06}" for _ in range(count)]


async def latency(clocks: Clocks, *, rate: float, seconds: float) -> Latency:
    """Say things at a steady rate, one by one, each in another room."""
    tokens = fresh(int(rate * seconds))
    began = time.monotonic()
    asked: set[asyncio.Task[None]] = set()
    for index, token in enumerate(tokens):
        await asyncio.sleep(max(0.0, began + index / rate - time.monotonic()))
        task = asyncio.ensure_future(clocks.say([(index, token)]))
        asked.add(task)
        task.add_done_callback(asked.discard)
    await clocks.wait(tokens, 60)
    took = sorted((clocks.answered[token] - clocks.said[token]) * 1000 for token in tokens)
    return Latency(statistics.median(took), took[int(len(took) * 0.99)])


async def burst(clocks: Clocks, *, count: int) -> float:
    """Say many things at once; return how many a second were answered."""
    tokens = fresh(count)
    await clocks.say(list(enumerate(tokens)))
    await clocks.wait(tokens, 120)
    first = min(clocks.said[token] for token in tokens)
    return count / (max(clocks.answered[token] for token in tokens) - first)


def computation() -> float:
    """Return the milliseconds of a fixed piece of work: what the machine was worth at this moment."""
    began = time.perf_counter()
    total = 0
    for number in range(400_000):
        total += number * number % 7
    return (time.perf_counter() - began) * 1000
