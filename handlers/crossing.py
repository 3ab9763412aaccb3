"""What crosses: the dialogue in which all of it does, and the choice about identifiers of persons."""

from typing import Literal

from bot.card import Card, Paragraph, Reply
from bot.command import command
from bot.context import Context
from bot.conversation import redraw
from bot.conversation.telling import address
from bot.errors import UserError
from bot.posts import Placing
from bot.questions import find, moves
from bot.questions.cards import name_of
from bot.questions.moves import OPEN
from bot.questions.tables import Question
from bot.relay import holding
from bot.relay.holding import Choice
from bot.texts import Text


@command("dialogue")
def dialogue(ctx: Context, question: Question, etat: Literal["ouvrir", "fermer"] = "ouvrir") -> Reply:
    """Open the dialogue: until it is closed, all that is said in both threads crosses."""
    moves.sides_for(ctx.session, "dialogue", ctx.actor, question)
    ends = [end for side in ("asker", "recipient") if (end := find.endpoint(ctx.session, question.id, side))]
    if question.state not in OPEN or len(ends) < 2:
        raise UserError("dialogue.nobody", number=question.number)
    if (etat == "ouvrir") == (question.dialogue is not None):
        raise UserError(f"dialogue.{etat}.already", number=question.number)
    question.dialogue = f"{ctx.key}/dialogue" if etat == "ouvrir" else None
    moves.write(ctx.session, "dialogue", ctx.actor, question, ctx.now, before=question.state, reason=etat)
    words = Text.of(f"dialogue.{etat}", number=question.number, who=name_of(ctx.directory(), ctx.actor.organisation))
    for end in ends:
        side = "asker" if end.side == "asker" else "recipient"
        ctx.say(address(end), Card(None, (Paragraph(words),)), f"dialogue/{side}", Placing(question.id, side))
    redraw(ctx, question)
    return None


@command("decider", private=True, listed=False)
def decide(ctx: Context, quoi: str = "", choix: Choice = "abandonner") -> Reply:
    """Choose what becomes of words that hold identifiers of persons."""
    if not quoi.isdecimal() or len(quoi) > 18:
        raise UserError("personal.gone")
    return Card(None, (Paragraph(holding.decide(ctx, int(quoi), choix)),))
