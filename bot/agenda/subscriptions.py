"""Subscribed calendars: which are due, and the job that fetches one, reads it and takes it in."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import jobs
from bot.agenda import taking
from bot.agenda.fetching import Allowed, fetch
from bot.agenda.model import Details
from bot.agenda.reading import Content, Defaults, read_apart
from bot.agenda.tables import Calendar
from bot.agenda.taking import Taken
from bot.clock import Clock
from bot.db import Database
from bot.errors import NotSent, Refused, UserError
from bot.jobs.tables import Leased

log = structlog.get_logger()

EVERY = timedelta(hours=1)
LONGEST = timedelta(hours=24)  # between two tries of one that cannot be read
WHOLE = timedelta(days=7)  # after which even an unchanged calendar is read again: its series have gone on
URL = 2_000  # characters of an address

Placing = Callable[[Session], Callable[[Details], Details]]
"""Return how events that name no place are given one, from the directory as a transaction sees it."""


def subscribe(session: Session, url: str, defaults: Defaults, allowed: Allowed, now: datetime) -> tuple[Calendar, bool]:
    """Subscribe a calendar, to be read at once; return it and whether it is new. Raises UserError for its address."""
    url = f"https{url[6:]}" if url.startswith("webcal:") else url
    if len(url) > URL or not allowed.host(url):
        raise UserError("agenda.feed.not_allowed")
    known = session.scalar(select(Calendar).where(Calendar.url == url))
    if known is not None:
        known.due_at = now
        return known, False
    calendar = Calendar(
        url=url,
        organisation=defaults.organisation,
        kind=defaults.kind,
        visibility=defaults.visibility,
        zone=defaults.zone,
        due_at=now,
    )
    session.add(calendar)
    session.flush()
    return calendar, True


def put_due(session: Session, now: datetime) -> int:
    """Put a job for each calendar that is due; return how many there are."""
    due = select(Calendar).where(Calendar.due_at <= now).order_by(Calendar.due_at).limit(50)
    found = session.scalars(due.with_for_update(skip_locked=True)).all()
    for calendar in found:
        key = f"calendar:{calendar.id}:{now.isoformat()}"
        jobs.put(session, "calendar", {"id": calendar.id}, lane=f"calendar:{calendar.id}", queue="in", key=key, now=now)
        calendar.due_at = now + EVERY
    return len(found)


@dataclass(frozen=True, slots=True)
class Subscriber:
    """What performs the job."""

    database: Database
    allowed: Allowed
    placing: Placing
    clock: Clock

    async def perform(self, job: Leased) -> None:
        """Fetch a calendar and take it in. What goes wrong is kept with it, and tried again later and later."""
        await self.refresh(int(job.args["id"]))

    async def refresh(self, id_: int) -> Taken | None:
        """Do it now; return what became of its events, None when nothing new came."""
        now = self.clock()
        calendar = await self.database.run(lambda session: session.get(Calendar, id_))
        if calendar is None:
            return None
        try:
            return await self._taken(calendar, now)
        except (Refused, NotSent) as error:
            reason = str(error)
        except UserError as error:
            reason = error.text.key
        log.warning("calendar_unreadable", calendar=id_, reason=reason)
        await self.database.run(lambda session: _failed(session, id_, reason, now))
        return None

    async def _taken(self, calendar: Calendar, now: datetime) -> Taken | None:
        content, etag, modified = calendar.content, None, None
        if calendar.url is not None:
            whole = calendar.read_at is None or now - calendar.read_at >= WHOLE
            known = (None, None) if whole else (calendar.etag, calendar.modified)
            fetched = await fetch(calendar.url, self.allowed, *known)
            content, etag, modified = fetched.content, fetched.etag, fetched.modified
        if content is None:
            await self.database.run(lambda session: _unchanged(session, calendar.id, now))
            return None
        found = await read_apart(content, defaults_of(calendar), now.date())
        said = (etag, modified)
        return await self.database.run(lambda session: self._store(session, calendar.id, found, said, now))

    def _store(
        self, session: Session, id_: int, content: Content, said: tuple[str | None, str | None], now: datetime
    ) -> Taken | None:
        row = session.get(Calendar, id_, with_for_update=True)
        if row is None:
            return None
        owner = row if row.url is not None else None
        taken = taking.take(session, content, owner, now, self.placing(session), only_new=owner is None)
        row.name = content.name or row.name
        row.etag, row.modified, row.read_at, row.failures = *said, now, 0
        row.problem = "agenda.feed.empty" if taken.doubtful else "agenda.feed.parts" if content.problems else None
        if taken.doubtful:
            row.etag = row.modified = None
        row.due_at = now + (EVERY if row.url is not None else WHOLE)
        return taken


def defaults_of(calendar: Calendar) -> Defaults:
    """Return what holds where a calendar does not say."""
    ours = calendar.url is None
    return Defaults(calendar.zone, calendar.kind, calendar.visibility, calendar.organisation, ours)


def _unchanged(session: Session, id_: int, now: datetime) -> None:
    row = session.get_one(Calendar, id_, with_for_update=True)
    row.failures, row.problem, row.due_at = 0, None, now + EVERY


def _failed(session: Session, id_: int, reason: str, now: datetime) -> None:
    row = session.get(Calendar, id_, with_for_update=True)
    if row is not None:
        row.failures += 1
        row.problem = reason[:300]
        row.due_at = now + min(LONGEST, EVERY * 2 ** min(row.failures, 6))
