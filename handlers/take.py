"""Taking a question: everybody sees who has it. Putting it back: anybody may take it."""

from bot.card import Reply
from bot.command import command
from bot.context import Context
from bot.conversation import redraw
from bot.conversation.telling import shown_name
from bot.questions import moves
from bot.questions.tables import Question


@command("prendre", alias="take")
def take(ctx: Context, question: Question) -> Reply:
    """Take a question for oneself; who comes second is told who was first."""
    moves.make(ctx.session, "take", ctx.actor, question, ctx.now)
    question.taken_by, question.taken_person = shown_name(ctx, ctx.actor), ctx.actor.person
    question.taken_at = ctx.now
    redraw(ctx, question)
    return None


@command("rendre", alias="release")
def release(ctx: Context, question: Question) -> Reply:
    """Put a question back into the queue of its post."""
    moves.make(ctx.session, "release", ctx.actor, question, ctx.now)
    redraw(ctx, question)
    return None
