"""Identifiers of persons whose author has not chosen: in answers, in questions, and elsewhere."""

from bot.message import CROSSING
from tests.stories.conftest import SAARBRUCKEN
from tests.stories.ways.ground import ANOTHER, GUESTS, SECRET, Ground, way


@way("identifier")
async def in_an_answer(at: Ground) -> None:
    await at.consulate.say(f"!repondre {at.number} {SECRET}", mention=False)


@way("identifier")
async def in_a_form(at: Ground) -> None:
    await at.consulate.fill("repondre", at.number, text=f"Voici : {SECRET}")


@way("identifier")
async def by_the_emoji(at: Ground) -> None:
    said = await at.intern.say(SECRET, mention=False, thread=at.card)
    await at.consulate.react(said, CROSSING)


@way("identifier")
async def in_the_dialogue(at: Ground) -> None:
    await at.consulate.slash("dialogue", at.number)
    await at.intern.say(SECRET, mention=False, thread=at.card)


@way("identifier")
async def by_an_edit(at: Ground) -> None:
    said = await at.consulate.say("!repondre Oui.", mention=False, thread=at.card)
    await at.consulate.edit(said, f"!repondre Oui, {SECRET}.")


@way("identifier")
async def by_an_edit_of_the_masked(at: Ground) -> None:
    said = await at.consulate.say(f"!repondre {SECRET}", mention=False, thread=at.card)
    await at.consulate.click(at.consulate.sees("Pas encore envoyé"), "Masquer")
    await at.consulate.edit(said, f"!repondre Bien {SECRET}")
    at.prefecture.sees("Bien")


@way("identifier")
async def by_asking_back(at: Ground) -> None:
    await at.consulate.slash("preciser", f"{at.number} Est-ce {SECRET} ?")


@way("identifier")
async def in_the_name_of_a_file(at: Ground) -> None:
    await at.consulate.say("!repondre Voici", mention=False, thread=at.card, files={f"passeport {SECRET}.pdf": b"%PDF"})


@way("identifier")
async def by_the_choice_of_another(at: Ground) -> None:
    await at.consulate.say(f"!repondre {SECRET}", mention=False, thread=at.card)
    await at.intern.click(at.consulate.sees("Pas encore envoyé"), "Envoyer tel quel")
    for number in ("1", "01", "１", "-1", "9" * 30, "x"):
        for somebody in (at.intern, at.prefecture):
            await somebody.say(f"!decider {number} tel_quel", mention=False)


@way("identifier", guests=GUESTS)
async def by_the_choice_of_somebody_else(at: Ground) -> None:
    """Where the directory knows who is asked, a homeserver has them asked alone."""
    await at.consulate.say(f"!repondre {SECRET}", mention=False, thread=at.card)
    choice = at.consulate.sees("Pas encore envoyé")
    others = (at.guest("munichois", "consulat-munich"), at.guest("messin", at.prefecture.room))
    for somebody in (at.intern, at.stranger, *others):
        await somebody.click(choice, "Envoyer tel quel")
        await somebody.say("!decider 1 tel_quel", mention=False)


@way("identifier")
async def by_giving_up(at: Ground) -> None:
    await at.consulate.say(f"!repondre {SECRET}", mention=False, thread=at.card)
    choice = at.consulate.sees("Pas encore envoyé")
    await at.consulate.click(choice, "Ne pas envoyer")
    await at.consulate.click(choice, "Envoyer tel quel")


@way("identifier")
async def disguised(at: Ground) -> None:
    await at.consulate.say(
        f"!repondre {at.number} 12\u200bAB\u200b34567 et **12**AB34567 et １２AB34567", mention=False
    )


@way("identifier")
async def in_the_reason_of_a_redirection(at: Ground) -> None:
    await at.consulate.slash("rediriger", f"{at.number} consulat-munich car le passeport {SECRET} y est")
    at.munich.sees("y est")


@way("identifier")
async def in_the_reason_of_a_raising(at: Ground) -> None:
    await at.consulate.slash("signaler", f"{at.number} voir 12\u200bAB34567 et {SECRET}")
    at.prefecture.sees("signalée")


@way("identifier")
async def in_the_agenda(at: Ground) -> None:
    """In a list, on a card, on its buttons, and in a calendar file."""
    day = "2026-03-20 10h-12h Metz"
    await at.consulate.slash("evenement", f"{day} entretien passeport {SECRET}")
    await at.prefecture.say("!agenda E-1", mention=False)
    at.prefecture.sees("entretien passeport •••••")
    await at.consulate.slash("visite", f"2026-03-21 10h-12h Berlin, chez {SECRET}, entretien sur le passeport {SECRET}")
    await at.play.tick()
    at.export()


@way("identifier")
async def kept_as_a_note(at: Ground) -> None:
    """What its author showed to one side is not shown to all."""
    await at.consulate.say(f"!repondre Son passeport {SECRET} est vrai.", mention=False, thread=at.card)
    await at.consulate.click(at.consulate.sees("Pas encore envoyé"), "Masquer")
    await at.consulate.slash("noter", at.number)
    await at.alsace.say(f"!question {SAARBRUCKEN}", mention=False)
    at.alsace.sees("est vrai")


@way("asked")
async def asked(at: Ground) -> None:
    await at.prefecture.say(f"{ANOTHER} Passeport {SECRET}.")


@way("asked")
async def asked_by_form(at: Ground) -> None:
    await at.prefecture.fill("question", text=f"{ANOTHER} Passeport {SECRET}.")


@way("asked")
async def asked_in_parts(at: Ground) -> None:
    await at.prefecture.say(f"Et son passeport {SECRET} ?")


@way("asked")
async def completed(at: Ground) -> None:
    await at.prefecture.say(SECRET, mention=False, thread=at.root)


@way("asked")
async def edited_into_the_question(at: Ground) -> None:
    await at.prefecture.edit(at.root, f"{SAARBRUCKEN} Passeport {SECRET}.")


@way("asked")
async def edited_and_redirected(at: Ground) -> None:
    await at.prefecture.edit(at.root, f"{SAARBRUCKEN} Passeport {SECRET}.")
    await at.prefecture.slash("rediriger", f"{at.number} consulat-munich")


@way("asked")
async def split_off(at: Ground) -> None:
    await at.prefecture.slash("scinder", f"{at.number} {ANOTHER} {SECRET}")


@way("asked")
async def merged(at: Ground) -> None:
    await at.prefecture.say(ANOTHER)
    await at.prefecture.edit(at.root, f"{SAARBRUCKEN} {SECRET}")
    await at.prefecture.slash("fusionner", f"{at.number} Q-2026-00002")
