"""`digest`: subscriptions, what they would say, and what is due."""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.agenda.line import seat_of, zone_of
from bot.app import App, build
from bot.card import rendered, to_text
from bot.cli.parsing import Commands, count, instant
from bot.clock import system_clock
from bot.context import Scope
from bot.db import Database
from bot.digests import content, issuing, keeping, wishes
from bot.digests.phrases import said
from bot.digests.readers import audience
from bot.digests.readers import zone_of as clock_of
from bot.digests.tables import Digest, Issue, Wish
from bot.directory.accounts import COLUMNS
from bot.directory.rooms import rooms_of
from bot.directory.tables import Person
from bot.errors import ConfigurationError
from bot.message import Address
from bot.opening import open_database
from bot.outbox import Outbox
from bot.texts import Reader, unescaped
from config.settings import Settings

T = TypeVar("T")


def add_to(commands: Commands) -> None:
    """Add these commands to the grammar."""
    actions = commands.add_parser("digest", help="what is said on a rhythm").add_subparsers(
        required=True, metavar="ACTION"
    )
    add = actions.add_parser("add", help="subscribe the room of an organisation, or a person")
    whose = add.add_mutually_exclusive_group(required=True)
    whose.add_argument("--room", metavar="ORG")
    whose.add_argument("--person", metavar="ID")
    add.add_argument("--rhythm", required=True, metavar="WORDS", help="« chaque lundi à 8 h »")
    add.add_argument("--about", default="", metavar="WORDS", help="which events, as `agenda` takes them")
    add.add_argument("--topics", default="", metavar="TOPIC…", help="of which questions")
    add.add_argument("--horizon", type=count, metavar="DAYS")
    add.add_argument("--language", choices=("fr", "en"), default="")
    add.add_argument("--timezone", default="", metavar="ZONE")
    add.add_argument("--silent-when-empty", action="store_true")
    add.add_argument("--json", action="store_true")
    add.set_defaults(command=_add)
    listing = actions.add_parser("list", help="all subscriptions")
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(command=_list)
    look = actions.add_parser("preview", help="what one would say")
    look.add_argument("id", metavar="ID")
    look.add_argument("--at", type=instant, metavar="INSTANT")
    look.add_argument("--json", action="store_true")
    look.set_defaults(command=_preview)
    run = actions.add_parser("run", help="issue all that is due at an instant; the running bot delivers it")
    run.add_argument("--at", type=instant, required=True, metavar="INSTANT")
    run.add_argument("--json", action="store_true")
    run.set_defaults(command=_run)


def _within(settings: Settings, at: datetime, work: Callable[[App, Scope], T]) -> T:
    """Do something in one transaction, as the bot would at an instant."""
    database = open_database(settings.database_url)
    try:
        app = _built(settings, database, at)
        return database.run_now(lambda session: work(app, _scope(app, session, at)))
    finally:
        database.close()


def _built(settings: Settings, database: Database, at: datetime) -> App:
    """Return a bot that knows the platforms on which people have accounts, without being on any."""
    app = build(settings, database, lambda: at)
    around = replace(app.world, platforms=tuple(COLUMNS))
    return replace(app, world=around, clockwork=replace(app.clockwork, world=around))


def _scope(app: App, session: Session, at: datetime) -> Scope:
    outbox: Outbox = app.exit_(session, at)
    return Scope(session=session, now=at, outbox=outbox, world=app.world, key="cli")


def _add(settings: Settings, options: argparse.Namespace) -> int:
    def work(_: App, ctx: Scope) -> dict[str, Any]:
        wish = _wish(ctx, options)
        if options.person is not None:
            to, organisation = _of_person(ctx, options.person), None
        else:
            organisation, to = options.room, _of_room(ctx, options.room)
        content.window(ctx, wish, organisation, ctx.today)
        made = keeping.add(ctx, wish, to, organisation=organisation, person=options.person, account="", by=None)
        return _told(ctx, made)

    made = _within(settings, system_clock(), work)
    print(json.dumps(made, ensure_ascii=False) if options.json else _line(made))
    return 0


