"""What `annuaire` shows: cards, lists, near misses, to the asker alone or to all."""

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from sqlalchemy.orm import Session

from bot.card import Card
from bot.db import Database
from bot.directory import confirming
from bot.directory.tables import Closure, Organisation, Person
from tests.search.conftest import people
from tests.stories.scene import Clock, Place, Scene, scene
from tests.stories.scene import fields_of as fields_with_signs

MORNING = datetime(2026, 11, 23, 9, 5, tzinfo=UTC)


def fields_of(card: Card) -> dict[str, str]:
    """The fields of a card, the spaces before its signs put aside."""
    return {label: re.sub(r"[\u00a0\u202f]", " ", value) for label, value in fields_with_signs(card).items()}


@pytest_asyncio.fixture
async def play(new_url: Callable[[str], str]) -> AsyncIterator[Scene]:
    database = Database(new_url("sqlite"))
    database.run_now(people)
    async with scene(database, Clock(MORNING)) as made:
        yield made
    database.close()


@pytest.fixture
def office(play: Scene) -> Place:
    return play.link("prefecture-57")


async def test_one_hit_gives_a_card_with_all_that_is_needed(office: Place) -> None:
    await office.say("annuaire consulat munich")
    card = office.posts[-1].card
    assert card.title == "Consulat général de France à Munich"
    assert dict(fields_of(card)) == {
        "Téléphone": "+49 89 419 41 10",
        "Courriel": "contact.munich@example.org",
        "Adresse": "Munich, Allemagne",
        "Sur place": "10 h 05 · ouvert, ferme à 12 h 30",
        "Fiche": fields_of(card)["Fiche"],
    }


async def test_the_time_is_that_of_the_place(office: Place, play: Scene) -> None:
    def set_hours(session: Session) -> None:
        session.get_one(Organisation, "ambassade-jp").opening_hours = "Mo-Fr 09:00-17:00; PH off"

    play.app.database.run_now(set_hours)
    await office.say("annuaire ambassade japon")
    shown = fields_of(office.posts[-1].card)["Sur place"]
    assert shown.startswith("18 h 05 · fermé, ouvre mardi 24 novembre 2026 à 9 h (chez vous mardi 24 novembre à 1 h)")
    assert "jour férié" in shown


async def test_an_office_that_is_closed_for_reasons_of_its_own_says_so(office: Place, play: Scene) -> None:
    def shut(session: Session) -> None:
        for organisation in ("consulat-munich", "ambassade-at"):  # one says its hours, the other does not
            session.add(Closure(organisation=organisation, start=MORNING.date(), end=MORNING.date()))
        session.add(Closure(organisation="ambassade-jp", start=MORNING.date(), end=MORNING.date(), open=True))

    play.app.database.run_now(shut)
    await office.say("annuaire consulat munich")
    shown = fields_of(office.posts[-1].card)["Sur place"]
    assert shown.startswith("10 h 05 · fermé, ouvre mardi 24 novembre 2026 à 8 h 30")
    assert shown.endswith("fermeture exceptionnelle jusqu’au lundi 23 novembre 2026 inclus")
    await office.say("annuaire ambassade autriche")
    assert "fermeture exceptionnelle" in fields_of(office.posts[-1].card)["Sur place"]
    await office.say("annuaire ambassade japon")
    assert fields_of(office.posts[-1].card)["Sur place"] == "18 h 05", "it works on this holiday"


async def test_an_office_names_who_holds_it_and_who_stands_in(office: Place) -> None:
    await office.say("annuaire cdpr grand est")
    card = office.posts[-1]
    held = fields_of(card.card)["Titulaire"]
    assert held == "Agente Modèle-Est : jusqu’au mardi 1er décembre 2026 inclus ; remplaçant : Agent Exemple-Isar"
    await office.click(card, "Agent Exemple-Isar")
    assert fields_of(office.posts[-1].card)["Téléphone"] == "+49 89 000 33 44"
    await office.say("annuaire asi andorre")
    assert "personne n’est inscrit" in office.posts[-1].text


