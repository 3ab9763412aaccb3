"""Saying digests when they are due: one transaction each, once for each local day and time, late rather than never.

What counts is the last occurrence by the clock as it is now. It is said unless its row is there; so a clock that goes
back, a restart, a second process or new rules of a zone say nothing again, and what fell due meanwhile is said once.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from bot import due
from bot.agenda.cards import View
from bot.card import Card
from bot.clockwork import Again, Kind, Ring
from bot.context import Scope
from bot.db import insert_on
from bot.digests import cards, content
from bot.digests.keeping import DIGEST, next_at, pending
from bot.digests.readers import Audience, audience, zone_of
from bot.digests.rhythm import Occurrence
from bot.digests.tables import Digest, Issue

PLANNING = "digests"  # the kind that puts what is due for all, some at a time
FIRST = "0"
SOME = 500
BEHIND = timedelta(minutes=10)  # after which a digest says that it comes late
KEPT = timedelta(days=400)  # that it is known what was said: longer than any clock is expected to err


def issue(ctx: Scope, ring: Ring) -> Again:
    """Say a digest if its time has come; return when it is due next."""
    digest = ctx.session.get(Digest, int(ring.key))
    if digest is None:
        return None
    zone, place = zone_of(ctx, digest)
    occurrence = pending(ctx, digest, zone, place)
    reader = audience(ctx, digest) if occurrence is not None else None
    if occurrence is not None and reader is not None:
        digest.paused_until = None
        _once(ctx, digest, reader, occurrence)
    return next_at(ctx, digest, zone, place)


def preview(ctx: Scope, digest: Digest, reader: Audience) -> Card:
    """Return what a digest would say now; nothing is noted."""
    found = content.gathered(ctx, digest, reader, _today(ctx, reader))
    return cards.issue(_view(ctx, reader), digest, found)


def plan(ctx: Scope, ring: Ring) -> Again:
    """Put what is due next for some digests, and then for those after them; all of them again tomorrow.

    So zone rules that changed, and people who moved to another zone, are noticed before it is too late.
    """
    after = select(Digest).where(Digest.id > int(ring.key)).order_by(Digest.id).limit(SOME)
    rows = ctx.session.scalars(after).all()
    instants = ((str(row.id), next_at(ctx, row, *zone_of(ctx, row))) for row in rows)
    due.hasten_all(ctx.session, DIGEST, {key: at for key, at in instants if at is not None})
    if len(rows) == SOME:
        due.put(ctx.session, PLANNING, str(rows[-1].id), ctx.now)
    return ctx.now + timedelta(days=1) if ring.key == FIRST else None


def _once(ctx: Scope, digest: Digest, reader: Audience, occurrence: Occurrence) -> None:
    found = content.gathered(ctx, digest, reader, _today(ctx, reader))
    silent = found.empty and not digest.when_empty
    row = {
        "digest": digest.id,
        "day": occurrence.day,
        "at": f"{occurrence.at:%H:%M}",
        "issued_at": ctx.now,
        "outcome": "silent" if silent else "said",
    }
    connection = ctx.session.connection()
    if connection.execute(_enter(connection.dialect.name), row).first() is None:
        return
    digest.note(found.told)
    if silent:
        return
    late = occurrence.instant if ctx.now - occurrence.instant > BEHIND else None
    card = cards.issue(_view(ctx, reader), digest, found, late)
    key = f"digest/{digest.id}/{occurrence.day}T{occurrence.at:%H:%M}"
    ctx.outbox.for_reader(reader.words).put(reader.to, card, key=key)


@cache
def _enter(dialect: str) -> ReturningInsert[Any]:
    entered = insert_on(dialect, Issue).on_conflict_do_nothing(index_elements=["digest", "day", "at"])
    return entered.returning(Issue.digest)


def forget(session: Session, now: datetime) -> None:
    """Forget what was said longer ago than any clock errs."""
    session.execute(delete(Issue).where(Issue.issued_at < now - KEPT))


def _today(ctx: Scope, reader: Audience) -> date:
    return ctx.now.astimezone(ZoneInfo(reader.zone)).date()


def _view(ctx: Scope, reader: Audience) -> View:
    encrypted = ctx.outbox.encrypted(reader.to)
    return View(reader.zone, ctx.now, ctx.directory(), ctx.world.rules, encrypted=encrypted)


KINDS: Mapping[str, Kind] = {
    DIGEST: Kind(issue, lambda session, key: session.get(Digest, int(key), with_for_update=True), calm=True),
    PLANNING: Kind(plan),
}
