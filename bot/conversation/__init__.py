"""Where a question lies: placing it in rooms, and keeping the cards of both sides true."""

import json
from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from bot import personal
from bot.card import Card, Paragraph
from bot.context import Scope
from bot.conversation.reminded import refresh
from bot.conversation.telling import asker_name, coordinators, region_of, tell
from bot.conversation.timing import expect
from bot.directory.identity import Actor
from bot.directory.rooms import rooms_of
from bot.directory.tables import Room
from bot.message import Address, Attachment
from bot.posts import Placing, Post
from bot.questions import cards, find, moves
from bot.questions.moves import OPEN, PENDING
from bot.questions.tables import Enclosed, Endpoint, Question
from bot.routing.identifiers import masked
from bot.routing.model import Assignment
from bot.texts import Text, to_data


def adopt(question: Question, assignment: Assignment) -> None:
    """Let a question go where routing says."""
    recipient = assignment.recipient
    question.topic = assignment.topic
    question.because = json.dumps([to_data(reason) for reason in assignment.because], ensure_ascii=False)
    question.recipient = recipient.organisation if recipient else None
    question.role = recipient.role if recipient else None
    question.fallback = assignment.fallback.organisation if assignment.fallback else None


def sent_on(by: str, why: str | None = None) -> str:
    """Return the reason, as a question keeps it, why it goes where people sent it: who did, and why if they said."""
    reason = Text.of("reason.redirected", by=by)
    if why is not None:
        reason = Text.of("reason.redirected.why", by=by, why=personal.masked(masked(why)))
    return json.dumps([to_data(reason)], ensure_ascii=False)


def place(ctx: Scope, question: Question) -> None:
    """Put the question's card in the first room that can be reached.

    The recipient's, else the fallback's, else the coordinators'; without any, it waits for a room to be linked.
    """
    expect(ctx, question)
    here = find.endpoint(ctx.session, question.id, "recipient")
    room = _first_room(ctx, question)
    if room is None or room.organisation is None:
        question.placed_with = None
        if here is not None:
            ctx.session.delete(here)
        return
    question.placed_with = room.organisation
    question.dialogue = None  # those who have it now were not asked
    if here is not None:
        ctx.session.delete(here)
        ctx.session.flush()
    key = f"{question.number}/recipient/{ctx.key}"
    to = Address(room.platform, room.room)
    ctx.session.add(
        Endpoint(
            question_id=question.id,
            side="recipient",
            platform=room.platform,
            room=room.room,
            thread=f"key:{key}",
            card_key=key,
        )
    )
    card = cards.for_recipient(ctx.directory(), question, asker_name(ctx, question))
    placing = Placing(question.id, "recipient", sealed=question.sealed, cleared=question.cleared, redrawn=True)
    ctx.outbox.put(to, card, key=key, placing=placing)
    if not question.sealed or ctx.outbox.encrypted(to):
        carry_kept(ctx, question, replace(to, thread=f"key:{key}"), key, placing)


def carry_kept(ctx: Scope, question: Question, to: Address, key: str, placing: Placing) -> None:
    """Carry the files that came with a question to who has it now."""
    for kept in ctx.session.scalars(select(Enclosed).where(Enclosed.question_id == question.id).order_by(Enclosed.id)):
        file = Attachment(
            id=kept.file, name=kept.name, size=kept.size, media_type="application/octet-stream", source=kept.source
        )
        said_at = Address(kept.platform, kept.room, kept.thread, surface="direct" if kept.direct else "room")
        carried = replace(placing, source_id=kept.post_id, redrawn=False)
        ctx.outbox.carry_file(to, file, said_at, key=f"{key}/kept{kept.id}", placing=carried)


def _first_room(ctx: Scope, question: Question) -> Room | None:
    asked = find.endpoint(ctx.session, question.id, "asker")
    for organisation in _holders(ctx, question):
        for room in sorted(
            rooms_of(ctx.session, organisation), key=lambda room: question.sealed and not room.encrypted
        ):
            own = asked is not None and (room.platform, room.room) == (asked.platform, asked.room)
            if not own or organisation == question.recipient:
                return room
    return None


