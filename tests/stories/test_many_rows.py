"""An import in chat that changes or closes many rows is stored once a second person agrees, or not at all."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from bot.audit.tables import Content, Entry
from bot.db import Database
from bot.directory import rights
from bot.directory.tables import Person, Posting
from bot.life import tick
from config.settings import DirectorySettings, Settings
from tests.stories.scene import Place, Scene, Shown, scene
from tests.stories.test_directory_files import Alone, alone, in_threads, known, person, send

__all__ = ["in_threads"]

TWO = "id,phone\nguichet,+49 2\nailleurs,+33 2\n"  # changed rows, where one may be changed alone


@pytest.fixture
async def play(new_url: Callable[[str], str], tmp_path: Path, in_threads: None) -> AsyncIterator[Scene]:
    del in_threads
    database = Database(new_url("sqlite"))
    database.run_now(known)
    database.run_now(another)
    settings = Settings(data_dir=tmp_path, directory=DirectorySettings(confirm_after_days=180, second_above_rows=1))
    async with scene(database, platform="matrix", settings=settings) as made:
        yield made
    database.close()


def another(session: Session) -> None:
    session.add(Person(id="coord-b", given_name="Autre", family_name="Coordinatrice", matrix_id="@coord-b:example.org"))
    session.flush()
    day = session.scalar(select(Posting.start).where(Posting.person == "coord"))
    session.add(Posting(person="coord-b", organisation="prefecture-57", role="desk", start=day))
    rights.grant(session, "coord-b", "coordinator")


@pytest.fixture
def office(play: Scene) -> Place:
    return play.link("prefecture-57", "salle")


async def asked(play: Scene, office: Place) -> tuple[Place, Shown, Shown]:
    """Let the coordinator agree to an import that another must agree to; return them, their preview and the card."""
    coordinator = alone(play, "coord")
    preview = await send(coordinator, people=TWO)
    await coordinator.click(preview, "Appliquer")
    assert "une seconde personne doit le confirmer" in preview.text
    coordinator.sees("Un autre coordinateur doit le confirmer avant")
    card = office.sees("importer people.csv dans l’annuaire (ajoutées : 0 · modifiées : 2 · closes : 0)")
    office.sees_not("+49 2")
    return coordinator, preview, card


async def settled(play: Scene) -> None:
    await tick(play.app)
    await play.settle()


def second(play: Scene, account: str = "coord-b") -> Place:
    return Alone(play, "salle", account=account)


async def looked(play: Scene, card: Shown) -> Shown:
    """Let the second coordinator look at what would change; return that, which they see alone."""
    await second(play).click(card, "Voir les changements")
    shown = Place(play, "@coord-b:example.org").sees("Aperçu de l’import")
    assert shown.buttons == ["Confirmer", "Refuser"]
    Place(play, card.to.room).sees_not("+49 2")
    return shown


def phone(play: Scene) -> str:
    found = person(play, "guichet")
    assert found is not None
    return found.phone


def audited(play: Scene, action: str) -> list[str]:
    rows = select(Content.content).join(Entry, Entry.id == Content.entry).where(Entry.action == action)
    return play.app.database.run_now(lambda s: list(s.scalars(rows)))


async def test_a_second_coordinator_lets_it_be_stored(play: Scene, office: Place) -> None:
    coordinator, preview, card = await asked(play, office)
    await second(play, "coord").click(card, "Confirmer")
    assert "qui demande ne confirme pas" in "\n".join(shown.text for shown in play.stage.posts.values())
    await second(play, "redac").click(card, "Confirmer")
    assert [it for it in audited(play, "refused") if "directory.import_many" in it] != [], "a refusal is audited"
    assert phone(play) == "+49 1", "nothing changes before two agree"
    await coordinator.say("annuaire importer appliquer 1")
    coordinator.sees("Cet import n’attend plus de réponse")
    shown = await looked(play, card)
    assert "~ people.csv : guichet — phone « +49 1 » → « +49 2 »" in shown.text
    await second(play).click(shown, "Confirmer")
    await settled(play)
    Place(play, shown.to.room).sees_not("+49 2")
    assert "Importé. Ajoutées : 0 · modifiées : 2" in preview.text
    assert phone(play) == "+49 2"
    assert len(audited(play, "four_eyes.confirmed")) == 1


async def test_a_second_sees_that_the_directory_changed_since(play: Scene, office: Place) -> None:
    _, preview, card = await asked(play, office)
    await second(play, "redac").click(card, "Voir les changements")
    assert len([it for it in audited(play, "refused") if "directory.import_many" in it]) == 1
    change = update(Person).where(Person.id == "ailleurs").values(phone="+33 2")
    play.app.database.run_now(lambda s: s.execute(change))
    shown = await looked(play, card)
    assert "L’annuaire a changé depuis la demande" in shown.text
    assert "ailleurs" not in shown.text
    await second(play).click(shown, "Refuser")
    await settled(play)
    assert "Import abandonné" in preview.text
    await second(play).say("annuaire importer voir 1")
    office.sees("Cet import n’attend plus de réponse")


async def test_what_one_may_change_alone_waits_for_nobody(play: Scene, office: Place) -> None:
    coordinator = alone(play, "coord")
    added = "".join(f"recrue-{n},+33 {n}\n" for n in range(5))  # new rows touch nobody's
    preview = await send(coordinator, people=f"id,phone\nguichet,+49 2\n{added}")
    await coordinator.click(preview, "Appliquer")
    assert "Importé. Ajoutées : 5 · modifiées : 1" in preview.text
    office.sees_not("importer")


@pytest.mark.parametrize("how", ["refused", "withdrawn", "nobody"])
async def test_without_a_second_nothing_is_stored_and_its_author_is_told(play: Scene, office: Place, how: str) -> None:
    coordinator, preview, card = await asked(play, office)
    if how == "nobody":
        play.clock.pass_(hours=25)
    elif how == "refused":
        await second(play).click(card, "Refuser")
    else:
        await coordinator.click(coordinator.sees("Un autre coordinateur doit"), "Retirer la demande")
    await settled(play)
    assert phone(play) == "+49 1"
    assert "Import abandonné : aucune seconde personne ne l’a confirmé" in preview.text
    told = {"refused": "Un autre coordinateur a refusé", "nobody": "Personne d’autre n’a confirmé à temps"}
    if how in told:
        Place(play, "@coord:example.org").sees(told[how])


async def test_rights_are_read_again_when_a_second_agrees(play: Scene, office: Place) -> None:
    _, preview, card = await asked(play, office)
    play.app.database.run_now(lambda s: rights.revoke(s, "coord", "coordinator"))
    play.app.database.run_now(lambda s: s.execute(delete(Posting).where(Posting.person == "coord")))
    await second(play).click(card, "Confirmer")
    await settled(play)
    assert phone(play) == "+49 1"
    assert "Import abandonné" in preview.text
    office.sees("Ce n’a pas pu être fait")
