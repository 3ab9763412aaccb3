"""One running bot: one task group, one way to stop; what is stuck is looked for at each tick."""

import asyncio
import contextlib
import gc
import importlib
import socket
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime, timedelta
from importlib.metadata import version

import structlog
from sqlalchemy.orm import Session

from bot import alerts, due, schedule
from bot.agenda import subscriptions
from bot.app import App, Coming
from bot.audit import chain
from bot.audit.recording import PROCESS, record
from bot.card import Reply
from bot.clockwork import presence, proof
from bot.digests import issuing
from bot.errors import ConfigurationError
from bot.jobs import hints, outgoing, upkeep
from bot.jobs.tenure import Hold, Office
from bot.message import Address, Inbound
from bot.platforms import Alone, Platform, Receive
from bot.privacy import retention
from bot.privacy.compacting import compact, take_wish
from bot.relay import holding
from bot.routing import candidates
from bot.worktime.holidays import Place

log = structlog.get_logger()

SETTLED = 1.0  # seconds after which a start is over, whatever is not connected yet
SAID = 0.2  # seconds in which what waited is said, before anything else is loaded
FORGET_EVERY = timedelta(hours=6)


@contextlib.asynccontextmanager
async def running(app: App) -> AsyncGenerator[App]:
    """Run the worker, the tick and the platforms for as long as the block lasts."""
    app.database.logs = True
    app.world.learnt.read_beside()
    app.world.finder.read_from(app.database, app.clock())
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(app.worker.run(), name="worker"),  # the first: what waits is said before all else
            group.create_task(app.peers.run(), name="peers"),
            group.create_task(_warm(app), name="warm"),
            group.create_task(_tick_on(app), name="tick"),
            *(group.create_task(_supervise(app, p), name=p.name) for p in app.platforms.values()),
            *(group.create_task(_bring(app, coming), name=coming.module) for coming in app.coming),
        ]
        if not app.database.sqlite:
            tasks.append(group.create_task(hints.take(app.database.url, app.worker.wake), name="hints"))
        await group.create_task(app.database.run(lambda session: _begin(session, app)))
        try:
            yield app
        finally:
            await app.worker.drain()
            await app.database.run(lambda session: _log_process(session, app, "process.stop"))
            await seal(app)
            await asyncio.to_thread(app.world.finder.wait)
            for task in tasks:
                task.cancel()


def _begin(session: Session, app: App) -> None:
    """Log the start, and put what is looked at day by day; zones may have other rules than before this start."""
    _log_process(session, app, "process.start")
    now = app.clock()
    due.ensure(session, presence.ROTA, "all", now)
    due.put(session, issuing.PLANNING, issuing.FIRST, now)
    retention.begin(session, now)
    proof.begin(session, now)


def _log_process(session: Session, app: App, action: str) -> None:
    content = {"version": version("passerelle"), "platforms": sorted(app.states)}
    record(session, app.clock(), action, actor=PROCESS, content=content)


async def seal(app: App) -> None:
    """Prolong the chain of the audit by all that waits."""
    while await app.database.run(chain.seal) == chain.AT_ONCE:
        pass


async def _warm(app: App) -> None:
    """Prepare for questions and look-ups once the platforms are connected, or should be: they do not wait for it.

    What waits to be said is said meanwhile; what is asked meanwhile waits, in no transaction.
    """
    await _said(app)
    await asyncio.to_thread(app.world.learnt.read)
    app.world.finder.warm()
    await asyncio.to_thread(app.world.finder.wait)
    await asyncio.to_thread(Place("FR").is_holiday, app.clock().date())
    app.warm.set()


async def settled(app: App) -> None:
    """Wait until all is loaded; only then look for garbage: a start has none, and to look for some would hold it up."""
    await app.warm.wait()
    gc.enable()
    gc.collect()
    gc.freeze()  # what was loaded stays: to walk through it at every full collection would hold up everybody


async def _tick_on(app: App) -> None:
    """Look for what is stuck and for what is due, once the start is over."""
    await _said(app)
    await schedule.run(lambda: tick(app))


