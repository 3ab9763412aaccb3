"""What an encrypted room keeps."""

from dataclasses import replace
from typing import Any, cast

from bot.message import CROSSING
from tests.stories.conftest import SAARBRUCKEN
from tests.stories.ways.ground import ANOTHER, CANARY, SECRET, Ground, way


@way("sealed")
async def answered(at: Ground) -> None:
    await at.consulate.say(f"!repondre {CANARY}", mention=False, thread=at.card)
    at.prefecture.sees("salon chiffré")


@way("sealed")
async def answered_with_a_file(at: Ground) -> None:
    await at.consulate.say(
        f"!repondre {CANARY}", mention=False, thread=at.card, files={f"{CANARY}.pdf": CANARY.encode()}
    )


@way("sealed")
async def rewritten(at: Ground) -> None:
    said = await at.consulate.say("!repondre Oui", mention=False, thread=at.card)
    await at.consulate.edit(said, f"!repondre {CANARY}")


@way("sealed")
async def let_across(at: Ground) -> None:
    said = await at.intern.say(CANARY, mention=False, thread=at.card)
    await at.consulate.react(said, CROSSING)


@way("sealed")
async def talked(at: Ground) -> None:
    await at.consulate.say(f"!dialogue {at.number}", mention=False)
    await at.intern.say(CANARY, mention=False, thread=at.card)


@way("sealed")
async def asked_from_within(at: Ground) -> None:
    await at.consulate.say(
        f"La préfecture de la Moselle peut-elle vérifier une attestation d'accueil {CANARY} à Metz ?"
    )
    await at.consulate.say(f"{CANARY} encore", mention=True)


@way("sealed")
async def moved_on(at: Ground) -> None:
    await asked_from_within(at)
    await at.consulate.say("!rediriger Q-2026-00002 consulat-munich", mention=False)


@way("sealed")
async def by_form_from_within(at: Ground) -> None:
    await at.consulate.fill("repondre", at.number, text=CANARY)


@way("sealed")
async def asked_back_from_within(at: Ground) -> None:
    await at.consulate.say(f"!preciser {at.number} {CANARY} ?", mention=False)
    at.prefecture.sees("salon chiffré")


@way("sealed")
async def redirected_with_a_reason(at: Ground) -> None:
    await at.consulate.say(f"!rediriger {at.number} consulat-munich car {CANARY}", mention=False)
    at.munich.sees(at.number)


@way("sealed")
async def raised_with_a_reason(at: Ground) -> None:
    await at.consulate.say(f"!signaler {at.number} {CANARY}", mention=False)
    at.prefecture.sees("signalée")


@way("sealed")
async def split_from_within(at: Ground) -> None:
    await at.consulate.say(f"!scinder {at.number} {ANOTHER} {CANARY}", mention=False)


@way("sealed")
async def kept_from_within(at: Ground) -> None:
    await at.consulate.say(f"!repondre {CANARY}", mention=False, thread=at.card)
    await at.consulate.say(f"!noter {at.number}", mention=False)
    await at.prefecture.say(f"!avis {at.number} oui", mention=False)
    await at.alsace.say(f"!question {SAARBRUCKEN}", mention=False)


@way("sealed")
async def waited_for_from_within(at: Ground) -> None:
    """Asked in the encrypted room, and reminded of, raised and closed elsewhere."""
    await asked_from_within(at)
    for day in ("17T17:30", "19T14:00", "20T14:00", "23T14:00", "24T14:00", "26T14:00"):
        await at.play.at(f"2026-03-{day}")


@way("sealed")
async def in_the_agenda_from_within(at: Ground) -> None:
    """An event and a visit, shown in lists, on cards, to the prefects of the border, and in a calendar file."""
    await at.consulate.say(f"!evenement 2026-03-20 10h-12h Metz entretien {CANARY}", mention=False)
    await at.consulate.say(f"!visite 2026-03-21 10h-12h Berlin entretien {CANARY} sur les frontaliers", mention=False)
    await at.play.tick()
    for place in (at.prefecture, at.munich):
        await place.say("!agenda E-1", mention=False)
        await place.say("!visite E-2", mention=False)
    at.prefecture.sees("salon chiffré")
    at.export()


@way("sealed", but={"matrix"})  # where an organisation has one room
async def changed_from_another_room(at: Ground) -> None:
    """Who entered an event may cancel and move it in a room in clear, but reads nothing of it there."""
    within = at.guest("titulaire", at.consulate.room)
    await within.say(f"!evenement 2026-03-20 10h-12h Metz entretien {CANARY}", mention=False)
    beside = cast("Any", at.play).link("consulat-francfort", "salon en clair").as_("titulaire")
    for line in ("E-1", "annuler E-1", "déplacer E-1 21 mars 15h"):
        await beside.say(f"!agenda {line}", mention=False)
    reply = await beside.slash("evenement", "modifier E-1", forms=True)
    assert CANARY not in repr(reply)
    beside.sees("salon chiffré")


@way("sealed", but={"matrix"})  # whose rooms are encrypted from the beginning
async def once_the_room_was_encrypted(at: Ground) -> None:
    """What was said in clear is rewritten, completed or goes on where it is not any more."""
    before = replace(cast("Any", at.consulate), encrypted=False)
    answer = await before.say("!repondre Oui.", mention=False, thread=at.card)
    await before.slash("noter", at.number)
    await at.consulate.edit(answer, f"!repondre {CANARY}")
    asked = await before.say("La préfecture de la Moselle peut-elle vérifier une attestation d'accueil à Metz ?")
    at.prefecture.sees("Q-2026-00002")
    await at.consulate.edit(asked, f"La préfecture de la Moselle peut-elle vérifier l'attestation {CANARY} à Metz ?")
    at.play.clock.pass_(minutes=30)
    await before.say("Faut-il un visa pour le Congo ?")
    unclear = at.consulate.sees("Q-2026-00003")
    files = {f"{CANARY}.pdf": CANARY.encode()}
    await at.consulate.say("", mention=False, thread=unclear, files=files)
    await at.consulate.say(CANARY, mention=False, thread=unclear)
    await before.slash("rediriger", "Q-2026-00003 consulat-munich")
    at.munich.sees("Q-2026-00003")


@way("sealed", but={"matrix"})
async def held_until_the_room_was_encrypted(at: Ground) -> None:
    """What waits for its author's choice is rewritten meanwhile."""
    before = replace(cast("Any", at.consulate), encrypted=False)
    held = await before.say(f"!repondre {SECRET}", mention=False, thread=at.card)
    await at.consulate.edit(held, f"!repondre {CANARY}")
    await before.click(before.sees("Pas encore envoyé"), "Envoyer tel quel")
