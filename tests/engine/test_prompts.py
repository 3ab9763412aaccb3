"""What follows a prompt completes it, and what was not meant for it does not."""

from bot.interpret import CARRIED
from bot.questions.tables import Question
from tests.engine.meant import count, doubt
from tests.stories.conftest import SAARBRUCKEN
from tests.stories.scene import Place, Scene


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
