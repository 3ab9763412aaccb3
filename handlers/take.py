"""Taking a question: everybody sees who has it."""

from bot.card import Reply
from bot.command import command
from bot.context import Context
from bot.conversation import redraw, shown_name
from bot.errors import UserError
from bot.questions import moves
from bot.questions.tables import Question


@command("prendre", alias="take")
def take(ctx: Context, question: Question) -> Reply:
    """Take a question for oneself; who comes second is told who was first."""
    moves.check("take", ctx.actor, question)
    if question.state == "taken":
        raise UserError("question.taken_already", number=question.number, who=question.taken_by or "—")
    moves.make(ctx.session, "take", ctx.actor, question, ctx.now)
    question.taken_by = shown_name(ctx, ctx.actor)
    question.taken_at = ctx.now
    redraw(ctx, question)
    return None
