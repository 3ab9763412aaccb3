"""Four eyes: what one person asks for, a second one with the right to it lets happen, within a time.

An act waits as a row. A card in the rooms of those who have the right offers to let it happen or to refuse it; who
asked for it can only withdraw it. What is settled is done or dropped by the clockwork, in a transaction of its own.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot import due
from bot.audit.recording import CLOCK, record
from bot.card import Button, Buttons, Card, Paragraph, Words
from bot.clockwork import Again, Kind, Ring
from bot.context import Context, Scope
from bot.conversation.telling import holders, say_in_rooms, tell_person
from bot.db import Base, Instant
from bot.directory.tables import ID, Person
from bot.errors import UserError
from bot.posts import Post
from bot.rights import RIGHTS, Denied, least, may
from bot.texts import Text as Sentence

WITHIN: Final = timedelta(hours=24)
ACT: Final = "four eyes"  # the kind of due things: an act that was settled, or whose time is over

State: TypeAlias = Literal["waiting", "confirmed", "refused", "withdrawn"]
Args: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Act:
    """What becomes of an act, with what it was asked with.

    `do` is given whom the audit is to name; it raises UserError, before it changes anything, where the act is of no use
    any more. `drop` is for one that nobody lets happen.
    """

    do: Callable[[Scope, Args, str], object]
    drop: Callable[[Scope, Args], object] = lambda _ctx, _args: None


class Asked(Base):
    """An act that waits for a second person. `by` and `second` are people's ids."""

    __tablename__ = "four_eyes"
    id: Mapped[int] = mapped_column(primary_key=True)
    action: Mapped[str] = mapped_column(String(60))
    args: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(String(ID))
    second: Mapped[str | None] = mapped_column(String(ID))  # who let it happen
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = ({"sqlite_autoincrement": True},)


def ask(ctx: Context, action: str, args: Args, what: Words, *, look: Button | None = None) -> Card:
    """Let an act wait for a second person; return what who asks is told.

    `look` shows that person more of what they let happen. Whether who asks may is for the caller to say. Raises
    UserError for who is not known.
    """
    person = ctx.actor.person
    if person is None:
        raise UserError("keeping.not_linked")
    row = Asked(action=action, args=json.dumps(args), by=person, at=ctx.now)
    ctx.session.add(row)
    ctx.session.flush()
    due.put(ctx.session, ACT, str(row.id), ctx.now + WITHIN)
    _audit(ctx, "asked", row, f"person:{person}")
    say_in_rooms(ctx, _rooms(ctx, row), _offered(row, what, ctx.actor.name or person, look), f"four_eyes/{row.id}")
    back = Buttons((Button(Sentence.of("button.four_eyes_withdraw"), "quatre_yeux", f"{row.id} non"),))
    told = Sentence.of("four_eyes.asked", what=what, until=ctx.now + WITHIN, right=_right(action))
    return Card(None, (Paragraph(told), back))


def decide(ctx: Context, number: int, *, yes: bool) -> Words:
    """Let somebody settle an act that waits. Raises UserError: it is over, or not theirs to settle."""
    row = ctx.session.get(Asked, number, with_for_update=True)
    if row is None or row.state != "waiting":
        raise UserError("four_eyes.over")
    own = ctx.actor.person == row.by
    if not own and not may(ctx.actor.rights, row.action):
        raise Denied(row.action, "right.missing", right=_right(row.action))
    if ctx.actor.person is None or (own and yes):
        raise Denied(f"confirm {row.action}", "four_eyes.another", right=_right(row.action))
    state: State = "confirmed" if yes else "withdrawn" if own else "refused"
    row.state, row.second = state, ctx.actor.person if yes else None
    _audit(ctx, state, row, f"person:{ctx.actor.person}")
    _take_away(ctx, row)
    due.put(ctx.session, ACT, str(row.id), ctx.now)
    return Sentence.of(f"four_eyes.{state}")


def forget(ctx: Scope, person: str) -> None:
    """Let nothing wait any more that somebody asked for, or that is about them: they are being erased."""
    for row in ctx.session.scalars(select(Asked).with_for_update()):
        if row.by == person or json.dumps(person) in row.args:
            _take_away(ctx, row)
            due.drop(ctx.session, ACT, str(row.id))
            ctx.session.delete(row)
    ctx.session.flush()


