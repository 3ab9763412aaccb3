"""The servers as fixtures: a pytest plugin, named in `pytest_plugins`.

Processes are shared by all tests of a worker and bound to no event loop; what talks to them is made anew for a test.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.servers.matrix_stub import MatrixStub
from tests.servers.postgres import Postgres
from tests.servers.proxy import FaultyProxy
from tests.servers.strict_client import StrictClients
from tests.servers.synapse import Synapse


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def synapse(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Synapse]:
    """A running homeserver; tests register users of their own and leave it running."""
    async with Synapse(tmp_path_factory.mktemp("synapse")) as homeserver:
        yield homeserver


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres() -> AsyncIterator[Postgres]:
    """A running cluster; tests make databases of their own and leave it running."""
    async with Postgres() as cluster:
        yield cluster


@pytest_asyncio.fixture
async def strict(tmp_path: Path) -> AsyncIterator[StrictClients]:
    """The process for a test's strict clients."""
    async with StrictClients(tmp_path / "strict-client.log") as clients:
        yield clients


@pytest_asyncio.fixture
async def proxy(synapse: Synapse) -> AsyncIterator[FaultyProxy]:
    """A network in front of the homeserver that goes wrong on demand."""
    async with FaultyProxy(synapse.url) as faulty:
        yield faulty


@pytest_asyncio.fixture
async def stub() -> AsyncIterator[MatrixStub]:
    """A homeserver of ours in this process."""
    async with MatrixStub() as server:
        yield server
