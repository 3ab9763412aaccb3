"""How long a page of `/demandes` takes among ten thousand open questions: `python -m tests.bench.queue`.

`make bench` runs it too.
"""

import asyncio
import tempfile
import time
from datetime import timedelta

from sqlalchemy import insert
from sqlalchemy.orm import Session

from bot.db import Database
from bot.directory.identity import Actor
from bot.message import User
from bot.questions.queue import late, page
from bot.questions.tables import Question
from tests.bench.measure import computation
from tests.bench.servers import prepared
from tests.servers.postgres import Postgres
from tests.stories.scene import NOON

OPEN = 10_000
TARGET = 100  # milliseconds


def fill(session: Session) -> None:
    """Enter open questions of three prefectures to one consulate."""
    rows = [
        {
            "number": f"Q-2026-{n:05d}",
            "state": ("routed", "taken", "answered", "asked_back")[n % 4],
            "text": "Une question.",
            "asker_account": f"account-{n % 50}",
            "asker_organisation": f"prefecture-{57 + n % 3}",
            "recipient": "consulat-francfort",
            "placed_with": "consulat-francfort",
            "topic": "visa" if n % 2 else "sejour",
            "asked_at": NOON - timedelta(minutes=n),
            "due_at": NOON + timedelta(minutes=n - OPEN // 2),
            "because": "[]",
            "sealed": False,
            "urgent": False,
        }
        for n in range(OPEN)
    ]
    session.execute(insert(Question), rows)


def look(session: Session) -> list[float]:
    """Return the milliseconds that each page takes, with the number of those that are late beside it."""
    consul = Actor(User("stage", "c"), None, None, "consulat-francfort", frozenset({"member"}), None, None)
    coordinator = Actor(None, "p", None, None, frozenset({"coordinator"}), None, None)
    took: list[float] = []
    for actor in (consul, coordinator):
        for scope in ("mine", "post", "late", "all"):
            for number in (1, 1500):
                began = time.perf_counter()
                page(session, actor, "account-7", scope, NOON, number=number)
                late(session, actor, "account-7", NOON)
                took.append((time.perf_counter() - began) * 1000)
    return took


def measure(url: str) -> str:
    """Fill a database, look at every page twice, and tell of the second time."""
    prepared(url)
    database = Database(url)
    try:
        database.run_now(fill)
        database.run_now(look)
        took = sorted(database.run_now(look))
    finally:
        database.close()
    return f"{url.partition(':')[0]:20} median {took[len(took) // 2]:6.1f} ms, worst {took[-1]:6.1f} ms   ≤ {TARGET}"


async def both() -> None:
    """Measure on both databases."""
    print(f"a page of /demandes among {OPEN:,} open questions")
    async with Postgres() as cluster:
        with tempfile.TemporaryDirectory(prefix="queue-") as folder:
            print(await asyncio.to_thread(measure, f"sqlite:///{folder}/queue.db"))
        print(await asyncio.to_thread(measure, cluster.create_database()))
    print(f"a fixed computation took {computation():.0f} ms")


def main() -> None:
    """Measure and print."""
    asyncio.run(both())


if __name__ == "__main__":
    main()
