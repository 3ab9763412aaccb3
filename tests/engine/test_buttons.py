"""A number presses a button: as a reply, a command, a reaction, or alone."""

from bot.card import Card
from tests.engine.meant import NO_BUTTON
from tests.stories.conftest import SAARBRUCKEN
from tests.stories.scene import Place, Scene, Shown


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
