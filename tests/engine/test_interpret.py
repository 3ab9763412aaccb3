"""What people mean: commands, answers, numbers, and what is none of the bot's business."""

import pytest
from sqlalchemy import func, select

from bot.context import Context
from bot.interpret import spelled, without_command
from bot.message import Invocation
from bot.posts import Post
from bot.questions.tables import Question
from bot.receipts import Receipt
from tests.engine.meant import NO_BUTTON, count, doubt
from tests.stories.conftest import SAARBRUCKEN
from tests.stories.scene import Place, Scene


async def answers(place: Place, line: str, *, mention: bool = True) -> str:
    """Say something; return all that the bot says to it in this room."""
    before = len(place.posts)
    await place.say(line, mention=mention)
    return "\n---\n".join(shown.text for shown in place.posts[before:])


# --- the first word


async def test_a_first_word_is_a_command_in_any_spelling(prefecture: Place) -> None:
    for line in (
        "demandes", "Demandes", "DEMANDES", "queue", "Queue :", "!demandes", "/demandes", "! demandes", "démandes"
    ):  # fmt: skip
        assert "Aucune question en cours" in await answers(prefecture, line), line


async def test_commands_by_mention(prefecture: Place) -> None:
    for line, seen in (
        ("aide", "ce que je sais faire"),
        ("help", "ce que je sais faire"),
        ("aide tout", "scinder [Q-…] TEXT"),
        ("help all", "scinder [Q-…] TEXT"),
        ("aide prendre", "prendre [Q-…]"),
        ("aide Répondre", "repondre [Q-…] TEXT"),
        ("aide !annuaire", "annuaire RECHERCHE"),
        ("aide nimporte", "Je ne connais pas la commande"),
        ("annuaire consulat-munich", "Munich"),
        ("directory consulat-munich", "Munich"),
        ("Annuaire: consulat-munich", "Munich"),
        ("langue fr", "Je vous répondrai en français"),
        ("language EN", "I will answer in English"),
    ):
        assert seen in await answers(prefecture, line), line


async def test_a_command_mistyped_by_a_letter_is_offered_beside_a_question(prefecture: Place, play: Scene) -> None:
    for line, command in (
        ("anuaire consulat-munich", "annuaire"), ("annuiare consulat-munich", "annuaire"), ("demande", "demandes"),
        ("direktory consulat-munich", "annuaire"),
    ):  # fmt: skip
        await prefecture.say(line)
        offered = prefecture.posts[-1]
        assert offered.buttons == [command, "Nouvelle question"], line
    await prefecture.click(offered, "annuaire")
    prefecture.sees("Munich")
    for line in ("anuaire : qui vérifie à Sarrebruck un acte de naissance ?", "aidez-nous pour Metz"):
        await prefecture.say(line)
        assert "Nouvelle question" not in prefecture.posts[-1].buttons, line
    assert play.question().text.startswith("anuaire : qui")


async def test_a_first_word_whose_rest_does_not_fit_is_a_question(prefecture: Place, play: Scene) -> None:
    for number, line in enumerate(
        (
            "Aide-moi à vérifier un acte de naissance établi à Sarrebruck",
            "aide moi à vérifier un acte de naissance établi à Sarrebruck",
            "langue du pays : acte de naissance établi à Sarrebruck en allemand",
            "prendre rendez-vous pour un acte de naissance établi à Sarrebruck",
        ),
        1,
    ):
        await prefecture.say(line)
        assert play.question(f"Q-2026-{number:05}").text == line


async def test_a_long_search_could_be_a_question_so_it_asks(prefecture: Place, consulate: Place, play: Scene) -> None:
    line = "annuaire des consulats : qui vérifie un acte de naissance établi à Sarrebruck ?"
    await prefecture.say(line)
    assert doubt(prefecture).buttons == ["Chercher dans l’annuaire", "Nouvelle question"]
    assert count(play, Question) == 0
    await prefecture.click(doubt(prefecture), "Nouvelle question")
    assert play.question().text == line
    await prefecture.click(doubt(prefecture), "Chercher dans l’annuaire")
    assert "annuaire" in prefecture.transcript()


async def test_a_command_alone_is_that_command_and_no_question(prefecture: Place, play: Scene) -> None:
    for word, seen in (
        ("question", "Écrivez votre question"),
        ("annuaire", "Que cherchez-vous"),
        ("prendre", "De quelle question"),
        ("clore", "De quelle question"),
        ("langue", "Il manque quelque chose"),
    ):
        assert seen in await answers(prefecture, word), word
    assert count(play, Question) == 0


