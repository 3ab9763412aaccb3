"""Asking back: the recipient needs to know more, and the question waits for who asked it."""

from bot.card import Card, Paragraph, Reply
from bot.command import command
from bot.context import Context
from bot.conversation import redraw
from bot.conversation.telling import shown_name
from bot.grammar import Rest
from bot.questions import moves, wording
from bot.questions.cards import name_of
from bot.questions.tables import Question
from bot.relay import carry
from bot.texts import Text


@command("preciser", alias="clarify")
def ask_back(ctx: Context, question: Question, text: Rest) -> Reply:
    """Ask who asked for what is missing; the question comes back with their next words."""
    text = wording.answer(text)
    moves.make(ctx.session, "ask_back", ctx.actor, question, ctx.now)
    if question.taken_by is None:
        question.taken_by, question.taken_person = shown_name(ctx, ctx.actor), ctx.actor.person
        question.taken_at = ctx.now
    carry(ctx, question, text, "recipient")
    redraw(ctx, question)
    name = name_of(ctx.directory(), question.asker_organisation)
    sent = Paragraph(Text.of("answer.sent", number=question.number, name=name))
    return Card(None, (sent, Paragraph(text, quote=True, theirs=True)))
