"""Raising a question by hand: who comes next on the ladder gets it too."""

from bot.card import Reply
from bot.command import command
from bot.context import Context
from bot.conversation import escalate, ladder
from bot.errors import UserError
from bot.grammar import Rest
from bot.questions import moves
from bot.questions.tables import Question


@command("signaler", alias="escalate")
def raise_(ctx: Context, question: Question, motif: Rest = "") -> Reply:
    """Raise a question to who comes next: the fallback, the adviser of the region, the coordinators."""
    moves.check(ctx.session, "escalate", ctx.actor, question)
    before = {question.recipient, question.placed_with, *moves.raised_to(ctx.session, question)}
    for organisation in ladder(ctx, question):
        if organisation not in before and escalate(ctx, question, organisation, by=ctx.actor, reason=motif):
            return None
    raise UserError("escalate.nobody", number=question.number)
