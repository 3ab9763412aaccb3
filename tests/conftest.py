"""What all tests share: the servers, the printed seed, databases of either kind with tables and shipped data."""

import functools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from bot.app import CONFIG
from bot.db import Database
from bot.directory.reference import load_shipped
from bot.migrate import upgrade
from bot.routing.rules import Rules
from bot.texts import Catalogues
from tests.servers.postgres import Postgres

pytest_plugins = ["tests.servers.fixtures"]

settings.register_profile(
    "tests", max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.load_profile("tests")


Rules.load = functools.cache(Rules.load)  # type: ignore[method-assign] -- they do not change; read once a process
Catalogues.load = functools.cache(Catalogues.load)  # type: ignore[method-assign]


def pytest_report_header() -> str:
    """Print the seed with which everything random was drawn."""
    return f"seed: {os.environ.get('TEST_SEED', '0')}"


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


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, new_url: Callable[[str], str]) -> str:
    """The address of a fresh database, once of each kind."""
    return new_url(request.param)


@pytest.fixture
def shipped(url: str) -> Iterator[Database]:
    """A fresh database, open."""
    database = Database(url)
    yield database
    database.close()
