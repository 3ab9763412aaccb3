"""Showing a question to those who may see it: asked for, or where its number is quoted."""

from collections.abc import Collection
from dataclasses import replace

from bot.card import Card, Reply
from bot.command import command
from bot.context import Context
from bot.message import Address, Message
from bot.posts import Placing, Side
from bot.questions import cards, moves
from bot.questions.tables import Question


@command("voir", alias="show", private=True)
def show(ctx: Context, question: Question) -> Reply:
    """Show a question: where it stands, and what can be done next."""
    return _summary(ctx, question, moves.sides_for(ctx.session, "see", ctx.actor, question))


@command("citation", alias="quotation", listed=False)
def quoted(ctx: Context, question: Question) -> Reply:
    """Show a question whose number was quoted among colleagues, under the message, once an hour; else say nothing."""
    sides = moves.sides_of(ctx.session, ctx.actor, question)
    if sides:
        card = _summary(ctx, question, sides)
        key = f"quoted/{ctx.to.platform}/{ctx.to.room}/{question.number}/{ctx.now:%Y%m%d%H}"
        ctx.outbox.put(_beneath(ctx), card, key=key, placing=Placing(sealed=question.sealed))
    return None


def _beneath(ctx: Context) -> Address:
    said = ctx.inbound.message_id if isinstance(ctx.inbound, Message) else None
    return replace(ctx.to, thread=ctx.to.thread or said)


def _summary(ctx: Context, question: Question, sides: Collection[Side]) -> Card:
    return cards.summary(ctx.directory(), question, "asker" if "asker" in sides else "recipient")
