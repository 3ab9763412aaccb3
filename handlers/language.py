"""The language in which a person is answered in private, or a room is written to."""

from typing import Literal

from bot.card import Card, Paragraph, Reply
from bot.command import command
from bot.context import Context
from bot.directory.rooms import room_of
from bot.directory.tables import Person
from bot.errors import UserError
from bot.texts import Text


@command("langue", alias="language", private=True)
def language(ctx: Context, langue: Literal["fr", "en"]) -> Reply:
    """Choose French or English: in a direct room for oneself, elsewhere for the room."""
    if ctx.to.surface == "room":
        row = room_of(ctx.session, ctx.to.platform, ctx.to.room)
        if row is None:
            raise UserError("link.not_linked")
        row.language = langue
    elif ctx.actor.person is not None:
        ctx.session.get_one(Person, ctx.actor.person).language = langue
    return Card(None, (Paragraph(Text.of(f"language.{langue}")),))
