"""The database: what is committed stays, what fails leaves nothing, two processes never meet a lock, an outage passes."""

import asyncio
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import event, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from bot import engines
from bot.db import WAITS, Database, Instant
from bot.directory.current import Stamp
from bot.engines import WRITERS, make_engine
from bot.errors import ConfigurationError, NotYet, Unavailable
from bot.jobs.notes import note_queue
from bot.memory import Remembered, remember
from bot.posts import Post
from tests.servers.postgres import Postgres

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


def value(database: Database, name: str) -> int | None:
    return database.run_now(lambda s: s.scalar(select(Stamp.value).where(Stamp.name == name)))


def set_(session: Session, name: str, number: int) -> None:
    session.merge(Stamp(name=name, value=number))


def test_sqlite_is_set_up_to_keep_what_it_confirmed(database: Database) -> None:
    assert pragma(database, "journal_mode") == "wal"
    assert pragma(database, "synchronous") == 2  # FULL
    assert pragma(database, "foreign_keys") == 1
    assert pragma(database, "busy_timeout") == 10_000


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


async def at_once(database: Database, *works: Callable[[Session], object]) -> list[object]:
    """Ask for works while the database is busy, so that they wait for it together; return what became of each."""
    free = threading.Event()
    busy = asyncio.create_task(database.run(lambda s: free.wait(5)))
    await asyncio.sleep(0.05)
    asked = [asyncio.create_task(database.run(work)) for work in works]
    await asyncio.sleep(0.05)
    free.set()
    await busy
    return await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 10)


def setting(name: str, number: int) -> Callable[[Session], int]:
    def work(session: Session) -> int:
        set_(session, name, number)
        return number

    return work


async def test_works_that_wait_together_are_all_done(shipped: Database) -> None:
    commits: list[object] = []
    event.listen(shipped.engine, "commit", commits.append)
    assert await at_once(shipped, *(setting(f"n{n}", n) for n in range(20))) == list(range(20))
    assert [value(shipped, f"n{n}") for n in range(20)] == list(range(20))
    if shipped.sqlite:
        assert len(commits) < 5 + 20, "one commit for what waits, one for each look here"


async def test_whatever_ends_one_leaves_none_of_the_others_waiting(shipped: Database) -> None:
    class Ended(BaseException):
        """No error: what ends a process, or jumps out of a library."""

    def ends(session: Session) -> None:
        set_(session, "ended", 1)
        raise Ended

    free = threading.Event()
    busy = asyncio.create_task(shipped.run(lambda s: free.wait(5)))
    await asyncio.sleep(0.05)
    ending, other = (asyncio.create_task(shipped.run(work)) for work in (ends, setting("other", 1)))
    await asyncio.sleep(0.05)
    free.set()
    async with asyncio.timeout(5):
        assert await other == 1
        with pytest.raises(Ended):
            await ending
    await busy
    assert value(shipped, "ended") is None


async def test_one_that_fails_is_undone_alone(shipped: Database) -> None:
    def fails(session: Session) -> None:
        set_(session, "failed", 1)
        session.flush()
        raise ZeroDivisionError

    def breaks_a_rule(session: Session) -> None:
        session.add(Post(platform="p", room="r", source_id=999, at=datetime.now(UTC)))

    found = await at_once(shipped, setting("before", 1), fails, breaks_a_rule, setting("after", 2))
    assert [type(x) for x in found] == [int, ZeroDivisionError, IntegrityError, int]
    assert [value(shipped, name) for name in ("before", "failed", "after")] == [1, None, 2]


async def test_one_at_which_the_database_fails_takes_no_other_with_it(shipped: Database) -> None:
    def too_much(session: Session) -> None:
        set_(session, "failed", 1)
        session.flush()
        raise OperationalError("SELECT", {}, Exception("disk I/O error"))

    found = await at_once(shipped, setting("before", 1), too_much, setting("after", 2), too_much)
    assert [type(x) for x in found] == [int, Unavailable, int, Unavailable]
    assert [value(shipped, name) for name in ("before", "failed", "after")] == [1, None, 2]


async def test_when_the_commit_fails_everybody_is_told(database: Database) -> None:
    def refuse(_: object) -> None:
        raise OperationalError("COMMIT", {}, Exception("disk is full"))

    event.listen(database.engine, "commit", refuse)
    found = await at_once(database, setting("a", 1), setting("b", 2))
    event.remove(database.engine, "commit", refuse)
    assert [type(x) for x in found] == [Unavailable, Unavailable]
    assert (value(database, "a"), value(database, "b")) == (None, None)


async def test_a_fault_of_ours_is_told_to_who_waits_and_leaves_nobody_waiting(database: Database) -> None:
    def fault(_: object) -> None:
        raise TypeError("oops")

    event.listen(database.engine, "begin", fault)
    found = await at_once(database, setting("a", 1), setting("b", 2))
    event.remove(database.engine, "begin", fault)
    assert [type(x) for x in found] == [TypeError, TypeError]


