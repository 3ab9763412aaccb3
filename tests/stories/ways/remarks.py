"""What colleagues say among themselves."""

from unittest import mock

from bot.message import CROSSING
from bot.questions import passages
from tests.stories.conftest import SAARBRUCKEN
from tests.stories.ways.ground import ANOTHER, CANARY, COLIBRI, GUESTS, Ground, way


@way("remark")
async def beneath_the_card(at: Ground) -> None:
    await at.intern.say(f"{CANARY} ?", mention=False, thread=at.card)
    await at.intern.say(f"{CANARY} ?", mention=False, reply_to=at.card)
    await at.colleague.say(f"{COLIBRI} ?", mention=False, thread=at.root)


@way("remark")
async def in_the_room(at: Ground) -> None:
    await at.intern.say(f"{CANARY} ?", mention=False)
    await at.intern.say(f"{at.number} : {CANARY} ?", mention=False)


@way("remark")
async def near_misses_of_a_command(at: Ground) -> None:
    for words in (
        f"repondre {CANARY}",
        f"répondez-leur {CANARY}",
        f"1 {CANARY}",
        f"réponse : {CANARY}",
        f"📨 {CANARY}",
    ):
        await at.intern.say(words, mention=False, thread=at.card)


@way("remark", offered=True)
async def said_to_the_bot_in_the_thread(at: Ground) -> None:
    await at.intern.say(f"{CANARY}, qu'en penses-tu ?", mention=True, thread=at.card)


@way("remark")
async def other_emoji(at: Ground) -> None:
    said = await at.intern.say(CANARY, mention=False, thread=at.card)
    for emoji in ("👍", "✉️", "📩", "📧", ":incoming_envelopes:", "1️⃣"):
        await at.intern.react(said, emoji)


@way("remark", guests=GUESTS)
async def the_emoji_of_somebody_else(at: Ground) -> None:
    """Of a stranger, and of people whom the directory knows elsewhere: those who are asked nothing, and who ask."""
    said = await at.intern.say(CANARY, mention=False, thread=at.card)
    for somebody in (at.stranger, at.guest("munichois", "consulat-munich"), at.guest("messin", at.prefecture.room)):
        await somebody.react(said, CROSSING)


@way("remark", guests=GUESTS)
async def the_button_of_somebody_else(at: Ground) -> None:
    """Of a stranger and of somebody of another post, who would have all cross from now on."""
    await at.consulate.click(at.card, "Prendre")
    for somebody in (at.stranger, at.guest("munichois", "consulat-munich")):
        await somebody.click(at.card, "Répondre")
        await somebody.slash("dialogue", f"{at.number} ouvrir")
    await at.intern.say(CANARY, mention=False, thread=at.card)
    await at.intern.say(CANARY, mention=False, reply_to=at.card)


@way("remark")
async def beside_what_a_colleague_is_asked(at: Ground) -> None:
    """The bot waits for a colleague's answer; what others say meanwhile is none."""
    await at.consulate.say(f"!repondre {at.number}", mention=False, thread=at.card)
    at.consulate.sees("Écrivez votre réponse")
    await at.intern.say(CANARY, mention=False, thread=at.card)
    await at.intern.say(CANARY, mention=False)


@way("remark")
async def the_emoji_on_words_that_were_rewritten(at: Ground) -> None:
    said = await at.intern.say(CANARY, mention=False, thread=at.card)
    await at.intern.edit(said, "L'acte est authentique.")
    await at.intern.react(said, CROSSING)
    at.prefecture.sees("authentique")


@way("remark")
async def the_emoji_before_words_were_taken_back(at: Ground) -> None:
    said = await at.intern.say(CANARY, mention=False, thread=at.card)
    await at.intern.react_too_late(said, CROSSING)


@way("remark")
async def an_edit_of_a_remark(at: Ground) -> None:
    said = await at.intern.say("Bonjour", mention=False, thread=at.card)
    await at.intern.edit(said, CANARY)
    await at.intern.edit(said, f"!repondre {at.number} {CANARY}")


