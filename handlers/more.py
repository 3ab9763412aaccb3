"""What else can be done with a question: the buttons that its card has no room for."""

from typing import Literal

from bot.card import Reply
from bot.command import command
from bot.context import Context
from bot.questions import cards, moves
from bot.questions.tables import Question
from bot.rights import Denied


@command("plus", alias="more", private=True, listed=False)
def more(ctx: Context, question: Question, cote: Literal["demandeur", "destinataire"] = "destinataire") -> Reply:
    """Show what stands behind « Plus… » on the card of a side."""
    side: moves.Side = "asker" if cote == "demandeur" else "recipient"
    if side not in moves.sides_of(ctx.session, ctx.actor, question):
        raise Denied("question.see", "question.not_yours", number=question.number)
    return cards.others(side, question)
