"""What somebody said: found by who asked, by who wrote a message, and by who made a move at the same instant.

It goes from the rows, from what is on its way, and from the rooms as far as their platforms let us take it back.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import Session

from bot import files
from bot.context import Scope
from bot.conversation import redraw, sent_on
from bot.jobs.tables import NOTHING, Job
from bot.posts import Post, forget_drawn
from bot.privacy.traces import Traces
from bot.questions import cards, moves
from bot.questions.notes import Note
from bot.questions.passages import Passage
from bot.questions.tables import Enclosed, Endpoint, Move, Question
from bot.routing import candidates
from bot.routing.tables import RoutingExample

_NOT_BEGUN = ("waiting", "unknown", "failed")
_BLIND = {"synchronize_session": False}


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody said, by its rows."""

    asked: Sequence[Question]
    passages: Sequence[Passage]
    posts: Sequence[Post]  # their messages
    copies: Sequence[Post]  # what the bot made of their words elsewhere, or said of their questions


def said(session: Session, traces: Traces) -> Said:
    """Return all that somebody said and that is still known."""
    mine = or_(Question.asker_person == traces.person, Question.asker_account.in_(traces.accounts))
    asked = session.scalars(select(Question).where(mine).order_by(Question.id)).all()
    own = {question.id for question in asked}
    written = select(Post).where(Post.author.in_(traces.accounts), Post.key.is_(None)).order_by(Post.id)
    posts = session.scalars(written).all()
    messages = {post.id for post in posts}
    spoke = select(Move.question_id, Move.at).where(_moved(traces), Move.kind.in_(("answer", "add", "ask_back")))
    at = {(number, instant) for number, instant in session.execute(spoke)}
    kept = or_(Passage.question_id.in_(own | {number for number, _ in at}), Passage.post_id.in_(messages))
    passages = [
        passage
        for passage in session.scalars(select(Passage).where(kept).order_by(Passage.id))
        if passage.post_id in messages
        or (passage.question_id, passage.at) in at
        or (passage.side == "asker" and passage.question_id in own)
    ]
    return Said(asked, passages, posts, _copies(session, traces.accounts, messages, own, at))


def _copies(
    session: Session,
    accounts: Collection[str],
    messages: Collection[int],
    own: Collection[int],
    at: Collection[tuple[int, datetime]],
) -> list[Post]:
    """Return what was said of somebody's words: copies of messages and forms, answers, what shows their questions.

    The cards where a question stands are drawn anew instead, and what others said of it stays.
    """
    cards_ = set(session.scalars(select(Endpoint.card_key)))
    near = Post.question_id.in_({*own, *(number for number, _ in at)})
    answers = Post.author.in_(accounts)
    ours = select(Post).where(Post.key.is_not(None), Post.part == 0, Post.gone.is_(False)).order_by(Post.id)
    return [
        post
        for post in session.scalars(ours.where(or_(Post.source_id.in_(messages), near, answers)))
        if post.source_id in messages
        or (post.author in accounts and post.source_id is None and str(post.key) not in cards_)
        or ((post.question_id, post.at) in at and "/words/" in str(post.key))
        or (post.question_id in own and post.source_id is None and not _stays(str(post.key), cards_))
    ]


def _stays(key: str, cards_: Collection[str]) -> bool:
    return key in cards_ or "/raised/" in key or "/words/" in key


def take_back(ctx: Scope, traces: Traces, its: Said) -> None:
    """Take somebody's words from the rows, and put what takes them from the rooms."""
    session = ctx.session
    own = [question.id for question in its.asked]
    session.execute(
        delete(Note).where(or_(Note.passage.in_([it.id for it in its.passages]), Note.question_id.in_(own)))
    )
    session.execute(delete(Enclosed).where(Enclosed.post_id.in_([post.id for post in its.posts])))
    _stop(session, its)
    for passage in its.passages:
        passage.text = ""
    for copy in its.copies:
        ctx.outbox.delete(str(copy.key), revision=ctx.key)
        copy.buttons = copy.prompt = None
        copy.file = "erased" if copy.file is not None else None
    for question in its.asked:
        question.text, question.because, question.asker_person = "", "[]", None
        candidates.withdraw(session, question.number)
        moves.withdraw(session, None, question, ctx.now)
    for question in session.scalars(select(Question).where(Question.taken_person == traces.person)):
        if question.state == "taken":
            moves.make(session, "release", None, question, ctx.now, reason="left")
        else:
            question.taken_by, question.taken_person = cards.name_of(ctx.directory(), question.placed_with), None
        redraw(ctx, question)
    for move in session.scalars(select(Move).where(_moved(traces), Move.kind == "redirect").order_by(Move.id)):
        _unsaid(ctx, move)
    session.execute(update(Move).where(_moved(traces)).values(reason=None), execution_options=_BLIND)
    session.flush()
    for question in its.asked:
        redraw(ctx, question)


def _unsaid(ctx: Scope, move: Move) -> None:
    """Let nothing say any more why somebody sent a question on."""
    session, question = ctx.session, ctx.session.get_one(Question, move.question_id)
    example = RoutingExample.number == question.number, RoutingExample.at == move.at
    session.execute(update(RoutingExample).where(*example).values(why=None), execution_options=_BLIND)
    later = select(Move.id).where(Move.question_id == question.id, Move.kind == "redirect", Move.id > move.id)
    if question.because != "[]" and session.scalar(later.limit(1)) is None:
        question.because = sent_on(cards.name_of(ctx.directory(), move.organisation))
        redraw(ctx, question)


def _stop(session: Session, its: Said) -> None:
    """Let nothing of their words go out any more; what is under way is taken back after it."""
    keys = [str(post.key) for post in its.copies]
    carried = [f"fetch:{key}" for key in keys]
    asked = {question.id for question in its.asked}
    shown = select(Post.key).where(Post.question_id.in_(asked), Post.key.is_not(None))
    theirs = or_(Job.key.in_([*keys, *carried]), Job.key.in_(shown), Job.target.in_(shown))
    stopped = update(Job).where(theirs, Job.state.in_(_NOT_BEGUN)).values(state="cancelled", args=NOTHING)
    session.execute(stopped, execution_options=_BLIND)
    forget_drawn(session, shown)
    files.discard(session, keys)


def _moved(traces: Traces) -> ColumnElement[bool]:
    return or_(Move.person == traces.person, Move.account.in_(traces.accounts))
