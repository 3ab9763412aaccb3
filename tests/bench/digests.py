"""What a wave of digests costs: 10,000 subscribed, 3,000 due in one minute, while people ask; beside APScheduler's store.

`python -m tests.bench.digests`; `make bench` runs it too. Both say the same digests, by the same function, to a platform in
memory: what differs is who knows what is due and who calls.
"""

import argparse
import asyncio
import contextlib
import json
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from datetime import time as wall
from pathlib import Path
from typing import Any

from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from bot import due
from bot.agenda.tables import Event
from bot.clockwork import Ring
from bot.context import Scope
from bot.db import Database
from bot.digests import issuing
from bot.digests.rhythm import Rhythm, to_data
from bot.digests.tables import Digest, Issue
from bot.life import settled
from bot.message import Address, Invocation, User
from tests.bench.measure import computation
from tests.bench.servers import prepared
from tests.servers.postgres import Postgres
from tests.stories.scene import Clock, Scene, scene

SUNDAY = datetime(2026, 3, 22, 12, tzinfo=UTC)
EIGHT = datetime(2026, 3, 23, 7, tzinfo=UTC)  # in Paris
ROOMS = 300
EVENTS = 200
ASKED_EVERY = 0.05  # seconds
KINDS = ("sqlite", "postgresql")
TARGETS = "targets: put ≤ 2 s, said ≤ 60 s, loop ≤ 50 ms, answers ≤ 2.0 times idle"


def fill(session: Session, count: int, wave: int) -> None:
    """Enter rooms' digests, of which some are due on Monday at eight and the others an hour later; and events."""
    rhythms = [json.dumps(to_data(Rhythm((wall(8 + late),), frozenset({0})))) for late in (0, 1)]
    row = {"horizon": 7, "platform": "slack", "since": SUNDAY, "created_at": SUNDAY, "words": "", "topics": ""}
    session.execute(
        insert(Digest),
        [
            {**row, "organisation": ORGANISATIONS[at % len(ORGANISATIONS)], "room": f"C{at % ROOMS}", "rhythm": rhythms[at >= wave]}
            for at in range(count)
        ],
    )  # fmt: skip
    event = {"sequence": 0, "kind": "commission", "zone": "Europe/Paris", "whole_days": False, "state": "confirmed",
             "visibility": "network", "created_at": SUNDAY, "changed_at": SUNDAY, "place": "Strasbourg"}  # fmt: skip
    hours = [EIGHT + timedelta(hours=at % 160) for at in range(EVENTS)]
    territories = [str(1 + at % 95).zfill(2) for at in range(EVENTS)]
    session.execute(
        insert(Event),
        [
            {**event, "uid": f"e{at}", "title": f"Réunion {at}", "starts": hours[at], "ends": hours[at] + timedelta(hours=1), "territories": territories[at]}
            for at in range(EVENTS)
        ],
    )  # fmt: skip


ORGANISATIONS = (
    "prefecture-67",
    "prefecture-57",
    "prefecture-59",
    "prefecture-06",
    "consulat-munich",
    "consulat-milan",
)


@dataclass
class Watch:
    """How long the event loop did not turn, and how long answers took, in milliseconds."""

    blocks: list[float] = field(default_factory=list[float])
    answers: list[float] = field(default_factory=list[float])

    @contextlib.asynccontextmanager
    async def over(self, play: Scene) -> AsyncGenerator[None]:
        tasks = [asyncio.create_task(self._turn()), asyncio.create_task(self._ask(play))]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _turn(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.005)
            self.blocks.append((time.perf_counter() - began - 0.005) * 1000)

    async def _ask(self, play: Scene) -> None:
        """Somebody presses a button in a room, steadily; the answer counts when it is committed."""
        at = Address("slack", "C0")
        while True:
            number = next(play.numbers)
            author = User("slack", "U1", insider=True)
            event = Invocation(
                id=f"b{number}", at=play.clock(), author=author, to=at, command="demandes", line="service"
            )
            began = time.perf_counter()
            await play.receive(event)
            self.answers.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(ASKED_EVERY)


@dataclass
class Figures:
    """What one of the two took."""

    who: str
    put: float  # seconds for all due rows
    said: float  # seconds for the wave
    block: float  # the longest, in milliseconds
    answers: float  # the median, of the idle one
    slow: float  # the 95th percentile, likewise

    def __str__(self) -> str:
        return (
            f"{self.who:34}{self.put:9.2f} s{self.said:9.1f} s{self.block:10.0f} ms{self.answers:9.2f}{self.slow:9.2f}"
        )


async def idle(play: Scene) -> Watch:
    watch = Watch()
    async with watch.over(play):
        await asyncio.sleep(4)
    return watch


async def ours(play: Scene, quiet: Watch, wave: int, kind: str) -> Figures:
    """Put what is due by planning, and let the clockwork do it."""
    work, database = play.app.clockwork, play.app.database
    await database.run(lambda session: due.put(session, issuing.PLANNING, issuing.FIRST, SUNDAY))
    began = time.perf_counter()
    await work.tick(SUNDAY)
    put = time.perf_counter() - began
    play.clock.at = EIGHT
    watch = Watch()
    async with watch.over(play):
        began = time.perf_counter()
        await work.tick(EIGHT)
        said = time.perf_counter() - began
    return await _figures(f"{kind}, ours", database, wave, put, said, watch, quiet)


