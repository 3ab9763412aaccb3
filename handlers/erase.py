"""Erasing a person from chat: what it would delete is shown, a second administrator lets it happen."""

from typing import Literal

from bot import foureyes
from bot.card import Card, Paragraph, Reply
from bot.command import command
from bot.context import Context
from bot.directory.tables import Person
from bot.errors import UserError
from bot.rights import Denied, may
from bot.texts import Text

ERASE = "person.erase"


@command("effacer", alias="erase", right="administrator", private=True)
def erase(ctx: Context, personne: str) -> Reply:
    """Ask that all that is kept of a person be deleted; a second administrator must agree."""
    if not may(ctx.actor.rights, ERASE):
        raise Denied(ERASE, "right.missing", right=Text.of("right.administrator"))
    if ctx.session.get(Person, personne) is None:
        raise UserError("rights.unknown_person", person=personne[:80])
    return foureyes.ask(ctx, ERASE, {"person": personne}, Text.of("four_eyes.person.erase.of", id=personne))


@command("quatre_yeux", alias="four_eyes", private=True, listed=False)
def settle(ctx: Context, numero: str, choix: Literal["oui", "non"]) -> Reply:
    """Let an act that somebody else asked for happen, or refuse it; withdraw one's own."""
    if not (numero.isascii() and numero.isdecimal() and len(numero) <= 9):
        raise UserError("four_eyes.over")
    return Card(None, (Paragraph(foureyes.decide(ctx, int(numero), yes=choix == "oui")),))
