"""Carrying words from one side of a question to the other, and letting their edits and deletions follow."""

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.context import Context
from bot.conversation import address, redraw, who
from bot.directory.rooms import room_of
from bot.message import Address, Message, User
from bot.outbox import Placing, Post, Side
from bot.questions import cards, find, moves, notes, passages, wording
from bot.questions.tables import Question
from bot.routing import candidates

HOLD = timedelta(milliseconds=200)  # Slack may deliver two messages of a thread in the wrong order


def carry(ctx: Context, question: Question, text: str, side: Side) -> None:
    """Carry somebody's words from their side to the other; their edits and deletion will follow them."""
    other: Side = "recipient" if side == "asker" else "asker"
    end = find.endpoint(ctx.session, question.id, other)
    if end is None:  # nobody has the question yet: who gets it gets this with it
        passages.join(ctx.session, question, text, received(ctx, question, side), ctx.now, sealed=ctx.sealed)
        return
    notify = User(end.platform, question.asker_account) if other == "asker" and end.surface == "room" else None
    if notify is not None and notify.platform == "console":
        notify = None
    card = cards.words(question.number, who(ctx, ctx.actor), text, notify)
    ctx.say(
        address(end),
        card,
        f"words/{question.number}",
        Placing(
            question.id,
            other,
            source_id=received(ctx, question, side),
            sealed=ctx.sealed,
            source_at=ctx.inbound.at if isinstance(ctx.inbound, Message) else None,
            hold=HOLD if isinstance(ctx.inbound, Message) and ctx.to.platform == "slack" else timedelta(0),
        ),
    )


def add_words(ctx: Context, into: Question, merged: Question) -> None:
    """Let the words of a question that was merged into another reach who has that one."""
    end = find.endpoint(ctx.session, into.id, "recipient")
    if end is None:
        into.text = wording.question(f"{into.text}\n\n{merged.text}")
        into.sealed = into.sealed or merged.sealed
        return
    name = cards.name_of(ctx.directory(), merged.asker_organisation)
    placing = Placing(into.id, "recipient", sealed=merged.sealed)
    ctx.say(address(end), cards.words(merged.number, name, merged.text), f"merged/{merged.number}", placing)


def received(ctx: Context, question: Question, side: Side) -> int | None:
    """Enter the message that is being handled in the map, once, and return its row."""
    message = ctx.inbound
    if not isinstance(message, Message):
        return None
    known = find.post_of(ctx.session, message.to.platform, message.to.room, message.message_id)
    if known is None:
        known = Post(
            platform=message.to.platform,
            room=message.to.room,
            message_id=message.message_id,
            thread=message.to.thread,
            question_id=question.id,
            side=side,
            author=message.author.id,
            sealed=ctx.sealed,
            at=ctx.now,
        )
        ctx.session.add(known)
        ctx.session.flush()
    return known.id


def sealed_here(session: Session, to: Address, *, encrypted: bool) -> bool:
    """Say whether what is said at an address keeps to encrypted rooms."""
    if not encrypted:
        return False
    row = room_of(session, to.platform, to.room)
    return row is None or not row.relay_unencrypted


def rewrite(ctx: Context, post: Post, text: str) -> None:
    """Rewrite the copies of a received message; what came from a sealed room stays sealed."""
    for copy in _copies(ctx.session, post):
        question = ctx.session.get_one(Question, copy.question_id)
        ctx.outbox.edit(str(copy.key), cards.words(question.number, who(ctx, ctx.actor), text), revision=ctx.key)


def take_back(ctx: Context, post: Post) -> None:
    """Take back the copies of a received message."""
    post.gone = True
    for copy in _copies(ctx.session, post):
        ctx.outbox.delete(str(copy.key), revision=ctx.key)


def _copies(session: Session, post: Post) -> Iterable[Post]:
    found = select(Post).where(Post.source_id == post.id, Post.part == 0, Post.key.is_not(None), Post.gone.is_(False))
    return session.scalars(found).all()


def follow_edit(ctx: Context, post: Post, text: str) -> None:
    """Let an edit of a received message reach all that was made of it. Only its author's edits count."""
    if ctx.inbound.author.id != post.author:
        return
    question = ctx.session.get(Question, post.question_id)
    if question is not None and passages.rewrite(ctx.session, question, post.id, text):
        redraw(ctx, question)
    elif question is not None and is_opening(ctx, question, post):
        question.text = wording.question(text)
        redraw(ctx, question)
    if question is not None:
        notes.follow(ctx.session, question)
    rewrite(ctx, post, wording.answer(text))


def follow_deletion(ctx: Context, post: Post) -> None:
    """Let the deletion of a received message reach all that was made of it; a question whose message goes, goes."""
    question = ctx.session.get(Question, post.question_id)
    if question is not None and passages.rewrite(ctx.session, question, post.id, "") and question.text:
        redraw(ctx, question)
    elif question is not None and (not question.text or is_opening(ctx, question, post)):
        question.text = ""
        candidates.withdraw(ctx.session, question.number)
        moves.withdraw(ctx.session, ctx.actor, question, ctx.now)
        redraw(ctx, question)
    if question is not None:
        notes.follow(ctx.session, question)
    take_back(ctx, post)


def is_opening(ctx: Context, question: Question, post: Post) -> bool:
    """Whether a received message is the one that asked the question: the first of its side."""
    first = select(Post.id).where(Post.question_id == question.id, Post.side == "asker", Post.key.is_(None))
    return ctx.session.scalar(first.order_by(Post.id).limit(1)) == post.id
