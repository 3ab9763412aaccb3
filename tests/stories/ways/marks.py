"""What is under a mark of protection."""

from unittest import mock

from bot import dispatch
from bot.message import CROSSING
from tests.stories.ways.ground import CANARY, MARKED, Ground, way


@way("marked")
async def answered_under_a_mark(at: Ground) -> None:
    await at.consulate.say(f"!repondre {MARKED}", mention=False, thread=at.card)
    await at.consulate.say(f"!repondre {at.number}\n\n{MARKED}", mention=False)
    at.consulate.sees("mention de protection")


@way("marked")
async def let_across_under_a_mark(at: Ground) -> None:
    said = await at.intern.say(MARKED, mention=False, thread=at.card)
    await at.consulate.react(said, CROSSING)


@way("marked")
async def talked_under_a_mark(at: Ground) -> None:
    await at.consulate.slash("dialogue", f"{at.number} ouvrir")
    await at.intern.say(MARKED, mention=False, thread=at.card)


@way("marked")
async def rewritten_under_a_mark(at: Ground) -> None:
    said = await at.consulate.say("!repondre Oui.", mention=False, thread=at.card)
    await at.consulate.edit(said, f"!repondre {MARKED}")


@way("marked")
async def named_under_a_mark(at: Ground) -> None:
    """A mark in the name of a file is one."""
    files = {f"SECRET DEFENSE {CANARY}.pdf": CANARY.encode()}
    await at.consulate.say("!repondre Voici.", mention=False, thread=at.card, files=files)
    await at.consulate.slash("dialogue", f"{at.number} ouvrir")
    await at.intern.say("", mention=False, thread=at.card, files=files)


@way("marked", but={"slack", "matrix"})
async def failed_under_a_mark(at: Ground) -> None:
    """What fails before its mark was seen is not kept to be tried again."""
    with mock.patch.object(dispatch, "identify", side_effect=RuntimeError(CANARY)):
        await at.consulate.say(f"!repondre {MARKED}", mention=False, thread=at.card)
    at.consulate.sees("mention de protection")
