"""Somebody who left traces wherever one can, lived through once, and what is left of them."""

import asyncio
import copy
import functools
import secrets
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.app import App
from bot.audit.recording import OPERATOR
from bot.context import Scope
from bot.db import Base, Database
from bot.directory.history import Author
from bot.life import tick
from bot.privacy.compacting import compact
from bot.privacy.erasing import Erased, erase
from tests.servers.postgres import Postgres
from tests.stories.people import Someone, enter
from tests.stories.scene import Clock, Scene, Stage, scene

FILES = {
    "people": "id,given_name,family_name,email,phone,visibility,slack_id,matrix_id\n"
    "id-ondoyante,Ondoyante,Xyloquartz,ondoyante@quartz.example.org,+33 1 99 98 97 96,all,U0ONDOYANTE,\n"
    "collegue-a,Collègue,Témoin,,,all,U0COLLEGUE,\n",
    "postings": "person,organisation,role,start,end\n"
    "id-ondoyante,prefecture-57,desk,2020-01-01,\n"
    "collegue-a,prefecture-57,desk,2020-01-01,\n",
}
WHO = "id-ondoyante"
NAMES = ("Ondoyante", "Xyloquartz", "XYLOQUARTZ", "quartz.example", "99 98 97", "id-ondoyante", "U0ONDOYANTE")
WORDS = ("Zorglonde", "Trivulgate", "Bastringue", "Carambouille", "Farfelu", "Balivernes")


def people(session: Session, folder: Path) -> None:
    author = Author(Clock().at, "import")
    enter(session, folder, FILES, {WHO: "editor", "collegue-a": "coordinator"}, author)


class Lived(NamedTuple):
    """Somebody's traces: how to have a database with them, and what the rooms show."""

    url: Callable[[], str]
    stage: Stage
    at: datetime


@pytest.fixture(scope="module")
def lived(
    request: pytest.FixtureRequest, new_url: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Lived:
    """Lived through once for all tests: each has a copy; on SQLite, unless a test asks for both."""
    url = new_url(getattr(request, "param", "sqlite"))
    database = Database(url)
    folder = tmp_path_factory.mktemp("people")
    database.run_now(lambda s: people(s, folder))
    stage, clock = Stage("slack"), Clock()

    async def story() -> None:
        async with scene(database, clock, platform="slack", stage=stage) as play:
            await live(play)

    asyncio.run(story())
    compact(database)  # all of it lies in the one file
    database.close()
    return Lived(functools.partial(copied, request, url, folder), stage, clock())


def copied(request: pytest.FixtureRequest, url: str, folder: Path) -> str:
    """Return the address of a copy."""
    if url.startswith("postgresql"):
        server: Postgres = request.getfixturevalue("postgres")
        return server.create_database(template=url.rpartition("/")[2].partition("?")[0])
    file = folder / f"{secrets.token_hex(4)}.db"
    shutil.copy(url.removeprefix("sqlite:///"), file)
    return f"sqlite:///{file}"


@pytest.fixture
async def play(lived: Lived) -> AsyncIterator[Scene]:
    database = Database(lived.url())
    old = lived.stage
    stage = replace(
        old, posts=copy.deepcopy(old.posts), sent=[*old.sent], deleted=[], given=[], changed=asyncio.Event()
    )
    async with scene(database, Clock(lived.at), platform="slack", stage=stage) as play:
        yield play
    database.close()


async def live(play: Scene) -> None:
    """Let somebody leave traces wherever one can."""
    prefecture, consulate = play.link("prefecture-57"), play.link("consulat-francfort")
    academy, embassy = play.link("ministere-academie-diplomatique"), play.link("ambassade-de")
    play.link("consulat-munich")
    her = Someone(play, prefecture.room, "U0ONDOYANTE")
    asked = await her.say("Nous doutons d'un acte de naissance établi à Sarrebruck, dossier Zorglonde. Le vérifier ?")
    card = consulate.sees("Zorglonde")
    await consulate.click(card, "Prendre")
    await her.say("Voici de plus l'acte Trivulgate.", mention=False, thread=asked, files={"Bastringue.pdf": b"%PDF"})
    await consulate.invoke("repondre", "Q-2026-00001 Il est authentique, chère Madame Ondoyante Xyloquartz.")
    await consulate.invoke("poser", "La préfecture 57 peut-elle vérifier un titre de séjour délivré à Metz ?")
    await her.invoke("prendre", "Q-2026-00002")
    await her.invoke("repondre", "Q-2026-00002 Oui, et d'après Carambouille il est valable.")
    await her.invoke("noter", "Q-2026-00002")
    await her.invoke("rediriger", "Q-2026-00002 consulat-munich car Farfelu me l'a dit")
    await her.invoke("absence", "du 1/4 au 8/4 collegue-a")
    await her.invoke("evenement", "12 mai 14h Strasbourg réunion de service")
    await her.invoke("corriger", "phone +33 1 99 98 97 95")
    await her.invoke("annuler", "Q-2026-00002")
    await consulate.invoke("noter", "Q-2026-00001")
    await her.invoke("poser", "L'acte de naissance Zorglonde, établi à Sarrebruck, est-il authentique ?")
    await consulate.invoke("rediriger", "Q-2026-00003 consulat-munich")
    alone = Someone(play, "D0DIRECT", "U0ONDOYANTE", surface="direct")
    await alone.say("annuaire moi")
    await alone.say("agenda abonnement")
    await alone.say("Le dossier Zorglonde encore : une naissance à Sarrebruck à vérifier ?")
    await alone.say("digest chaque lundi à 8 h 67")
    await academy.say("!formation ajouter 8 avril 9h-17h Strasbourg Frontières imaginaires")
    await alone.say("formation inscrire E-2")
    await embassy.say("!visite 2 avril 10h-12h Berlin entretien imaginaire sur les frontaliers")
    await her.invoke("visite", "contribuer E-3 Le pont Balivernes rouvre en mai.")
    colleague = Someone(play, "D0COLLEGUE", "U0COLLEGUE", surface="direct")
    await colleague.say(f"mobilite annoncer {WHO}, consul, consulat-munich, 1er mai")
    await colleague.click(colleague.sees("Mobilité croisée"), "Annoncer")
    await tick(play.app)
    await play.settle()


def erased(play: Scene, who: str = WHO) -> Erased:
    return play.app.database.run_now(lambda s: erase(scope_of(play.app, s, play.clock()), who, OPERATOR))


def scope_of(app: App, session: Session, now: datetime) -> Scope:
    return Scope(session=session, now=now, outbox=app.exit_(session, now), world=app.world, key="erase/1")


def everything(database: Database) -> str:
    """Return all that all tables hold."""
    tables = Base.metadata.sorted_tables

    def work(session: Session) -> str:
        return "\n".join(f"{t.name} {row}" for t in tables for row in session.execute(select(t)))

    return database.run_now(work)


def bytes_of(database: Database) -> bytes:
    """Return what lies on the disk: of SQLite the file and its log."""
    if not database.sqlite:
        return b""
    file = Path(database.url.removeprefix("sqlite:///"))
    return b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*") if not path.name.endswith("-shm"))
