"""The composition root: settings in, one running bot out. One task group, one way to stop."""

import asyncio
import contextlib
import functools
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Any

import structlog
from sqlalchemy.orm import Session

import handlers
from bot import due, foureyes, holding, importing, leases, presence, proof, reminders, schedule, upkeep
from bot.agenda import fetching, line, subscriptions
from bot.agenda.borders import Borders
from bot.agenda.model import Details
from bot.audit import chain
from bot.audit.recording import PROCESS, record
from bot.clock import Clock, system_clock
from bot.clockwork import Clockwork
from bot.command import load
from bot.confirmations import Asking
from bot.context import World
from bot.courtesy import Courtesy
from bot.db import Database
from bot.delivery import note_settled, performers
from bot.directory.current import Current
from bot.directory.files import TOPICS
from bot.directory.rooms import room_of
from bot.dispatch import Dispatcher
from bot.drawing import drawing
from bot.errors import ConfigurationError
from bot.fetching import Exit, Fetching
from bot.files import ENDINGS, Limits
from bot.memory import PlatformMemory
from bot.message import Address
from bot.opening import CONFIG
from bot.opinion import Endpoint, seconding
from bot.outbox import Destination, Destinations, Outbox
from bot.pace import Pace
from bot.platforms import Live, Platform
from bot.privacy import retention
from bot.privacy.compacting import compact, take_wish
from bot.privacy.erasing import erase
from bot.questions.find import live_threads
from bot.questions.terms import Terms
from bot.routing import candidates
from bot.routing.learnt import Learnt
from bot.routing.rules import Rules
from bot.search.current import Finder
from bot.texts import Catalogues, Reader
from bot.upkeep import Finding
from bot.worker import Worker
from bot.worktime.holidays import Place
from config.settings import Settings

log = structlog.get_logger()

SETTLED = 1.0  # seconds after which a start is over, whatever is not connected yet
FORGET_EVERY = timedelta(hours=6)


@dataclass(slots=True)
class State:
    """What a platform last said of itself."""

    ok: bool = False
    ever: bool = False
    reason: str = "not connected yet"


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
    states: dict[str, State] = field(default_factory=dict[str, State])
    connected: asyncio.Event = field(default_factory=asyncio.Event)  # every platform was, once
    forgot_at: datetime | None = None
    found: Sequence[Finding] = ()


def world() -> World:
    """Read what is shipped: commands, texts, rules."""
    rules, current = Rules.load(CONFIG / "routing"), Current()
    return World(
        learnt=Learnt(rules),
        catalogues=Catalogues.load(CONFIG / "texts"),
        current=current,
        finder=Finder(current, rules, CONFIG),
        commands=load(handlers),
        courtesy=Courtesy.load(CONFIG),
        terms=Terms.load(CONFIG / "deadlines.toml", tuple(TOPICS)),
        borders=Borders.load(CONFIG / "agenda"),
    )


def build(settings: Settings, database: Database, clock: Clock = system_clock) -> App:
    """Put a bot together without platforms; `add` gives it some."""
    http = settings.http
    around = replace(
        world(),
        confirm_every=timedelta(days=settings.directory.confirm_after_days),
        zone=settings.timezone,
        joined=timedelta(seconds=settings.questions.joined_seconds),
        seconded=settings.opinion is not None,
        limits=limits(settings),
        public_url=http.public_url or f"http://{http.host}:{http.port}",
    )
    where = destinations(settings, around.current)
    dispatcher = Dispatcher(database, around, where, clock)
    calendars = subscriber(settings, database, around, clock)
    platforms: dict[str, Platform] = {}

    def exit_(session: Session, now: datetime) -> Outbox:
        return Outbox(session, around.catalogues, where, now)

    folder = settings.data_dir / "files"
    parcels = Fetching(database, platforms, around.limits, folder, clock, exit_)
    directory = importing.Importing(database, around, where, folder, clock)
    beside = {
        "calendar": calendars.perform,
        "import": directory.bring,
        "export": directory.send,
        "draw": drawing(database, around, clock, exit_),
    }
    kinds = {**performers(database, platforms, dispatcher.again, parcels.fetch), **beside}
    if settings.opinion is not None:
        own = settings.opinion
        endpoint = Endpoint(own.url, own.model, own.token.get_secret_value())
        kinds["opinion"] = seconding(endpoint, database, around, where, clock)
    worker = Worker(
        database,
        queues={"in"},
        kinds=kinds,
        clock=clock,
        settled=functools.partial(note_settled, exit_=exit_),
        paces=_paces(settings),
    )
    database.woken = worker.wake
    forgetting = retention.kinds(retention.load(CONFIG / "retention.toml"))
    confirmed = foureyes.kinds({"person.erase": lambda ctx, args, who: erase(ctx, args["person"], who)})
    return App(
        settings,
        database,
        dispatcher,
        worker,
        platforms,
        clock,
        around,
        Asking(around, where, platforms),
        exit_,
        Clockwork(
            database,
            around,
            where,
            {**reminders.KINDS, **presence.KINDS, **importing.KINDS, **proof.KINDS, **forgetting, **confirmed},
        ),
        calendars,
    )


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