async def test_nothing_but_the_mention_gets_help(prefecture: Place) -> None:
    await prefecture.say("  ")
    prefecture.sees("ce que je sais faire")


async def test_what_is_not_said_to_it_is_none_of_its_business(prefecture: Place, play: Scene) -> None:
    said = await prefecture.say("Bonjour à tous", mention=False)
    await prefecture.say("On en parle ici", mention=False, thread=said)
    await prefecture.say("3", mention=False, reply_to=said)
    for line in ("!", "!!!", "/ 3 personnes", "!?"):
        await prefecture.say(line, mention=False)
    assert prefecture.posts == []
    assert count(play, Question) == 0


# --- signs and the master command


async def test_the_master_command_takes_all_others(prefecture: Place) -> None:
    for line in ("!passerelle demandes", "/passerelle Demandes", "!Passerelle  queue"):
        assert "Aucune question en cours" in await answers(prefecture, line, mention=False), line
    assert "ce que je sais faire" in await answers(prefecture, "!passerelle", mention=False)


async def test_the_master_command_as_a_slash_command(prefecture: Place) -> None:
    for line, seen in (
        ("", "ce que je sais faire"),
        ("demandes", "Aucune question en cours"),
        ("Annuaire consulat-munich", "Munich"),
        ("choix 3", NO_BUTTON),
        ("tout savoir", "Je ne connais pas la commande « tout »"),
    ):
        await prefecture.invoke("passerelle", line)
        assert seen in prefecture.posts[-1].text, line


async def test_an_unknown_command_is_offered_help(prefecture: Place) -> None:
    await prefecture.say("!agendda demain", mention=False)
    told = prefecture.sees("Je ne connais pas la commande « agendda »")
    await prefecture.click(told, "Aide")
    prefecture.sees("ce que je sais faire")


def test_accents_and_capitals_do_not_matter() -> None:
    assert {spelled(word) for word in ("Répondre", "repondre", "RÉPONDRE", "re\u0301pondre")} == {"repondre"}


# --- edits


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("!repondre Oui.", "Oui."),
        ("!Répondre Oui.", "Oui."),
        ("!repondre: Oui.", "Oui."),
        ("/repondre Oui.", "Oui."),
        ("!repondre\nOui.", "Oui."),
        ("!repondre Q-2026-00042 Oui.", "Oui."),
        ("!repondre q-2026-42: Oui.", "Oui."),
        ("!repondre Q-2026-00042\nOui.\nEt non.", "Oui.\nEt non."),
        ("repondre Q-2026-00042 Oui.", "Oui."),
        ("!repondre Q-2026-00042 : Oui.", "Oui."),
        ("question : Qui ?", "Qui ?"),
        ("answer Oui.", "Oui."),
        ("!passerelle repondre Q-2026-00042 Oui.", "Oui."),
        ("question Qui ?", "Qui ?"),
        ("Qui répond ?", "Qui répond ?"),
        ("Q-2026-00042 est urgente", "Q-2026-00042 est urgente"),
        ("annuaire périmé : lequel vaut ?", "annuaire périmé : lequel vaut ?"),
        ("question", "question"),
        ("!!! Urgent", "!!! Urgent"),
        ("  Oui. ", "Oui."),
    ],
)
def test_what_an_edited_message_says_is_what_its_command_was_given(context: Context, text: str, said: str) -> None:
    assert without_command(context, text) == said


async def test_an_edit_or_deletion_of_what_nobody_kept_is_ignored(prefecture: Place, play: Scene) -> None:
    await prefecture.edit("unknown", "!repondre Oui.")
    await prefecture.delete("unknown")
    assert prefecture.posts == []
    outcomes = play.app.database.run_now(lambda s: s.scalars(select(Receipt.outcome)).all())
    assert outcomes == ["ignored", "ignored"]


async def test_the_bots_own_messages_are_not_edited_by_others(prefecture: Place, consulate: Place) -> None:
    await prefecture.slash("question", SAARBRUCKEN)
    card = consulate.sees("Q-2026-00001")
    await consulate.edit(card.id, "Piraté.")
    await consulate.delete(card.id)
    assert "Sarrebruck" in card.text
    prefecture.sees_not("Piraté")


async def test_a_form_sent_twice_says_it_once(prefecture: Place, consulate: Place, play: Scene) -> None:
    sent = Invocation(**prefecture._event(), command="question", form={"text": SAARBRUCKEN})
    await play.receive(sent)
    await play.receive(sent)
    await play.settle()
    assert count(play, Question) == 1
    assert play.app.database.run_now(lambda s: s.scalar(select(func.count()).where(Post.side == "recipient"))) == 1
