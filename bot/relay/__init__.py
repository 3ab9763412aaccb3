"""Carrying words and files from one side of a question to the other.

What is said in a room of many stays there. It crosses where somebody answers, puts `CROSSING` on a message or opens the
dialogue; what the asker says in their thread crosses, and all that is said in a direct room.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy.orm import Session

from bot import personal
from bot.card import Card, Paragraph
from bot.context import Context
from bot.conversation import mark_cards, redraw
from bot.conversation.telling import address, shown_name, who
from bot.errors import UserError
from bot.files import safe_name
from bot.message import Address, Attachment, Message, User
from bot.posts import Placing, Side, message_of
from bot.questions import cards, find, moves, passages, wording
from bot.questions.moves import OPEN
from bot.questions.tables import Endpoint, Question
from bot.relay import said
from bot.relay.following import copies_of
from bot.relay.holding import encrypted_room, guard
from bot.texts import Text

HOLD = timedelta(milliseconds=200)  # Slack may deliver two messages of a thread in the wrong order


def answer(ctx: Context, question: Question, text: str) -> Side:
    """Let words cross from the side of who says them: from the recipient's they answer, from the asker's they complete.

    Return that side. Raises UserError where they may not.
    """
    text = wording.answer(text)
    sides = moves.sides_of(ctx.session, ctx.actor, question)
    if "recipient" in sides and not (sides == {"asker", "recipient"} and _from_asker(ctx, question)):
        moves.make(ctx.session, "answer", ctx.actor, question, ctx.now)
        question.answered_at = ctx.now
        if question.taken_by is None:
            question.taken_by, question.taken_person = shown_name(ctx, ctx.actor), ctx.actor.person
        carry(ctx, question, text, "recipient")
        kept = said.received(ctx, question, "recipient")
        if text.strip():
            passages.answered(ctx.session, question, text, kept, ctx.now, sealed=ctx.sealed)
        return "recipient"
    if _polite(ctx, question, text):
        moves.check(ctx.session, "add", ctx.actor, question)
    else:
        moves.make(ctx.session, "add", ctx.actor, question, ctx.now)
    carry(ctx, question, text, "asker")
    return "asker"


def _polite(ctx: Context, question: Question, text: str) -> bool:
    """Whether words only thank or greet: they add nothing. « D'accord » may be what somebody was asked back for."""
    message = said.message(ctx)
    files = message is not None and message.files
    return question.state != "asked_back" and not files and ctx.world.courtesy.kind_of(text) is not None


def joins(ctx: Context, question: Question) -> bool:
    """Whether these words are part of the question itself: said at once after it, outside a thread, before it is taken.

    In a room they were said to the bot; in private whatever follows is. A file goes by itself.
    """
    words = ctx.inbound
    if not isinstance(words, Message) or not _from_asker(ctx, question) or question.taken_by is not None or words.files:
        return False
    if _polite(ctx, question, words.text):
        return False
    if words.to.thread is not None or words.reply_to is not None or question.state not in ("asked_back", "routed"):
        return False
    last = find.last_word(ctx.session, question.id, words.author.id) or question.asked_at
    return ctx.now - last <= ctx.world.joined


def join(ctx: Context, question: Question, text: str) -> None:
    """Let words be part of a question. Raises `Stopped` where they hold what their author must decide about."""
    text = wording.answer(text)
    end = find.endpoint(ctx.session, question.id, "recipient")
    guard(ctx, text, address(end) if end else None, question.placed_with)
    moves.make(ctx.session, "add", ctx.actor, question, ctx.now)
    _become_part(ctx, question, text, said.received(ctx, question, "asker"))


def _become_part(ctx: Context, question: Question, text: str, source: int | None) -> None:
    question.cleared = question.cleared or (ctx.cleared and not personal.found(question.text))
    if text.strip():
        passages.join(ctx.session, question, text, source, ctx.now, sealed=ctx.sealed)
    question.sealed = question.sealed or ctx.sealed  # by a file alone, too
    mark_cards(ctx.session, question)


