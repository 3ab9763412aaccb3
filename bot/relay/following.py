"""What becomes of a received message follows to all that was made of it: edits, deletions, and files taken away."""

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from bot import personal
from bot.card import Card, Paragraph
from bot.context import Context
from bot.conversation import mark_cards, redraw
from bot.conversation.telling import who
from bot.files import safe_name
from bot.message import Address, Edit
from bot.posts import Post
from bot.questions import cards, moves, notes, passages, wording
from bot.questions.tables import Enclosed, Question
from bot.routing import candidates
from bot.texts import Text


def follow_edit(ctx: Context, post: Post, text: str) -> None:
    """Let an edit of a received message reach all that was made of it. Only its author's edits count."""
    edit = ctx.inbound
    if not isinstance(edit, Edit) or edit.author.id != post.author:
        return
    question = ctx.session.get(Question, post.question_id)
    if ctx.sealed:
        _seal(ctx, post)
    if question is not None and passages.rewrite(ctx.session, question, post.id, text, sealed=ctx.sealed):
        mark_cards(ctx.session, question)
        redraw(ctx, question)
    elif question is not None and is_opening(ctx, question, post):
        question.text, question.sealed = wording.question(text), question.sealed or ctx.sealed
        mark_cards(ctx.session, question)
        redraw(ctx, question)
    if question is not None:
        notes.follow(ctx.session, question)
    rewrite(ctx, post, edit, wording.answer(text))


def _seal(ctx: Context, post: Post) -> None:
    """Keep a message to encrypted rooms that was said before its room was one."""
    ctx.session.execute(update(Post).where(or_(Post.id == post.id, Post.source_id == post.id)).values(sealed=True))


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


def rewrite(ctx: Context, post: Post, edit: Edit, text: str) -> None:
    """Rewrite the copies of a received message, and take back the files that it lost.

    What came from a sealed room stays sealed; identifiers that its author has not agreed to show are masked.
    """
    left = {file.id: safe_name(file.name) for file in edit.files}
    ctx.session.execute(delete(Enclosed).where(Enclosed.post_id == post.id, Enclosed.file.not_in(left)))
    copies = list(copies_of(ctx.session, post))
    names = tuple(left[file] for file in dict.fromkeys(c.file for c in copies if c.file) if file in left)
    for copy in copies:
        if copy.file is not None:
            if copy.file not in left:
                ctx.outbox.delete(str(copy.key), revision=ctx.key)
            continue
        question = ctx.session.get_one(Question, copy.question_id)
        card = cards.words(question.number, who(ctx, ctx.actor), text, files=names)
        ctx.outbox.edit(str(copy.key), card, revision=ctx.key)
    masks = not (post.cleared or post.sealed) and personal.found(text)
    if masks and not all(ctx.outbox.encrypted(Address(c.platform, c.room)) for c in copies):
        here = replace(ctx.to, thread=ctx.to.thread or post.thread or post.message_id)
        told = Text.of("personal.edited")
        ctx.say(here if ctx.to.surface == "room" else ctx.to, Card(None, (Paragraph(told),)), "masked")


def take_back(ctx: Context, post: Post) -> None:
    """Take back the copies of a received message, its files with them."""
    post.gone = True
    ctx.session.execute(delete(Enclosed).where(Enclosed.post_id == post.id))
    for copy in copies_of(ctx.session, post):
        ctx.outbox.delete(str(copy.key), revision=ctx.key)


def is_opening(ctx: Context, question: Question, post: Post) -> bool:
    """Whether a received message is the one that asked the question: the first of its side, and never carried."""
    if any(copy.file is None for copy in copies_of(ctx.session, post)):
        return False
    first = select(Post.id).where(Post.question_id == question.id, Post.side == "asker", Post.key.is_(None))
    return ctx.session.scalar(first.order_by(Post.id).limit(1)) == post.id


def copies_of(session: Session, post: Post) -> Iterable[Post]:
    """Return what was said to carry a received message, and still stands."""
    found = select(Post).where(Post.source_id == post.id, Post.part == 0, Post.key.is_not(None), Post.gone.is_(False))
    return session.scalars(found).all()