def _wish(ctx: Scope, options: argparse.Namespace) -> Wish:
    def zone_named(name: str) -> str | None:
        return zone_of(seat_of(name, ctx.world.rules), ctx.directory())

    topics = ctx.rules().topics
    read = wishes.wished(f"{options.rhythm}", topics, zone_named)
    if read.words and options.about:
        raise ConfigurationError(f"--rhythm {options.rhythm!r}: {read.words!r} is no rhythm")
    return Wish(
        rhythm=read.rhythm,
        words=options.about or read.words,
        topics=wishes.chosen_topics(options.topics, topics) or read.topics,
        horizon=min(options.horizon or read.horizon, wishes.LONGEST),
        language=options.language or read.language,
        zone=wishes.known_zone(options.timezone, zone_named) or read.zone,
        when_empty=read.when_empty and not options.silent_when_empty,
    )


def _of_room(ctx: Scope, organisation: str) -> Address:
    found = rooms_of(ctx.session, organisation)
    if not found:
        raise ConfigurationError(f"--room {organisation}: no room speaks for it (passerelle directory import …)")
    return Address(found[0].platform, found[0].room)


def _of_person(ctx: Scope, person: str) -> Address:
    row = ctx.session.get(Person, person)
    if row is None:
        raise ConfigurationError(f"--person {person}: no such person (passerelle directory search …)")
    platform = "slack" if row.slack_id else "matrix" if row.matrix_id else ""
    if not platform:
        raise ConfigurationError(f"--person {person}: has no account to be written to")
    return Address(platform, "", surface="direct")


def _list(settings: Settings, options: argparse.Namespace) -> int:
    def work(_: App, ctx: Scope) -> list[dict[str, Any]]:
        return [_told(ctx, row) for row in ctx.session.scalars(select(Digest).order_by(Digest.id))]

    rows = _within(settings, system_clock(), work)
    if options.json:
        print(json.dumps(rows, ensure_ascii=False))
    for row in () if options.json else rows:
        print(_line(row))
    return 0


def _preview(settings: Settings, options: argparse.Namespace) -> int:
    def work(app: App, ctx: Scope) -> dict[str, str] | None:
        found = keeping.NUMBER.fullmatch(options.id) or keeping.NUMBER.fullmatch(f"D-{options.id}")
        digest = keeping.found_by(ctx, found[1]) if found is not None else None
        reader = audience(ctx, digest) if digest is not None else None
        if digest is None or reader is None:
            return None
        card = issuing.preview(ctx, digest, reader)
        text = to_text(rendered(card, lambda words: app.world.catalogues.render(words, reader.words)))
        return {"id": digest.number, "text": text}

    shown = _within(settings, options.at or system_clock(), work)
    if shown is None:
        print(f"passerelle: nobody can read a digest {options.id} (passerelle digest list)", file=sys.stderr)
        return 1
    print(json.dumps(shown, ensure_ascii=False) if options.json else shown["text"])
    return 0


def _run(settings: Settings, options: argparse.Namespace) -> int:
    at = options.at
    database = open_database(settings.database_url)
    try:
        app = _built(settings, database, at)
        asyncio.run(app.clockwork.tick(at, only=frozenset(issuing.KINDS)))
        rows = database.run_now(lambda session: _issued(session, at))
    finally:
        database.close()
    if options.json:
        print(json.dumps(rows, ensure_ascii=False))
    for row in () if options.json else rows:
        print(f"{row['id']}  {row['day']} {row['at']}  {row['outcome']}")
    return 0


def _issued(session: Session, at: datetime) -> list[dict[str, Any]]:
    rows = session.scalars(select(Issue).where(Issue.issued_at == at).order_by(Issue.digest))
    return [{"id": f"D-{it.digest}", "day": str(it.day), "at": it.at, "outcome": it.outcome} for it in rows]


def _told(ctx: Scope, digest: Digest) -> dict[str, Any]:
    """Return what is told of a subscription."""
    wish, (zone, place) = digest.wish, clock_of(ctx, digest)
    at = keeping.next_at(ctx, digest, zone, place)
    rhythm = ctx.world.catalogues.render(said(wish.rhythm), Reader("fr"))
    return {
        "id": digest.number,
        "person": digest.person,
        "organisation": digest.organisation,
        "rhythm": unescaped(rhythm),
        "about": wish.words,
        "topics": list(wish.topics),
        "horizon": wish.horizon,
        "language": wish.language,
        "timezone": zone,
        "when_empty": wish.when_empty,
        "paused_until": str(digest.paused_until) if digest.paused_until else None,
        "next": at.isoformat() if at is not None else None,
    }


def _line(told: dict[str, Any]) -> str:
    whose = told["person"] or told["organisation"]
    return f"{told['id']}  {whose}  {told['rhythm']}  {told['about'] or '—'}  {told['next'] or 'paused'}"
