"""The database: what is committed stays, what fails leaves nothing, two processes never meet a lock."""

import asyncio
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.orm import Session

from bot.db import Database, Instant
from bot.engines import WRITERS, make_engine
from bot.errors import Unavailable
from bot.jobs.notes import note_queue
from bot.posts import Post
from tests.engine.numbers import set_, value

# Reads a number and writes the next one, again and again: the transaction that a deferred BEGIN gets locked out of.
COUNT = """
import sys
from sqlalchemy import select, update
from bot.db import Database
from bot.directory.current import Stamp

def more(session):
    seen = session.scalar(select(Stamp.value).where(Stamp.name == "count"))
    session.execute(update(Stamp).where(Stamp.name == "count").values(value=seen + 1))

database = Database(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for _ in range(150):
    database.run_now(more)
database.close()
"""


def pragma(database: Database, name: str) -> object:
    return database.run_now(lambda s: s.scalar(text(f"PRAGMA {name}")))


def test_sqlite_is_set_up_to_keep_what_it_confirmed(database: Database) -> None:
    assert pragma(database, "journal_mode") == "wal"
    assert pragma(database, "synchronous") == 2  # FULL
    assert pragma(database, "foreign_keys") == 1
    assert pragma(database, "busy_timeout") == 10_000
    with database.engine.connect() as connection:
        raw = cast("Any", connection.connection.driver_connection)
        assert raw.isolation_level is None  # the driver begins and commits nothing by itself


def test_a_row_that_refers_to_nothing_is_refused(shipped: Database) -> None:
    orphan = Post(platform="p", room="r", source_id=999, at=datetime.now(UTC))
    with pytest.raises(IntegrityError):
        shipped.run_now(lambda s: s.add(orphan))


def test_two_processes_that_read_then_write_never_find_it_locked(database: Database, tmp_path: Path) -> None:
    database.run_now(lambda s: set_(s, "count", 0))
    counting = [
        subprocess.Popen(
            [sys.executable, "-c", COUNT, database.url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in counting:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    said = [process.communicate("go\n", timeout=60)[1] for process in counting]
    assert [process.returncode for process in counting] == [0, 0], said
    assert value(database, "count") == 300


def test_a_transaction_is_done_whole_or_not_at_all(shipped: Database) -> None:
    def work(session: Session) -> None:
        set_(session, "half", 1)
        session.flush()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        shipped.run_now(work)
    assert value(shipped, "half") is None


def test_a_change_of_tables_is_undone_with_its_transaction(shipped: Database) -> None:
    def work(session: Session) -> None:
        session.execute(text("CREATE TABLE half_made (id INTEGER)"))
        session.execute(text("ALTER TABLE stamp ADD COLUMN half_made INTEGER"))
        set_(session, "half", 1)
        session.flush()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        shipped.run_now(work)
    for statement in ("SELECT * FROM half_made", "SELECT half_made FROM stamp"):
        with pytest.raises((ProgrammingError, Unavailable)):
            shipped.run_now(lambda s, q=statement: s.execute(text(q)))
    assert value(shipped, "half") is None


async def test_sqlite_has_one_writer_and_postgresql_a_few(shipped: Database) -> None:
    wrote = await asyncio.gather(*(shipped.run(lambda s: (time.sleep(0.01), threading.get_ident())) for _ in range(12)))
    writers = {thread for _, thread in wrote}
    assert threading.get_ident() not in writers
    assert len(writers) == 1 if shipped.sqlite else 1 < len(writers) <= WRITERS


def test_what_is_committed_is_there_for_others_at_once(shipped: Database) -> None:
    other = Database(shipped.url)
    shipped.run_now(lambda s: set_(s, "seen", 7))
    assert value(other, "seen") == 7
    other.close()


async def test_who_waits_is_woken_once_the_commit_is_done(shipped: Database) -> None:
    woken: list[tuple[set[str], int | None]] = []
    other = Database(shipped.url)
    shipped.woken = lambda queues: woken.append((queues, value(other, "put")))

    def work(session: Session) -> str:
        set_(session, "put", 1)
        note_queue(session, "slack")
        note_queue(session, "in")
        return "done"

    assert await shipped.run(work) == "done"
    assert woken == [({"slack", "in"}, 1)]

    def fails(session: Session) -> None:
        note_queue(session, "slack")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await shipped.run(fails)
    assert len(woken) == 1
    other.close()


async def test_the_loop_goes_on_while_the_database_works(database: Database) -> None:
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0.01)
            beats += 1

    beating = asyncio.create_task(beat())
    await database.run(lambda s: time.sleep(0.3))
    beating.cancel()
    assert beats > 5


# --- transactions that share a commit


def test_instants_keep_their_moment_and_come_back_in_utc(shipped: Database) -> None:
    at = datetime(2026, 10, 25, 2, 30, 15, 123456, tzinfo=timezone(timedelta(hours=2)))
    post = Post(platform="p", room="r", at=at)
    shipped.run_now(lambda s: s.add(post))
    found = shipped.run_now(lambda s: s.scalar(select(Post.at).where(Post.room == "r")))
    assert found == at
    assert found is not None
    assert found.utcoffset() == timedelta(0)
    assert found.tzinfo == UTC


def test_an_instant_without_a_zone_is_refused() -> None:
    naive = datetime(2026, 3, 16, 12)
    with pytest.raises(ValueError, match="zone"):
        Instant().process_bind_param(naive, make_engine("sqlite:///x").dialect)
    assert Instant().process_bind_param(None, make_engine("sqlite:///x").dialect) is None


# --- outages


def test_every_transaction_on_sqlite_takes_the_write_lock_first(database: Database) -> None:
    said: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda c, cur, statement, *_: said.append(statement))
    database.run_now(lambda s: s.execute(text("SELECT 1")))
    assert said[0] == "BEGIN IMMEDIATE"
