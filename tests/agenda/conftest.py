"""The agenda on stage: a prefecture, a consulate beyond its border, and people whom the directory knows."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from bot.agenda import reader
from bot.agenda.tables import Event
from bot.db import Database
from bot.directory import importing, rights
from bot.directory.reading import read
from bot.message import User
from tests.stories.scene import Place, Scene, scene

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


@dataclass
class Someone(Place):
    """A person of the directory in their direct room."""

    surface: str = "direct"  # type: ignore[assignment]

    @property
    def user(self) -> User:
        return User("slack", self.account, insider=True)


def people(session: Session, folder: Path) -> None:
    for name, content in FILES.items():
        (folder / f"{name}.csv").write_text(content)
    assert importing.apply(session, read([folder])).errors == ()
    rights.grant(session, "editeur-a", "editor")
    rights.grant(session, "coord-a", "coordinator")


@pytest.fixture(autouse=True)
def _without_a_limit_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here calendars are read in this process, which the limit's signal would end; under coverage all takes longer."""
    monkeypatch.setattr(reader, "SERIES", 0)


@pytest.fixture
async def play(shipped: Database, tmp_path: Path) -> AsyncIterator[Scene]:
    shipped.run_now(lambda session: people(session, tmp_path))
    async with scene(shipped, platform="slack") as play:
        yield play


def alone(play: Scene, account: str = "U0AGENTA") -> Someone:
    return Someone(play, account, account)


def event(play: Scene, number: int = 1) -> Event:
    return play.app.database.run_now(lambda s: s.get_one(Event, number))
