"""Where a question lies: placing it in rooms, and keeping the cards of both sides true."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from bot import personal
from bot.card import Card, Paragraph, Words
from bot.context import Scope
from bot.conversation.reminded import refresh
from bot.conversation.timing import expect
from bot.directory.accounts import address_of
from bot.directory.days import postings_held
from bot.directory.identity import Actor, reader_of
from bot.directory.rooms import rooms_of
from bot.directory.tables import Organisation, Person, Right, Room
from bot.message import Address, Attachment
from bot.posts import Placing, Post, Side
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


def region_of(ctx: Scope, organisation: str | None) -> str | None:
    """Return the region that an organisation belongs to, or is."""
    orgs = ctx.directory().organisations
    seen: set[str] = set()
    while organisation and organisation in orgs and organisation not in seen:
        seen.add(organisation)
        if orgs[organisation].kind == "region":
            return organisation
        organisation = orgs[organisation].parent
    return None


def coordinators(session: Session, at: datetime) -> list[str]:
    """Return the organisations where coordinators hold an office now, in a stable order."""
    return holders(session, at, "coordinator", "administrator")


def holders(session: Session, at: datetime, *rights: str) -> list[str]:
    """Return the organisations where people with one of these rights hold an office now, in a stable order."""
    people = session.scalars(select(Right.person).where(Right.right.in_(rights)).distinct())
    return sorted({posting.organisation for person in people for posting, _ in postings_held(session, person, at)})


def tell_administrators(ctx: Scope, card: Card, key: str) -> None:
    """Say a card in the first room of each organisation where an administrator holds an office."""
    say_in_rooms(ctx, holders(ctx.session, ctx.now, "administrator"), card, key)


def say_in_rooms(ctx: Scope, organisations: Iterable[str], card: Card, key: str) -> None:
    """Say a card in the first room of each of these organisations."""
    for organisation in organisations:
        for room in rooms_of(ctx.session, organisation)[:1]:
            ctx.outbox.put(Address(room.platform, room.room), card, key=f"{key}/{organisation}")


def tell_person(ctx: Scope, person: Person | None, card: Card, name: str) -> None:
    """Say a card to somebody alone, where they have an account."""
    to = address_of(person, ctx.world.platforms) if person is not None else None
    if person is not None and to is not None:
        reader = reader_of(ctx.session, person, ctx.outbox.reader(to), ctx.now)
        ctx.outbox.for_reader(reader).put(to, card, key=f"{ctx.key}/{name}")


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


def tell(ctx: Scope, question: Question, side: Side, words: Words) -> None:
    """Say a line to a side of a question, beneath its card: what is only rewritten calls nobody."""
    end = find.endpoint(ctx.session, question.id, side)
    if end is not None:
        key = f"{ctx.key}/told/{question.number}/{side}"
        ctx.outbox.put(address(end), Card(None, (Paragraph(words),)), key=key, placing=Placing(question.id, side))


def tell_other(ctx: Scope, question: Question, kind: str, actor: Actor) -> None:
    """Tell the side that did not make a move who made it; who stands on both made it for the asker."""
    name = cards.name_of(ctx.directory(), actor.organisation)
    other: Side = "recipient" if "asker" in moves.sides_of(ctx.session, actor, question) else "asker"
    tell(ctx, question, other, Text.of(f"moved.{kind}", number=question.number, who=name))


def retire(ctx: Scope, question: Question, end: Endpoint) -> None:
    """Take a question's card away from a room where it no longer lies."""
    ctx.outbox.edit(end.card_key, cards.moved(ctx.directory(), question), revision=ctx.key)


def address(end: Endpoint) -> Address:
    """Return where words of a side are said."""
    surface = "direct" if end.surface == "direct" else "room"
    return Address(end.platform, end.room, None if surface == "direct" else end.thread, surface=surface)


def who(ctx: Scope, actor: Actor) -> Words:
    """Return how an actor is named to the other side: by the directory, never by the account."""
    organisation = cards.name_of(ctx.directory(), actor.organisation)
    if actor.name is None:
        return organisation
    return Text.of("who", name=actor.name, organisation=organisation)


def asker_name(ctx: Scope, question: Question) -> str:
    """Return for whom a question was asked."""
    return cards.name_of(ctx.directory(), question.asker_organisation)


def otherwise(ctx: Scope, organisation: str | None) -> Words:
    """Return how to reach an organisation by telephone or mail."""
    row = ctx.session.get(Organisation, organisation) if organisation else None
    org = ctx.directory().organisations.get(organisation or "")
    return cards.contact(org, row.phone if row else "", row.email if row else "")


def _repeats(end: Endpoint) -> bool:
    return end.thread is None or end.thread.startswith("key:")


def shown_name(ctx: Scope, actor: Actor) -> str:
    """Return how an actor is named in a state: the same for every reader."""
    organisation = cards.name_of(ctx.directory(), actor.organisation)
    return f"{actor.name} ({organisation})" if actor.name else organisation


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
