"""Answering: the words cross to the other side. From the asker's side they complete the question."""

from bot import relay
from bot.card import Block, Button, Buttons, Card, Paragraph, Reply
from bot.command import command
from bot.context import Context
from bot.conversation import asking, redraw
from bot.grammar import Rest
from bot.message import Message
from bot.questions.cards import name_of
from bot.questions.tables import Question
from bot.texts import Text


@command("repondre", alias="answer")
def answer(ctx: Context, question: Question, text: Rest) -> Reply:
    """Say something to the other side of a question."""
    if relay.joins(ctx, question):
        relay.join(ctx, question, text)
        return asking.extend(ctx, ctx.actor, question)
    side = relay.answer(ctx, question, text)
    if side == "asker" and question.recipient is None:
        return asking.again(ctx, ctx.actor, question)
    redraw(ctx, question)
    if isinstance(ctx.inbound, Message) and relay.in_dialogue(ctx.session, question, side):
        return None  # it is plain to see that everything crosses
    to = question.asker_organisation if side == "recipient" else question.placed_with
    return _confirmation(ctx, question, text, to, answered=side == "recipient")


def _confirmation(ctx: Context, question: Question, text: str, to: str | None, *, answered: bool) -> Card:
    """Say that it went, and show the words to colleagues who cannot see what was typed in a form."""
    sent = Paragraph(Text.of("answer.sent", number=question.number, name=name_of(ctx.directory(), to)))
    blocks: list[Block] = [sent]
    if not isinstance(ctx.inbound, Message):
        blocks.append(Paragraph(text, quote=True, theirs=True))
    if answered and not (question.sealed or ctx.sealed):
        blocks.append(Buttons((Button(Text.of("button.noter"), "noter", question.number),)))
    return Card(None, tuple(blocks))
