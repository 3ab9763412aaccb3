"""Somebody leaves a prefecture for a post abroad: announced once, in force by itself on the day."""

from datetime import date

import pytest
from sqlalchemy import select

from bot.directory import history, rights
from bot.directory.files import POSTINGS
from bot.directory.tables import Duty, Posting
from tests.stories.people import Someone, alone
from tests.stories.scene import Place, Scene, fields_of

MOVE = "mobilite annoncer editeur-a, consul, consulat-munich, 1er avril"


@pytest.fixture
def play(staffed: Scene) -> Scene:
    return staffed


@pytest.fixture
def prefecture(play: Scene) -> Place:
    return play.link("prefecture-67")


@pytest.fixture
def consulate(play: Scene) -> Place:
    return play.link("consulat-munich")


def postings(play: Scene, person: str = "editeur-a") -> dict[str, tuple[date, date | None]]:
    """The postings of a person: first and last days, by organisation."""
    return play.app.database.run_now(
        lambda s: {
            it.organisation: (it.start, it.end) for it in s.scalars(select(Posting).where(Posting.person == person))
        }
    )


async def announced(play: Scene) -> None:
    coordinator = alone(play, "U0COORD")
    await coordinator.say(MOVE)
    asked = coordinator.sees("Mobilité croisée : Éditrice Exemple")
    assert "à partir du mercredi 1er avril 2026" in asked.text
    assert "consulat-munich" not in postings(play)  # nothing before it was looked over
    await coordinator.click(asked, "Annoncer")
    coordinator.sees("E-1 : annoncé")


async def test_it_is_announced_and_takes_effect_on_its_day(play: Scene, prefecture: Place, consulate: Place) -> None:
    play.app.database.run_now(
        lambda s: s.add(
            Duty(organisation="prefecture-67", person="editeur-a", start=date(2026, 3, 30), end=date(2026, 4, 5))
        )
    )
    ministry = play.link("ministere-dcis")
    await announced(play)
    assert postings(play) == {
        "prefecture-67": (date(2020, 1, 1), date(2026, 3, 31)),
        "consulat-munich": (date(2026, 4, 1), None),
    }
    for somebody in (alone(play), alone(play, "U0CONSUL")):  # on both sides
        await somebody.say("agenda 1er avril")
        assert "Éditrice Exemple : section consulaire" in somebody.sees("Agenda du").text
    await alone(play).say("digest chaque lundi à 8 h, sur 31 jours, en anglais")
    await alone(play).say("digest aperçu D-1")
    assert "Éditrice Exemple: consular section" in alone(play).sees("What crosses the border").text
    await play.at("2026-03-31T20:00")
    prefecture.sees_not("a quitté ses fonctions")
    assert "editor" in play.app.database.run_now(lambda s: rights.of(s, "editeur-a"))
    await play.at("2026-04-01T00:30", "Europe/Berlin")
    assert play.app.database.run_now(lambda s: rights.of(s, "editeur-a")) == frozenset()
    consulate.sees_not("prend ses fonctions")  # it is night
    duty = play.app.database.run_now(lambda s: s.scalars(select(Duty)).one())
    assert duty.end == date(2026, 3, 31)
    ministry.sees("Permanences retirées : 1")
    await play.at("2026-04-01T09:30", "Europe/Berlin")
    await play.tick()
    assert prefecture.transcript().count("Éditrice Exemple a quitté ses fonctions ici") == 1
    assert consulate.transcript().count("Éditrice Exemple prend ses fonctions : section consulaire") == 1
    me = alone(play, "U0EDITEUR")
    me.sees("Bienvenue : section consulaire")
    await me.say("agenda ajouter 9 avril Munich point imaginaire")
    assert "Munich" in fields_of(me.sees("point imaginaire").card)["Organise"]  # she speaks for the consulate now


