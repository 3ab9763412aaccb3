"""What people mean: commands, answers, numbers, and what is none of the bot's business."""

import pytest
from sqlalchemy import func, select

from bot.card import Card
from bot.context import Context
from bot.interpret import CARRIED, spelled, without_command
from bot.message import Invocation
from bot.posts import Post
from bot.questions.tables import Question
from bot.receipts import Receipt
from tests.stories.conftest import SAARBRUCKEN
from tests.stories.scene import Place, Scene, Shown, in_private

DOUBT = "Que voulez-vous faire de ce message ?"
NO_BUTTON = "Aucun bouton ne porte ce numéro"


def count(play: Scene, table: type) -> int:
    return play.app.database.run_now(lambda s: s.scalar(select(func.count()).select_from(table)) or 0)


def doubt(place: Place) -> Shown:
    return place.sees(DOUBT)


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


# --- numbers


async def test_a_number_presses_by_reply_by_command_by_reaction_and_alone(
    prefecture: Place, consulate: Place, play: Scene
) -> None:
    for number, press in enumerate(("reply", "command", "reaction", "alone", "slash", "choice"), 1):
        await prefecture.slash("question", SAARBRUCKEN)
        card = consulate.sees(f"Q-2026-{number:05}")
        match press:
            case "reply":
                await consulate.say(" 1 ", mention=False, reply_to=card)
            case "command":
                await consulate.say("!choix 1", mention=False, reply_to=card)
            case "reaction":
                await consulate.react(card, "1️⃣")
            case "alone":
                await consulate.say("1")
            case "slash":
                await consulate.invoke("choix", "1", pressed=card.id)
            case "choice":
                await consulate.say("!choice 1", mention=False)
        assert "Prise par" in card.text, press


async def test_ten_is_a_number_too(prefecture: Place, consulate: Place) -> None:
    await prefecture.slash("question", SAARBRUCKEN)
    card = consulate.sees("Q-2026-00001")
    await consulate.react(card, "🔟")
    consulate.sees(NO_BUTTON)


async def test_a_number_without_a_button_is_told(prefecture: Place, consulate: Place) -> None:
    await prefecture.slash("question", SAARBRUCKEN)
    card = consulate.sees("Q-2026-00001")
    for line in ("!choix", "!choix 0", "!choix 11", "!choix deux", "!choix -1", "9", "10"):
        await consulate.say(line, mention=False, reply_to=card)
        assert NO_BUTTON in consulate.posts[-1].text, line
    assert "En attente" in card.text


async def test_a_number_in_a_thread_means_that_questions_card_and_no_other(
    prefecture: Place, consulate: Place, play: Scene
) -> None:
    first = await prefecture.say(SAARBRUCKEN)
    await prefecture.slash("question", SAARBRUCKEN)
    assert prefecture.sees("Q-2026-00001").buttons == ["Compléter", "Rediriger", "Annuler", "Historique"]
    await prefecture.say("3", mention=False, thread=first)
    assert play.question("Q-2026-00001").state == "cancelled"
    assert play.question("Q-2026-00002").state == "routed"
    await prefecture.say("9", mention=False, thread=first)
    prefecture.sees(NO_BUTTON)
    assert play.question("Q-2026-00002").state == "routed"


async def test_a_reaction_presses_only_what_the_bot_said(prefecture: Place, consulate: Place, play: Scene) -> None:
    first = await prefecture.say(SAARBRUCKEN)
    card = consulate.sees("Q-2026-00001")
    colleague = await prefecture.as_("collegue").say("1, 2 ou 3 ?", mention=False)
    before = len(prefecture.posts)
    for said in (first, colleague):
        await prefecture.react(Shown(said, prefecture.to(), Card(), ""), "1️⃣")
    await consulate.react(card, "👍")
    assert len(prefecture.posts) == before
    assert play.question().state == "routed"


