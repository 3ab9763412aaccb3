"""The agenda as a private feed: a secret address for one person's calendar program, to be revoked at any time.

The secret is 192 random bits and only its digest is kept. What the feed shows is what its owner may see at that
moment; who lost access gets nothing.
"""

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bot import personal
from bot.agenda import finding, rights
from bot.agenda.borders import Borders
from bot.agenda.finding import Where
from bot.agenda.ics import DOMAIN, Entry, written
from bot.agenda.model import Details, When
from bot.agenda.tables import Event, Publication
from bot.directory.identity import Actor, identify
from bot.directory.snapshot import Snapshot
from bot.message import Address, User
from bot.rights import Denied, has
from bot.routing.rules import Rules
from bot.texts import Catalogues, Reader, Text, unescaped
from bot.worktime.holidays import Holiday

BEFORE = timedelta(days=35)
DAYS = 435  # that a feed holds
MOST = 5  # feeds of one account
_SEEN = timedelta(hours=1)  # how exactly it is kept when a feed was last read


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed as it is sent; `etag` is the same as long as the content is."""

    content: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """What a feed is made with."""

    catalogues: Catalogues
    rules: Rules
    borders: Borders


def publish(session: Session, actor: Actor, to: Address, words: str, reader: Reader, now: datetime) -> str:
    """Make a feed for an account and return its secret. The oldest give way when there are too many."""
    account = rights.account_of(actor)
    if account is None or actor.user is None:
        raise Denied("event.see", "agenda.may_not.add")
    own = select(Publication).where(Publication.account == account).order_by(Publication.created_at.desc())
    for row in session.scalars(own.offset(MOST - 1)):
        session.delete(row)
    secret = secrets.token_urlsafe(24)
    session.add(
        Publication(
            digest=_digest(secret),
            account=account,
            person=actor.person,
            organisation=actor.organisation,
            platform=to.platform,
            room=to.room,
            words=words,
            language=reader.language,
            zone=reader.zone,
            created_at=now,
        )
    )
    session.flush()
    return secret


def revoke(session: Session, actor: Actor) -> int:
    """End all feeds of an account, and of its person on other platforms; return how many there were."""
    whose = Publication.account == (rights.account_of(actor) or "")
    if actor.person is not None:
        whose = whose | (Publication.person == actor.person)
    found = session.scalars(select(Publication.digest).where(whose)).all()
    session.execute(delete(Publication).where(Publication.digest.in_(found)))
    return len(found)


def feed(session: Session, secret: str, shelf: Shelf, directory: Snapshot, now: datetime) -> Feed | None:
    """Return what a secret shows now; None for one that was never given, was revoked, or whose owner has no access."""
    row = session.get(Publication, _digest(secret))
    actor = _owner(session, row, now) if row is not None else None
    if row is None or actor is None or not has(actor.rights, "reader"):
        return None
    today = now.astimezone(UTC).date()
    where = Where(shelf.rules, directory, shelf.borders)
    asked = finding.window(row.words, today, actor.organisation, where)
    asked = replace(asked, first=today - BEFORE, days=DAYS)
    reader = Reader(row.language, row.zone)

    def say(key: str, **values: object) -> str:
        return unescaped(shelf.catalogues.render(Text.of(key, **values), reader))

    sealed, coming = say("agenda.sealed_title"), finding.coming(session, actor, asked, row.zone)
    events = (_entry(event, sealed, row.language) for event in coming)
    free = (
        _holiday(day, name, row.created_at, row.zone, found, shelf, reader)
        for day, name, found in finding.holidays(asked.around.places, today, today + timedelta(days=DAYS) - BEFORE)
    )
    content = written(say("agenda.feed_name"), [*events, *free]).encode()
    return Feed(content, f'"{hashlib.sha256(content).hexdigest()[:32]}"')


def note_read(session: Session, secret: str, now: datetime) -> None:
    """Keep when a feed was last read, to the hour: a feed that nobody reads can be told."""
    row = session.get(Publication, _digest(secret))
    if row is not None and (row.used_at is None or now - row.used_at >= _SEEN):
        row.used_at = now


def exported(events: Iterable[Event], name: str, sealed_title: str) -> str:
    """Return events as a calendar file."""
    return written(name, [_entry(event, sealed_title, "fr") for event in events])


def _entry(event: Event, sealed_title: str, language: str) -> Entry:
    details = event.details
    if language == "en" and details.title_en:
        details = replace(details, title=details.title_en)
    if event.sealed:
        details = replace(details, title=sealed_title, place="", note="", links=())
    else:
        title, place, note = (personal.masked(text) for text in (details.title, details.place, details.note))
        details = replace(details, title=title, place=place, note=note)
    uid = f"{event.uid}/{event.instance}" if event.instance else event.uid
    return Entry(uid, event.sequence, event.changed_at, details)


def _holiday(
    day: date,
    called: Holiday,
    since: datetime,
    zone: str,
    found: Iterable[finding.Place],
    shelf: Shelf,
    reader: Reader,
) -> Entry:
    places = list(_named(found, shelf, reader))
    name = called.fr if reader.language == "fr" else called.en
    codes = "-".join(sorted({f"{place.country}{place.subdivision}" for place in found}))
    details = Details(title=f"{name} ({', '.join(places)})", when=When.days(day, day, zone), kind="holiday")
    uid = f"holiday-{day.isoformat()}-{hashlib.sha256(f'{codes} {called.en}'.encode()).hexdigest()[:12]}@{DOMAIN}"
    return Entry(uid, 0, datetime.combine(date(since.year, 1, 1), time(), UTC), details)


def _named(found: Iterable[finding.Place], shelf: Shelf, reader: Reader) -> Iterator[str]:
    for country, parts in finding.of_places(list(found)).items():
        label = shelf.rules.countries.get(country)
        name = (label.fr if reader.language == "fr" else label.en) if label else country
        yield f"{name} {'/'.join(parts)}" if parts else name


def _owner(session: Session, row: Publication, now: datetime) -> Actor | None:
    """Return who reads a feed, as if they spoke now in the room where they asked for it."""
    user = User(row.platform, row.account.partition(":")[2], insider=True)
    return identify(session, user, (row.platform, row.room), direct=False, at=now)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