async def _said(app: App) -> None:
    """Wait until the platforms are connected, or should be, and what waited there is said."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SETTLED):  # not wait_for, which may swallow a cancellation (Python 3.11)
            await app.connected.wait()
    await asyncio.sleep(SAID)


async def _supervise(app: App, platform: Platform) -> None:
    """Run a platform. One that an operator must mend does not stop the others, unless it is the only one."""
    try:
        if isinstance(platform, Alone):
            await _in_turn(app, platform, app.offices[platform.name])
        else:
            await platform.run(_receiving(app, platform))
    except ConfigurationError as error:
        state = app.states[platform.name]
        log.error("platform_stopped", platform=platform.name, reason=str(error))
        state.ok, state.stopped, state.reason = False, True, str(error)
        if not state.ever or not any(s.ok for s in app.states.values()):
            raise
    finally:
        await platform.close()


async def _bring(app: App, coming: Coming) -> None:
    """Load a platform beside what the others do, and run it."""
    await asyncio.to_thread(importlib.import_module, coming.module)
    await _supervise(app, coming.add())


def _receiving(app: App, platform: Platform) -> Receive:
    """Return what a platform hands its events to: the dispatcher, with an eye on how many there are."""

    async def receive(inbound: Inbound) -> Reply:
        app.events[platform.name] += 1
        app.states[platform.name].heard_at = app.clock()
        return await app.dispatcher.receive(inbound)

    return receive


async def _in_turn(app: App, platform: Alone, office: Office) -> None:
    """Run a platform whenever it is this process's turn, and stand by meanwhile."""
    state = app.states[platform.name]

    def stand_by() -> None:
        state.ok, state.ever, state.reason = True, True, "another process speaks there; this one stands by"

    while True:
        hold = await office.waited_for(platform.last_epoch, stand_by)
        state.ok, state.reason = False, "taking over"
        try:
            await _in_term(app, platform, office, hold)
        finally:
            app.worker.queues.discard(platform.name)
            await office.left(hold)


async def _in_term(app: App, platform: Alone, office: Office, hold: Hold) -> None:
    """Run a platform until its term is over."""
    platform.begin(hold.term.epoch, hold)  # its queue is served from when it tells that it is connected
    tasks = [asyncio.create_task(platform.run(_receiving(app, platform))), asyncio.create_task(office.kept(hold))]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        hold.until = 0.0
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def tick(app: App) -> None:
    """Look for what is stuck, and now and then forget what is over."""
    now = app.clock()
    if app.ticked_at is not None and now < app.ticked_at:  # the clock was set back: what is due was put too late
        await app.database.run(lambda session: due.put(session, issuing.PLANNING, issuing.FIRST, now))
    app.ticked_at = now
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
    troubles = [*_troubles(app, now), *alerts.of_database((finding.name, finding.count) for finding in found)]
    await app.database.run(lambda session: _alert(app, session, troubles, now))
    if app.forgot_at is None or now - app.forgot_at > FORGET_EVERY:
        app.forgot_at = now
        await app.database.run(lambda session: candidates.forget(session, now))
        await app.database.run(lambda session: issuing.forget(session, now))
    if woken:
        app.worker.wake()


def _troubles(app: App, now: datetime) -> list[alerts.Trouble]:
    """Return what is wrong with the platforms and with this machine."""
    for state in app.states.values():
        state.down_since = None if state.ok else state.down_since or now
    down = [(name, s.reason, s.stopped, s.down_since) for name, s in app.states.items() if s.down_since is not None]
    machine = alerts.of_machine(app.peers.around.ahead, app.settings.data_dir, socket.gethostname())
    return [*alerts.of_platforms(down, now), *machine]


def _alert(app: App, session: Session, troubles: Sequence[alerts.Trouble], now: datetime) -> None:
    """Tell the administrators' room what is new, and what is over."""
    platform, _, room = app.settings.operator.alerts.partition(":")
    to = Address(platform, room) if platform in app.states else None
    found = [*troubles, *alerts.of_identities(session), *alerts.of_restore(outgoing.closed_since(session))]
    alerts.tell(session, app.exit_(session, now), to, app.worker.owner, found, now)
