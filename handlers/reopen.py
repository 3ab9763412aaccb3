"""Opening a question again."""

from bot.card import Reply
from bot.command import command
from bot.context import Context
from bot.conversation import asking, place, redraw
from bot.conversation.telling import tell_other
from bot.errors import UserError
from bot.questions import moves
from bot.questions.tables import Question


@command("rouvrir", alias="reopen")
def reopen(ctx: Context, question: Question) -> Reply:
    """Open a question again: it returns to its recipient's queue, or is routed anew if it had none."""
    moves.check(ctx.session, "reopen", ctx.actor, question)
    if not question.text:
        raise UserError("question.withdrawn", number=question.number)
    moves.make(ctx.session, "reopen", ctx.actor, question, ctx.now)
    if question.recipient is None:
        return asking.again(ctx, ctx.actor, question)
    if question.placed_with is None:
        place(ctx, question)
    redraw(ctx, question)
    tell_other(ctx, question, "reopen", ctx.actor)
    return None
