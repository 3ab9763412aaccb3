"""A running bot for stories, on both databases, with the shipped directory."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy.orm import Session

from bot.db import Database
from bot.directory import identity
from bot.directory.tables import Person, Posting
from tests.stories.scene import NOON, Place, Scene, scene

SAARBRUCKEN = "Nous doutons d'un acte de naissance établi à Sarrebruck. Pouvez-vous le vérifier ?"


@pytest_asyncio.fixture
async def play(shipped: Database) -> AsyncIterator[Scene]:
    async with scene(shipped) as made:
        yield made


@pytest_asyncio.fixture
async def prefecture(play: Scene) -> Place:
    return play.link("prefecture-57")


@pytest.fixture
def alone(prefecture: Place, play: Scene, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A person of the prefecture in their direct room with the bot."""

    def work(session: Session) -> None:
        session.add(Person(id="agent-a", given_name="Agent", family_name="Exemple"))
        session.flush()
        session.add(Posting(person="agent-a", organisation="prefecture-57", role="desk", start=NOON.date()))

    play.app.database.run_now(work)
    known = identity.person_of
    monkeypatch.setattr(
        identity, "person_of", lambda s, user: s.get(Person, "agent-a") if user.id == "direct/agent" else known(s, user)
    )
    return Place(play, "direct", surface="direct")


@pytest_asyncio.fixture
async def consulate(play: Scene) -> Place:
    return play.link("consulat-francfort")
