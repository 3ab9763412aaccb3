"""What lasts of what was said: the messages that one question was asked in, and its answers.

They follow their messages: an edit rewrites a passage, a deletion takes it away.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.db import Base, Instant
from bot.posts import Post, Side
from bot.questions import wording
from bot.questions.tables import Question


class Passage(Base):
    """One message's words. A question asked in a single message has none on its asker's side: its text is its own."""

    __tablename__ = "passage"
    id: Mapped[int] = mapped_column(primary_key=True)
    question_id: Mapped[int] = mapped_column(ForeignKey("question.id"), index=True)
    side: Mapped[str] = mapped_column(String(10))
    post_id: Mapped[int | None] = mapped_column(ForeignKey("post.id"), index=True)
    text: Mapped[str] = mapped_column(Text)
    sealed: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime] = mapped_column(Instant)


def join(session: Session, question: Question, text: str, post: int | None, now: datetime, *, sealed: bool) -> None:
    """Let one more message of its asker be part of a question. Raises UserError when it becomes too long."""
    if question.text and not _of(session, question, "asker"):
        first = select(Post.id).where(Post.question_id == question.id, Post.side == "asker", Post.key.is_(None))
        opening = session.scalar(first.order_by(Post.id).limit(1))
        own = opening if opening != post else None
        session.add(
            Passage(
                question_id=question.id,
                side="asker",
                post_id=own,
                text=question.text,
                sealed=question.sealed,
                at=question.asked_at,
            )
        )
        session.flush()
    session.add(Passage(question_id=question.id, side="asker", post_id=post, text=text, sealed=sealed, at=now))
    session.flush()
    question.sealed = question.sealed or sealed
    question.text = wording.question(_joined(_of(session, question, "asker")))


def answered(session: Session, question: Question, text: str, post: int | None, now: datetime, *, sealed: bool) -> None:
    """Keep an answer."""
    session.add(Passage(question_id=question.id, side="recipient", post_id=post, text=text, sealed=sealed, at=now))


def answers(session: Session, question: Question) -> Sequence[Passage]:
    """Return what was answered, the oldest first."""
    return _of(session, question, "recipient")


def rewrite(session: Session, question: Question, post: int, text: str, *, sealed: bool = False) -> bool:
    """Let an edit or, with an empty text, a deletion of a message reach its passage; return whether it was one.

    A question's text follows. What was said in clear is sealed from when it is rewritten in an encrypted room.
    """
    found = session.scalar(select(Passage).where(Passage.question_id == question.id, Passage.post_id == post))
    if found is None:
        return False
    found.text, found.sealed = text, found.sealed or sealed
    session.flush()
    if found.side == "asker":
        question.sealed = question.sealed or found.sealed
        rest = _of(session, question, "asker")
        question.text = wording.question(_joined(rest)) if rest else ""
    return True


def _of(session: Session, question: Question, side: Side) -> Sequence[Passage]:
    own = select(Passage).where(Passage.question_id == question.id, Passage.side == side, Passage.text != "")
    return session.scalars(own.order_by(Passage.id)).all()


def _joined(passages: Sequence[Passage]) -> str:
    return "\n\n".join(passage.text for passage in passages)
