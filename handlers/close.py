"""Ending a question, taking it back, and opening it again."""

from bot.card import Reply
from bot.command import command
from bot.context import Context
from bot.conversation import place, redraw
from bot.questions import moves
from bot.questions.tables import Question


@command("clore", alias="close")
def close(ctx: Context, question: Question) -> Reply:
    """Close a question: nothing more is expected."""
    moves.make(ctx.session, "close", ctx.actor, question, ctx.now)
    question.closed_at = ctx.now
    redraw(ctx, question)
    return None


@command("annuler", alias="cancel")
def cancel(ctx: Context, question: Question) -> Reply:
    """Take one's question back."""
    moves.make(ctx.session, "cancel", ctx.actor, question, ctx.now)
    question.closed_at = ctx.now
    redraw(ctx, question)
    return None


@command("rouvrir", alias="reopen")
def reopen(ctx: Context, question: Question) -> Reply:
    """Open a question again: it returns to its recipient's queue."""
    moves.make(ctx.session, "reopen", ctx.actor, question, ctx.now)
    question.closed_at = None
    question.taken_by = question.taken_at = None
    if question.placed_with is None:
        place(ctx, question)
    redraw(ctx, question)
    return None
