"""Four eyes: what one administrator asks for, a second one lets happen, within a time.

An act waits as a row. A card in the administrators' rooms offers to let it happen or to refuse it; who asked for it can
only withdraw it. What is let through is done by the clockwork, in a transaction of its own.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from bot import due
from bot.audit.recording import CLOCK, record
from bot.card import Button, Buttons, Card, Paragraph, Words
from bot.clockwork import Again, Kind, Ring
from bot.context import Context, Scope
from bot.conversation import holders, tell_administrators
from bot.db import Base, Instant
from bot.directory.tables import ID
from bot.errors import UserError
from bot.rights import Denied, may
from bot.texts import Text as Sentence

WITHIN: Final = timedelta(hours=24)
ACT: Final = "four eyes"  # the kind of due things: an act that was let through, or whose time is over

Do: TypeAlias = Callable[[Scope, Mapping[str, Any], str], object]
"""Does an act: with what it was asked with, for whom the audit is to name."""


class Asked(Base):
    """An act that waits for a second person. `by` and `second` are people's ids."""

    __tablename__ = "four_eyes"
    id: Mapped[int] = mapped_column(primary_key=True)
    action: Mapped[str] = mapped_column(String(60))
    args: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(String(ID))
    second: Mapped[str | None] = mapped_column(String(ID))
    at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = ({"sqlite_autoincrement": True},)


def ask(ctx: Context, action: str, args: Mapping[str, Any], what: Words) -> Card:
    """Let an act wait for a second administrator; return what who asks is told. Raises UserError for who may not."""
    _check(ctx, action)
    person = ctx.actor.person
    if person is None:
        raise UserError("keeping.not_linked")
    row = Asked(action=action, args=json.dumps(args), by=person, at=ctx.now)
    ctx.session.add(row)
    ctx.session.flush()
    due.put(ctx.session, ACT, str(row.id), ctx.now + WITHIN)
    _audit(ctx, "asked", row, f"person:{person}")
    tell_administrators(ctx, _offered(row, what, ctx.actor.name or person), f"four_eyes/{row.id}")
    back = Buttons((Button(Sentence.of("button.four_eyes_withdraw"), "quatre_yeux", f"{row.id} non"),))
    told = Sentence.of("four_eyes.asked", what=what, until=ctx.now + WITHIN)
    return Card(None, (Paragraph(told), back))


def decide(ctx: Context, number: int, *, yes: bool) -> Words:
    """Let somebody settle an act that waits. Raises UserError: it is over, or not theirs to settle."""
    row = ctx.session.get(Asked, number, with_for_update=True)
    if row is None or row.second is not None:
        raise UserError("four_eyes.over")
    _check(ctx, row.action)
    own = ctx.actor.person == row.by
    if ctx.actor.person is None or (own and yes):
        raise Denied(f"confirm {row.action}", "four_eyes.another")
    if yes:
        row.second = ctx.actor.person
        due.put(ctx.session, ACT, str(row.id), ctx.now)
        _audit(ctx, "confirmed", row, f"person:{ctx.actor.person}")
        return Sentence.of("four_eyes.confirmed")
    _take_away(ctx, row)
    _audit(ctx, "withdrawn" if own else "refused", row, f"person:{ctx.actor.person}")
    ctx.session.delete(row)
    due.drop(ctx.session, ACT, str(row.id))
    return Sentence.of("four_eyes.withdrawn" if own else "four_eyes.refused")


def kinds(acts: Mapping[str, Do]) -> Mapping[str, Kind]:
    """Return what the clockwork does with acts, by their action."""

    def settle(ctx: Scope, ring: Ring) -> Again:
        row = ctx.session.get(Asked, int(ring.key), with_for_update=True)
        if row is None:
            return None
        _take_away(ctx, row)
        if row.second is None:
            _audit(ctx, "expired", row, CLOCK)
            ctx.session.delete(row)
            return None
        action, args, second = row.action, json.loads(row.args), f"person:{row.second}"
        ctx.session.delete(row)
        ctx.session.flush()
        acts[action](ctx, args, second)
        card = Card(None, (Paragraph(Sentence.of("four_eyes.done", what=Sentence.of(f"four_eyes.{action}"))),))
        tell_administrators(ctx, card, f"{ctx.key}/done")
        return None

    return {ACT: Kind(settle)}


def _offered(row: Asked, what: Words, who: str) -> Card:
    words = Sentence.of("four_eyes.offered", who=who, what=what, until=row.at + WITHIN)
    yes = Button(Sentence.of("button.four_eyes_yes"), "quatre_yeux", f"{row.id} oui", "danger")
    no = Button(Sentence.of("button.four_eyes_no"), "quatre_yeux", f"{row.id} non")
    return Card(Sentence.of("four_eyes.title"), (Paragraph(words), Buttons((yes, no))))


def _take_away(ctx: Scope, row: Asked) -> None:
    """Take the card away that names whom it was about."""
    for organisation in holders(ctx.session, ctx.now, "administrator"):
        ctx.outbox.delete(f"four_eyes/{row.id}/{organisation}", revision=ctx.key)


def _check(ctx: Context, action: str) -> None:
    if not may(ctx.actor.rights, action):
        raise Denied(action, "right.missing", right=Sentence.of("right.administrator"))


def _audit(ctx: Scope, what: str, row: Asked, actor: str) -> None:
    about = {"action": row.action, "number": row.id}
    record(ctx.session, ctx.now, f"four_eyes.{what}", actor=actor, content=about)
