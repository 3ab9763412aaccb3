"""Asking a question: it is routed, placed in the recipient's room, and its state shown to who asked."""

from datetime import date

from bot.card import Button, Buttons, Card, Paragraph, Reply
from bot.command import command
from bot.context import Context
from bot.conversation import adopt, otherwise, place
from bot.errors import UserError
from bot.grammar import Rest
from bot.message import Address, Message
from bot.outbox import Placing
from bot.questions import cards, moves, wording
from bot.questions.tables import Endpoint, Question
from bot.relay import received
from bot.routing.decide import route
from bot.routing.model import Assignment
from bot.routing.model import Question as Asked
from bot.texts import Text


@command("question", alias="ask")
def ask(ctx: Context, text: Rest) -> Reply:
    """Ask a question in one's own words."""
    clean = wording.question(text)
    decision = _route(ctx, clean, ctx.today)
    if decision.decision == "refuse":
        raise UserError("marked.refused")
    if decision.decision == "advise" and decision.recipient is None:
        return Card(Text.of("advice.title"), (Paragraph(decision.advice or Text.of("advice.other")),))
    if decision.question_back is not None and not decision.question_back.choices:
        return Card(None, (Paragraph(decision.question_back.text), Paragraph(clean, quote=True, theirs=True)))
    question = _create(ctx, clean, decision)
    if decision.decision == "ask":
        _show(ctx, question, _question_back(question, decision))
        return None
    place(ctx, question)
    if decision.advice is not None:
        ctx.say(ctx.to, Card(Text.of("advice.title"), (Paragraph(decision.advice),)), "advice")
    card = cards.for_asker(ctx.directory(), question, repeat=_is_root(ctx))
    if question.placed_with != question.recipient:
        card = Card(card.title, (*card.blocks, Paragraph(otherwise(ctx, question.recipient))), card.notify)
    _show(ctx, question, card)
    return None


def _route(ctx: Context, text: str, on: date) -> Assignment:
    asked = Asked(text=text, asker=ctx.actor.organisation)
    return route(asked, ctx.rules(), ctx.directory(), on)


def _create(ctx: Context, text: str, decision: Assignment) -> Question:
    question = Question(
        number=moves.next_number(ctx.session, ctx.now),
        state="asked_back" if decision.decision == "ask" else "routed",
        text=text,
        sealed=ctx.sealed,
        urgent=decision.advice_to in ("emergency", "crisis_centre", "ccpd"),
        asker_account=ctx.inbound.author.id,
        asker_person=ctx.actor.person,
        asker_organisation=ctx.actor.organisation,
        asked_at=ctx.now,
    )
    adopt(question, decision)
    ctx.session.add(question)
    ctx.session.flush()
    moves.write(ctx.session, "ask", ctx.actor, question, ctx.now, question.recipient or "")
    return question


def _is_root(ctx: Context) -> bool:
    """Whether the bot's card, not a message of the asker's, opens the conversation."""
    pressed = getattr(ctx.inbound, "pressed", None)
    return not isinstance(ctx.inbound, Message) and pressed is None


def _show(ctx: Context, question: Question, card: Card) -> None:
    """Show the asker's card, and remember where their side is."""
    key = f"{question.number}/asker/0"
    to = _asker_place(ctx, key)
    ctx.session.add(
        Endpoint(
            question_id=question.id,
            side="asker",
            platform=to.platform,
            room=to.room,
            thread=to.thread,
            surface=to.surface,
            card_key=key,
        )
    )
    received(ctx, question, "asker")
    said_in = Address(to.platform, to.room, None if to.thread == f"key:{key}" else to.thread, surface=to.surface)
    placing = Placing(question.id, "asker", sealed=question.sealed)
    ctx.outbox.put(said_in, card, key=key, placing=placing)


def _asker_place(ctx: Context, key: str) -> Address:
    to = ctx.to
    if to.surface != "room":
        return Address(to.platform, to.room, surface="direct")  # without a thread: people write there line by line
    if isinstance(ctx.inbound, Message):
        root = to.thread or ctx.inbound.message_id
    else:
        root = to.thread or getattr(ctx.inbound, "pressed", None) or f"key:{key}"
    return Address(to.platform, to.room, root)


def _question_back(question: Question, decision: Assignment) -> Card:
    back = decision.question_back
    if back is None:
        raise UserError("question.unclear")
    buttons = tuple(
        Button(choice.label, "rediriger", f"{question.number} {choice.recipient.organisation} {choice.recipient.role}")
        for choice in back.choices
    )
    cancel = Button(Text.of("button.annuler"), "annuler", question.number)
    return Card(Text.of("card.asker", number=question.number), (Paragraph(back.text), Buttons((*buttons, cancel))))