async def test_what_is_not_made_yet_is_waited_for_in_no_transaction(shipped: Database) -> None:
    made: list[int | None] = []

    def work(session: Session) -> int:
        set_(session, "early", 1)
        if not made:
            raise NotYet(lambda: made.append(value(shipped, "early")))
        return 2

    assert await shipped.run(work) == 2
    assert made == [None], "another transaction was done meanwhile, and the first try left nothing"
    assert value(shipped, "early") == 1


async def test_what_is_never_made_is_given_up(shipped: Database) -> None:
    tries: list[None] = []

    def work(_session: Session) -> None:
        raise NotYet(lambda: tries.append(None))

    with pytest.raises(NotYet):
        await shipped.run(work)
    assert len(tries) == WAITS


async def test_who_gave_up_waiting_disturbs_nobody(database: Database) -> None:
    free = threading.Event()
    busy = asyncio.create_task(database.run(lambda s: free.wait(5)))
    await asyncio.sleep(0.05)
    impatient, patient = (asyncio.create_task(database.run(setting(name, 1))) for name in ("a", "b"))
    await asyncio.sleep(0.02)
    impatient.cancel()
    free.set()
    assert await patient == 1
    await busy
    assert value(database, "a") == 1, "it was asked for, and it is done"


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


@pytest.fixture
def on_postgresql(new_url: Callable[[str], str]) -> Iterator[Database]:
    opened = Database(new_url("postgresql"))
    yield opened
    opened.close()


async def test_a_connection_that_is_cut_costs_one_transaction(on_postgresql: Database, postgres: Postgres) -> None:
    database = on_postgresql
    await asyncio.gather(*(database.run(lambda s: s.execute(text("SELECT pg_sleep(0.05)"))) for _ in range(4)))

    def cut_all() -> None:
        while postgres.kill_connections(database.url):
            time.sleep(0.01)

    def cut(session: Session) -> None:
        set_(session, "cut", 1)
        session.flush()
        cut_all()
        session.execute(text("SELECT 1"))

    with pytest.raises(Unavailable):
        await database.run(cut)
    assert value(database, "cut") is None, "the next transaction works, with a new connection"
    await asyncio.gather(*(database.run(lambda s: s.execute(text("SELECT 1"))) for _ in range(8)))
    await database.run(lambda s: set_(s, "cut", 2))
    assert value(database, "cut") == 2


async def test_after_a_crash_of_the_server_all_goes_on_by_itself(on_postgresql: Database, postgres: Postgres) -> None:
    database = on_postgresql
    database.logs = True
    await database.run(lambda s: set_(s, "kept", 1))
    await postgres.kill()
    with capture_logs() as log:
        for _ in range(2):
            with pytest.raises(Unavailable, match="onnection"):
                await database.run(lambda s: set_(s, "kept", 2))
    await postgres.start()
    assert {entry["event"] for entry in log} == {"database_unavailable"}
    assert len(log) == len({entry["reason"] for entry in log}), "each reason is said once"
    assert await database.run(lambda s: s.scalar(select(Stamp.value).where(Stamp.name == "kept"))) == 1


async def test_when_no_connection_is_left_it_is_told_and_passes(on_postgresql: Database) -> None:
    database = on_postgresql
    database.engine.pool._timeout = 0.05  # type: ignore[attr-defined] -- five seconds otherwise
    taken = [database.engine.connect() for _ in range(WRITERS + 2)]
    with pytest.raises(Unavailable, match="QueuePool limit"):
        await database.run(lambda s: set_(s, "left", 1))
    for connection in taken:
        connection.close()
    await database.run(lambda s: set_(s, "left", 2))
    assert value(database, "left") == 2