async def test_an_old_button_that_a_card_lost_gets_a_word(prefecture: Place, consulate: Place) -> None:
    await prefecture.slash("question", SAARBRUCKEN)
    card = consulate.sees("Q-2026-00001")
    await prefecture.click(prefecture.sees("En attente"), "Annuler")
    await consulate.react(card, "2️⃣")
    consulate.sees(NO_BUTTON)


# --- prompts


async def test_what_follows_a_prompt_completes_it(prefecture: Place, consulate: Place, play: Scene) -> None:
    await prefecture.slash("question", SAARBRUCKEN)
    card = consulate.sees("Q-2026-00001")
    await consulate.click(card, "Répondre")
    await consulate.say("La réponse, enfin.")
    prefecture.sees("La réponse, enfin.")
    assert count(play, Question) == 1


async def test_what_a_colleague_says_does_not_complete_it_unless_they_reply_to_it(
    prefecture: Place, consulate: Place, play: Scene
) -> None:
    await prefecture.slash("question", SAARBRUCKEN)
    await consulate.click(consulate.sees("Q-2026-00001"), "Répondre")
    prompt = consulate.sees("Écrivez votre réponse")
    await consulate.as_("collegue").say("demandes")
    prefecture.sees_not("demandes")
    await consulate.as_("collegue").say("C'est moi qui réponds.", mention=False, reply_to=prompt)
    prefecture.sees("C'est moi qui réponds.")


async def test_a_prompt_is_forgotten_after_a_while_and_when_something_else_was_said(
    prefecture: Place, consulate: Place, play: Scene
) -> None:
    await prefecture.slash("question", SAARBRUCKEN)
    card = consulate.sees("Q-2026-00001")
    await consulate.click(card, "Répondre")
    play.clock.pass_(minutes=11)
    await consulate.say("demandes")
    consulate.sees("Questions en cours")


async def test_a_command_said_after_a_prompt_does_not_cross_as_the_answer(prefecture: Place, consulate: Place) -> None:
    await prefecture.slash("question", SAARBRUCKEN)
    card = consulate.sees("Q-2026-00001")
    for line in ("demandes", "annuaire consulat-munich", "question", "aide"):
        await consulate.click(card, "Répondre")
        await consulate.say(line)
        prefecture.sees_not(line)


async def test_an_answer_may_begin_like_a_command(prefecture: Place, consulate: Place) -> None:
    await prefecture.slash("question", SAARBRUCKEN)
    card = consulate.sees("Q-2026-00001")
    for line in ("Question réglée : il est authentique.", "Prendre contact avec la mairie.", "2"):
        await consulate.click(card, "Répondre")
        await consulate.say(line)
        assert prefecture.posts[-1].text.endswith(line)


async def test_whatever_replies_to_the_prompt_itself_is_the_answer(prefecture: Place, consulate: Place) -> None:
    await prefecture.slash("question", SAARBRUCKEN)
    await consulate.click(consulate.sees("Q-2026-00001"), "Répondre")
    await consulate.say("aide", reply_to=consulate.sees("Écrivez votre réponse"))
    assert "aide" in prefecture.sees("Consulat général de France à Francfort** ·").text


async def test_a_prompt_for_a_question_asks_it(prefecture: Place, consulate: Place) -> None:
    await prefecture.slash("question")
    prefecture.sees("Écrivez votre question")
    await prefecture.say(SAARBRUCKEN)
    consulate.sees("Q-2026-00001")


# --- in a thread under a card


async def test_the_askers_words_said_to_the_bot_cross_too(prefecture: Place, consulate: Place, play: Scene) -> None:
    first = await prefecture.say(SAARBRUCKEN)
    await prefecture.say("Il est de 1987.", thread=first)
    consulate.sees("Il est de 1987.")
    assert count(play, Question) == 1