def _from_asker(ctx: Context, question: Question) -> bool:
    return ctx.inbound.author.id == question.asker_account


def carry(ctx: Context, question: Question, text: str, side: Side) -> None:
    """Carry somebody's words and files from their side to the other; their edits and deletion will follow them."""
    other: Side = "recipient" if side == "asker" else "asker"
    files = said.files(ctx)
    if not text.strip() and not files:
        raise UserError("answer.empty")
    source = said.received(ctx, question, side)
    end = find.endpoint(ctx.session, question.id, other)
    if end is None:  # nobody has the question yet: who gets it gets this with it
        guard(ctx, "\n".join((text, *(file.name for file in files))), None, question.placed_with)
        _become_part(ctx, question, text, source)
        said.enclose(ctx, question, source, files)
        return
    to, organisation = address(end), _organisation(question, other)
    guard(ctx, "\n".join((text, *(file.name for file in files))), to, organisation)
    message = said.message(ctx)
    placing = Placing(
        question.id,
        other,
        source_id=source,
        sealed=ctx.sealed,
        cleared=ctx.cleared,
        source_at=message.at if message else None,
        hold=HOLD if isinstance(ctx.inbound, Message) and ctx.to.platform == "slack" else timedelta(0),
    )
    names = tuple(safe_name(file.name) for file in files)
    card = cards.words(question.number, who(ctx, said.speaker(ctx)), text, _called(question, end, other), names)
    _deliver(ctx, to, card, files, f"words/{question.number}", placing)
    room = encrypted_room(ctx.session, organisation) if ctx.sealed and end.surface == "room" else None
    if room is not None and not ctx.outbox.encrypted(to):
        _deliver(ctx, room, replace(card, notify=None), files, f"sealed/{question.number}", placing)


def _deliver(ctx: Context, to: Address, card: Card, files: Sequence[Attachment], name: str, placing: Placing) -> None:
    key = ctx.say(to, card, name, placing)
    if placing.sealed and not ctx.outbox.encrypted(to):
        return  # the card says that they wait elsewhere
    for number, file in enumerate(files):
        ctx.outbox.carry_file(to, file, said.place(ctx), key=f"{key}/file{number}", placing=placing)


def _called(question: Question, end: Endpoint, side: Side) -> User | None:
    """Return the account that is called to what is said: who asked, in a room of many."""
    if side != "asker" or end.surface != "room" or end.platform == "console":
        return None
    return User(end.platform, question.asker_account)


def _organisation(question: Question, side: Side) -> str | None:
    return question.placed_with if side == "recipient" else question.asker_organisation


def hand_over(ctx: Context, question: Question, message: Message) -> None:
    """Let a message cross on which somebody put `CROSSING`; one that has crossed stays as it is."""
    known = find.post_of(ctx.session, message.to.platform, message.to.room, message.message_id)
    if known is not None and any(True for _ in copies_of(ctx.session, known)):
        return
    answer(ctx, question, message.text)
    redraw(ctx, question)
    sent = Text.of("crossing.sent", number=question.number)
    ctx.say(said.place(ctx), Card(None, (Paragraph(sent),)), "crossed", Placing(question.id))


def in_dialogue(session: Session, question: Question, side: str | None) -> bool:
    """Whether all that is said in the thread of a side crosses: not before that side could read that it does."""
    if question.dialogue is None or question.state not in OPEN or side is None:
        return False
    return message_of(session, f"{question.dialogue}/{side}") is not None


def add_words(ctx: Context, into: Question, merged: Question) -> None:
    """Let the words of a question that was merged into another reach who has that one."""
    end = find.endpoint(ctx.session, into.id, "recipient")
    if end is None:
        into.text = wording.question(f"{into.text}\n\n{merged.text}")
        into.sealed = into.sealed or merged.sealed
        mark_cards(ctx.session, into)
        return
    name = cards.name_of(ctx.directory(), merged.asker_organisation)
    placing = Placing(into.id, "recipient", sealed=merged.sealed)
    ctx.say(address(end), cards.words(merged.number, name, merged.text), f"merged/{merged.number}", placing)
