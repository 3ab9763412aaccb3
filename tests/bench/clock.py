"""What time costs: working time beside the minute-by-minute way, the tick beside looking at every open question.

`python -m tests.bench.clock`; `make bench` runs it too.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from bot import due, life
from bot.app import App, build
from bot.db import Database
from bot.directory.calendars import calendar_of
from bot.directory.current import Current
from bot.due import Due
from bot.questions import clock, moves
from bot.questions.tables import Question
from bot.worktime.calendar import Calendar, after, between
from bot.worktime.holidays import Place
from bot.worktime.hours import parse
from config.settings import Settings
from tests.bench.measure import computation
from tests.bench.servers import prepared
from tests.servers.postgres import Postgres
from tests.worktime import slow

NOW = datetime(2026, 3, 17, 10, tzinfo=UTC)
TARGET = 100  # milliseconds of a tick over 10,000 open questions
OFFICE = ((510, 750), (840, 1020))


def working_time() -> list[str]:
    """Measure questions about working time, ours and the slow way."""
    hours = parse("Mo-Fr 08:30-12:30,14:00-17:00")
    assert hours is not None
    calendar, week = Calendar(hours, "Europe/Paris", Place("FR", "57")), slow.Week([OFFICE] * 5 + [()] * 2)
    place = calendar.place

    def counted(until: datetime) -> int:
        return sum(slow.worked(slow.minutes("Europe/Paris", NOW, until), week, place.is_holiday))

    lines = [f"{'':44}{'ours':>12}{'by minutes':>12}{'ratio':>8}"]
    cases: list[tuple[str, Callable[[], object], Callable[[], object]]] = [
        ("after 21 working hours", lambda: after(calendar, NOW, timedelta(hours=21)), lambda: counted(_days(3))),
        ("between two instants a month apart", lambda: between(calendar, NOW, _days(30)), lambda: counted(_days(30))),
        ("between two instants a year apart", lambda: between(calendar, NOW, _days(365)), lambda: counted(_days(365))),
    ]
    for name, ours, slowly in cases:
        own, other = _took(ours, 200), _took(slowly, 3)
        lines.append(f"{name:44}{own * 1000:9.3f} ms{other * 1000:9.1f} ms{other / own:8.0f}")
    return lines


def _days(count: int) -> datetime:
    return NOW + timedelta(days=count)


def _took(work: Callable[[], object], times: int) -> float:
    work()
    found: list[float] = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return statistics.median(found)


def fill(session: Session, count: int, already: int) -> None:
    """Ask questions that are open and of which nothing is due yet."""
    later = NOW + timedelta(days=3)
    numbers = [f"Q-2026-{number:05}" for number in range(already + 1, count + 1)]
    row = {
        "state": "routed", "text": "…", "topic": "etat_civil", "asker_account": "agent", "recipient": "consulat-francfort",
        "asker_organisation": "prefecture-57", "placed_with": "consulat-francfort", "asked_at": NOW, "counted_from": NOW,
        "due_at": later, "because": "[]", "sealed": False, "urgent": False, "steps": 0,
    }  # fmt: skip
    for first in range(0, len(numbers), 5000):
        chunk = numbers[first : first + 5000]
        session.execute(insert(Question), [{**row, "number": number} for number in chunk])
        kinds = {"kind": moves.CLOCK, "due_at": later, "meant_at": later, "tries": 0}
        session.execute(insert(Due), [{**kinds, "key": number} for number in chunk])


def _all_looked_at(bot: App, session: Session, current: Current) -> int:
    """Return how many questions have something due, found by looking at each."""
    orgs, terms = current.get(session).organisations, bot.clockwork.world.terms
    open_ = session.scalars(select(Question).where(Question.state.in_(moves.OPEN)))
    steps = (
        clock.next_step(it, calendar_of(session, orgs.get(it.recipient or ""), terms.hours, "Europe/Paris"), terms, NOW)
        for it in open_
    )
    return sum(step is not None and step.at <= NOW for step in steps)


async def ticks(url: str, sizes: Sequence[int]) -> list[str]:
    """Measure ticks over ever more open questions, with nothing and with a hundred things due."""
    prepared(url)
    database = Database(url)
    bot = build(Settings(), database, lambda: NOW)
    kind, already, lines = url.partition(":")[0].partition("+")[0], 0, list[str]()
    for size in sizes:
        await database.run(lambda session, size=size, already=already: fill(session, size, already))
        already = size
        idle = await _awaited(lambda: bot.clockwork.tick(NOW), 30)
        whole = await _awaited(lambda: life.tick(bot), 10)
        busy = list[float]()
        for _ in range(5):
            await database.run(_hasten)
            busy.append(await _awaited(lambda: bot.clockwork.tick(NOW), 1))
        began = time.perf_counter()
        await database.run(lambda session: _all_looked_at(bot, session, Current()))
        naive = time.perf_counter() - began
        lines.append(
            f"{kind:11}{size:9,} open{idle * 1000:9.1f} ms{whole * 1000:9.1f} ms"
            f"{statistics.median(busy) * 1000:9.1f} ms{naive * 1000:11.0f} ms"
        )
    database.close()
    return lines


def _hasten(session: Session) -> None:
    for number in range(1, 101):
        due.hasten(session, moves.CLOCK, f"Q-2026-{number:05}", NOW)


async def _awaited(work: Callable[[], Awaitable[object]], times: int) -> float:
    found: list[float] = []
    for _ in range(times):
        began = time.perf_counter()
        await work()
        found.append(time.perf_counter() - began)
    return statistics.median(found)


async def run(sizes: Sequence[int]) -> str:
    """Measure all; return the report."""
    lines = ["working time", *working_time(), "", f"a tick; target ≤ {TARGET} ms over 10,000"]
    lines.append(f"{'':25}{'idle':>12}{'with others':>12}{'100 due':>12}{'each looked at':>14}")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        lines += await ticks(f"sqlite:///{Path(folder)}/clock.db", sizes)
        async with Postgres() as cluster:
            lines += await ticks(cluster.create_database(), sizes)
    lines.append(f"a fixed computation took {computation():.0f} ms")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the sizes, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.clock", description=__doc__)
    parser.add_argument("--sizes", nargs="+", type=int, default=[100, 10_000, 100_000], help="open questions")
    print(asyncio.run(run(parser.parse_args(arguments).sizes)))


if __name__ == "__main__":
    main()