async def test_what_they_had_taken_goes_back_to_the_office(play: Scene, prefecture: Place, consulate: Place) -> None:
    francfort = play.link("consulat-francfort")
    await announced(play)
    await francfort.say("Nous cherchons le dossier de naturalisation d'une personne de Strasbourg, qui le suit ?")
    editor = Someone(play, "prefecture-67", "U0EDITEUR", surface="room")
    await editor.click(next(it for it in prefecture.posts if "Prendre" in it.buttons), "Prendre")
    assert play.question().taken_person == "editeur-a"
    await play.at("2026-03-31T23:30")
    assert play.question().state == "taken"
    await play.at("2026-04-01T09:30")
    await play.tick()
    found = play.question()
    assert (found.state, found.taken_person, found.placed_with) == ("routed", None, "prefecture-67")
    prefecture.sees("a quitté ses fonctions ici")


async def test_moved_and_cancelled_it_leaves_the_postings_as_they_were(play: Scene, prefecture: Place) -> None:
    await announced(play)
    coordinator = alone(play, "U0COORD")
    await coordinator.say("agenda déplacer E-1 15 avril")
    await play.tick()
    assert postings(play) == {
        "prefecture-67": (date(2020, 1, 1), date(2026, 4, 14)),
        "consulat-munich": (date(2026, 4, 15), None),
    }
    await coordinator.say("agenda annuler E-1 oui")
    await play.tick()
    assert postings(play) == {"prefecture-67": (date(2020, 1, 1), None)}
    await play.at("2026-04-15T10:00")
    prefecture.sees_not("a quitté")
    assert "editor" in play.app.database.run_now(lambda s: rights.of(s, "editeur-a"))
    key = {"person": "editeur-a", "organisation": "prefecture-67", "role": "head", "start": date(2020, 1, 1)}
    assert len(play.app.database.run_now(lambda s: history.of(s, POSTINGS, key))) == 4  # each step can be read


async def test_only_coordinators_announce_and_bad_lines_say_what_to_do(play: Scene, prefecture: Place) -> None:
    for account in ("U0AGENTA", "U0EDITEUR"):
        somebody = alone(play, account)
        await somebody.say(MOVE)
        somebody.sees("Seul un coordinateur annonce")
    coordinator = alone(play, "U0COORD")
    for line, words in (
        ("mobilite", "Aucune mobilité"),
        ("mobilite annoncer quelqu'un", "Dites qui"),
        ("mobilite annoncer zzqqk, consul, consulat-munich, 1er avril", "Je ne trouve personne"),
        ("mobilite annoncer editeur-a, roi, consulat-munich, 1er avril", "Cette fonction n’existe pas"),
        ("mobilite annoncer editeur-a, consul, consulat-munich, bientôt", "Je n’ai pas trouvé la date"),
        ("mobilite annoncer editeur-a, head, prefecture-67, 1er avril, oui", "occupe déjà"),
        (f"{MOVE}, oui", "annoncé"),
        (f"{MOVE}, oui", "déjà annoncée"),
    ):
        await coordinator.say(line)
        assert words in coordinator.posts[-1].text, (line, coordinator.posts[-1].text)


async def test_who_leaves_the_network_is_announced_too(play: Scene, prefecture: Place) -> None:
    coordinator, her = alone(play, "U0COORD"), alone(play, "U0EDITEUR")
    await coordinator.say("mobilite annoncer zzqqk, départ, 1er avril")
    coordinator.sees("Je ne trouve personne")
    await coordinator.say("mobilite annoncer editeur-a, départ, 1er avril")
    await coordinator.click(
        coordinator.sees("quitte ses fonctions (chef de poste, Préfecture du Bas-Rhin)"), "Annoncer"
    )
    assert postings(play) == {"prefecture-67": (date(2020, 1, 1), date(2026, 3, 31))}
    await coordinator.say("agenda 1er avril tout")
    assert "Départ d’Éditrice Exemple : chef de poste, Préfecture du Bas-Rhin" in coordinator.sees("Agenda du").text
    await play.at("2026-04-01T09:30")
    await play.tick()
    prefecture.sees("Éditrice Exemple a quitté ses fonctions ici")
    her.sees("Vous avez quitté vos fonctions : chef de poste, Préfecture du Bas-Rhin")
    assert play.app.database.run_now(lambda s: rights.of(s, "editeur-a")) == frozenset()
    await her.say("agenda ajouter 9 avril Strasbourg point imaginaire")
    her.sees_not("point imaginaire")
    await coordinator.say("agenda annuler E-1 oui")
    await play.tick()
    assert postings(play) == {"prefecture-67": (date(2020, 1, 1), None)}
