"""A running bot for stories, on both databases, with the shipped directory."""

from collections.abc import AsyncIterator

import pytest_asyncio

from bot.db import Database
from tests.stories.scene import Place, Scene, scene

SAARBRUCKEN = "Nous doutons d'un acte de naissance établi à Sarrebruck. Pouvez-vous le vérifier ?"


@pytest_asyncio.fixture
async def play(shipped: Database) -> AsyncIterator[Scene]:
    async with scene(shipped) as made:
        yield made


@pytest_asyncio.fixture
async def prefecture(play: Scene) -> Place:
    return play.link("prefecture-57")


@pytest_asyncio.fixture
async def consulate(play: Scene) -> Place:
    return play.link("consulat-francfort")
