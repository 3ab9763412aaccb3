"""The message that is being handled: whose words and files it holds, where its author is told, its row in the map."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from bot.card import Card, Paragraph
from bot.context import Context
from bot.directory.identity import Actor, identify
from bot.directory.rooms import room_of
from bot.errors import UserError
from bot.files import safe_name
from bot.message import Address, Attachment, Message, Reaction
from bot.posts import Post, Side
from bot.questions import find
from bot.questions.tables import Enclosed, Question
from bot.texts import Text


def message(ctx: Context) -> Message | None:
    """Return the message whose words are handled: the one said, or the one on which an emoji lets it cross."""
    match ctx.inbound:
        case Message() as said:
            return said
        case Reaction(on=said):
            return said
        case _:
            return None


def speaker(ctx: Context) -> Actor:
    """Return whose words they are: those of the message, whoever lets it cross."""
    said = message(ctx)
    if said is None or said.author == ctx.inbound.author:
        return ctx.actor
    to = said.to
    found = identify(ctx.session, said.author, (to.platform, to.room), to.surface != "room", ctx.now)
    if found is None:
        raise UserError("crossing.stranger")
    return found


def place(ctx: Context) -> Address:
    """Return where its author is told what became of what they said: beneath it."""
    said = message(ctx)
    if said is None or said.to.surface != "room":
        return Address(ctx.to.platform, ctx.to.room, ctx.to.thread, surface=ctx.to.surface)
    return replace(said.to, thread=said.to.thread or said.message_id)


def files(ctx: Context) -> tuple[Attachment, ...]:
    """Return the files that may cross; who attached others is told why they do not."""
    said = message(ctx)
    if said is None:
        return ()
    judged = [(file, ctx.world.limits.refuse(safe_name(file.name), file.size)) for file in said.files]
    refused = [(safe_name(file.name), reason) for file, reason in judged if reason is not None]
    if refused and len(refused) == len(judged) and not said.text.strip():
        raise UserError("file.not_sent", name=refused[0][0], reason=refused[0][1])
    for number, (name, reason) in enumerate(refused):
        words = Text.of("file.not_sent", name=name, reason=reason)
        ctx.say(place(ctx), Card(None, (Paragraph(words),)), f"refused{number}")
    return tuple(file for file, reason in judged if reason is None)


def enclose(ctx: Context, question: Question, source: int | None, attached: Sequence[Attachment] | None = None) -> None:
    """Keep with a question the files of the message that is being handled."""
    here = place(ctx)
    for file in files(ctx) if attached is None else attached:
        if source is not None:
            ctx.session.add(
                Enclosed(
                    question_id=question.id,
                    post_id=source,
                    file=file.id,
                    name=file.name,
                    size=file.size,
                    source=file.source,
                    platform=here.platform,
                    room=here.room,
                    thread=here.thread,
                    direct=here.surface == "direct",
                )
            )
    ctx.session.flush()


def received(ctx: Context, question: Question, side: Side) -> int | None:
    """Enter the message that is being handled in the map, once, and return its row."""
    said = message(ctx)
    if said is None:
        return None
    known = find.post_of(ctx.session, said.to.platform, said.to.room, said.message_id)
    if known is None:
        known = Post(
            platform=said.to.platform,
            room=said.to.room,
            message_id=said.message_id,
            thread=said.to.thread,
            question_id=question.id,
            side=side,
            author=said.author.id,
            sealed=ctx.sealed,
            at=ctx.now,
        )
        ctx.session.add(known)
    known.cleared = ctx.cleared
    ctx.session.flush()
    return known.id


def sealed_here(session: Session, to: Address, *, encrypted: bool) -> bool:
    """Say whether what is said at an address keeps to encrypted rooms."""
    if not encrypted:
        return False
    row = room_of(session, to.platform, to.room)
    return row is None or not row.relay_unencrypted
