"""The directory is kept true by those concerned: their own card, their office's, and all of them."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import update

from bot.card import Errors, Form, buttons_of
from bot.db import Database
from bot.directory import confirming, history
from bot.directory.files import ORGANISATIONS, PEOPLE
from bot.directory.tables import Organisation, Person, Posting
from bot.life import tick
from bot.message import User
from tests.stories.people import Someone, alone, enter
from tests.stories.scene import Scene, fields_of, scene

FILES = {
    "people": "id,given_name,family_name,email,phone,visibility,slack_id,matrix_id\n"
    "agent-a,Agent,Exemple,a@example.org,+33 1 00 00 00 00,own,U0AGENTA,\n"
    "editeur-a,Editeur,Exemple,,,all,U0EDITEUR,\n"
    "coord-a,Coordinatrice,Exemple,,,all,U0COORD,\n"
    "agent-b,Agent,Modèle,,,all,,@agent.b:example.org\n"
    "partie,Agente,Partie,,,all,U0PARTIE,\n",
    "postings": "person,organisation,role,start,end\n"
    "agent-a,prefecture-67,desk,2020-01-01,\n"
    "editeur-a,prefecture-67,head,2020-01-01,\n"
    "coord-a,ministere-dcis,desk,2020-01-01,\n"
    "agent-b,consulat-munich,consul,2020-01-01,\n"
    "partie,consulat-munich,desk,2020-01-01,2025-12-31\n",
}


@pytest.fixture
async def play(shipped: Database, tmp_path: Path) -> AsyncIterator[Scene]:
    granted = {"editeur-a": "editor", "coord-a": "coordinator"}
    shipped.run_now(lambda session: enter(session, tmp_path, FILES, granted))
    async with scene(shipped, platform="slack") as play:
        yield play


def person(play: Scene, id_: str = "agent-a") -> Person:
    return play.app.database.run_now(lambda s: s.get_one(Person, id_))


def changes(play: Scene, file: object, id_: str) -> list[history.Change]:
    return play.app.database.run_now(lambda s: history.of(s, file, {"id": id_}))  # type: ignore[arg-type]


async def test_people_see_their_own_card_and_correct_it_in_a_form(play: Scene) -> None:
    me = alone(play)
    await me.say("annuaire moi")
    shown = me.sees("Agent Exemple")
    assert fields_of(shown.card)["Téléphone"] == "+33 1 00 00 00 00"
    assert "Préfecture du Bas-Rhin" in fields_of(shown.card)["Fonction"]
    form = await me.click(shown, "Corriger", forms=True)
    assert isinstance(form, Form)
    assert {field.name: field.value for field in form.fields}["email"] == "a@example.org"
    refused = await me.submit(form, phone="+33 1 11 11 11 11", email="ni @ ni", visibility="own")
    assert isinstance(refused, Errors)
    assert [name for name, _ in refused.by_field] == ["email"]
    assert person(play).phone == "+33 1 00 00 00 00", "all of it or nothing"
    assert await me.submit(form, phone="+33 1 11 11 11 11", email="agent\\_a@example.org", visibility="own") is None
    me.sees("C’est enregistré")
    assert (person(play).phone, person(play).email) == ("+33 1 11 11 11 11", "agent_a@example.org")
    [change] = changes(play, PEOPLE, "agent-a")
    before, after = history.values(change)
    assert before == {"phone": "+33 1 00 00 00 00", "email": "a@example.org"}
    assert after == {"phone": "+33 1 11 11 11 11", "email": "agent_a@example.org"}
    assert (change.at, change.person, change.account, change.via) == (play.clock(), "agent-a", "U0AGENTA", "card")
    await me.say("annuaire historique")
    assert "+33 1 00 00 00 00 → +33 1 11 11 11 11" in me.sees("Agent Exemple :").text


async def test_without_forms_it_is_typed(play: Scene) -> None:
    me = alone(play)
    await me.say("annuaire moi")
    await me.click(me.sees("Agent Exemple"), "Corriger")
    me.sees("corriger agent-a téléphone")
    await me.say("corriger Téléphone : +33 2 00 00 00 00\ncourriel [x@example.org](mailto:x@example.org)\nlangue EN")
    row = person(play)
    assert (row.phone, row.email, row.language) == ("+33 2 00 00 00 00", "x@example.org", "en")
    me.sees("C’est enregistré")
    await me.say("annuaire corriger téléphone +33 2 11 11 11 11")
    assert person(play).phone == "+33 2 11 11 11 11"
    await me.say("!correct phone -")
    assert person(play).phone == ""
    for line, told in {
        "corriger couleur bleue": "“couleur”",
        "corriger téléphone": "which value",
        "corriger courriel rien": "one e-mail address was expected",
        "corriger visibilité -": "Nothing was changed",
        "corriger visibilité publique": "`network` or `office`. Nothing was changed",
        "corriger slack_id U1": "“slack",
        "corriger agent-a slack_id U1": "“slack",
    }.items():
        await me.say(line)
        me.sees(told)
    assert (person(play).slack_id, person(play).visibility) == ("U0AGENTA", "own")
    await me.say("corriger langue français\nvisibilité les agents du réseau")
    assert (person(play).language, person(play).visibility) == ("fr", "network"), "in words, as the card shows them"
    await me.say("annuaire historique")
    me.sees("Agent Exemple : Langue : English → français, Visibilité : mon service seulement → les agents du réseau")


async def test_an_editor_corrects_their_office_and_its_people_only(play: Scene) -> None:
    editor = alone(play, "U0EDITEUR")
    await editor.say("corriger prefecture-67 téléphone +33 3 00 00 00 00")
    await editor.say("corriger agent-a nom Corrigé")
    row = play.app.database.run_now(lambda s: s.get_one(Organisation, "prefecture-67"))
    assert (row.phone, row.edited) == ("+33 3 00 00 00 00", True), "a release leaves it alone from now on"
    assert person(play).family_name == "Corrigé"
    assert changes(play, ORGANISATIONS, "prefecture-67")[0].person == "editeur-a"
    colleague = alone(play)
    await editor.say("corriger prefecture-67 langue en")
    await colleague.say("annuaire moi")
    colleague.sees("Correct")
    await editor.say("corriger prefecture-67 langue -")
    for hidden in ("agent-b", "consulat-munich", "partie", "nobody-1"):
        await editor.say(f"corriger {hidden} téléphone 1")
        told = editor.posts[-1].text
        assert told.replace(hidden, "X") == (
            "Je ne trouve pas « X » parmi les fiches que vous pouvez corriger. Pour la vôtre : `annuaire moi`."
        )
    member = alone(play)
    for id_ in ("prefecture-67", "editeur-a"):
        await member.say(f"corriger {id_} téléphone 1")
        member.sees(f"« {id_} »")
    coordinator = alone(play, "U0COORD")
    await coordinator.say("corriger consulat-munich téléphone +49 89 1")
    await coordinator.say("corriger partie nom Ailleurs")
    assert person(play, "partie").family_name == "Ailleurs"


async def test_an_editor_whose_posting_ended_edits_no_more(play: Scene) -> None:
    """Not even from the room of the office they left, which still vouches for them as a member."""
    room = play.link("prefecture-67", "C67")
    end = play.clock().date()
    play.app.database.run_now(lambda s: s.execute(update(Posting).where(Posting.person == "editeur-a").values(end=end)))
    editor = Someone(play, room.room, "U0EDITEUR", surface="room")
    await editor.say("corriger prefecture-67 téléphone +33 1")
    editor.sees("C’est enregistré")
    play.clock.at = datetime(2026, 3, 16, 22, 59, tzinfo=UTC)  # the last minute of the day in Strasbourg
    await editor.say("corriger prefecture-67 téléphone +33 2")
    play.clock.pass_(minutes=1)
    for id_ in ("prefecture-67", "agent-a"):
        await editor.say(f"corriger {id_} téléphone +33 3")
        editor.sees(f"« {id_} »")
    row = play.app.database.run_now(lambda s: s.get_one(Organisation, "prefecture-67"))
    assert row.phone == "+33 2"


async def test_an_account_that_is_nobodys_is_told_how_to_be_linked(play: Scene) -> None:
    place = play.link("prefecture-67", "C1")
    await place.say("annuaire moi")
    place.sees("relier moi")


async def test_people_are_asked_on_a_rhythm_once_and_confirm_by_a_button(play: Scene) -> None:
    me = alone(play)
    await tick(play.app)
    play.clock.pass_(days=179)
    await tick(play.app)
    await play.settle()
    assert play.stage.posts == {}
    play.clock.pass_(days=3)
    for _ in range(3):
        await tick(play.app)
    await play.settle()
    asked = me.sees("toujours justes")
    assert asked.buttons == ["C’est à jour", "Corriger"]
    assert sorted(p.to.room for p in play.stage.posts.values()) == ["U0AGENTA", "U0COORD", "U0EDITEUR"]
    await me.click(asked, "C’est à jour")
    me.sees("est notée à jour")
    play.clock.pass_(days=15)
    await tick(play.app)
    await play.settle()
    rooms = [p.to.room for p in play.stage.posts.values() if "toujours justes" in p.text]
    assert sorted(rooms) == ["U0AGENTA", "U0COORD", "U0COORD", "U0EDITEUR", "U0EDITEUR"]
    await me.say("annuaire moi")
    me.sees("Fiche confirmée le")
    for _ in range(10):
        play.clock.pass_(days=15)
        await tick(play.app)
    await play.settle()
    rooms = [p.to.room for p in play.stage.posts.values() if "toujours justes" in p.text]
    assert rooms.count("U0EDITEUR") == confirming.TIMES, "then it is for the coordinators to know"


async def test_two_processes_ask_but_once(play: Scene, shipped: Database) -> None:
    async with scene(shipped, play.clock, platform="slack") as other:
        await tick(play.app)
        play.clock.pass_(days=183)
        for _ in range(2):
            await tick(play.app)
            await tick(other.app)
        await play.settle()
        await other.settle()
        said = [*play.stage.posts.values(), *other.stage.posts.values()]
        assert sorted(p.to.room for p in said) == ["U0AGENTA", "U0COORD", "U0EDITEUR"]


async def test_what_is_overdue_shows_and_coordinators_get_the_list(play: Scene) -> None:
    everything = update(Organisation).values(checked_on=play.clock().date())
    unchecked = update(Organisation).where(Organisation.kind == "prefecture").values(checked_on=None)
    for statement in (everything, unchecked):
        play.app.database.run_now(lambda s, statement=statement: s.execute(statement))
    await tick(play.app)
    me, coordinator = alone(play), alone(play, "U0COORD")
    await coordinator.say("annuaire à confirmer")
    assert "agent-a" not in coordinator.sees("Fiches à confirmer").text, "only rows that nobody ever checked"
    await me.say("annuaire à confirmer")
    me.sees("Seuls les coordinateurs")
    play.clock.pass_(days=300)
    await me.say("annuaire moi")
    me.sees("⚠ Fiche non confirmée depuis")
    await coordinator.say("annuaire a confirmer")
    first = coordinator.sees("(`prefecture-01`), jamais vérifiée")
    assert "Agent Exemple (`agent-a`), depuis le" in first.text, "people come before organisations"
    await coordinator.click(first, "Suite")
    second = coordinator.posts[-1]
    assert "(`agent-a`)" not in second.text
    assert [b.line for b in buttons_of(second.card)] == ["à confirmer 3"]
    total = _number_of_cards(first.text)
    await coordinator.say("confirmer prefecture-01")
    await me.say("confirmer")
    await coordinator.say("annuaire à confirmer")
    now = coordinator.posts[-1].text
    assert _number_of_cards(now) == total - 2
    assert "(`agent-a`)" not in now
    assert "(`prefecture-01`)" not in now
    await coordinator.say(f"annuaire à confirmer {total}")
    coordinator.sees("Aucune fiche n’attend")


def _number_of_cards(listed: str) -> int:
    found = re.search(r"(\d+)\. Après vérification", listed)
    assert found
    return int(found[1])


async def test_on_matrix_the_question_has_its_buttons_too(shipped: Database, play: Scene) -> None:
    async with scene(shipped, play.clock, platform="matrix") as there:
        await tick(there.app)
        there.clock.pass_(days=183)
        await tick(there.app)
        await there.settle()
        [shown] = there.stage.posts.values()
        assert shown.to.audience == User("matrix", "@agent.b:example.org")
        assert shown.buttons[0] == "C’est à jour"
