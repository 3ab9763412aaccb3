"""Showing a question to those who may see it: asked for, or where its number is quoted."""

from dataclasses import replace

from bot.card import Card, Reply
from bot.command import command
from bot.context import Context
from bot.errors import UserError
from bot.message import Address, Message
from bot.posts import Placing
from bot.questions import cards, moves
from bot.questions.tables import Question


@command("voir", alias="show", private=True)
def show(ctx: Context, question: Question) -> Reply:
    """Show a question: where it stands, and what can be done next."""
    card = _card(ctx, question)
    if card is None:
        raise UserError("question.not_yours", number=question.number)
    return card


@command("citation", alias="quotation", listed=False)
def quoted(ctx: Context, question: Question) -> Reply:
    """Show a question whose number was quoted among colleagues, under the message, once an hour; else say nothing."""
    card = _card(ctx, question)
    if card is not None:
        key = f"quoted/{ctx.to.platform}/{ctx.to.room}/{question.number}/{ctx.now:%Y%m%d%H}"
        ctx.outbox.put(_beneath(ctx), card, key=key, placing=Placing(sealed=question.sealed))
    return None


def _beneath(ctx: Context) -> Address:
    said = ctx.inbound.message_id if isinstance(ctx.inbound, Message) else None
    return replace(ctx.to, thread=ctx.to.thread or said)


def _card(ctx: Context, question: Question) -> Card | None:
    sides = moves.sides_of(ctx.session, ctx.actor, question)
    if not sides:
        return None
    return cards.summary(ctx.directory(), question, "asker" if "asker" in sides else "recipient")
