"""A question goes from a prefecture to a post and the answer comes back."""

import pytest

from bot.card import Errors, Form
from bot.message import User
from bot.routing import candidates
from tests.stories.conftest import SAARBRUCKEN
from tests.stories.scene import Place, Scene, fields_of


async def test_asked_taken_answered_closed(prefecture: Place, consulate: Place, play: Scene) -> None:
    await prefecture.say(SAARBRUCKEN)

    card = consulate.sees("Q-2026-00001")
    assert "Sarrebruck. Pouvez-vous" in card.text
    assert fields_of(card.card)["De"] == "Préfecture de la Moselle"
    assert "sujet : état civil, d’après « acte de naissance »" in card.text
    assert card.buttons == ["Prendre", "Répondre", "Rediriger", "Clore", "Plus…"]
    assert card.to.thread is None
    own = prefecture.sees("En attente")
    assert "Francfort" in own.text
    assert own.to.thread == "ue1", "the state stands under the question"
    assert SAARBRUCKEN not in own.text, "what stands above is not said again"

    await consulate.click(card, "Prendre")
    assert "Prise par le consulat général de France à Francfort" in prefecture.sees("Question").text
    assert card.buttons == ["Répondre", "Rediriger", "Clore", "Faire préciser", "Plus…"]

    form = await consulate.click(card, "Répondre", forms=True)
    assert isinstance(form, Form)
    assert form.title == "Répondre"
    await consulate.submit(form, text="L'acte est **authentique**.")
    answer = prefecture.sees("authentique")
    assert answer.to.thread == "ue1"
    assert answer.card.notify == User("stage", "prefecture-57/agent")
    assert "Consulat général de France à Francfort" in answer.text
    assert "Répondue lundi 16 mars à 13 h" in own.text
    assert "authentique" in consulate.sees("transmis").text, "colleagues see what was sent from a form"

    await prefecture.click(own, "Clore")
    assert "Close" in card.text
    assert card.buttons == ["Rouvrir", "Historique"]
    assert play.question().state == "closed"


async def test_the_answer_may_be_typed_where_there_are_no_buttons(prefecture: Place, consulate: Place) -> None:
    await prefecture.slash("question", SAARBRUCKEN)
    card = consulate.sees("Q-2026-00001")
    await consulate.say("1", mention=False, reply_to=card)
    assert "Prise par" in card.text
    await consulate.react(card, "1️⃣")
    prompt = consulate.sees("Écrivez votre réponse")
    await consulate.say("Voici la réponse.", mention=False, reply_to=prompt)
    assert "Voici la réponse." in prefecture.sees("Voici").text
    await consulate.say("!repondre Une précision.", mention=False, reply_to=card)
    prefecture.sees("Une précision.")
    await consulate.say("!répondre Avec accent.", mention=False, reply_to=card)
    prefecture.sees("Avec accent.")
    await consulate.say("!repondre Q-2026-42 Ailleurs", mention=False)
    consulate.sees("Je ne trouve pas")
    await consulate.say("!repondre q-2026-1 Avec son numéro.", mention=False)
    prefecture.sees("Avec son numéro.")


async def test_a_slash_command_makes_the_card_the_root(prefecture: Place, consulate: Place) -> None:
    await prefecture.slash("question", SAARBRUCKEN)
    own = prefecture.sees("En attente")
    assert SAARBRUCKEN in own.text, "nothing above shows the question"
    await consulate.invoke("repondre", "Q-2026-00001 Oui.")
    assert prefecture.sees("Oui.").to.thread == own.id
    assert consulate.sees("transmis").to.thread == consulate.sees("De : ").id, "colleagues find it beneath the card"


async def test_a_form_and_a_shortcut_ask_too(prefecture: Place, consulate: Place) -> None:
    form = await prefecture.slash("question", forms=True)
    assert isinstance(form, Form)
    assert [f.name for f in form.fields] == ["text"]
    refused = await prefecture.submit(form, text="  ")
    assert isinstance(refused, Form | Errors)
    await prefecture.submit(form, text=SAARBRUCKEN)
    consulate.sees("Q-2026-00001")
    await prefecture.invoke("question", SAARBRUCKEN, pressed="m-of-a-colleague", trigger="t")
    consulate.sees("Q-2026-00002")
    assert prefecture.sees("Q-2026-00002").to.thread == "m-of-a-colleague"


