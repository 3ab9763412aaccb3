"""Asking a question: it is routed, placed in the recipient's room, and its state shown to who asked."""

from bot.asking import decide, declined, send_off, show
from bot.card import Card, Paragraph, Reply
from bot.command import command
from bot.context import Context
from bot.grammar import Rest
from bot.message import Address, Message
from bot.outbox import Placing
from bot.questions import moves, wording
from bot.questions.tables import Question
from bot.relay import received
from bot.routing.model import Assignment
from bot.texts import Text


@command("question", alias="ask")
def ask(ctx: Context, text: Rest) -> Reply:
    """Ask a question in one's own words."""
    clean = wording.question(text)
    decision = decide(ctx, clean, ctx.actor.organisation)
    told = declined(decision, clean)
    if told is not None and decision.question_back is not None:
        ctx.say(_beneath(ctx), told, "reply", Placing(prompt=("question", clean), asked_of=ctx.inbound.author.id))
        return None
    if told is not None:
        return told
    question = _create(ctx, clean, decision)
    card = send_off(ctx, question, decision, repeat=_is_root(ctx))
    moves.write(ctx.session, "ask", ctx.actor, question, ctx.now, towards=question.recipient)
    if decision.advice is not None:
        ctx.say(ctx.to, Card(Text.of("advice.title"), (Paragraph(decision.advice),)), "advice")
    key = f"{question.number}/asker/0"
    show(ctx, question, card, _asker_place(ctx, key), key)
    received(ctx, question, "asker")
    return None


def _create(ctx: Context, text: str, decision: Assignment) -> Question:
    question = Question(
        number=moves.next_number(ctx.session, ctx.now),
        state="routed",
        text=text,
        sealed=ctx.sealed,
        urgent=decision.advice_to in ("emergency", "crisis_centre", "ccpd"),
        asker_account=ctx.inbound.author.id,
        asker_person=ctx.actor.person,
        asker_organisation=ctx.actor.organisation,
        asked_at=ctx.now,
    )
    ctx.session.add(question)
    ctx.session.flush()
    return question


def _beneath(ctx: Context) -> Address:
    """Where who asked is told what the question lacks: their next words there complete it."""
    to = ctx.to
    if to.surface != "room":
        return Address(to.platform, to.room, surface="direct")
    said = getattr(ctx.inbound, "message_id", None) or getattr(ctx.inbound, "pressed", None)
    return Address(to.platform, to.room, to.thread or said)


def _is_root(ctx: Context) -> bool:
    """Whether the bot's card, not a message of the asker's, opens the conversation."""
    pressed = getattr(ctx.inbound, "pressed", None)
    return not isinstance(ctx.inbound, Message) and pressed is None


def _asker_place(ctx: Context, key: str) -> Address:
    to = ctx.to
    if to.surface != "room":
        return Address(to.platform, to.room, surface="direct")  # without a thread: people write there line by line
    if isinstance(ctx.inbound, Message):
        root = to.thread or ctx.inbound.message_id
    else:
        root = to.thread or getattr(ctx.inbound, "pressed", None) or f"key:{key}"
    return Address(to.platform, to.room, root)
