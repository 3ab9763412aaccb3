"""What the clock said of a question, once it has served: it tells what became of the question, and offers no more."""

import json

from sqlalchemy import select

from bot.card import Block, Button, Buttons, Card, Fields, Paragraph
from bot.context import Scope
from bot.directory.rooms import room_of
from bot.posts import Post, side_of
from bot.questions import cards, clock, find, moves
from bot.questions.tables import Question
from bot.texts import Text

KEEP = "maintenir"  # what a warning offers beside the moves of its state


def refresh(ctx: Scope, question: Question) -> None:
    """Rewrite what the clock said of a question wherever it offers what can no longer be done."""
    spoken = (Post.question_id == question.id, Post.key.startswith("due/"), Post.gone.is_(False))
    for post in ctx.session.scalars(select(Post).where(*spoken, Post.buttons.is_not(None)).order_by(Post.id)):
        if not _lies_here(ctx, question, post) and _is_closed(ctx, post):
            continue
        offered = [command for command, _ in json.loads(post.buttons or "[]")]
        left = _left(ctx, question, post, offered)
        if left != offered:
            ctx.outbox.edit(str(post.key), _now(ctx, question, post, left), revision=ctx.key)


def _left(ctx: Scope, question: Question, post: Post, offered: list[str]) -> list[str]:
    """Return what of it can still be done, and is still meant."""
    side = side_of(post)
    if side is None or not _lies_here(ctx, question, post):
        return []
    if KEEP in offered:
        return offered if clock.is_warned(question) else []
    if side == "recipient" and not clock.awaits_answer(question):
        return []
    possible = {rule.button for rule in moves.offered(side, question.state)}
    return [command for command in offered if command in possible]


def _lies_here(ctx: Scope, question: Question, post: Post) -> bool:
    end = find.endpoint(ctx.session, question.id, post.side or "")
    return end is not None and (end.platform, end.room) == (post.platform, post.room)


def _is_closed(ctx: Scope, post: Post) -> bool:
    room = room_of(ctx.session, post.platform, post.room)
    return room is not None and room.state == "closed"


def _now(ctx: Scope, question: Question, post: Post, left: list[str]) -> Card:
    if not _lies_here(ctx, question, post):
        office = cards.office(ctx.directory(), question)
        return Card(None, (Paragraph(Text.of("clock.moved", number=question.number, office=office)),))
    state = cards.state(question)
    if not left:
        return Card(None, (Paragraph(Text.of("clock.over", number=question.number, state=state, at=ctx.now)),))
    buttons = Buttons(tuple(Button(Text.of(f"button.{command}"), command, question.number) for command in left))
    blocks: list[Block] = [Paragraph(Text.of("clock.goes_on", number=question.number, state=state))]
    return Card(None, (*blocks, Fields(cards.due(question)), buttons))
