"""What the commands answer where the usual story does not lead."""

from dataclasses import replace

import pytest
from sqlalchemy.orm import Session

from bot.card import Card, buttons_of, to_text
from bot.context import Context
from bot.directory import rights
from bot.directory.identity import Actor
from bot.directory.tables import Person
from handlers.lookup import lookup
from tests.stories.conftest import SAARBRUCKEN
from tests.stories.scene import Place, Scene


async def test_what_is_not_for_the_network_gets_advice_and_is_not_asked(prefecture: Place, play: Scene) -> None:
    await prefecture.say("Demande d'asile d'un ressortissant afghan : qui contacter à Kaboul ?")
    assert "OFPRA" in prefecture.sees("À savoir").text
    await prefecture.invoke("demandes")
    prefecture.sees("Aucune question en cours")


async def test_danger_to_life_gets_the_numbers_first_and_goes_over_as_urgent(prefecture: Place, play: Scene) -> None:
    await prefecture.say("Urgent : un Français en danger de mort à Sarrebruck, prise d'otage en cours")
    await play.link("region-grand-est").change("joined")
    assert "112" in prefecture.sees("À savoir").text
    everything = "".join(shown.text for shown in play.stage.posts.values())
    assert "URGENT" in everything


async def test_a_question_too_vague_to_offer_choices_is_given_back(play: Scene) -> None:
    embassy = play.link("ambassade-jp")
    await embassy.say("Qui peut vérifier une attestation d'accueil ?")
    told = embassy.sees("De quelle préfecture s’agit-il")
    assert "> Qui peut vérifier une attestation" in told.text, "so that it can be copied"
    await embassy.invoke("demandes")
    embassy.sees("Aucune question en cours")


async def test_a_question_from_the_home_has_its_card_in_the_direct_room(play: Scene, consulate: Place) -> None:
    home = Place(play, "prefecture-57", surface="direct")
    play.link("prefecture-57")
    await home.say(SAARBRUCKEN)
    consulate.sees("Q-2026-00001")


async def test_reopening_brings_a_question_back_to_a_room(prefecture: Place, consulate: Place, play: Scene) -> None:
    await prefecture.say(SAARBRUCKEN)
    await prefecture.invoke("annuler", "Q-2026-00001")
    await consulate.change("removed")
    play.link("consulat-munich")
    await prefecture.invoke("rouvrir", "Q-2026-00001")
    assert play.question().state == "routed"
    await prefecture.invoke("rediriger", "Q-2026-00001 consulat-munich consul")
    Place(play, "consulat-munich").sees("Q-2026-00001")


async def test_the_language_of_a_room_and_of_a_person(
    prefecture: Place, play: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await prefecture.say("langue en")
    await prefecture.say("aide")
    prefecture.sees("what I can do")

    def work(session: Session) -> None:
        session.add(Person(id="agent-a", given_name="Agent"))
        session.flush()
        rights.grant(session, "agent-a", "member")

    play.app.database.run_now(work)
    monkeypatch.setattr("bot.directory.identity.person_of", lambda s, user: s.get(Person, "agent-a"))
    alone = Place(play, "dm", surface="direct")
    await alone.say("langue en")
    assert play.app.database.run_now(lambda s: s.get_one(Person, "agent-a").language) == "en"
    await alone.say("aide")
    alone.sees("what I can do")
    elsewhere = Place(play, "not-linked")
    await elsewhere.say("langue en")
    elsewhere.sees("relier OFFICE")


async def test_several_hits_are_offered_and_pressed(prefecture: Place) -> None:
    await prefecture.say("annuaire consulat allemagne")
    several = prefecture.sees("Plusieurs résultats")
    assert 1 < len(several.buttons) <= 5
    name = next(label for label in several.buttons if label.startswith("CG "))
    await prefecture.click(several, name)
    assert "Consulat général" in prefecture.posts[-1].text
    assert name.removeprefix("CG ").split(" ")[0] in prefecture.posts[-1].text
    await prefecture.say("annuaire xyzzy")
    prefecture.sees("Rien trouvé pour « xyzzy »")


async def test_a_redirection_in_words_offers_what_fits(prefecture: Place, consulate: Place, play: Scene) -> None:
    munich = play.link("consulat-munich")
    await prefecture.say(SAARBRUCKEN)
    await consulate.invoke("rediriger", "Q-2026-00001 consulat")
    which = consulate.sees("À qui exactement")
    assert all(button.line.startswith("Q-2026-00001 ") for button in buttons_of(which.card))
    await consulate.click(which, which.buttons[0])
    assert play.question().recipient != "consulat-francfort"
    await prefecture.invoke("rediriger", "Q-2026-00001 consulat-munich")
    munich.sees("Q-2026-00001")
    await prefecture.invoke("rediriger", "Q-2026-00001 consulat-munich")
    prefecture.sees("Q-2026-00001 y est déjà")


async def test_redirected_to_who_has_no_room_one_is_told_how_to_reach_them(
    prefecture: Place, consulate: Place, play: Scene
) -> None:
    await prefecture.say(SAARBRUCKEN)
    await consulate.invoke("rediriger", "Q-2026-00001 ambassade-de")
    told = consulate.posts[-1].text + consulate.transcript()
    assert "Pour joindre" in told or "L’annuaire n’a ni téléphone ni adresse" in told


def test_what_is_shown_to_all_is_what_all_may_see(context: Context) -> None:
    row = Person(id="hidden", given_name="Agente", family_name="Zwickau", visibility="own")
    context.session.add(row)
    context.session.flush()
    coordinator = Actor(context.actor.user, "boss", None, None, frozenset({"coordinator"}), None, None)
    ctx = replace(context, actor=coordinator)
    alone = lookup(ctx, "hidden")
    assert isinstance(alone, Card)
    assert alone.title == "Agente Zwickau"
    for words in ("hidden", "Zwickau"):
        told = lookup(ctx, f"à tous {words}")
        assert isinstance(told, Card), "said to who looked alone"
        assert "Agente" not in to_text(told)
    assert lookup(ctx, "À TOUS : consulat-munich") is None
