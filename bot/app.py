"""The composition root: settings in, one running bot out. One task group, one way to stop."""

import asyncio
import functools
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

import handlers
from bot import foureyes
from bot.agenda import fetching, line, subscriptions
from bot.agenda.borders import Borders
from bot.agenda.model import Details
from bot.agenda.seats import load_corps
from bot.clock import Clock, system_clock
from bot.clockwork import Clockwork, Kind, appointments, dependents, presence, proof, reminders
from bot.clockwork.confirmations import Asking
from bot.command import load
from bot.context import World
from bot.courtesy import Courtesy
from bot.db import Database
from bot.digests import issuing
from bot.directory import proposals
from bot.directory.current import Current
from bot.directory.files import TOPICS
from bot.directory.rooms import room_of
from bot.dispatch import Dispatcher
from bot.files import ENDINGS, Limits
from bot.jobs.pace import Pace
from bot.jobs.peers import Peers
from bot.jobs.tenure import Office
from bot.jobs.upkeep import Finding
from bot.jobs.worker import Worker
from bot.message import Address
from bot.migrate import newest
from bot.opening import CONFIG
from bot.outbox import Destination, Destinations, Outbox
from bot.performers import importing
from bot.performers.delivery import note_settled, performers
from bot.performers.drawing import drawing
from bot.performers.fetching import Exit, Fetching
from bot.performers.opinion import Endpoint, seconding
from bot.platforms import Platform
from bot.privacy import retention
from bot.privacy.erasing import erase
from bot.questions.terms import Terms
from bot.routing.learnt import Learnt
from bot.routing.rules import Rules
from bot.search.current import Finder
from bot.texts import Catalogues, Reader
from config.settings import Settings

log = structlog.get_logger()


@dataclass(slots=True)
class State:
    """What a platform last said of itself."""

    ok: bool = False
    ever: bool = False
    reason: str = "not connected yet"
    heard_at: datetime | None = None  # its last sign of life
    down_since: datetime | None = None
    stopped: bool = False  # nothing helps but an operator


@dataclass(frozen=True, slots=True)
class Coming:
    """A platform whose `module` is loaded while the others work already; then `add` gives it to the bot."""

    module: str
    add: Callable[[], Platform]


@dataclass(slots=True)
class App:
    """A bot, put together but not running."""

    settings: Settings
    database: Database
    dispatcher: Dispatcher
    worker: Worker
    platforms: dict[str, Platform]
    clock: Clock
    world: World
    asking: Asking
    exit_: Exit
    clockwork: Clockwork
    calendars: subscriptions.Subscriber
    peers: Peers
    states: dict[str, State]  # of the platforms that the settings name, whether or not they are loaded yet
    coming: list[Coming] = field(default_factory=list[Coming])
    offices: dict[str, Office] = field(default_factory=dict[str, Office])
    connected: asyncio.Event = field(default_factory=asyncio.Event)  # every platform was, once
    warm: asyncio.Event = field(default_factory=asyncio.Event)  # what is read beside a start was
    events: Counter[str] = field(default_factory=Counter[str])  # taken since the start, by platform
    ticked_at: datetime | None = None
    forgot_at: datetime | None = None
    found: Sequence[Finding] = ()


def world() -> World:
    """Read what is shipped: commands and texts; the rules of routing when they are first needed."""
    learnt, current = Learnt(lambda: Rules.load(CONFIG / "routing")), Current()
    return World(
        learnt=learnt,
        catalogues=Catalogues.load(CONFIG / "texts"),
        current=current,
        finder=Finder(current, lambda: learnt.shipped, CONFIG),
        commands=load(handlers),
        courtesy=Courtesy.load(CONFIG),
        terms=Terms.load(CONFIG / "deadlines.toml", tuple(TOPICS)),
        borders=Borders.load(CONFIG / "agenda"),
        corps=load_corps(CONFIG / "agenda"),
    )


