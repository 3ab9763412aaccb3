"""A running bot on one database for what does not depend on which, and a context for what needs no running bot."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import pytest_asyncio
from sqlalchemy.orm import Session

from bot.app import destinations
from bot.app import world as read_world
from bot.context import Context, World
from bot.db import Database
from bot.directory.current import Current
from bot.directory.identity import Actor
from bot.message import Address, Message, User
from bot.opening import CONFIG
from bot.outbox import Outbox
from bot.search.current import Finder
from bot.texts import Catalogues
from config.settings import Settings
from tests.stories.scene import Place, Scene, scene

NOON = datetime(2026, 3, 16, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def catalogues() -> Catalogues:
    return Catalogues.load(CONFIG / "texts")


@pytest.fixture(scope="session")
def around() -> World:
    made = read_world()
    made.learnt.read()
    return made


@pytest.fixture
def database(new_url: Callable[[str], str]) -> Iterator[Database]:
    opened = Database(new_url("sqlite"))
    yield opened
    opened.close()


def fresh(around: World) -> World:
    """Return a world that knows nothing of a directory yet; what never changes is read once for all tests."""
    current = Current()
    return replace(around, current=current, finder=Finder(current, lambda: around.rules, CONFIG))


@pytest_asyncio.fixture
async def play(database: Database, around: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    monkeypatch.setattr("bot.app.world", lambda: fresh(around))
    async with scene(database) as made:
        yield made


@pytest_asyncio.fixture
async def prefecture(play: Scene) -> Place:
    return play.link("prefecture-57")


@pytest_asyncio.fixture
async def consulate(play: Scene) -> Place:
    return play.link("consulat-francfort")


@pytest.fixture
def context(database: Database, around: World) -> Iterator[Context]:
    """What a handler gets when somebody of a linked room says something."""
    world = fresh(around)
    with Session(database.engine) as session, session.begin():
        author = User("stage", "agent", insider=True)
        said = Message(
            id="e1", at=NOON, author=author, to=Address("stage", "room"), message_id="m1", text="", mentions_bot=True
        )
        actor = Actor(author, None, None, "prefecture-57", frozenset({"member"}), None, None)
        places = destinations(Settings(), world.current)
        outbox = Outbox(session, world.catalogues, places, NOON)
        yield Context(session=session, now=NOON, actor=actor, inbound=said, outbox=outbox, world=world, key="stage:e1")
