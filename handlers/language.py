"""The language in which a person is answered in private, or a room is written to."""

from typing import Literal

from bot.card import Card, Paragraph, Reply
from bot.command import command
from bot.context import Context
from bot.directory.files import PEOPLE
from bot.directory.history import Author, record
from bot.directory.rooms import room_of, speak
from bot.directory.tables import Person
from bot.errors import UserError
from bot.rights import Denied, Scope, may
from bot.texts import Text


@command("langue", alias="language", private=True)
def language(ctx: Context, langue: Literal["fr", "en"]) -> Reply:
    """Choose French or English: in a direct room for oneself, elsewhere for the room."""
    if ctx.to.surface == "room":
        place = room_of(ctx.session, ctx.to.platform, ctx.to.room)
        if place is None or place.organisation is None:
            raise UserError("link.not_linked")
        its = place.organisation == ctx.actor.organisation
        scopes: tuple[Scope, ...] = ("organisation",) if its else ()
        if not may(ctx.actor.rights, "room.language", *scopes):
            raise Denied("room.language", "language.not_yours")
        speak(ctx.session, ctx.to.platform, ctx.to.room, langue, author=_author(ctx))
    elif ctx.actor.person is not None:
        person = ctx.session.get_one(Person, ctx.actor.person)
        record(
            ctx.session, _author(ctx), PEOPLE, {"id": person.id}, {"language": person.language}, {"language": langue}
        )
        person.language = langue
    return Card(None, (Paragraph(Text.of(f"language.{langue}")),))


def _author(ctx: Context) -> Author:
    return Author(ctx.now, "command", ctx.actor.person, ctx.inbound.author.id)