async def test_what_the_asker_adds_crosses_and_what_colleagues_say_does_not(
    prefecture: Place, consulate: Place
) -> None:
    first = await prefecture.say(SAARBRUCKEN)
    card = consulate.sees("Q-2026-00001")
    await prefecture.say("Il est de 1987.", mention=False, thread=first)
    assert consulate.sees("Il est de 1987.").to.thread == card.id
    await prefecture.as_("collegue").say("Encore ce dossier…", mention=False, thread=first)
    consulate.sees_not("Encore ce dossier")
    await consulate.say("Qui connaît le Standesamt ?", mention=False, reply_to=card)
    await consulate.say("Moi.", mention=False, thread=card)
    prefecture.sees_not("Standesamt")
    prefecture.sees_not("Moi.")


async def test_edits_and_deletions_follow_both_ways(prefecture: Place, consulate: Place, play: Scene) -> None:
    first = await prefecture.say(SAARBRUCKEN)
    card = consulate.sees("Q-2026-00001")
    await prefecture.edit(first, SAARBRUCKEN + " Merci d'avance.")
    assert "Merci d'avance" in card.text

    more = await prefecture.say("Il est de 1986.", mention=False, thread=first)
    copy = consulate.sees("1986")
    await prefecture.edit(more, "Il est de 1987.")
    assert "1987" in copy.text
    assert "1986" not in copy.text

    said = await consulate.say("!repondre C'est un vrai.", mention=False, reply_to=card)
    answer = prefecture.sees("C'est un vrai.")
    await consulate.edit(said, "!repondre C'est un faux.")
    assert "faux" in answer.text
    assert "repondre" not in answer.text
    await consulate.as_("somebody-else").edit(said, "!repondre Piraté.")
    prefecture.sees_not("Piraté")

    await consulate.delete(said)
    assert answer.id in play.stage.deleted
    await prefecture.delete(more)
    assert copy.id in play.stage.deleted


async def test_an_answer_of_many_parts_can_be_rewritten_shorter_and_longer(prefecture: Place, consulate: Place) -> None:
    await prefecture.say(SAARBRUCKEN)
    card = consulate.sees("Q-2026-00001")
    long = " ".join(f"mot{n:05}" for n in range(900))
    said = await consulate.say(f"!repondre {long}", mention=False, reply_to=card)
    text = prefecture.transcript()
    assert all(f"mot{n:05}" in text for n in range(900))
    await consulate.edit(said, "!repondre court")
    prefecture.sees("court")
    prefecture.sees_not("mot00400")
    await consulate.edit(said, f"!repondre {long}")
    text = prefecture.transcript()
    assert all(f"mot{n:05}" in text for n in range(900))


async def test_deleting_the_question_withdraws_it(prefecture: Place, consulate: Place, play: Scene) -> None:
    first = await prefecture.say(SAARBRUCKEN)
    await prefecture.delete(first)
    assert play.question().state == "cancelled"
    assert play.question().text == ""
    card = consulate.sees("Q-2026-00001")
    assert "retirée" in card.text
    assert "Sarrebruck. Pouvez" not in card.text


async def test_redirected_in_words_and_by_button(prefecture: Place, consulate: Place, play: Scene) -> None:
    munich = play.link("consulat-munich")
    await prefecture.say(SAARBRUCKEN)
    card = consulate.sees("Q-2026-00001")
    await consulate.click(card, "Rediriger")
    prompt = consulate.sees("À qui ?")
    await consulate.say("consulat munich", mention=False, reply_to=prompt)
    moved = munich.sees("Q-2026-00001")
    assert "a été remise" in card.text
    assert card.buttons == []
    assert "Munich" in prefecture.sees("En attente").text
    await munich.click(moved, "Prendre")
    await munich.invoke("rediriger", "Q-2026-00001 consulat-francfort consul")
    assert "Prendre" in consulate.sees("En attente").buttons
    await consulate.invoke("rediriger", "Q-2026-00001 xyzzyqqq")
    consulate.sees("Je ne trouve pas")


async def test_a_redirection_becomes_a_candidate_to_learn_from(
    prefecture: Place, consulate: Place, play: Scene
) -> None:
    play.link("consulat-munich")
    await prefecture.say(SAARBRUCKEN)
    card = consulate.sees("Q-2026-00001")
    await consulate.click(card, "Rediriger")
    await consulate.say("consulat munich, car l'acte est bavarois", mention=False, reply_to=consulate.sees("À qui ?"))
    (row,) = play.app.database.run_now(candidates.listed)
    assert (row.number, row.before, row.organisation) == ("Q-2026-00001", "consulat-francfort", "consulat-munich")
    assert (row.state, row.by, row.why) == ("proposed", "consulat-francfort", "l'acte est bavarois")
    assert play.app.database.run_now(candidates.confirmed) == []


