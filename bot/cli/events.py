"""`events`: the agenda's calendars in and out."""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.agenda import publishing, reading, subscriptions, taking
from bot.agenda.borders import EVERYTHING
from bot.agenda.fetching import Allowed, is_public
from bot.agenda.finding import LONGEST, Window, between
from bot.agenda.line import placed
from bot.agenda.model import KINDS, VISIBILITIES, Details
from bot.agenda.reading import Content, Defaults
from bot.agenda.tables import Calendar, Event
from bot.agenda.taking import Taken
from bot.app import subscriber, world
from bot.cli.parsing import Commands, count, day
from bot.cli.words import in_words
from bot.clock import system_clock
from bot.context import World
from bot.directory.tables import Organisation
from bot.errors import ConfigurationError
from bot.opening import open_database
from bot.texts import Text
from config.settings import Settings

_AHEAD = 31  # days that are listed


def add_to(commands: Commands) -> None:
    """Add these commands to the grammar."""
    actions = commands.add_parser("events", help="the agenda").add_subparsers(required=True, metavar="ACTION")
    bring = actions.add_parser("import", help="add and change events from an iCalendar file")
    bring.add_argument("file", type=Path, metavar="FILE")
    _defaults(bring)
    bring.set_defaults(command=_import)
    follow = actions.add_parser("subscribe", help="follow a calendar at an https address (of a site in agenda.feeds)")
    follow.add_argument("url", metavar="URL")
    _defaults(follow)
    follow.set_defaults(command=_subscribe)
    leave = actions.add_parser("unsubscribe", help="follow a calendar no longer; its events stay as they are")
    leave.add_argument("id", type=count, metavar="ID")
    leave.set_defaults(command=_unsubscribe)
    shelf = actions.add_parser("calendars", help="the calendars that are followed, and what is wrong with them")
    shelf.add_argument("--json", action="store_true")
    shelf.set_defaults(command=_calendars)
    send = actions.add_parser("export", help="write events to an iCalendar file")
    send.add_argument("file", type=Path, metavar="FILE")
    send.set_defaults(command=_export)
    listing = actions.add_parser("list", help="what comes")
    listing.add_argument("--from", dest="first", type=day, metavar="DATE")
    listing.add_argument("--days", type=count, default=_AHEAD, metavar="N")
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(command=_list)


