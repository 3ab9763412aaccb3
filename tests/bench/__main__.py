"""`make bench`: our bot beside bare Bolt and bare nio, in turns, on the same servers; its search beside its peers."""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.bench import clock, digests, lookups, queue, search
from tests.bench.measure import Clocks, burst, computation, latency
from tests.bench.servers import Servers, linked, prepared, servers
from tests.chaos.world import ROOT, BotProcess
from tests.servers import processes
from tests.servers.postgres import Postgres

PEERS = {"slack": "bolt", "matrix": "nio"}
PARTS = ("bot", "search", "lookups", "queue", "clock", "digests")
TARGETS = {"p50": 2.5, "burst": 0.5, "start": 2.0, "memory": 240.0}


@dataclass
class Figures:
    """What was measured, by name, a value a round."""

    values: defaultdict[tuple[str, str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    work: list[float] = field(default_factory=list)

    def add(self, platform: str, who: str, what: str, value: float) -> None:
        self.values[platform, who, what].append(value)
        print(f"  {platform:6} {who:10} {what:6} {value:9.2f}", file=sys.stderr, flush=True)

    def median(self, platform: str, who: str, what: str) -> float:
        return statistics.median(self.values[platform, who, what])


async def measure(
    figures: Figures, servers: Servers, platform: str, who: str, pid: int, sizes: argparse.Namespace
) -> None:
    """Measure whoever runs now."""
    process = psutil.Process(pid)
    clocks = Clocks(servers, platform)
    await latency(clocks, rate=sizes.rate, seconds=2)  # warm
    figures.work.append(computation())
    found = await latency(clocks, rate=sizes.rate, seconds=sizes.seconds)
    figures.add(platform, who, "p50", found.p50)
    figures.add(platform, who, "p99", found.p99)
    figures.work.append(computation())
    before = process.cpu_times()
    figures.add(platform, who, "burst", await burst(clocks, count=sizes.burst))
    await asyncio.sleep(0.5)
    after = process.cpu_times()
    used = after.user + after.system - before.user - before.system
    figures.add(platform, who, "cpu", used / sizes.burst * 1000)


async def bare(figures: Figures, servers: Servers, platform: str, sizes: argparse.Namespace) -> None:
    """Measure a peer."""
    log = servers.directory / f"{PEERS[platform]}.log"
    argv = [sys.executable, "-m", "tests.bench.peers", PEERS[platform]]
    process = processes.spawn(argv, log=log, cwd=ROOT, env=servers.settings)
    try:
        if platform == "slack":
            await servers.slack.connected(timeout=20)
        else:
            await processes.wait_ready(process, lambda: b"listening" in log.read_bytes()[-200:], log=log)
            log.write_bytes(b"")
            await asyncio.sleep(1)
        await measure(figures, servers, platform, "bare", process.pid, sizes)
    finally:
        await stopped(process)


async def stopped(process: subprocess.Popen[bytes]) -> None:
    """End a process whatever it is doing."""
    process.kill()
    process.wait()
    await asyncio.sleep(0.3)


async def ours(figures: Figures, bot: BotProcess, servers: Servers, who: str, sizes: argparse.Namespace) -> None:
    """Measure our bot on both platforms."""
    began = time.monotonic()
    bot.start()
    try:
        await bot.ready()
        figures.add("both", who, "start", time.monotonic() - began)
        await asyncio.sleep(1.5)
        assert bot.process is not None
        figures.add("both", who, "memory", psutil.Process(bot.process.pid).memory_info().rss / 1024**2)
        for platform in sizes.platforms:
            await measure(figures, servers, platform, who, bot.process.pid, sizes)
    finally:
        await bot.stop()
        await asyncio.sleep(0.3)


async def run(sizes: argparse.Namespace, directory: Path) -> Figures:
    """Measure all in turns."""
    figures = Figures()
    async with (
        servers(directory / "ours", sizes.rooms) as made,
        servers(directory / "peers", sizes.rooms) as peers,
        Postgres() as cluster,
    ):
        urls = {"ours": f"sqlite:///{directory}/passerelle.db"}
        if sizes.postgres:
            urls["ours (pg)"] = cluster.create_database()
        bots: dict[str, BotProcess] = {}
        for who, url in urls.items():
            prepared(url)
            bots[who] = made.ours(url, who)
            await linked(made, url)
            bots[who].start()  # joins the rooms
            await bots[who].ready()
            await asyncio.sleep(3)
            await bots[who].stop()
        for number in range(sizes.rounds):
            print(f"round {number + 1} of {sizes.rounds}", file=sys.stderr, flush=True)
            for who, bot in bots.items():
                if "slack" in sizes.platforms:
                    await bare(figures, peers, "slack", sizes)
                await ours(figures, bot, made, who, sizes)
                if "matrix" in sizes.platforms:
                    await bare(figures, peers, "matrix", sizes)
    return figures


def report(figures: Figures, sizes: argparse.Namespace) -> str:
    """Return the table: medians over the rounds, and ratios to the peer of the same run."""
    lines = [
        f"{sizes.rounds} rounds in turns; {sizes.rate:g} events/s for {sizes.seconds:g} s over {sizes.rooms} rooms;",
        f"bursts of {sizes.burst}; the bot's own pace per room is lifted, its flood control is not met",
        f"{'':28}{'bare':>10}{'ours':>10}{'ratio':>8}   target",
    ]
    whos = [who for who in ("ours", "ours (pg)") if ("both", who, "start") in figures.values]
    for who in whos:
        note = " on PostgreSQL" if who != "ours" else ""
        for platform in sizes.platforms:
            for what, unit in (("p50", "ms"), ("p99", "ms"), ("burst", "/s"), ("cpu", "ms")):
                theirs, own = figures.median(platform, "bare", what), figures.median(platform, who, what)
                target = {"p50": "≤ 2.5", "p99": "≤ 2.5", "burst": "≥ 0.5", "cpu": ""}[what]
                name = f"{platform}, {what}, {unit}{note}"
                lines.append(f"{name:28}{theirs:10.1f}{own:10.1f}{own / theirs:8.2f}   {target}")
        start, memory = figures.median("both", who, "start"), figures.median("both", who, "memory")
        lines.append(f"{'start to ready, s' + note:28}{'':10}{start:10.2f}{'':8}   ≤ 2.0")
        lines.append(f"{'idle memory, MB' + note:28}{'':10}{memory:10.0f}{'':8}   ≤ 240")
    work = sorted(figures.work)
    lines.append(
        f"machine: {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; a fixed computation took "
        f"{work[0]:.0f} to {work[-1]:.0f} ms, median {statistics.median(work):.0f}"
    )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the sizes, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rate", type=float, default=60)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rooms", type=int, default=200)
    parser.add_argument("--burst", type=int, default=1500)
    parser.add_argument("--platforms", nargs="+", default=["slack", "matrix"], choices=["slack", "matrix"])
    parser.add_argument("--postgres", action="store_true", help="our bot on PostgreSQL too")
    parser.add_argument("--keep", type=Path, help="where files are kept; else they are thrown away")
    parser.add_argument("--parts", nargs="+", default=PARTS, choices=PARTS, help="what is measured")
    sizes = parser.parse_args(arguments)
    if "search" in sizes.parts:
        search.main([])
    if "lookups" in sizes.parts:
        lookups.main([])
    if "queue" in sizes.parts:
        queue.main()
    if "clock" in sizes.parts:
        clock.main([])
    if "digests" in sizes.parts:
        digests.main([])
    if "bot" in sizes.parts:
        measure_bot(sizes)


def measure_bot(sizes: argparse.Namespace) -> None:
    """Measure the bot beside its peers and print."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir=sizes.keep) as directory:
        figures = asyncio.run(run(sizes, Path(directory)))
    print(report(figures, sizes))


if __name__ == "__main__":
    main()
