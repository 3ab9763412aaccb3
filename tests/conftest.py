"""What all tests share: the servers, the printed seed, databases of either kind with tables and shipped data."""

import functools
import gc
import os
import shutil
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Connection, Engine, event
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache
from xdist.scheduler import LoadScopeScheduling

from bot.db import Database
from bot.directory.reference import load_shipped
from bot.migrate import upgrade
from bot.opening import CONFIG
from bot.routing.rules import Rules
from bot.texts import Catalogues
from tests.servers.postgres import Postgres

pytest_plugins = ["tests.servers.fixtures"]

for _profile, _examples in (("whole", 40), ("drawn", 20)):
    settings.register_profile(
        _profile, max_examples=_examples, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )


Rules.load = functools.cache(Rules.load)  # type: ignore[method-assign] -- they do not change; read once a process
Catalogues.load = functools.cache(Catalogues.load)  # type: ignore[method-assign]


# Each test has its own database and engine, and all say the same to it: statements are compiled once a process.
for _dialect in (PGDialect_psycopg, SQLiteDialect_pysqlite):
    _dialect.__hash__ = lambda self: hash(type(self))  # type: ignore[method-assign]
    _dialect.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[method-assign]
_COMPILED: LRUCache[Any, Any] = LRUCache(3000)


@event.listens_for(Engine, "engine_connect")
def _share(connection: Connection) -> None:
    connection.engine._compiled_cache = _COMPILED


SEED = os.environ.get("TEST_SEED", "0")
KINDS = ("sqlite", "postgresql")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Whether to run everything, each test on both databases, or what the seed draws of it."""
    parser.addoption(
        "--drawn", action="store_true", help="of tests on both databases one, of tests marked one_in(n) one in n"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Choose how many examples hypothesis draws."""
    settings.load_profile("drawn" if config.getoption("drawn") else "whole")


def pytest_report_header(config: pytest.Config) -> str:
    """Print the seed with which everything random was drawn."""
    return f"seed: {SEED}; {'drawn by it' if config.getoption('drawn') else 'whole'}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what was not drawn, where that was asked for."""
    if config.getoption("drawn"):
        config.hook.pytest_deselected(items=[item for item in items if not _drawn(item)])
        items[:] = [item for item in items if _drawn(item)]


def _drawn(item: pytest.Item) -> bool:
    test, _, values = item.nodeid.partition("[")
    kind = next((kind for kind in KINDS if kind in values.rstrip("]").split("-")), "")
    number = zlib.crc32(f"{SEED} {test} {values.replace(kind, '', 1)}".encode())
    few = item.get_closest_marker("one_in")
    if few is not None and number // 2 % few.args[0]:
        return False
    return not kind or "/contracts/" in test or kind == KINDS[number % 2]


class Sharing(LoadScopeScheduling):
    """Each test goes wherever there is room, those that share what takes long to make to one worker."""

    def _split_scope(self, nodeid: str) -> str:
        return next((name for name, tests in TOGETHER.items() if nodeid.startswith(tests)), nodeid)


TOGETHER = {
    "homeserver": (
        "tests/contracts/test_servers.py",
        "tests/platforms/matrix/",
        "tests/servers/test_proxy.py",
        "tests/stories/test_across.py",
        "tests/stories/test_leaks.py::test_some_ways_from_an_encrypted_room",
    ),
    "rights": ("tests/stories/test_rights",),
    "erasing": ("tests/stories/test_eras",),
}


@pytest.hookimpl(optionalhook=True)  # there may be no workers
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Sharing:
    """Share out the tests among the workers."""
    return Sharing(config, log)


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what stays to the end: the tests themselves and the modules."""
    gc.freeze()


def build(url: str) -> None:
    """Give an empty database all tables and the shipped reference data."""
    database = Database(url)
    upgrade(database)
    load_shipped(database, Path(str(CONFIG / "reference")))
    database.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file to copy: loading the reference data once is enough."""
    file = tmp_path_factory.mktemp("template") / "shipped.db"
    build(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def new_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Makes a fresh database of a kind, with tables and reference data; PostgreSQL starts when first asked for."""
    made: list[str] = []

    def url(kind: str) -> str:
        if kind == "sqlite":
            file = tmp_path_factory.mktemp("db") / "passerelle.db"
            shutil.copy(request.getfixturevalue("sqlite_template"), file)
            return f"sqlite:///{file}"
        server: Postgres = request.getfixturevalue("postgres")
        if not made:
            made.append(server.make_template(build, name="shipped"))
        return server.create_database(made[0])

    return url


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, new_url: Callable[[str], str]) -> str:
    """The address of a fresh database, once of each kind."""
    return new_url(request.param)


@pytest.fixture
def shipped(url: str) -> Iterator[Database]:
    """A fresh database, open."""
    database = Database(url)
    yield database
    database.close()
