"""What is known already: whether answers helped, what is kept of them, and who is offered it."""

from datetime import date, timedelta

import pytest

from bot.questions import notes
from bot.questions.similar import likeness
from tests.stories.conftest import SAARBRUCKEN
from tests.stories.scene import Place, Scene

ALIKE = "Un acte de naissance établi à Sarrebruck nous paraît faux : pouvez-vous vérifier cet acte ?"
OTHER = "Quelles pièces pour transcrire à Sarrebruck un mariage célébré en Sarre ?"


async def test_who_asked_says_whether_it_helped(prefecture: Place, consulate: Place, play: Scene) -> None:
    await prefecture.slash("question", SAARBRUCKEN)
    own = prefecture.sees("Q-2026-00001")
    assert "Utile" not in own.buttons
    await consulate.invoke("repondre", "Q-2026-00001 Oui.")
    await prefecture.click(own, "Pas utile")
    assert prefecture.sees("que manque-t-il").buttons == ["Compléter", "Rouvrir"]
    consulate.sees("la réponse n’a pas suffi")
    assert "Utile" not in own.buttons, "once is enough"
    await prefecture.click(prefecture.sees("que manque-t-il"), "Rouvrir")
    assert play.question().helped is None
    await consulate.invoke("repondre", "Q-2026-00001 Non, après vérification.")
    await prefecture.click(own, "Utile")
    assert play.question().helped is True
    await consulate.invoke("avis", "Q-2026-00001 oui")
    consulate.sees("n’est pas une question de votre service")


async def test_an_answer_to_something_similar_is_offered_first(
    prefecture: Place, consulate: Place, play: Scene
) -> None:
    await prefecture.slash("question", SAARBRUCKEN)
    await consulate.invoke("repondre", "Q-2026-00001 Le Standesamt répond sous huit jours.")
    await prefecture.slash("question", ALIKE)
    assert play.question("Q-2026-00002").text == ALIKE, "nobody knows yet whether it settled the matter"
    await prefecture.invoke("annuler", "Q-2026-00002")
    await prefecture.invoke("clore", "Q-2026-00001")
    await prefecture.slash("question", OTHER)
    assert play.question("Q-2026-00003").text == OTHER, "what is not alike is asked"
    await prefecture.slash("question", ALIKE)
    offer = prefecture.sees("La réponse est peut-être déjà connue")
    assert "Standesamt" in offer.text
    assert offer.buttons == ["Poser quand même", "Q-2026-00001"]
    assert len([post for post in consulate.posts if "paraît faux" in post.text]) == 1
    await prefecture.click(offer, "Poser quand même")
    assert play.question("Q-2026-00004").text == ALIKE
    other = play.link("prefecture-67")
    await other.slash("question", ALIKE)
    other.sees_not("Standesamt")
    other.sees("En attente")


async def test_another_case_is_another_question(prefecture: Place, consulate: Place, play: Scene) -> None:
    await prefecture.slash("question", SAARBRUCKEN + " Dossier 17.")
    await consulate.invoke("repondre", "Q-2026-00001 Il est authentique.")
    await prefecture.invoke("avis", "Q-2026-00001 oui")
    await prefecture.slash("question", SAARBRUCKEN + " Dossier 18.")
    assert play.question("Q-2026-00002").state == "routed"


async def test_what_did_not_help_and_what_is_sealed_is_not_offered(
    prefecture: Place, consulate: Place, play: Scene
) -> None:
    await prefecture.slash("question", SAARBRUCKEN)
    await consulate.invoke("repondre", "Q-2026-00001 Le Standesamt répond.")
    await prefecture.invoke("avis", "Q-2026-00001 non")
    await prefecture.slash("question", ALIKE)
    prefecture.sees_not("peut-être déjà connue")
    play.link("consulat-francfort", encrypted=True)
    sealed = consulate.as_("agent", encrypted=True)
    await sealed.invoke("repondre", "Q-2026-00002 Secret de salon.")
    await prefecture.invoke("avis", "Q-2026-00002 oui")
    await prefecture.slash("question", ALIKE)
    prefecture.sees_not("Secret de salon")
    await sealed.invoke("noter", "Q-2026-00002")
    consulate.sees("salon chiffré")


async def test_a_good_answer_is_kept_for_all_until_it_ends(prefecture: Place, consulate: Place, play: Scene) -> None:
    await prefecture.slash("question", SAARBRUCKEN)
    await consulate.invoke("repondre", "Q-2026-00001 Écrire à M. Exemple au +49 69 1234567 : huit jours.")
    await consulate.click(consulate.sees("Pas encore envoyé"), "Envoyer tel quel")
    await consulate.click(consulate.sees("transmis"), "Garder en note")
    kept = consulate.sees("gardée en note")
    assert "1234567" not in kept.text
    assert "Exemple" not in kept.text
    other = play.link("prefecture-67")
    await other.slash("question", ALIKE)
    offer = other.sees("peut-être déjà connue")
    assert "huit jours" in offer.text
    assert "Consulat général de France à Francfort" in offer.text
    assert offer.buttons == ["Poser quand même"], "whose question it was is not said"
    await other.invoke("retirer", "1")
    other.sees("pas une note de votre service")
    await consulate.slash("notes")
    consulate.sees("Notes de votre service")
    play.clock.at += timedelta(days=370)
    await other.slash("question", ALIKE)
    other.sees("Q-2027-00001")


async def test_a_note_follows_its_answer(prefecture: Place, consulate: Place, play: Scene) -> None:
    first = await prefecture.say(SAARBRUCKEN)
    card = consulate.sees("Q-2026-00001")
    said = await consulate.say("!repondre Le Standesamt répond.", mention=False, reply_to=card)
    await consulate.invoke("noter", "Q-2026-00001")
    await consulate.edit(said, "!repondre Le Standesamt ne répond pas.")
    other = play.link("prefecture-67")
    await other.slash("question", ALIKE)
    assert "ne répond pas" in other.sees("peut-être déjà connue").text
    await consulate.delete(said)
    assert play.app.database.run_now(lambda s: notes.of(s, "consulat-francfort", play.clock().date())) == []
    await consulate.invoke("repondre", "Q-2026-00001 Une autre réponse.")
    await consulate.invoke("noter", "Q-2026-00001")
    await prefecture.delete(first)
    assert play.app.database.run_now(lambda s: notes.of(s, "consulat-francfort", play.clock().date())) == []


async def test_only_who_answers_keeps(prefecture: Place, consulate: Place) -> None:
    await prefecture.slash("question", SAARBRUCKEN)
    await consulate.invoke("noter", "Q-2026-00001")
    consulate.sees("pas encore de réponse")
    await prefecture.invoke("noter", "Q-2026-00001")
    prefecture.sees("n’est pas une question de votre service")


@pytest.mark.parametrize(
    ("day", "months", "end"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2026, 3, 16), 12, date(2027, 3, 16)),
        (date(2027, 12, 31), 2, date(2028, 2, 29)),
    ],
)
def test_a_note_ends_on_the_same_day(day: date, months: int, end: date) -> None:
    assert notes.after(day, months) == end


def test_likeness() -> None:
    assert likeness(frozenset("ab"), frozenset("ab")) == 1
    assert likeness(frozenset("ab"), frozenset("cd")) == 0
    assert likeness(frozenset(), frozenset()) == 0
