"""Who asked says whether the answer helped."""

from typing import Literal

from bot.card import Button, Buttons, Card, Paragraph, Reply
from bot.command import command
from bot.context import Context
from bot.conversation import redraw
from bot.conversation.telling import tell
from bot.questions import moves
from bot.questions.tables import Question
from bot.texts import Text


@command("avis", alias="rate")
def rate(ctx: Context, question: Question, utile: Literal["oui", "non", "yes", "no"]) -> Reply:
    """Say whether an answer helped; if it did not, what to do next is offered."""
    helped = utile in ("oui", "yes")
    moves.make(ctx.session, "rate", ctx.actor, question, ctx.now, reason="helped" if helped else "not_helped")
    question.helped = helped
    redraw(ctx, question)
    key = "yes" if helped else "no"
    tell(ctx, question, "recipient", Text.of(f"rate.told.{key}", number=question.number))
    if helped:
        return None
    more = Button(Text.of("button.completer"), "repondre", question.number)
    again = Button(Text.of("button.rouvrir"), "rouvrir", question.number)
    next_ = (again,) if question.state == "closed" else (more, again)
    return Card(None, (Paragraph(Text.of("rate.no", number=question.number)), Buttons(next_)))
