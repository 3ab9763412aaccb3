"""When the database fails: it is told, costs one transaction, and passes by itself."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from bot import engines
from bot.db import Database
from bot.directory.current import Stamp
from bot.engines import WRITERS
from bot.errors import ConfigurationError, Unavailable
from bot.memory import Remembered, remember
from tests.engine.numbers import set_, value
from tests.servers.postgres import Postgres


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
