"""Answering: the words cross to the other side. From the asker's side they complete the question."""

from bot import asking
from bot.card import Card, Paragraph, Reply
from bot.command import command
from bot.context import Context
from bot.conversation import redraw, shown_name
from bot.grammar import Rest
from bot.message import Message
from bot.questions import moves, wording
from bot.questions.cards import name_of
from bot.questions.tables import Question
from bot.relay import carry
from bot.texts import Text


@command("repondre", alias="answer")
def answer(ctx: Context, question: Question, text: Rest) -> Reply:
    """Say something to the other side of a question."""
    text = wording.answer(text)
    sides = moves.sides_of(ctx.session, ctx.actor, question)
    if "recipient" in sides and not (sides == {"asker", "recipient"} and _from_asker(ctx, question)):
        moves.make(ctx.session, "answer", ctx.actor, question, ctx.now)
        question.answered_at = ctx.now
        if question.taken_by is None:
            question.taken_by, question.taken_person = shown_name(ctx, ctx.actor), ctx.actor.person
        carry(ctx, question, text, "recipient")
        to = question.asker_organisation
    else:
        moves.make(ctx.session, "add", ctx.actor, question, ctx.now)
        carry(ctx, question, text, "asker")
        to = question.placed_with
        if question.recipient is None:
            return asking.again(ctx, ctx.actor, question)
    redraw(ctx, question)
    return _confirmation(ctx, question, text, to)


def _confirmation(ctx: Context, question: Question, text: str, to: str | None) -> Card:
    """Say that it went, and show the words to colleagues who cannot see what was typed in a form."""
    sent = Paragraph(Text.of("answer.sent", number=question.number, name=name_of(ctx.directory(), to)))
    if isinstance(ctx.inbound, Message):
        return Card(None, (sent,))
    return Card(None, (sent, Paragraph(text, quote=True, theirs=True)))


def _from_asker(ctx: Context, question: Question) -> bool:
    return ctx.inbound.author.id == question.asker_account
