"""Subscribing, changing, pausing and stopping digests; putting what is due, one by one or for all at once."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from sqlalchemy import delete, select

from bot import due
from bot.context import Scope
from bot.digests.phrases import begun, same
from bot.digests.readers import may_act, zone_of
from bot.digests.rhythm import Occurrence, after, latest
from bot.digests.tables import Digest, Issue, Wish
from bot.directory.identity import Actor
from bot.errors import UserError
from bot.message import Address
from bot.worktime.holidays import Place
from bot.worktime.wall import resolved

DIGEST = "digest"  # the kind of what is due
MOST = 20  # digests of one person or one room
FOREVER = date.max  # paused until somebody says otherwise
NUMBER = re.compile(r"[dD]-?(\d{1,9})")

_MINUTE = timedelta(minutes=1)


def add(
    ctx: Scope, wish: Wish, to: Address, *, organisation: str | None, person: str | None, account: str, by: str | None
) -> Digest:
    """Subscribe a person, or a room that speaks for an organisation; rights are the caller's. Raises UserError."""
    if len(of_place(ctx, to, person)) >= MOST:
        raise UserError("digest.too_many", count=MOST)
    digest = Digest(
        person=person,
        organisation=None if person is not None else organisation,
        platform=to.platform,
        room=to.room,
        account=account,
        by=by,
        since=ctx.now,
        created_at=ctx.now,
    )
    digest.take(wish)
    ctx.session.add(digest)
    ctx.session.flush()
    _begin(ctx, digest, wish)
    return digest


def change(ctx: Scope, digest: Digest, wish: Wish, by: str | None) -> None:
    """Let a digest be what is asked; one whose rhythm reads as before keeps its turns."""
    before = digest.wish.rhythm
    digest.take(wish)
    digest.by = by
    if same(wish.rhythm, before):
        digest.take(replace(wish, rhythm=before))
        plan(ctx, digest)
    else:
        _begin(ctx, digest, wish)


def pause(ctx: Scope, digest: Digest, until: date) -> None:
    """Say nothing before a day."""
    digest.paused_until = until
    plan(ctx, digest)


def resume(ctx: Scope, digest: Digest) -> None:
    """Go on, with what is due from now on."""
    digest.paused_until, digest.since = None, ctx.now
    plan(ctx, digest)


def stop(ctx: Scope, digest: Digest) -> None:
    """End a digest and forget it."""
    due.drop(ctx.session, DIGEST, str(digest.id))
    ctx.session.execute(delete(Issue).where(Issue.digest == digest.id))
    ctx.session.delete(digest)
    ctx.session.flush()


def numbered(ctx: Scope, actor: Actor, number: str) -> Digest:
    """Return the digest of a number. Raises UserError where there is none that this actor may act on."""
    found = NUMBER.fullmatch(number.strip())
    digest = found_by(ctx, found[1]) if found is not None else None
    if digest is None or not may_act(actor, digest):  # what may not be seen does not exist
        raise UserError("digest.unknown", number=number[:20])
    return digest


def found_by(ctx: Scope, key: str) -> Digest | None:
    """Return a digest by its id; nobody else changes it meanwhile."""
    return ctx.session.scalar(select(Digest).where(Digest.id == int(key)).with_for_update())


def of_place(ctx: Scope, to: Address, person: str | None) -> Sequence[Digest]:
    """Return the digests of a person, or of a room."""
    of_room = (Digest.person.is_(None), Digest.platform == to.platform, Digest.room == to.room)
    whose = of_room if person is None else (Digest.person == person,)
    return ctx.session.scalars(select(Digest).where(*whose).order_by(Digest.id)).all()


def pending(ctx: Scope, digest: Digest, zone: str, place: Place) -> Occurrence | None:
    """Return what should have been said by now: the last occurrence, if its beginning and any pause lie before it.

    Whether it has been said is known by its row. A clock that was set back to before the beginning begins it anew.
    """
    digest.since = min(digest.since, ctx.now)
    found = latest(digest.wish.rhythm, ctx.now, zone, place)
    if found is None or found.instant <= digest.since or found.day < (digest.paused_until or date.min):
        return None
    return found


def next_at(ctx: Scope, digest: Digest, zone: str, place: Place) -> datetime | None:
    """Return the next instant at which a digest is due; None where there is none."""
    if digest.paused_until == FOREVER:
        return None
    since = ctx.now
    if digest.paused_until is not None:
        since = max(since, resolved(digest.paused_until, time(), zone) - _MINUTE)
    found = after(digest.wish.rhythm, since, zone, place)
    return found.instant if found is not None else None


def plan(ctx: Scope, digest: Digest) -> None:
    """Let a digest be due at its next occurrence."""
    at = next_at(ctx, digest, *zone_of(ctx, digest))
    if at is None:
        due.drop(ctx.session, DIGEST, str(digest.id))
    else:
        due.put(ctx.session, DIGEST, str(digest.id), at)


def _begin(ctx: Scope, digest: Digest, wish: Wish) -> None:
    """Let a rhythm begin now."""
    digest.take(replace(wish, rhythm=begun(wish.rhythm, ctx.now, *zone_of(ctx, digest))))
    digest.since = ctx.now
    plan(ctx, digest)
