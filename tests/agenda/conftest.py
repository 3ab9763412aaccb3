"""The agenda on stage: a prefecture, a consulate beyond its border, and people whom the directory knows."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from bot.agenda import reader
from bot.agenda.tables import Event
from bot.db import Database
from tests.stories.people import enter
from tests.stories.scene import Scene, scene

FILES = {
    "people": "id,given_name,family_name,email,phone,visibility,slack_id,matrix_id\n"
    "agent-a,Agent,Exemple,,,all,U0AGENTA,\n"
    "collegue-a,Collègue,Témoin,,,all,U0COLLEGUE,\n"
    "editeur-a,Éditrice,Exemple,,,all,U0EDITEUR,\n"
    "coord-a,Coordinatrice,Exemple,,,all,U0COORD,\n"
    "consul-b,Consul,Modèle,,,all,U0CONSUL,\n",
    "postings": "person,organisation,role,start,end\n"
    "agent-a,prefecture-67,desk,2020-01-01,\n"
    "collegue-a,prefecture-67,desk,2020-01-01,\n"
    "editeur-a,prefecture-67,head,2020-01-01,\n"
    "coord-a,ministere-dcis,desk,2020-01-01,\n"
    "consul-b,consulat-munich,consul,2020-01-01,\n",
}


def people(session: Session, folder: Path) -> None:
    enter(session, folder, FILES, {"editeur-a": "editor", "coord-a": "coordinator"})


@pytest.fixture(autouse=True)
def _without_a_limit_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here calendars are read in this process, which the limit's signal would end; under coverage all takes longer."""
    monkeypatch.setattr(reader, "SERIES", 0)


@pytest.fixture
async def play(shipped: Database, tmp_path: Path) -> AsyncIterator[Scene]:
    shipped.run_now(lambda session: people(session, tmp_path))
    async with scene(shipped, platform="slack") as play:
        yield play


def event(play: Scene, number: int = 1) -> Event:
    return play.app.database.run_now(lambda s: s.get_one(Event, number))