async def test_several_hits_are_told_apart(office: Place) -> None:
    await office.say("annuaire consulat allemagne")
    labels = office.posts[-1].buttons
    assert "CG Munich · Allemagne" in labels
    assert len(set(labels)) == len(labels) == 5


async def test_a_near_miss_is_one_press_away(office: Place) -> None:
    await office.say("annuaire munich introuvable")
    card = office.sees("Vouliez-vous dire")
    await office.click(card, card.buttons[0])
    assert office.posts[-1].card.title == "Consulat général de France à Munich"
    await office.say("annuaire xyzzy")
    office.sees("Rien trouvé pour « xyzzy »")


async def test_a_closed_post_leads_to_its_successor(office: Place, play: Scene) -> None:
    def close(session: Session) -> None:
        row = session.get_one(Organisation, "consulat-munich")
        row.status, row.successor = "closed", "consulat-francfort"

    play.app.database.run_now(close)
    await office.invoke("annuaire", "consulat-munich")
    card = office.sees("Ce service est fermé.")
    await office.click(card, "Consulat général de France à Francfort")
    assert office.posts[-1].card.title == "Consulat général de France à Francfort"


async def test_a_card_that_nobody_confirmed_for_long_says_so(office: Place, play: Scene) -> None:
    every = timedelta(days=180)
    play.app.database.run_now(lambda session: confirming.begin(session, MORNING, every))
    await office.say("annuaire exemple isar")
    assert fields_of(office.posts[-1].card)["Fiche"] == "enregistrée le lundi 23 novembre 2026, pas encore confirmée"
    play.clock.pass_(days=180 + 30)
    await office.say("annuaire exemple isar")
    assert fields_of(office.posts[-1].card)["Fiche"].startswith("⚠️ non confirmée depuis le lundi 23 novembre 2026")

    def confirm(session: Session) -> None:
        confirming.confirm(session, session.get_one(Person, "consul-m"), play.clock(), every)

    play.app.database.run_now(confirm)
    await office.say("annuaire exemple isar")
    assert fields_of(office.posts[-1].card)["Fiche"] == "confirmée le lundi 21 juin 2027"


async def test_a_look_up_before_there_is_an_index_keeps_nobody_waiting(
    office: Place, play: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    may, reading = threading.Event(), play.app.database.reading

    def slowly(work: Callable[[Session], object]) -> object:
        may.wait(10)
        return reading(work)

    monkeypatch.setattr(play.app.database, "reading", slowly)
    asked = asyncio.ensure_future(office.slash("annuaire", "consulat munich"))
    await asyncio.sleep(0.05)
    await office.say("Un acte de naissance établi à Munich est douteux, pouvez-vous le vérifier ?")
    assert office.sees("Q-2026-00001"), "a question is answered meanwhile"
    assert not asked.done()
    may.set()
    await asked
    assert office.posts[-1].card.title == "Consulat général de France à Munich"


async def test_the_answer_is_the_askers_until_it_is_shown(office: Place) -> None:
    await office.slash("annuaire", "consulat munich")
    private = office.posts[-1]
    assert private.to.audience is not None
    await office.click(private, "Montrer à tous")
    shown = office.posts[-1]
    assert (shown.to.audience, shown.card.title) == (None, private.card.title)
    assert "Montrer à tous" not in shown.buttons
    await office.slash("annuaire", "à tous consulat munich")
    assert office.posts[-1].to.audience is None


async def test_a_vcard_can_be_kept(office: Place) -> None:
    await office.say("annuaire consulat munich")
    await office.click(office.posts[-1], "vCard")
    file = office.posts[-1]
    assert file.text == "📎 consulat-general-de-france-a-munich.vcf"
    card = office.scene.stage.files[file.id].decode()
    assert card.startswith("BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Consulat général de France à Munich\r\n")
    assert "\r\nTEL:+49 89 419 41 10\r\n" in card
    assert card.endswith("\r\nEND:VCARD\r\n")
    await office.say("annuaire vcard nobody")
    office.sees("Rien trouvé")
