"""What an event can ask for, and the message and question that it is about."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.card import Card
from bot.context import Context
from bot.grammar import Command
from bot.posts import Post
from bot.questions import find
from bot.questions.tables import Question


@dataclass(frozen=True, slots=True)
class Wanted:
    """A command to run. `act` is set where the event acts on the map of messages instead."""

    command: Command
    line: str = ""
    form: Mapping[str, str] = field(default_factory=dict[str, str])
    about: Question | None = None
    act: Callable[[Context], None] | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """In doubt: a card that lets the person choose, or says why what they did is not obeyed."""

    card: Card
    refused: str | None = None  # what, as the audit calls it


@dataclass(frozen=True, slots=True)
class Nothing:
    """It is none of the bot's business."""


Plan = Wanted | Asked | Nothing
NOTHING = Nothing()


def post_of(ctx: Context, message_id: str | None) -> Post | None:
    """Return what the map knows of a message of this room."""
    return find.post_of(ctx.session, ctx.to.platform, ctx.to.room, message_id)


def question_of(ctx: Context, post: Post | None) -> Question | None:
    """Return the question that a message belongs to; nobody else moves it meanwhile."""
    if post is None or not post.question_id:
        return None
    return ctx.session.get(Question, post.question_id, with_for_update=True)
