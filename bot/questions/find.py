"""Finding a question: by its number, by a message of its conversation, by who asked it."""

import re
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.message import Address
from bot.posts import Post, message_of
from bot.questions.moves import OPEN
from bot.questions.tables import Endpoint, Move, Question

NUMBER = re.compile(r"Q-?(\d{4})-?(\d{1,7})", re.IGNORECASE)


def by_number(session: Session, number: str) -> Question | None:
    """Return the question of a number, however its zeros and hyphens are typed; nobody else moves it meanwhile."""
    match = NUMBER.fullmatch(number)
    if match is None:
        return None
    number = f"Q-{match[1]}-{int(match[2]):05d}"
    mine = select(Question).where(Question.number == number).with_for_update()
    return session.scalar(mine.execution_options(populate_existing=True))  # as it is now that nobody else moves it


def post_of(session: Session, platform: str, room: str, message_id: str | None) -> Post | None:
    """Return what the map knows of a message."""
    if message_id is None:
        return None
    return session.scalar(
        select(Post).where(Post.platform == platform, Post.room == room, Post.message_id == message_id)
    )


def said(session: Session, key: str) -> bool:
    """Say whether something was said, or waits to be said, under a key."""
    return session.scalar(select(Post.id).where(Post.key == key)) is not None


def endpoint(session: Session, question_id: int, side: str) -> Endpoint | None:
    """Return where a side of a question is."""
    return session.get(Endpoint, (question_id, side))


def endpoint_in(session: Session, question_id: int, to: Address) -> Endpoint | None:
    """Return the side of a question that is in a room and thread, if one is; a thread is named as its platform does."""
    rows = session.scalars(select(Endpoint).where(Endpoint.question_id == question_id))
    return next(
        (
            row
            for row in rows
            if (row.platform, row.room) == (to.platform, to.room)
            and to.thread is not None
            and row.thread is not None
            and _root(session, row.thread) == to.thread
        ),
        None,
    )


def card_in(session: Session, question: Question, to: Address) -> Post | None:
    """Return the newest card of a question in a room, be it a side's or one that it was raised to; None without one."""
    cards = (Post.question_id == question.id, Post.key.startswith(f"{question.number}/"), Post.file.is_(None))
    here = (Post.platform == to.platform, Post.room == to.room, Post.part == 0, Post.gone.is_(False))
    return session.scalar(select(Post).where(*cards, *here).order_by(Post.id.desc()).limit(1))


def open_of(session: Session, account: str) -> list[Question]:
    """Return the questions that an account asked and that are not ended, newest first."""
    return list(
        session.scalars(
            select(Question)
            .where(Question.asker_account == account, Question.state.in_(OPEN))
            .order_by(Question.id.desc())
        )
    )


def open_in(session: Session, platform: str, room: str) -> Sequence[int]:
    """Return the questions under way that have a side in a room; two are enough to know that there are several."""
    rows = (
        select(Question.id)
        .join(Endpoint, Endpoint.question_id == Question.id)
        .where(Endpoint.platform == platform, Endpoint.room == room, Question.state.in_(OPEN))
        .distinct()
    )
    return session.scalars(rows.limit(2)).all()


def newest_in(session: Session, platform: str, room: str, states: Collection[str], limit: int) -> list[Question]:
    """Return the newest questions in some of the states that have a side in a room."""
    there = select(Endpoint.question_id).where(Endpoint.platform == platform, Endpoint.room == room)
    found = select(Question).where(Question.id.in_(there), Question.state.in_(states))
    return list(session.scalars(found.order_by(Question.id.desc()).limit(limit)))


def history(session: Session, question: Question) -> list[Move]:
    """Return what happened to a question, the oldest line first."""
    return list(session.scalars(select(Move).where(Move.question_id == question.id).order_by(Move.id)))


def last_asked(session: Session, account: str, to: Address) -> Question | None:
    """Return the question that an account asked last in a room, if it is open."""
    asked = (
        select(Question)
        .join(Endpoint, Endpoint.question_id == Question.id)
        .where(Question.asker_account == account, Question.state.in_(OPEN), Endpoint.side == "asker")
        .where(Endpoint.platform == to.platform, Endpoint.room == to.room)
    )
    return session.scalar(asked.order_by(Question.id.desc()).limit(1))


def last_word(session: Session, question_id: int, account: str) -> datetime | None:
    """Return when an account last said something in a question."""
    return session.scalar(
        select(Post.at)
        .where(Post.question_id == question_id, Post.author == account, Post.key.is_(None))
        .order_by(Post.id.desc())
    )


def live_threads(session: Session, platform: str) -> list[Address]:
    """Return the threads of a platform in which a question is under way."""
    rows = session.execute(
        select(Endpoint.room, Endpoint.thread, Endpoint.surface, Endpoint.card_key)
        .join(Question, Question.id == Endpoint.question_id)
        .where(Endpoint.platform == platform, Question.state.in_(OPEN))
        .order_by(Endpoint.question_id)
    ).all()
    return [Address(platform, row.room, _root(session, row.thread)) for row in rows if row.thread]


def _root(session: Session, thread: str) -> str | None:
    return message_of(session, thread.removeprefix("key:")) if thread.startswith("key:") else thread