async def test_a_server_that_only_reads_is_an_outage(on_postgresql: Database) -> None:
    database = on_postgresql
    name = database.url.rpartition("/")[2]
    database.run_now(lambda s: s.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on")))
    database.engine.dispose()
    with pytest.raises(Unavailable, match="read-only transaction"):
        await database.run(lambda s: set_(s, "standby", 1))


async def test_who_waits_for_a_lock_lets_go_of_its_own_and_tries_again(
    on_postgresql: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the locks of a process that is gone would run out one after the other."""
    monkeypatch.setitem(cast("dict[str, str]", engines._NOTICE_THE_END), "options", "-c lock_timeout=50")
    database = Database(on_postgresql.url)
    await database.run(lambda s: [set_(s, "mine", 0), set_(s, "theirs", 0)])
    tries = 0

    def both(session: Session) -> None:
        nonlocal tries
        tries += 1
        for name in ("mine", "theirs"):
            session.execute(update(Stamp).where(Stamp.name == name).values(value=7))

    with Session(on_postgresql.engine) as other:
        other.execute(update(Stamp).where(Stamp.name == "theirs").values(value=1))
        waiting = asyncio.create_task(database.run(both))
        await asyncio.sleep(0.12)
        other.commit()
    await waiting
    assert tries > 1
    assert (value(database, "mine"), value(database, "theirs")) == (7, 7)
    database.close()


async def test_who_loses_a_race_runs_again_and_nobody_notices(on_postgresql: Database) -> None:
    """Two transactions that lock two rows crosswise: PostgreSQL ends one of them, which is done anew."""
    database = on_postgresql
    await database.run(lambda s: [set_(s, "a", 0), set_(s, "b", 0)])
    both_hold_one = asyncio.Barrier(2)
    loop = asyncio.get_running_loop()
    tries: list[str] = []

    def crosswise(first: str, second: str) -> Callable[[Session], None]:
        def work(session: Session) -> None:
            tries.append(first)
            session.execute(update(Stamp).where(Stamp.name == first).values(value=Stamp.value + 1))
            if len(tries) <= 2:
                asyncio.run_coroutine_threadsafe(both_hold_one.wait(), loop).result(10)
            session.execute(update(Stamp).where(Stamp.name == second).values(value=Stamp.value + 1))

        return work

    await asyncio.gather(database.run(crosswise("a", "b")), database.run(crosswise("b", "a")))
    assert (value(database, "a"), value(database, "b")) == (2, 2)
    assert len(tries) >= 3


def test_a_locked_file_is_waited_for_and_then_told(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def in_haste(connection: sqlite3.Connection, record: object) -> None:
        prepare(connection, record)
        connection.execute("PRAGMA busy_timeout=150")

    prepare = engines._prepare_sqlite
    monkeypatch.setattr(engines, "_prepare_sqlite", in_haste)
    waiting = Database(database.url)
    value(waiting, "locked")

    def hold(session: Session) -> None:
        set_(session, "locked", 1)
        session.flush()
        with pytest.raises(Unavailable, match="locked"):
            waiting.run_now(lambda s: set_(s, "locked", 2))

    database.run_now(hold)
    assert value(waiting, "locked") == 1
    waiting.close()


def test_a_disk_that_is_full_is_told_until_nothing_was_refused_for_a_while(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.logs = True
    pages = database.run_now(lambda s: s.scalar(text("PRAGMA page_count")))
    database.run_now(lambda s: s.execute(text(f"PRAGMA max_page_count={pages}")))
    with pytest.raises(Unavailable, match="disk is full"):
        database.run_now(lambda s: remember(s, "p", {str(n): "x" * 1000 for n in range(100)}))
    value(database, "small")
    assert database.failure is not None, "what is small still fits"
    database.run_now(lambda s: s.execute(text("PRAGMA max_page_count=1000000")))
    monkeypatch.setattr("bot.db.CALM", 0.0)
    with capture_logs() as log:
        database.run_now(lambda s: remember(s, "p", {str(n): "x" * 1000 for n in range(100)}))
    assert database.failure is None
    assert [entry["event"] for entry in log] == ["database_back"]


def test_a_file_that_cannot_be_written_is_told(database: Database) -> None:
    reader = Database(database.url.replace("sqlite:///", "sqlite:///file:") + "?mode=ro&uri=true")
    with pytest.raises(Unavailable, match="readonly"):
        reader.run_now(lambda s: remember(s, "p", {"a": "b"}))
    reader.close()
    assert database.run_now(lambda s: s.scalar(select(Remembered.value).where(Remembered.platform == "p"))) is None


@pytest.mark.parametrize("content", [b"not a database" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_file_that_is_no_database_is_told(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "notes.txt"
    file.write_bytes(content)
    database = Database(f"sqlite:///{file}")
    with pytest.raises(Unavailable):
        database.run_now(lambda s: s.execute(text("SELECT * FROM stamp")))
    database.close()


def test_a_broken_connection_counts_as_an_outage_whatever_it_says(database: Database) -> None:
    class Broken(Exception):
        pass

    error = ProgrammingError("SELECT 1", {}, Broken("the server went away"), connection_invalidated=True)

    def fails(_: Session) -> None:
        raise error from Broken("the server went away")

    with pytest.raises(Unavailable, match="went away"):
        database.run_now(fails)


def test_a_wrong_statement_is_our_fault_and_no_outage(shipped: Database) -> None:
    with pytest.raises((ProgrammingError, OperationalError, Unavailable)) as told:
        shipped.run_now(lambda s: s.execute(text("SELECT no_such_column FROM stamp")))
    assert "no_such_column" in str(told.value)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://user:geheim@host/db",
        "postgresql://user:geheim@host/db",
        "geheim",
        "",
        "sqlite:geheim",
        "sqlite://",
        "sqlite:///:memory:",
        "postgresql+psycopg:geheim",
        "postgresql+psycopg://user:geheim@host:port/db",
        "sqlite:///x.db?geheim=1&uri=maybe",
    ],
)
def test_an_address_of_no_database_is_one_clear_line(url: str) -> None:
    with pytest.raises(ConfigurationError) as told:
        Database(url)
    line = str(told.value)
    assert line.startswith("database_url: ")
    assert "expected sqlite:///FILE or postgresql+psycopg://" in line
    assert "geheim" not in line
    assert "\n" not in line


def test_every_transaction_on_sqlite_takes_the_write_lock_first(database: Database) -> None:
    said: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda c, cur, statement, *_: said.append(statement))
    database.run_now(lambda s: s.execute(text("SELECT 1")))
    assert said[0] == "BEGIN IMMEDIATE"