def kinds(acts: Mapping[str, Act]) -> Mapping[str, Kind]:
    """Return what the clockwork does with acts, by their action."""

    def settle(ctx: Scope, ring: Ring) -> Again:
        row = ctx.session.get(Asked, int(ring.key), with_for_update=True)
        if row is None:
            return None
        ctx.session.delete(row)
        ctx.session.flush()
        act, args = acts[row.action], json.loads(row.args)
        if row.state == "confirmed":
            _carry_out(ctx, row, lambda: act.do(ctx, args, f"person:{row.second}"))
            return None
        act.drop(ctx, args)
        if row.state == "waiting":
            _take_away(ctx, row)
            _audit(ctx, "expired", row, CLOCK)
        if row.state != "withdrawn":
            key = "four_eyes.expired" if row.state == "waiting" else "four_eyes.was_refused"
            _tell_asker(ctx, row, Sentence.of(key, what=_what(row), right=_right(row.action)))
        return None

    return {ACT: Kind(settle)}


def _carry_out(ctx: Scope, row: Asked, do: Callable[[], object]) -> None:
    """Do what was let through, and say so; or why it could not be done any more."""
    try:
        do()
    except UserError as error:
        words = Sentence.of("four_eyes.void", what=_what(row), reason=error.text)
        _audit(ctx, "void", row, CLOCK)
        _tell_asker(ctx, row, words)
    else:
        words = Sentence.of("four_eyes.done", what=_what(row))
    say_in_rooms(ctx, _rooms(ctx, row), Card(None, (Paragraph(words),)), f"{ctx.key}/done")


def waiting(session: Session, action: str, args: Args) -> int | None:
    """Return the number of an act that waits for a second person; None when it does not."""
    mine = (Asked.action == action, Asked.args == json.dumps(args), Asked.state == "waiting")
    return session.scalar(select(Asked.id).where(*mine))


def answers(number: int) -> tuple[Button, ...]:
    """Return what lets an act happen, and what refuses it."""
    yes = Button(Sentence.of("button.four_eyes_yes"), "quatre_yeux", f"{number} oui", "danger")
    return yes, Button(Sentence.of("button.four_eyes_no"), "quatre_yeux", f"{number} non")


def shown(number: int, event: str) -> str:
    """Return the key under which an event shows more of an act: that is taken away with the cards that offer it."""
    return f"four_eyes/{number}/{hashlib.sha256(event.encode()).hexdigest()[:16]}"


def _offered(row: Asked, what: Words, who: str, look: Button | None) -> Card:
    words = Sentence.of("four_eyes.offered", who=who, what=what, until=row.at + WITHIN, right=_right(row.action))
    buttons = Buttons((*((look,) if look is not None else ()), *answers(row.id)))
    return Card(Sentence.of("four_eyes.title"), (Paragraph(words), buttons))


def _take_away(ctx: Scope, row: Asked) -> None:
    """Take away what names whom it was about: the cards that offer it, and what was shown beside."""
    said = (Post.key.startswith(f"four_eyes/{row.id}/"), Post.part == 0, Post.gone.is_(False))
    for key in ctx.session.scalars(select(Post.key).where(*said).order_by(Post.id)).all():
        ctx.outbox.delete(str(key), revision=ctx.key)


def _tell_asker(ctx: Scope, row: Asked, words: Words) -> None:
    tell_person(ctx, ctx.session.get(Person, row.by), Card(None, (Paragraph(words),)), "asker")


def _rooms(ctx: Scope, row: Asked) -> list[str]:
    """Return the organisations of those who have the right to an act."""
    return holders(ctx.session, ctx.now, *(right for right in RIGHTS if may({right}, row.action)))


def _right(action: str) -> Sentence:
    return Sentence.of(f"right.{least(action)}")


def _what(row: Asked) -> Sentence:
    return Sentence.of(f"four_eyes.{row.action}")


def _audit(ctx: Scope, what: str, row: Asked, actor: str) -> None:
    about = {"action": row.action, "number": row.id}
    record(ctx.session, ctx.now, f"four_eyes.{what}", actor=actor, content=about)