@way("remark", but={"slack"})  # which lets nobody try
async def an_edit_of_somebody_elses_answer(at: Ground) -> None:
    said = await at.consulate.say("!repondre Oui.", mention=False, thread=at.card)
    await at.intern.edit(said, CANARY)


@way("remark")
async def a_file_among_colleagues(at: Ground) -> None:
    await at.intern.say("", mention=False, thread=at.card, files={f"{CANARY}.pdf": CANARY.encode()})
    await at.intern.say("note", mention=False, files={f"{CANARY}.pdf": CANARY.encode()})


@way("remark")
async def a_shortcut_on_a_remark(at: Ground) -> None:
    said = await at.intern.say(CANARY, mention=False, thread=at.card)
    await at.intern.shortcut("repondre", said)
    await at.intern.say(f"Voyez {at.number}", mention=False, reply_to=said)


@way("remark")
async def around_the_dialogue(at: Ground) -> None:
    await at.intern.say(CANARY, mention=False, thread=at.card)
    await at.consulate.slash("dialogue", f"{at.number} ouvrir")
    await at.consulate.slash("dialogue", f"{at.number} fermer")
    await at.intern.say(CANARY, mention=False, thread=at.card)
    await at.colleague.say(COLIBRI, mention=False, thread=at.root)


@way("remark")
async def beside_the_dialogue(at: Ground) -> None:
    await at.consulate.slash("dialogue", f"{at.number} ouvrir")
    await at.intern.say(CANARY, mention=False)
    await at.prefecture.say(ANOTHER)
    other = at.consulate.sees("Q-2026-00002")
    await at.intern.say(CANARY, mention=False, thread=other)


@way("remark")
async def after_the_question_moved(at: Ground) -> None:
    await at.intern.say(CANARY, mention=False, thread=at.card)
    await at.consulate.slash("rediriger", f"{at.number} consulat-munich")
    await at.intern.say(CANARY, mention=False, thread=at.card)


@way("remark")
async def in_a_note_to_the_clockwork(at: Ground) -> None:
    await at.intern.say(CANARY, mention=False, thread=at.card)
    for line in ("prendre", "clore", "rouvrir"):
        await at.consulate.slash(line, at.number)


@way("remark")
async def while_time_passes(at: Ground) -> None:
    """Through reminders, the ladder, an answer, a silence and its end."""
    await at.intern.say(CANARY, mention=False, thread=at.card)
    for day in ("17T17:30", "19T14:00", "20T14:00", "23T14:00", "24T14:00"):
        await at.play.at(f"2026-03-{day}")
    await at.consulate.slash("repondre", f"{at.number} Oui.")
    await at.intern.say(CANARY, mention=False, thread=at.card)
    for day in ("2026-04-07T14:00", "2026-04-13T14:00"):
        await at.play.at(day)
    at.prefecture.sees("faute de suite")


@way("remark")
async def around_an_answer_that_is_kept(at: Ground) -> None:
    """Beside a note, a like question, a split and a merging."""
    await at.intern.say(CANARY, mention=False, thread=at.card)
    await at.consulate.say("!repondre Voyez le registre.", mention=False, thread=at.card)
    await at.consulate.slash("noter", at.number)
    await at.intern.say(CANARY, mention=False, thread=at.card)
    await at.consulate.slash("scinder", f"{at.number} {ANOTHER}")
    await at.prefecture.slash("fusionner", f"Q-2026-00002 {at.number}")
    await at.alsace.say(f"!question {SAARBRUCKEN}", mention=False)
    at.alsace.sees("Voyez le registre.")


@way("remark", but={"slack", "matrix"})
async def beside_what_fails(at: Ground) -> None:
    """An answer that cannot be handled is told to nobody but its author, and to no administrator, log or measure."""
    await at.intern.say(CANARY, mention=False, thread=at.card)
    with mock.patch.object(passages, "answered", side_effect=RuntimeError(COLIBRI)):
        await at.consulate.say("!repondre Oui.", mention=False, thread=at.card)
    at.consulate.sees("je n’ai pas pu traiter")