async def test_what_is_withdrawn_is_no_candidate(prefecture: Place, consulate: Place, play: Scene) -> None:
    play.link("consulat-munich")
    first = await prefecture.say(SAARBRUCKEN)
    await consulate.invoke("rediriger", "Q-2026-00001 consulat-munich")
    await prefecture.delete(first)
    assert play.app.database.run_now(candidates.listed) == []


async def test_two_click_and_one_is_told(prefecture: Place, consulate: Place) -> None:
    await prefecture.say(SAARBRUCKEN)
    card = consulate.sees("Q-2026-00001")
    await consulate.invoke("prendre", "Q-2026-00001", pressed=card.id)
    await consulate.as_("autre").invoke("prendre", "Q-2026-00001", pressed=card.id)
    consulate.sees("déjà prise par")


@pytest.mark.parametrize("command", ["prendre", "repondre", "clore", "rediriger"])
async def test_a_click_by_someone_without_the_right_gets_a_polite_word(
    prefecture: Place, consulate: Place, play: Scene, command: str
) -> None:
    other = play.link("consulat-munich")
    await prefecture.say(SAARBRUCKEN)
    consulate.sees("Q-2026-00001")
    rest = " consulat-munich" if command in ("rediriger", "repondre") else ""
    await other.invoke(command, f"Q-2026-00001{rest}")
    other.sees("n’est pas une question de votre service")
    other.sees_not("Sarrebruck. Pouvez")
    assert play.question().state == "routed"


async def test_a_question_the_other_way(prefecture: Place, consulate: Place) -> None:
    await consulate.say("La préfecture de la Moselle peut-elle vérifier une attestation d'accueil établie à Metz ?")
    card = prefecture.sees("Q-2026-00001")
    assert fields_of(card.card)["De"] == "Consulat général de France à Francfort"
    await prefecture.invoke("repondre", "Q-2026-00001 Elle est valable.")
    consulate.sees("Elle est valable.")


async def test_reopened_and_cancelled(prefecture: Place, consulate: Place, play: Scene) -> None:
    await prefecture.say(SAARBRUCKEN)
    card = consulate.sees("Q-2026-00001")
    await prefecture.click(prefecture.sees("En attente"), "Annuler")
    assert play.question().state == "cancelled"
    assert card.buttons == ["Historique"]
    await prefecture.invoke("rouvrir", "Q-2026-00001")
    assert "Prendre" in card.buttons
    await consulate.invoke("repondre", "Q-2026-00001 Fait.")
    await prefecture.invoke("annuler", "Q-2026-00001")
    prefecture.sees("a déjà une réponse")


async def test_what_a_card_has_no_room_for_stands_behind_a_button(
    prefecture: Place, consulate: Place, play: Scene
) -> None:
    await prefecture.say(SAARBRUCKEN)
    card = consulate.sees("Q-2026-00001")
    assert len(card.buttons) == 5
    await consulate.click(card, "Plus…")
    more = consulate.sees("Q-2026-00001 : que faire d’autre ?")
    assert more.to.audience is not None, "it is for who pressed it, alone"
    assert more.buttons == ["Faire préciser", "Historique"]
    await consulate.click(more, "Historique")
    consulate.sees("Historique de Q-2026-00001")
    await prefecture.invoke("plus", "Q-2026-00001 destinataire")
    prefecture.sees("n’est pas une question de votre service")
    await consulate.invoke("clore", "Q-2026-00001")
    await consulate.click(card, "Rouvrir")
    await consulate.invoke("plus", "Q-2026-00001 destinataire")
    await prefecture.invoke("annuler", "Q-2026-00001")
    await prefecture.invoke("plus", "Q-2026-00001 demandeur")
    assert prefecture.sees("que faire d’autre").buttons == ["Rouvrir", "Historique"], (
        "all there is, where that is little"
    )


async def test_a_redirected_question_says_who_sent_it_on_and_why(
    prefecture: Place, consulate: Place, play: Scene
) -> None:
    munich = play.link("consulat-munich")
    await prefecture.say(SAARBRUCKEN)
    await consulate.invoke("rediriger", "Q-2026-00001 consulat munich car le passeport 12AB34567 y fut délivré")
    shown = munich.sees("Q-2026-00001").text
    assert "redirigée par le consulat général de France à Francfort, « le passeport … y fut délivré »" in shown
    assert "compétence" not in shown, "the reasons of the rules led elsewhere"