def add(app: App, platform: Platform, queues: set[str]) -> None:
    """Give a bot a platform, and the queues of jobs that it serves."""
    app.platforms[platform.name] = platform
    app.worker.queues |= queues
    app.states[platform.name] = State()


def destinations(settings: Settings, current: Current) -> Destinations:
    """Return how the exit learns a place's language, zone and encryption."""

    def look_up(session: Session, to: Address) -> Destination:
        row = room_of(session, to.platform, to.room)
        if row is None:
            return Destination(Reader(settings.language, settings.timezone), encrypted=False)
        own = current.get(session).organisations.get(row.organisation or "")
        zone = own.timezone if own is not None and own.timezone else settings.timezone
        return Destination(Reader(row.language or settings.language, zone), encrypted=row.encrypted)

    return look_up


def live(database: Database, platform: str) -> Live:
    """Return how a platform learns in which threads it is spoken to."""

    async def threads() -> list[Address]:
        return await database.run(lambda session: live_threads(session, platform))

    return threads


def reporter(app: App, platform: str) -> Callable[..., None]:
    """Return how a platform tells its state: it is logged when it changes, and what waits goes on at once."""

    def report(ok: bool, reason: str = "") -> None:
        state = app.states[platform]
        if state.ok == ok and state.reason == reason:
            return
        log.info("platform_ok", platform=platform) if ok else log.warning(
            "platform_down", platform=platform, reason=reason
        )
        if ok and not state.ok:
            hurry = asyncio.ensure_future(app.database.run(lambda s: leases.hurry(s, platform, app.clock())))
            hurry.add_done_callback(lambda done: done.exception())
        state.ok, state.reason, state.ever = ok, reason, state.ever or ok
        if all(each.ever for each in app.states.values()):
            app.connected.set()

    return report


def connect(app: App) -> None:
    """Add the platforms that the settings name; the others are not even imported."""
    if app.settings.slack is not None:
        from bot.platforms import slack  # noqa: PLC0415 -- only when configured

        memory = PlatformMemory(app.database, "slack")
        options = slack_options(app.settings)
        app.states["slack"] = State()
        add(
            app,
            slack.SlackPlatform(
                options, memory=memory, report=reporter(app, "slack"), live=live(app.database, "slack")
            ),
            {"slack"},
        )
    if app.settings.matrix is not None:
        from bot.platforms import matrix  # noqa: PLC0415 -- only when configured

        memory = PlatformMemory(app.database, "matrix")
        app.states["matrix"] = State()
        add(
            app,
            matrix.MatrixPlatform(
                matrix_options(app.settings),
                memory=memory,
                report=reporter(app, "matrix"),
                live=live(app.database, "matrix"),
            ),
            {"matrix"},
        )


@contextlib.asynccontextmanager
async def running(app: App) -> AsyncGenerator[App]:
    """Run the worker, the tick and the platforms for as long as the block lasts."""
    app.world.finder.read_from(app.database, app.clock())
    await app.database.run(lambda session: _log_process(session, app, "process.start"))
    await app.database.run(lambda session: due.ensure(session, presence.ROTA, "all", app.clock()))
    await app.database.run(lambda session: retention.begin(session, app.clock()))
    await app.database.run(lambda session: proof.begin(session, app.clock()))
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(app.worker.run(), name="worker"),
            group.create_task(_warm(app), name="warm"),
            group.create_task(schedule.run(lambda: tick(app)), name="tick"),
            *(group.create_task(_supervise(app, p), name=p.name) for p in app.platforms.values()),
        ]
        try:
            yield app
        finally:
            await app.worker.drain()
            await app.database.run(lambda session: _log_process(session, app, "process.stop"))
            await seal(app)
            await asyncio.to_thread(app.world.finder.wait)
            for task in tasks:
                task.cancel()