async def test_a_mention_under_a_card_may_be_the_answer_so_it_asks(
    prefecture: Place, consulate: Place, play: Scene
) -> None:
    await prefecture.slash("question", SAARBRUCKEN)
    card = consulate.sees("Q-2026-00001")
    await consulate.say("Le Standesamt confirme.", reply_to=card)
    assert doubt(consulate).buttons == ["Répondre à Q-2026-00001", "Nouvelle question"]
    prefecture.sees_not("Standesamt")
    await consulate.click(doubt(consulate), "Répondre à Q-2026-00001")
    prefecture.sees("Le Standesamt confirme.")
    assert count(play, Question) == 1


async def test_a_long_mention_under_a_card_and_one_of_the_askers_colleagues_are_questions(
    prefecture: Place, consulate: Place, play: Scene
) -> None:
    first = await prefecture.say(SAARBRUCKEN)
    await consulate.say(SAARBRUCKEN + " " + "x" * CARRIED, reply_to=consulate.sees("Q-2026-00001"))
    assert count(play, Question) == 2
    await prefecture.as_("collegue").say(SAARBRUCKEN, thread=first)
    assert count(play, Question) == 3


# --- in a direct room


@pytest.fixture
def alone(prefecture: Place, play: Scene, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A person of the prefecture in their direct room with the bot."""
    return in_private(play, monkeypatch)


async def test_quick_successive_messages_are_one_question(alone: Place, consulate: Place, play: Scene) -> None:
    await alone.say(SAARBRUCKEN, mention=False)
    for minutes, words in ((2, "Il est de 1987."), (2, "La mère s'appelle Exemple."), (2.9, "Merci d'avance.")):
        play.clock.pass_(minutes=minutes)
        await alone.say(words, mention=False)
        consulate.sees(words)
    assert count(play, Question) == 1


async def test_later_it_asks_what_is_meant(alone: Place, consulate: Place, play: Scene) -> None:
    await alone.say(SAARBRUCKEN, mention=False)
    play.clock.pass_(minutes=4)
    await alone.say("Un acte de mariage de Sarrebruck ?", mention=False)
    assert doubt(alone).buttons == ["Suite de Q-2026-00001", "Nouvelle question"]
    consulate.sees_not("mariage")
    await alone.say("1", mention=False)
    consulate.sees("Un acte de mariage de Sarrebruck ?")
    play.clock.pass_(minutes=4)
    await alone.say("Un acte de décès de Sarrebruck ?", mention=False)
    await alone.click(doubt(alone), "Nouvelle question")
    assert play.question("Q-2026-00002").text == "Un acte de décès de Sarrebruck ?"


async def test_what_is_too_long_for_a_button_is_a_question(alone: Place, consulate: Place, play: Scene) -> None:
    await alone.say(SAARBRUCKEN, mention=False)
    play.clock.pass_(minutes=4)
    await alone.say(SAARBRUCKEN + " " + "x" * CARRIED, mention=False)
    assert count(play, Question) == 2


async def test_once_nothing_is_open_what_is_said_is_a_question(alone: Place, consulate: Place, play: Scene) -> None:
    await alone.say(SAARBRUCKEN, mention=False)
    await alone.say("clore Q-2026-00001", mention=False)
    await alone.say(SAARBRUCKEN, mention=False)
    assert count(play, Question) == 2


async def test_a_reply_goes_to_its_question_however_late(alone: Place, consulate: Place, play: Scene) -> None:
    first = await alone.say(SAARBRUCKEN, mention=False)
    await alone.say(f"!question {SAARBRUCKEN}", mention=False)
    play.clock.pass_(hours=5)
    await alone.say("Il est de 1987.", mention=False, reply_to=first)
    assert "Q-2026-00001" in consulate.sees("Il est de 1987.").text
    await alone.say("Et celui-ci de 1990.", mention=False, reply_to=alone.sees("Q-2026-00002"))
    assert "Q-2026-00002" in consulate.sees("Et celui-ci de 1990.").text


async def test_commands_work_there_without_a_sign(alone: Place, play: Scene) -> None:
    await alone.say("demandes", mention=False)
    alone.sees("Aucune question en cours")
    await alone.say("langue en", mention=False)
    await alone.say("help", mention=False)
    alone.sees("what I can do")


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
