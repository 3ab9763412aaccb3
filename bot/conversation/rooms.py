"""What happens to rooms: invitations, joins, kicks, archives, upgrades. What waited in a lost room moves on."""

from sqlalchemy import select, update

from bot.card import Card, Paragraph
from bot.context import Context
from bot.conversation import deliver_waiting, place, redraw
from bot.conversation.telling import coordinators
from bot.directory import rooms
from bot.message import Address, RoomChange
from bot.questions import cards
from bot.questions.moves import PENDING
from bot.questions.tables import Endpoint, Question
from bot.texts import Text


def changed(ctx: Context, event: RoomChange, *, known: bool) -> None:
    """Take note of a change. `known`: who made it is of the directory or of an allowed server."""
    to = event.to
    match event.change:
        case "invited":
            if known:
                ctx.outbox.join(to, key=f"{ctx.key}/join")
        case "joined":
            row = rooms.note(ctx.session, to.platform, to.room, encrypted=event.encrypted, state="open")
            if row.organisation is not None:
                deliver_waiting(ctx, row.organisation)
            elif to.surface == "room":
                ctx.say(to, Card(Text.of("welcome.title"), (Paragraph(Text.of("welcome.how")),)), "welcome")
        case "encrypted":
            rooms.note(ctx.session, to.platform, to.room, encrypted=True)
        case "upgraded":
            if event.successor is not None:
                upgrade(ctx, to, event.successor)
        case "removed" | "archived" | "emptied":
            lost(ctx, to, event.change)


def lost(ctx: Context, to: Address, why: str) -> None:
    """Close a room: its open questions go to who comes next, and those who keep the directory are told."""
    row = rooms.note(ctx.session, to.platform, to.room, state="closed")
    moved = 0
    for question in _lying_in(ctx, to):
        place(ctx, question)
        redraw(ctx, question)
        moved += 1
    name = cards.name_of(ctx.directory(), row.organisation) if row.organisation else to.room
    alert(ctx, Card(Text.of("alert.title"), (Paragraph(Text.of(f"alert.room.{why}", name=name, moved=moved)),)))


def upgrade(ctx: Context, to: Address, successor: str) -> None:
    """Let a new room take over from an old one, with its link and what is under way."""
    new = rooms.move(ctx.session, to.platform, to.room, successor)
    rooms.note(ctx.session, to.platform, successor, encrypted=ctx.inbound.encrypted, state="open")
    here = (Endpoint.platform == to.platform, Endpoint.room == to.room)
    ctx.session.execute(update(Endpoint).where(*here, Endpoint.side == "asker").values(room=new.room, thread=None))
    for question in _lying_in(ctx, to):
        place(ctx, question)
        redraw(ctx, question)


def alert(ctx: Context, card: Card) -> None:
    """Tell the coordinators, in the first room of each of their organisations."""
    for organisation in coordinators(ctx.session, ctx.now):
        for room in rooms.rooms_of(ctx.session, organisation)[:1]:
            ctx.say(Address(room.platform, room.room), card, f"alert/{organisation}")


def _lying_in(ctx: Context, to: Address) -> list[Question]:
    return list(
        ctx.session.scalars(
            select(Question)
            .join(Endpoint, Endpoint.question_id == Question.id)
            .where(
                Endpoint.platform == to.platform,
                Endpoint.room == to.room,
                Endpoint.side == "recipient",
                Question.state.in_(PENDING),
            )
            .order_by(Question.id)
        )
    )
