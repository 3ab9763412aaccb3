"""Merging: the same thing was asked twice, and goes on as one question."""

from bot.card import Reply
from bot.command import command
from bot.context import Context
from bot.conversation import redraw
from bot.conversation.telling import tell
from bot.errors import UserError
from bot.questions import find, moves
from bot.questions.tables import Question
from bot.relay import add_words
from bot.texts import Text


@command("fusionner", alias="merge")
def merge(ctx: Context, question: Question, avec: str) -> Reply:
    """Merge a question into another of the same asking organisation, which gets its words."""
    into = find.by_number(ctx.session, avec)
    if into is None:
        raise UserError("question.unknown", number=avec[:20].upper())
    if into.id == question.id:
        raise UserError("merge.itself", number=question.number)
    moves.check(ctx.session, "merge", ctx.actor, question)
    moves.check(ctx.session, "split", ctx.actor, into)  # it may be changed by the same people, while it is open
    if into.asker_organisation is None or into.asker_organisation != question.asker_organisation:
        raise UserError("merge.askers", number=question.number, into=into.number)
    moves.make(ctx.session, "merge", ctx.actor, question, ctx.now, reason=into.number)
    question.merged_into = into.id
    moves.write(ctx.session, "merge", ctx.actor, into, ctx.now, before=into.state, reason=question.number)
    add_words(ctx, into, question)
    redraw(ctx, question)
    redraw(ctx, into)
    for side in ("asker", "recipient"):
        tell(ctx, question, side, Text.of("moved.merge", number=question.number, into=into.number))
    return None
