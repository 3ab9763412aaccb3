"""Entering, changing, moving, cancelling events: whoever may, with what changed kept for those who follow."""

import re
import secrets
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import due
from bot.agenda import rights
from bot.agenda.ics import DOMAIN
from bot.agenda.model import LISTED, NOTE, PLACE, TITLE, Details
from bot.agenda.participation import REMIND, knows
from bot.agenda.tables import Event
from bot.directory.identity import Actor
from bot.errors import UserError
from bot.rights import Denied

NUMBER = re.compile(r"[eE]-?(\d{1,9})")
CHANGED = "event"  # the kind of due things that looks at an event on which others depend, after each change
FOLLOWED = frozenset({"visit", "training", "posting"})  # kinds of events on which others depend


def add(session: Session, actor: Actor, details: Details, now: datetime, *, sealed: bool = False) -> Event:
    """Enter an event. Raises UserError for who may not, or may not for these organisers."""
    rights.check(actor, "add")
    if set(details.organisers) - {actor.organisation}:
        rights.check(actor, "add_for_others")
    event = Event(
        uid=f"{secrets.token_hex(10)}@{DOMAIN}",
        account=rights.account_of(actor),
        person=actor.person,
        sealed=sealed,
        created_at=now,
        changed_at=now,
    )
    event.take(tidy(details))
    session.add(event)
    session.flush()
    ring(session, event, now)
    return event


def change(
    session: Session, actor: Actor, event: Event, details: Details, now: datetime, *, sealed: bool = False
) -> bool:
    """Make an event what a value says; return whether anything changed. Raises UserError for who may not."""
    rights.check(actor, "change", event)
    if set(details.organisers) - {actor.organisation} - set(event.details.organisers):
        rights.check(actor, "add_for_others")
    event.sealed = event.sealed or sealed
    changed = become(session, event, tidy(details), now)
    knows(session, actor, event)
    return changed


def cancel(session: Session, actor: Actor, event: Event, now: datetime) -> bool:
    """Cancel an event; it stays, to be seen as cancelled. Return whether it was not already."""
    rights.check(actor, "change", event)
    changed = become(session, event, replace(event.details, state="cancelled"), now)
    knows(session, actor, event)
    return changed


def confirm(session: Session, actor: Actor, event: Event, now: datetime) -> bool:
    """Say that a planned or cancelled event takes place. Return whether that is new."""
    rights.check(actor, "change", event)
    return become(session, event, replace(event.details, state="confirmed"), now)


def become(session: Session, event: Event, details: Details, now: datetime, *, sequence: int | None = None) -> bool:
    """Take what is new; return whether anything was. One that begins at another time has moved, and stays so marked."""
    before = event.details
    if details.title == before.title:  # who changes something else has no English to say again
        details = replace(details, title_en=before.title_en)
    moved = details.when.starts != before.when.starts and "cancelled" not in {details.state, before.state}
    if moved or (before.state == "moved" and details.state == "confirmed" and details.when == before.when):
        details = replace(details, state="moved")
    if details == before:
        return False
    if moved:
        event.moved_from = before.when.starts
    event.take(details)
    event.sequence = max(event.sequence + 1, sequence or 0)
    event.changed_at = now
    due.hasten(session, REMIND, str(event.id), now)  # who comes is reminded of what it is now
    ring(session, event, now, before.kind)
    return True


def ring(session: Session, event: Event, now: datetime, before: str = "") -> None:
    """Let the clockwork look at an event on which others depend, or did while it was of another kind."""
    if not FOLLOWED.isdisjoint((event.kind, before)):
        due.hasten(session, CHANGED, str(event.id), now)


def numbered(session: Session, actor: Actor, number: str) -> Event:
    """Return the event of a number. Raises UserError where there is none that this actor may see."""
    found = NUMBER.fullmatch(number.strip())
    event = session.scalar(select(Event).where(Event.id == int(found[1])).with_for_update()) if found else None
    if event is None:
        raise UserError("agenda.unknown", number=number[:20])
    if not rights.may(actor, "see", event):  # what may not be seen does not exist
        raise Denied("event.see", "agenda.unknown", number=number[:20])
    return event


def tidy(details: Details) -> Details:
    """Return what rows can hold: texts in their length, in one line where they are one, lists without repeats."""
    return replace(
        details,
        title=" ".join(details.title.split())[:TITLE] or "—",
        title_en=" ".join(details.title_en.split())[:TITLE],
        place=" ".join(details.place.split())[:PLACE],
        note=details.note.strip()[:NOTE].strip(),
        countries=_once(details.countries),
        territories=_once(details.territories),
        bodies=_once(details.bodies),
        organisers=_once(details.organisers),
    )


def _once(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))[:LISTED]
