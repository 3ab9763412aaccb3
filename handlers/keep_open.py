"""Keeping a question open that would end by itself because nobody says anything any more."""

from bot.card import Card, Paragraph, Reply
from bot.command import command
from bot.context import Context
from bot.conversation import redraw
from bot.errors import UserError
from bot.questions import clock, moves
from bot.questions.tables import Question
from bot.texts import Text


@command("maintenir", alias="keep_open", listed=False)
def keep_open(ctx: Context, question: Question) -> Reply:
    """Keep a question open: silence is counted anew."""
    moves.sides_for(ctx.session, "keep_open", ctx.actor, question)
    if not clock.awaits_asker(question):
        raise UserError("keep.not_needed", number=question.number)
    moves.wait_anew(question, ctx.now)
    moves.ring(ctx.session, question, ctx.now)
    redraw(ctx, question)
    return Card(None, (Paragraph(Text.of("keep.done", number=question.number)),))