def build(settings: Settings, database: Database, clock: Clock = system_clock) -> App:
    """Put a bot together without platforms; `bot.connections.add` gives it some."""
    platforms: dict[str, Platform] = {}
    states: dict[str, State] = {}
    around = _set_up(world(), settings, states)
    where = destinations(settings, around.current)
    dispatcher = Dispatcher(database, around, where, clock)
    calendars = subscriber(settings, database, around, clock)

    def exit_(session: Session, now: datetime) -> Outbox:
        return Outbox(session, around.catalogues, where, now)

    folder = settings.data_dir / "files"
    parcels = Fetching(database, platforms, around.limits, folder, clock, exit_)
    directory = importing.Importing(database, around, where, folder, clock)
    beside = {
        "calendar": calendars.perform,
        "import": directory.bring,
        "preview": directory.show,
        "export": directory.send,
        "draw": drawing(database, around, clock, exit_),
    }
    if settings.opinion is not None:
        own = settings.opinion
        endpoint = Endpoint(own.url, own.model, own.token.get_secret_value())
        beside["opinion"] = seconding(endpoint, database, around, where, clock)
    worker = Worker(
        database,
        queues={"in"},
        kinds={**performers(database, platforms, dispatcher.again, parcels.fetch), **beside},
        clock=clock,
        settled=functools.partial(note_settled, exit_=exit_),
        paces=_paces(settings),
    )
    database.woken = worker.wake
    return App(
        settings=settings,
        database=database,
        dispatcher=dispatcher,
        worker=worker,
        platforms=platforms,
        clock=clock,
        world=around,
        asking=Asking(around, where, states),
        exit_=exit_,
        clockwork=Clockwork(database, around, where, _due_kinds()),
        calendars=calendars,
        peers=Peers(database, worker.owner, newest(), clock),
        states=states,
    )


def _set_up(shipped: World, settings: Settings, platforms: Collection[str]) -> World:
    """Return what is shipped, as an installation is set up."""
    http = settings.http
    return replace(
        shipped,
        confirm_every=timedelta(days=settings.directory.confirm_after_days),
        alone_up_to=settings.directory.second_above_rows,
        zone=settings.timezone,
        joined=timedelta(seconds=settings.questions.joined_seconds),
        seconded=settings.opinion is not None,
        limits=limits(settings),
        public_url=http.public_url or f"http://{http.host}:{http.port}",
        feeds=settings.agenda.feeds,
        platforms=platforms,
    )


def _due_kinds() -> Mapping[str, Kind]:
    """Return what can be due, and how each kind of it is done."""
    erasure = foureyes.Act(lambda ctx, args, who: erase(ctx, args["person"], who))
    return {
        **reminders.KINDS,
        **dependents.KINDS,
        **presence.KINDS,
        **importing.KINDS,
        **issuing.KINDS,
        **appointments.KINDS,
        **proof.KINDS,
        **retention.kinds(retention.load(CONFIG / "retention.toml")),
        **foureyes.kinds({"person.erase": erasure, proposals.MANY: importing.SECONDED}),
    }


def limits(settings: Settings) -> Limits:
    """Return which files may cross."""
    own = settings.files
    return Limits(
        largest=int(own.largest_mb * 1_000_000),
        endings=frozenset(own.kinds) or ENDINGS,
        scan=tuple(own.scan),
        scan_seconds=own.scan_seconds,
    )


def subscriber(settings: Settings, database: Database, around: World, clock: Clock) -> subscriptions.Subscriber:
    """Return what reads subscribed calendars."""

    def placing(session: Session) -> Callable[[Details], Details]:
        directory = around.current.get(session)
        return lambda details: line.placed(details, around.rules, directory)

    allowed = fetching.Allowed(settings.agenda.feeds, fetching.is_public)
    return subscriptions.Subscriber(database, allowed, placing, clock)


def destinations(settings: Settings, current: Current) -> Destinations:
    """Return how the exit learns a place's language, zone and encryption."""

    def look_up(session: Session, to: Address) -> Destination:
        row = room_of(session, to.platform, to.room)
        if row is None:
            return Destination(Reader(settings.language, settings.timezone), encrypted=False)
        own = current.get(session).organisations.get(row.organisation or "")
        language, zone = (own.language, own.timezone) if own is not None else ("", "")
        reader = Reader(row.language or language or settings.language, zone or settings.timezone)
        return Destination(reader, encrypted=row.encrypted)

    return look_up


def _paces(settings: Settings) -> Mapping[str, Pace]:
    paces: dict[str, Pace] = {"in": Pace(10.0, 1)}
    if settings.slack is not None:
        paces["slack"] = Pace(settings.slack.pace, settings.slack.burst)
    if settings.matrix is not None:
        paces["matrix"] = Pace(settings.matrix.pace, settings.matrix.burst)
    return paces