def _defaults(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--organisation", metavar="ORG", help="who organises its events")
    parser.add_argument("--kind", choices=KINDS, default="other")
    parser.add_argument("--visibility", choices=VISIBILITIES, default="network")
    parser.add_argument("--json", action="store_true")


def _import(settings: Settings, options: argparse.Namespace) -> int:
    raw = options.file.read_bytes()
    database = open_database(settings.database_url)
    now = system_clock()
    try:
        known = database.run_now(lambda session: _known(session, options.organisation))
        defaults = Defaults(settings.timezone, options.kind, options.visibility, known, ours=True)
        content = reading.read(raw, defaults, now.date())
        around = world()

        def work(session: Session) -> Taken:
            if content.more:
                _keep(session, raw, defaults, content)
            return taking.take(session, content, None, now, _placing(around, session))

        taken = database.run_now(work)
    finally:
        database.close()
    return _tell(taken, content, options)


def _subscribe(settings: Settings, options: argparse.Namespace) -> int:
    database = open_database(settings.database_url)
    now = system_clock()
    allowed = Allowed(settings.agenda.feeds, is_public)

    def work(session: Session) -> int:
        known = _known(session, options.organisation)
        defaults = Defaults(settings.timezone, options.kind, options.visibility, known)
        return subscriptions.subscribe(session, options.url, defaults, allowed, now)[0].id

    try:
        id_ = database.run_now(work)
        reader = subscriber(settings, database, world(), system_clock)
        taken = asyncio.run(reader.refresh(id_))
        row = database.run_now(lambda session: session.get_one(Calendar, id_))
    finally:
        database.close()
    if row.problem:
        print(f"passerelle: {in_words(Text(row.problem))}", file=sys.stderr)
    if taken is None and row.read_at is None:
        return 1
    return _tell(taken or Taken(), None, options)


def _unsubscribe(settings: Settings, options: argparse.Namespace) -> int:
    database = open_database(settings.database_url)

    def work(session: Session) -> bool:
        row = session.get(Calendar, options.id)
        if row is not None:
            row.due_at = None
        return row is not None

    found = database.run_now(work)
    database.close()
    if not found:
        print(f"passerelle: no calendar {options.id} (passerelle events calendars)", file=sys.stderr)
    return 0 if found else 1


def _calendars(settings: Settings, options: argparse.Namespace) -> int:
    database = open_database(settings.database_url)
    rows = database.run_now(lambda s: [_calendar(row) for row in s.scalars(select(Calendar).order_by(Calendar.id))])
    database.close()
    if options.json:
        print(json.dumps(rows, ensure_ascii=False))
    for row in () if options.json else rows:
        state = in_words(Text(row["problem"])) if row["problem"] else "ok" if row["followed"] else "no longer followed"
        print(f"{row['id']}  {row['name'] or '—'}  {row['site'] or 'file'}  {state}")
    return 0


def _calendar(row: Calendar) -> dict[str, Any]:
    """Return what is told of a calendar. Its address is not: it often is a secret itself."""
    return {
        "id": row.id,
        "name": row.name,
        "site": urlsplit(row.url).hostname if row.url else None,
        "read_at": row.read_at.isoformat() if row.read_at else None,
        "followed": row.due_at is not None,
        "problem": row.problem,
    }


def _export(settings: Settings, options: argparse.Namespace) -> int:
    database = open_database(settings.database_url)

    def work(session: Session) -> str:
        rows = session.scalars(select(Event).order_by(Event.starts, Event.id))
        return publishing.exported(rows, in_words(Text("agenda.feed_name")), in_words(Text("agenda.sealed_title")))

    text = database.reading(work)
    database.close()
    options.file.write_bytes(text.encode())
    print(f"exported to {options.file}")
    return 0


def _list(settings: Settings, options: argparse.Namespace) -> int:
    database = open_database(settings.database_url)
    first = options.first or system_clock().date()
    asked = Window(first, min(options.days, LONGEST), EVERYTHING)
    rows = database.reading(lambda session: [_event(row) for row in between(session, asked, settings.timezone)])
    database.close()
    if options.json:
        print(json.dumps(rows, ensure_ascii=False))
    for row in () if options.json else rows:
        print(f"{row['number']}  {row['starts']}  {row['state']:9}  {row['title']}  {row['place']}".rstrip())
    return 0


def _event(row: Event) -> dict[str, Any]:
    details = row.details
    last = details.when.ends - timedelta(days=1)
    return {
        "number": row.number,
        "uid": row.uid,
        "kind": row.kind,
        "title": None if row.sealed else row.title,
        "starts": row.starts.date().isoformat() if row.whole_days else row.starts.isoformat(),
        "ends": last.date().isoformat() if row.whole_days else row.ends.isoformat(),
        "zone": row.zone,
        "place": "" if row.sealed else row.place,
        "countries": list(details.countries),
        "territories": list(details.territories),
        "bodies": list(details.bodies),
        "organisers": list(details.organisers),
        "visibility": row.visibility,
        "state": row.state,
        "calendar": row.calendar,
    }


def _keep(session: Session, raw: bytes, defaults: Defaults, content: Content) -> None:
    """Keep a file whose series have no end: it is read again when they have gone on."""
    known = session.scalar(select(Calendar).where(Calendar.url.is_(None), Calendar.content == raw))
    if known is None:
        session.add(
            Calendar(
                name=content.name,
                content=raw,
                organisation=defaults.organisation,
                kind=defaults.kind,
                visibility=defaults.visibility,
                zone=defaults.zone,
                due_at=system_clock() + subscriptions.WHOLE,
            )
        )


def _placing(around: World, session: Session) -> Callable[[Details], Details]:
    directory = around.current.get(session)
    return lambda details: placed(details, around.rules, directory)


def _known(session: Session, organisation: str | None) -> str | None:
    if organisation is not None and session.get(Organisation, organisation) is None:
        raise ConfigurationError(f"--organisation {organisation}: no such organisation (passerelle directory search …)")
    return organisation


def _tell(taken: Taken, content: Content | None, options: argparse.Namespace) -> int:
    problems = content.problems if content is not None else ()
    told = {name: getattr(taken, name) for name in ("added", "changed", "cancelled", "same", "foreign")}
    if options.json:
        print(json.dumps({**told, "problems": [{"uid": uid, "reason": reason} for uid, reason in problems]}))
    else:
        print(", ".join(f"{name} {value}" for name, value in told.items()))
    for uid, reason in problems:
        print(f"{uid[:80]!r}: {reason.replace('_', ' ')}", file=sys.stderr)
    return 1 if problems else 0
