"""Taking one's question back."""

from bot.card import Reply
from bot.command import command
from bot.context import Context
from bot.conversation import redraw
from bot.conversation.telling import tell_other
from bot.questions import moves
from bot.questions.tables import Question


@command("annuler", alias="cancel")
def cancel(ctx: Context, question: Question) -> Reply:
    """Take one's question back; who had it is told."""
    moves.make(ctx.session, "cancel", ctx.actor, question, ctx.now)
    redraw(ctx, question)
    tell_other(ctx, question, "cancel", ctx.actor)
    return None
