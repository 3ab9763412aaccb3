"""How soon `/annuaire` is answered on the fake Slack, in a directory of many, while questions flow.

`python -m tests.bench.lookups`; `make bench` runs it too.
"""

import argparse
import asyncio
import itertools
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from bot.db import Database
from tests.bench.made_up import directory, fill, typed
from tests.bench.measure import computation
from tests.bench.servers import PEOPLE, Servers, linked, prepared, servers
from tests.chaos.tail import Tail

TARGET = 300  # milliseconds
QUESTION = "Nous doutons d'un acte de naissance établi à {place}, le vérifier ? {number}"
PLACES = ("Sarrebruck", "Munich", "Milan", "Madrid", "Rabat", "Tunis", "Genève", "Londres")


async def flow(made: Servers, rate: float, number: "itertools.count[int]") -> None:
    """Ask questions at a steady rate, each in another room, until cancelled."""
    while True:
        await asyncio.sleep(1 / rate)
        at = next(number)
        text = QUESTION.format(place=PLACES[at % len(PLACES)], number=at)
        user, channel = f"U{at % PEOPLE:03}", made.channels[-1 - at % (len(made.channels) // 2)]
        await made.slack.call("say", user=user, channel=channel, text=f"{made.slack.mention} {text}")


async def answered(made: Servers, tail: Tail, number: int, text: str) -> float:
    """Return the milliseconds from a slash command to its answer."""
    channel = made.channels[number % (len(made.channels) // 2)]
    began = time.time()
    await made.slack.call("command", user=f"U{number % PEOPLE:03}", channel=channel, name="/annuaire", text=text)
    while time.time() - began < 20:
        for entry in tail.news():
            if entry["kind"] == "ephemeral" and entry["channel"] == channel and entry["at"] > began:
                return (entry["at"] - began) * 1000
        await asyncio.sleep(0.005)
    raise RuntimeError(f"/annuaire {text} was never answered")


async def measure(options: argparse.Namespace, folder: Path) -> str:
    """Run the servers and the bot, and measure."""
    url = f"sqlite:///{folder}/passerelle.db"
    entries = directory(options.size, options.seed)
    prepared(url)
    database = Database(url)
    database.run_now(lambda session: fill(session, entries))
    database.close()
    queries = [it.text for typos in (0, 1, 2) for it in typed(entries, options.lookups // 3, typos, options.seed)]
    async with servers(folder / "servers", options.rooms) as made:
        bot = made.ours(url)
        await linked(made, url)
        bot.start()
        try:
            started = await bot.ready()
            took, first, memory = await timed(made, options, queries, bot.process.pid if bot.process else 0)
        finally:
            await bot.stop()
    took.sort()
    return (
        f"/annuaire among {options.size} entries while {options.rate:g} questions/s flow: first {first:.0f} ms, "
        f"p50 {statistics.median(took):.0f} ms, p95 {took[int(len(took) * 0.95)]:.0f} ms, most {took[-1]:.0f} ms "
        f"(target: {TARGET} ms); ready after {started:.2f} s, {memory:.0f} MB"
    )


async def timed(
    made: Servers, options: argparse.Namespace, queries: Sequence[str], pid: int
) -> tuple[list[float], float, float]:
    """Return how long look-ups took, how long the first one after the start did, and the bot's memory."""
    tail = Tail(made.slack_timeline)
    first = await answered(made, tail, 0, queries[0])
    asking = asyncio.ensure_future(flow(made, options.rate, itertools.count()))
    try:
        await asyncio.sleep(2)
        took = []
        for number, text in enumerate(queries, start=1):
            took.append(await answered(made, tail, number, text))
            await asyncio.sleep(0.2)
    finally:
        asking.cancel()
    return took, first, psutil.Process(pid).memory_info().rss / 1024**2


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the sizes, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.lookups", description=__doc__)
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--lookups", type=int, default=150)
    parser.add_argument("--rate", type=float, default=5)
    parser.add_argument("--rooms", type=int, default=60)
    parser.add_argument("--seed", type=int, default=2026)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="lookups-") as folder:
        print(asyncio.run(measure(options, Path(folder))))
    print(f"a fixed computation took {computation():.0f} ms")


if __name__ == "__main__":
    main()
