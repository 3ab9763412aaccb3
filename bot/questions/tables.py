"""The tables of questions. Text lives in `Question` and nowhere else for long; history holds moves, not words."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, event
from sqlalchemy.orm import Mapped, mapped_column

from bot.db import Base, Instant


class Counter(Base):
    """The last number given in a year: numbers are consecutive and never given twice."""

    __tablename__ = "question_counter"
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


class Question(Base):
    """A question and where it stands.

    `recipient` is who is competent; `placed_with` is whose room it lies in, another one while the competent post has
    no reachable room. `because` holds the reasons, as texts to be rendered for each reader.
    """

    __tablename__ = "question"
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    state: Mapped[str] = mapped_column(String(12))  # one of `moves.State`
    text: Mapped[str] = mapped_column(Text)
    sealed: Mapped[bool] = mapped_column(default=False)
    cleared: Mapped[bool] = mapped_column(default=False)  # identifiers in it are shown, as its author chose
    urgent: Mapped[bool] = mapped_column(default=False)
    dialogue: Mapped[str | None] = mapped_column(String(300))  # open: the key of what said so on both sides
    topic: Mapped[str | None] = mapped_column(String(40))
    because: Mapped[str] = mapped_column(Text, default="[]")
    asker_account: Mapped[str] = mapped_column(String(255))
    asker_person: Mapped[str | None] = mapped_column(String(100))
    asker_organisation: Mapped[str | None] = mapped_column(String(100))
    recipient: Mapped[str | None] = mapped_column(String(100))
    role: Mapped[str | None] = mapped_column(String(40))
    fallback: Mapped[str | None] = mapped_column(String(100))
    placed_with: Mapped[str | None] = mapped_column(String(100))
    taken_by: Mapped[str | None] = mapped_column(String(255))  # as everybody is told
    taken_person: Mapped[str | None] = mapped_column(String(100), index=True)
    merged_into: Mapped[int | None] = mapped_column(
        ForeignKey("question.id", deferrable=True, initially="DEFERRED"), index=True
    )
    helped: Mapped[bool | None]  # what who asked says of the answer
    split_from: Mapped[int | None] = mapped_column(ForeignKey("question.id", deferrable=True, initially="DEFERRED"))
    asked_at: Mapped[datetime] = mapped_column(Instant)
    due_at: Mapped[datetime | None] = mapped_column(Instant)  # when an answer is expected; None: at no set time
    taken_at: Mapped[datetime | None] = mapped_column(Instant)
    answered_at: Mapped[datetime | None] = mapped_column(Instant)
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    counted_from: Mapped[datetime | None] = mapped_column(Instant)  # since when what is waited for now is waited for
    steps: Mapped[int] = mapped_column(default=0)  # of `bot.questions.clock`, taken since `counted_from`
    stepped_at: Mapped[datetime | None] = mapped_column(Instant)  # the last of them

    __table_args__ = (
        Index("ix_question_placed", "placed_with", "state"),
        Index("ix_question_asker", "asker_account", "state"),
        Index("ix_question_from", "asker_organisation", "state"),
        Index("ix_question_to", "recipient", "state"),
        Index("ix_question_due", "state", "due_at"),
    )


class Enclosed(Base):
    """A file that came with a question before anybody had it: who gets the question gets it too."""

    __tablename__ = "enclosed"
    id: Mapped[int] = mapped_column(primary_key=True)
    question_id: Mapped[int] = mapped_column(ForeignKey("question.id"), index=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("post.id"), index=True)
    file: Mapped[str] = mapped_column(String(255))
    name: Mapped[str] = mapped_column(Text)
    size: Mapped[int]
    source: Mapped[str] = mapped_column(Text)
    platform: Mapped[str] = mapped_column(String(20))
    room: Mapped[str] = mapped_column(String(255))
    thread: Mapped[str | None] = mapped_column(String(300))
    direct: Mapped[bool] = mapped_column(default=False)


class Endpoint(Base):
    """Where a side of a question is: a room, the root of its thread there, and the card that shows its state."""

    __tablename__ = "endpoint"
    question_id: Mapped[int] = mapped_column(ForeignKey("question.id"), primary_key=True, autoincrement=False)
    side: Mapped[str] = mapped_column(String(10), primary_key=True)
    platform: Mapped[str] = mapped_column(String(20))
    room: Mapped[str] = mapped_column(String(255))
    thread: Mapped[str | None] = mapped_column(String(300))
    surface: Mapped[str] = mapped_column(String(10), default="room")
    card_key: Mapped[str] = mapped_column(String(300))

    __table_args__ = (Index("ix_endpoint_room", "platform", "room"),)


class Move(Base):
    """One line of a question's history: who did what, when, from where to where; never the words.

    Lines are only ever added. `organisation` is for whom they spoke; all of who is None for the clockwork.
    """

    __tablename__ = "move"
    id: Mapped[int] = mapped_column(primary_key=True)
    question_id: Mapped[int] = mapped_column(ForeignKey("question.id"), index=True)
    at: Mapped[datetime] = mapped_column(Instant)
    kind: Mapped[str] = mapped_column(String(20))
    account: Mapped[str | None] = mapped_column(String(255))
    person: Mapped[str | None] = mapped_column(String(100))
    organisation: Mapped[str | None] = mapped_column(String(100))
    before: Mapped[str | None] = mapped_column(String(12))  # the state it left; None for the first line
    after: Mapped[str] = mapped_column(String(12))
    whence: Mapped[str | None] = mapped_column(String(100))  # the organisation that had it
    towards: Mapped[str | None] = mapped_column(String(100))  # the organisation it was sent or raised to
    reason: Mapped[str | None] = mapped_column(String(200))


def _only_added(_mapper: object, _connection: object, line: Move) -> None:
    message = f"a line of a question's history does not change: {line.id}"
    raise TypeError(message)


event.listen(Move, "before_update", _only_added)
event.listen(Move, "before_delete", _only_added)