def _holders(ctx: Scope, question: Question) -> Iterator[str]:
    """Yield who may hold a question, best first: on a first day most posts have no room."""
    if question.recipient:
        yield question.recipient
    if question.fallback:
        yield question.fallback
    region = region_of(ctx, question.asker_organisation)
    if region:
        yield region
    yield from coordinators(ctx.session, ctx.now)


def mark_cards(session: Session, question: Question) -> None:
    """Let what was said of a question be rewritten as its words may now be shown."""
    own = (Post.question_id == question.id, Post.key.is_not(None), Post.source_id.is_(None))
    sealed = {"sealed": True} if question.sealed else {}
    session.execute(update(Post).where(*own).values(cleared=question.cleared, **sealed))


def redraw(ctx: Scope, question: Question) -> None:
    """Rewrite the cards of both sides, and what the clock said of it, as the question now stands."""
    if question.state not in OPEN:
        question.dialogue = None
    expect(ctx, question)
    for side in ("asker", "recipient"):
        end = find.endpoint(ctx.session, question.id, side)
        if end is None:
            continue
        if side == "recipient":
            card = cards.for_recipient(ctx.directory(), question, asker_name(ctx, question))
        elif question.state == "asked_back" and question.recipient is None:
            continue  # its card holds the choices
        else:
            card = cards.for_asker(ctx.directory(), question, repeat=_repeats(end))
        ctx.outbox.edit(end.card_key, card, revision=ctx.key)
    for organisation in moves.raised_to(ctx.session, question):
        card = cards.for_recipient(ctx.directory(), question, asker_name(ctx, question))
        ctx.outbox.edit(_raised(question, organisation), card, revision=ctx.key)
    refresh(ctx, question)


def escalate(ctx: Scope, question: Question, to: str, *, by: Actor | None = None, reason: str = "") -> bool:
    """Raise a question to another organisation, whose room gets a card that it can act on; without `by`, on time.

    Return whether that organisation could be reached. Raises UserError where no answer is expected any more.
    """
    rooms = rooms_of(ctx.session, to)
    if not rooms:
        return False
    moves.escalate(ctx.session, question, to=to, now=ctx.now, by=by, reason=reason)
    key = _raised(question, to)
    if find.said(ctx.session, key):  # an earlier time: its card is rewritten, which calls nobody
        again = Card(None, (Paragraph(Text.of("moved.escalate.again", number=question.number)),))
        beneath = Address(rooms[0].platform, rooms[0].room, f"key:{key}")
        ctx.say(beneath, again, f"again/{question.number}", Placing(question.id, "recipient"))
    else:
        card = cards.for_recipient(ctx.directory(), question, asker_name(ctx, question))
        placing = Placing(question.id, "recipient", sealed=question.sealed, cleared=question.cleared, redrawn=True)
        ctx.outbox.put(Address(rooms[0].platform, rooms[0].room), card, key=key, placing=placing)
    words = Text.of("moved.escalate", number=question.number, name=cards.name_of(ctx.directory(), to))
    tell(ctx, question, "recipient", words)
    if by is not None:  # the clockwork waits until the asker is there
        tell(ctx, question, "asker", words)
    return True


def _raised(question: Question, organisation: str) -> str:
    return f"{question.number}/raised/{organisation}"


def retire(ctx: Scope, question: Question, end: Endpoint) -> None:
    """Take a question's card away from a room where it no longer lies."""
    ctx.outbox.edit(end.card_key, cards.moved(ctx.directory(), question), revision=ctx.key)


def _repeats(end: Endpoint) -> bool:
    return end.thread is None or end.thread.startswith("key:")


def deliver_waiting(ctx: Scope, organisation: str) -> int:
    """Bring home what lies elsewhere because this organisation had no room, and place what lies nowhere.

    Return how many questions came to this organisation.
    """
    elsewhere = and_(Question.recipient == organisation, Question.placed_with != organisation)
    waiting = ctx.session.scalars(
        select(Question)
        .where(
            Question.state.in_(PENDING),
            Question.recipient.is_not(None),
            or_(Question.placed_with.is_(None), elsewhere),
        )
        .order_by(Question.id)
    ).all()
    for question in waiting:
        old = find.endpoint(ctx.session, question.id, "recipient")
        if old is not None:
            retire(ctx, question, old)
        place(ctx, question)
        if question.placed_with is not None:
            redraw(ctx, question)
    return sum(question.placed_with == organisation for question in waiting)