def _log_process(session: Session, app: App, action: str) -> None:
    content = {"version": version("passerelle"), "platforms": sorted(app.platforms)}
    record(session, app.clock(), action, actor=PROCESS, content=content)


async def seal(app: App) -> None:
    """Prolong the chain of the audit by all that waits."""
    while await app.database.run(chain.seal) == chain.AT_ONCE:
        pass


async def _warm(app: App) -> None:
    """Prepare for look-ups once the platforms are connected, or should be: they do not wait for it."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(app.connected.wait(), SETTLED)
    app.world.finder.warm()
    await asyncio.to_thread(app.world.finder.wait)
    await asyncio.to_thread(Place("FR").is_holiday, app.clock().date())


async def _supervise(app: App, platform: Platform) -> None:
    """Run a platform. One that an operator must mend does not stop the others, unless it is the only one."""
    try:
        await platform.run(app.dispatcher.receive)
    except ConfigurationError as error:
        state = app.states[platform.name]
        log.error("platform_stopped", platform=platform.name, reason=str(error))
        state.ok, state.reason = False, str(error)
        if not state.ever or not any(s.ok for s in app.states.values()):
            raise
    finally:
        await platform.close()


async def tick(app: App) -> None:
    """Look for what is stuck, and now and then forget what is over."""
    now = app.clock()
    await app.clockwork.tick(now)
    woken = await app.database.run(lambda session: upkeep.mend(session, now))
    await seal(app)
    if await app.database.run(take_wish):
        await asyncio.to_thread(compact, app.database)
    await app.database.run(lambda session: app.asking.ask(session, now))
    await app.database.run(lambda session: holding.remind(session, app.exit_(session, now), now))
    await app.database.run(lambda session: subscriptions.put_due(session, now))
    found = await app.database.run(lambda session: upkeep.look(session, now))
    for finding in found:
        if finding not in app.found:  # said once, not at each tick
            log.warning("stuck", what=finding.name, count=finding.count, since=str(finding.since))
    app.found = found
    if app.forgot_at is None or now - app.forgot_at > FORGET_EVERY:
        app.forgot_at = now
        await app.database.run(lambda session: candidates.forget(session, now))
    if woken:
        app.worker.wake()


def _paces(settings: Settings) -> Mapping[str, Pace]:
    paces: dict[str, Pace] = {"in": Pace(10.0, 1)}
    if settings.slack is not None:
        paces["slack"] = Pace(settings.slack.pace, settings.slack.burst)
    if settings.matrix is not None:
        paces["matrix"] = Pace(settings.matrix.pace, settings.matrix.burst)
    return paces


def slack_options(settings: Settings) -> Any:
    """Return the Slack section as that platform takes it."""
    from bot.platforms import slack  # noqa: PLC0415 -- only when configured

    own = settings.slack
    if own is None:
        raise ConfigurationError("slack: not configured")
    return slack.SlackOptions(
        bot_token=own.bot_token.get_secret_value(),
        app_token=own.app_token.get_secret_value(),
        signing_secret=own.signing_secret.get_secret_value(),
        mode=own.mode,
        api_url=own.api_url,
        trust_email=own.trust_email,
    )


def matrix_options(settings: Settings) -> Any:
    """Return the Matrix section as that platform takes it."""
    from bot.platforms import matrix  # noqa: PLC0415 -- only when configured

    own = settings.matrix
    if own is None:
        raise ConfigurationError("matrix: not configured")
    return matrix.MatrixOptions(
        homeserver=own.homeserver,
        user_id=own.user_id,
        password=own.password.get_secret_value(),
        access_token=own.access_token.get_secret_value(),
        device_id=own.device_id,
        store_key=own.store_key.get_secret_value(),
        allowed_servers=own.allowed_servers,
        trust=own.trust,
        identity_reset=own.identity_reset,
        store=settings.data_dir / "matrix",
        language=settings.language,
        pace=1 / own.requests_per_second if own.requests_per_second else 0.0,
    )
