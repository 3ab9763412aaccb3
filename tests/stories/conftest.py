"""A running bot for stories, on both databases, with the shipped directory."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.db import Database
from tests.agenda.conftest import people
from tests.stories.scene import Place, Scene, in_private, scene

SAARBRUCKEN = "Nous doutons d'un acte de naissance établi à Sarrebruck. Pouvez-vous le vérifier ?"


@pytest_asyncio.fixture
async def play(shipped: Database) -> AsyncIterator[Scene]:
    async with scene(shipped) as made:
        yield made


@pytest.fixture
def database(new_url: Callable[[str], str], request: pytest.FixtureRequest) -> Iterator[Database]:
    """SQLite, unless a story asks for both."""
    opened = Database(new_url(getattr(request, "param", "sqlite")))
    yield opened
    opened.close()


@pytest_asyncio.fixture
async def staffed(database: Database, tmp_path: Path) -> AsyncIterator[Scene]:
    """A running bot on Slack whose directory has the agenda's people."""
    database.run_now(lambda session: people(session, tmp_path))
    async with scene(database, platform="slack") as made:
        yield made


@pytest_asyncio.fixture
async def prefecture(play: Scene) -> Place:
    return play.link("prefecture-57")


@pytest.fixture
def alone(prefecture: Place, play: Scene, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A person of the prefecture in their direct room with the bot."""
    return in_private(play, monkeypatch)


@pytest_asyncio.fixture
async def consulate(play: Scene) -> Place:
    return play.link("consulat-francfort")
