"""Migrations: from nothing to exactly what the code has, by whoever comes first, and never backwards."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text, update
from sqlalchemy.orm import Session

from bot.clock import system_clock
from bot.db import Base, Database
from bot.errors import ConfigurationError
from bot.jobs.peers import SILENT, Process
from bot.migrate import configuration, newest, upgrade
from tests.servers.postgres import Postgres

UPGRADE = """
import sys
from bot.db import Database
from bot.migrate import upgrade
database = Database(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
upgrade(database)
database.close()
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without any table, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.create_database()


@pytest.fixture
def opened(empty: str) -> Iterator[Database]:
    database = Database(empty)
    yield database
    database.close()


def tables(database: Database) -> set[str]:
    return set(database.run_now(lambda s: inspect(s.connection()).get_table_names()))


def differences(session: Session) -> list[object]:
    context = MigrationContext.configure(
        session.connection(), opts={"compare_type": True, "compare_server_default": True}
    )
    return list(compare_metadata(context, Base.metadata))


def test_an_empty_database_gets_the_tables_that_the_code_has(opened: Database) -> None:
    upgrade(opened)
    assert opened.run_now(differences) == []
    assert tables(opened) == {table.name for table in Base.metadata.sorted_tables} | {"alembic_version"}


def test_a_difference_would_be_seen(opened: Database) -> None:
    upgrade(opened)
    opened.run_now(lambda s: s.execute(text("ALTER TABLE stamp ADD COLUMN more INTEGER")))
    opened.run_now(lambda s: s.execute(text("DROP INDEX ix_post_thread")))
    assert len(opened.run_now(differences)) == 2


def test_upgrading_again_changes_nothing(opened: Database) -> None:
    upgrade(opened)
    opened.run_now(lambda s: s.execute(text("INSERT INTO stamp VALUES ('kept', 5)")))
    upgrade(opened)
    assert opened.run_now(lambda s: s.scalar(text("SELECT value FROM stamp"))) == 5


def test_two_processes_upgrade_at_once(empty: str) -> None:
    both = [
        subprocess.Popen(
            [sys.executable, "-c", UPGRADE, empty],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=60)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    database = Database(empty)
    assert database.run_now(differences) == []
    database.close()


def test_a_failing_upgrade_leaves_nothing_behind(opened: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(config: object, revision: str) -> None:
        real(config, revision)
        raise ZeroDivisionError

    real = __import__("alembic.command").command.upgrade
    with monkeypatch.context() as broken:
        broken.setattr("alembic.command.upgrade", half)
        with pytest.raises(ZeroDivisionError):
            upgrade(opened)
    assert tables(opened) == set()
    upgrade(opened)
    assert opened.run_now(differences) == []


def test_a_database_of_a_newer_release_is_left_alone(opened: Database) -> None:
    upgrade(opened)
    opened.run_now(lambda s: s.execute(text("UPDATE alembic_version SET version_num = 'ffffffffffff'")))
    with pytest.raises(ConfigurationError, match=r"newer release.*ffffffffffff.*run that release") as told:
        upgrade(opened)
    assert "\n" not in str(told.value)
    assert opened.run_now(lambda s: s.scalar(text("SELECT version_num FROM alembic_version"))) == "ffffffffffff"


def test_tables_do_not_change_under_a_process_of_an_older_release(
    opened: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade(opened)
    now = system_clock()
    opened.run_now(lambda s: s.add(Process(owner="elsewhere/7/a", revision="old", started_at=now, seen_at=now)))
    upgrade(opened)  # the same tables: both may run
    monkeypatch.setattr("bot.migrate.newest", lambda: "ffffffffffff")
    with pytest.raises(ConfigurationError, match="used by an older release \\(on elsewhere/7\\); stop it there first"):
        upgrade(opened)
    opened.run_now(lambda s: s.execute(update(Process).values(seen_at=now - SILENT)))
    upgrade(opened)


def test_a_server_that_does_not_answer_is_one_clear_line() -> None:
    database = Database("postgresql+psycopg://user:geheim@127.0.0.1:1/nowhere")
    with pytest.raises(ConfigurationError, match=r"database_url: the database cannot be used") as told:
        upgrade(database)
    database.close()
    assert "geheim" not in str(told.value)
    assert "\n" not in str(told.value)


def test_a_role_that_may_not_make_tables_is_one_clear_line(postgres: Postgres) -> None:
    url = postgres.create_database()
    owner = Database(url)
    owner.run_now(lambda s: s.execute(text("DROP ROLE IF EXISTS guest")))
    owner.run_now(lambda s: s.execute(text("CREATE ROLE guest LOGIN PASSWORD 'guest'")))
    owner.close()
    guest = Database(f"postgresql+psycopg://guest:guest@{url.rpartition('@')[2]}")
    with pytest.raises(ConfigurationError, match=r"cannot be used.*permission denied"):
        upgrade(guest)
    guest.close()


def test_there_is_one_line_of_migrations_and_each_says_what_it_brings(opened: Database) -> None:
    def work(session: Session) -> ScriptDirectory:
        return ScriptDirectory.from_config(configuration(session.connection()))

    script = opened.run_now(work)
    assert script.get_heads() == [newest()], "known without Alembic too"
    assert all(revision.doc for revision in script.walk_revisions())
