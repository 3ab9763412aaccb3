"""Raising a question by hand: who comes next on the ladder gets it too."""

from bot.card import Reply
from bot.command import command
from bot.context import Context
from bot.conversation import escalate
from bot.conversation.ladder import offices
from bot.errors import UserError
from bot.grammar import Rest
from bot.questions import moves
from bot.questions.tables import Question


@command("signaler", alias="escalate")
def raise_(ctx: Context, question: Question, motif: Rest = "") -> Reply:
    """Raise a question to the next organisation on the ladder that does not have it yet and can be reached."""
    moves.check(ctx.session, "escalate", ctx.actor, question)
    reason = "" if ctx.sealed else motif  # all may read it who see the question
    have = {question.recipient, question.placed_with}
    have |= {organisation for organisation, _ in moves.raised_since(ctx.session, question)}
    for rung in ctx.world.terms.ladder:
        for office in offices(ctx, question, rung):
            if office.organisation not in have and escalate(
                ctx, question, office.organisation, by=ctx.actor, reason=reason
            ):
                return None
    raise UserError("escalate.nobody", number=question.number)