_peer: dict[str, Any] = {}


async def issue_one(key: str) -> None:
    """What APScheduler calls: the same transaction as ours, without a due row."""
    play: Scene = _peer["play"]
    await play.app.database.run(lambda session: _issue(play, session, key))
    _peer["left"] -= 1
    if not _peer["left"]:
        _peer["done"].set()


def _issue(play: Scene, session: Session, key: str) -> None:
    app = play.app
    ctx = Scope(session=session, now=EIGHT, outbox=app.exit_(session, EIGHT), world=app.world, key=f"peer/{key}")
    issuing.issue(ctx, Ring(key, EIGHT))


async def peer(play: Scene, quiet: Watch, wave: int, kind: str, store: str) -> Figures:
    """Let APScheduler's job store know what is due, and its scheduler call it."""
    scheduler = AsyncIOScheduler(
        jobstores={"default": SQLAlchemyJobStore(url=store)},
        timezone="Europe/Paris",
        job_defaults={"misfire_grace_time": None, "coalesce": True},
    )
    keys = play.app.database.run_now(lambda s: s.scalars(select(Digest.id).order_by(Digest.id)).all())
    _peer.update(play=play, left=wave, done=asyncio.Event())
    play.clock.at = EIGHT
    scheduler.start(paused=True)
    began = time.perf_counter()
    soon = datetime.now(UTC)
    for at, key in enumerate(keys):
        trigger = CronTrigger(day_of_week="mon", hour=8 + (at >= wave))
        if at < wave:
            scheduler.add_job(issue_one, trigger, args=(str(key),), id=str(key), next_run_time=soon)
        else:
            scheduler.add_job(issue_one, trigger, args=(str(key),), id=str(key))
    put = time.perf_counter() - began
    watch = Watch()
    async with watch.over(play):
        await asyncio.sleep(0.1)
        began = time.perf_counter()
        scheduler.resume()
        await _peer["done"].wait()
        said = time.perf_counter() - began
    scheduler.shutdown(wait=False)
    return await _figures(f"{kind}, APScheduler's store", play.app.database, wave, put, said, watch, quiet)


async def _figures(
    who: str, database: Database, wave: int, put: float, said: float, watch: Watch, quiet: Watch
) -> Figures:
    count = await database.run(lambda s: s.scalar(select(func.count()).select_from(Issue)))
    assert count == wave, f"{who}: {count} of {wave} said"
    ratio = statistics.median(watch.answers) / statistics.median(quiet.answers)
    return Figures(who, put, said, max(watch.blocks), ratio, _p95(watch.answers) / _p95(quiet.answers))


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


async def measured(new_url: Callable[[str], str], count: int, wave: int) -> list[str]:
    """Measure both, each on a database of its own, made anew."""
    lines: list[str] = []
    store = new_url("jobs")
    for who in ("peer", "ours"):
        url = new_url(who)
        kind = url.partition(":")[0].partition("+")[0]
        prepared(url)
        database = Database(url)
        async with scene(database, Clock(SUNDAY), "slack") as play:
            for at in range(ROOMS):
                play.link(ORGANISATIONS[at % len(ORGANISATIONS)], room=f"C{at}")
            await play.tick()
            await database.run(lambda session: fill(session, count, wave))
            await settled(play.app)  # as the service does
            quiet = await idle(play)
            if who == "peer":
                found = await peer(play, quiet, wave, kind, store)
            else:
                found = await ours(play, quiet, wave, kind)
            lines.append(
                f"{found}   (idle: {statistics.median(quiet.answers):.1f} ms, loop {max(quiet.blocks):.0f} ms)"
            )
        database.close()
    return lines


async def run(count: int, wave: int, kinds: Sequence[str] = KINDS) -> str:
    """Measure on both databases, or on one of them; return the report."""
    lines = [f"a wave of digests: {count:,} subscribed, {wave:,} due at once; {TARGETS}"]
    lines.append(
        f"{'':34}{'put':>11}{'said':>11}{'loop held':>13}{'p50':>9}{'p95':>9}   of answers, in times of idle ones"
    )
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        if "sqlite" in kinds:
            lines += await measured(lambda name: f"sqlite:///{Path(folder)}/{name}.db", count, wave)
        if "postgresql" in kinds:
            async with Postgres() as cluster:
                lines += await measured(lambda _: cluster.create_database(), count, wave)
    lines.append(f"a fixed computation took {computation():.0f} ms")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the sizes, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.digests", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--wave", type=int, default=3_000)
    parser.add_argument("--on", choices=KINDS, action="append", help="a database; both where none is named")
    asked = parser.parse_args(arguments)
    print(asyncio.run(run(asked.count, asked.wave, asked.on or KINDS)))


if __name__ == "__main__":
    main()
