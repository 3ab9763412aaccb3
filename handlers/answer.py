"""Answering: the words cross to the other side. From the asker's side they complete the question."""

from bot import asking
from bot.card import Block, Button, Buttons, Card, Paragraph, Reply
from bot.command import command
from bot.context import Context
from bot.conversation import redraw, shown_name
from bot.grammar import Rest
from bot.message import Message
from bot.questions import find, moves, passages, wording
from bot.questions.cards import name_of
from bot.questions.tables import Question
from bot.relay import carry, received
from bot.texts import Text


@command("repondre", alias="answer")
def answer(ctx: Context, question: Question, text: Rest) -> Reply:
    """Say something to the other side of a question."""
    text = wording.answer(text)
    sides = moves.sides_of(ctx.session, ctx.actor, question)
    by_recipient = "recipient" in sides and not (sides == {"asker", "recipient"} and _from_asker(ctx, question))
    if by_recipient:
        moves.make(ctx.session, "answer", ctx.actor, question, ctx.now)
        question.answered_at = ctx.now
        if question.taken_by is None:
            question.taken_by, question.taken_person = shown_name(ctx, ctx.actor), ctx.actor.person
        carry(ctx, question, text, "recipient")
        to = question.asker_organisation
        kept = received(ctx, question, "recipient")
        passages.answered(ctx.session, question, text, kept, ctx.now, sealed=ctx.sealed)
    elif _joins(ctx, question):
        moves.make(ctx.session, "add", ctx.actor, question, ctx.now)
        passages.join(ctx.session, question, text, received(ctx, question, "asker"), ctx.now, sealed=ctx.sealed)
        return asking.extend(ctx, ctx.actor, question)
    else:
        moves.make(ctx.session, "add", ctx.actor, question, ctx.now)
        carry(ctx, question, text, "asker")
        to = question.placed_with
        if question.recipient is None:
            return asking.again(ctx, ctx.actor, question)
    redraw(ctx, question)
    return _confirmation(ctx, question, text, to, answered=by_recipient)


def _confirmation(ctx: Context, question: Question, text: str, to: str | None, *, answered: bool) -> Card:
    """Say that it went, and show the words to colleagues who cannot see what was typed in a form."""
    sent = Paragraph(Text.of("answer.sent", number=question.number, name=name_of(ctx.directory(), to)))
    blocks: list[Block] = [sent]
    if not isinstance(ctx.inbound, Message):
        blocks.append(Paragraph(text, quote=True, theirs=True))
    if answered and not (question.sealed or ctx.sealed):
        blocks.append(Buttons((Button(Text.of("button.noter"), "noter", question.number),)))
    return Card(None, tuple(blocks))


def _joins(ctx: Context, question: Question) -> bool:
    """Whether these words are part of the question itself: said at once after it, outside a thread, before it is taken.

    In a room they were said to the bot; in private whatever follows is.
    """
    said = ctx.inbound
    if not isinstance(said, Message) or not _from_asker(ctx, question) or question.taken_by is not None:
        return False
    if said.to.thread is not None or said.reply_to is not None or question.state not in ("asked_back", "routed"):
        return False
    last = find.last_word(ctx.session, question.id, said.author.id) or question.asked_at
    return ctx.now - last <= ctx.world.joined


def _from_asker(ctx: Context, question: Question) -> bool:
    return ctx.inbound.author.id == question.asker_account
