"""Closing a question: nothing more is expected."""

from bot.card import Reply
from bot.command import command
from bot.context import Context
from bot.conversation import redraw
from bot.conversation.telling import tell_other
from bot.questions import moves
from bot.questions.tables import Question


@command("clore", alias="close")
def close(ctx: Context, question: Question) -> Reply:
    """Close a question; the other side is told."""
    moves.make(ctx.session, "close", ctx.actor, question, ctx.now)
    redraw(ctx, question)
    tell_other(ctx, question, "close", ctx.actor)
    return None
