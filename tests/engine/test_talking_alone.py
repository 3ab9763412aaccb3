"""In a conversation with the bot alone: what is said is a question, belongs to one, or is asked about."""

import pytest

from bot.interpret import CARRIED
from bot.questions.tables import Question
from tests.engine.meant import count, doubt
from tests.stories.conftest import SAARBRUCKEN
from tests.stories.scene import Place, Scene, in_private


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
