"""`console`: talk to the bot on standard input, as somebody of an organisation."""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from bot.app import App, build
from bot.cli.parsing import Commands, instant
from bot.clock import Clock, system_clock
from bot.connections import add
from bot.db import Database
from bot.directory import rooms
from bot.directory.tables import Organisation, Person
from bot.errors import ConfigurationError
from bot.jobs.leases import next_due
from bot.life import running
from bot.opening import open_database
from bot.platforms.console import Console, as_json, as_text
from config.settings import Settings

QUIET = 0.05  # seconds without anything due before a scripted console reads on


def add_to(commands: Commands) -> None:
    """Add this command to the grammar."""
    console = commands.add_parser("console", help="talk to the bot on standard input")
    console.add_argument("--as", dest="person", required=True, metavar="PERSON")
    console.add_argument("--room", required=True, metavar="ORG")
    console.add_argument("--new", action="store_true", help="PERSON is a made-up member of ORG")
    console.add_argument("--json", action="store_true", help="a line of JSON for each card")
    console.add_argument("--files", type=Path, metavar="DIR", help="where files are put that the bot says")
    console.add_argument("--at", type=instant, metavar="INSTANT", help="as if it were this instant (ISO 8601)")
    console.set_defaults(command=_run)


def _run(settings: Settings, options: argparse.Namespace) -> int:
    database = open_database(settings.database_url)
    try:
        _prepare(database, options.person, options.room, new=options.new)
        asyncio.run(_talk(settings, database, options))
    finally:
        database.close()
    return 0


def _prepare(database: Database, person: str, room: str, *, new: bool) -> None:
    """Link the console room of an organisation. Raises ConfigurationError for ids that the directory lacks."""

    def work(session: Session) -> None:
        if session.get(Organisation, room) is None:
            raise ConfigurationError(f"--room {room}: no such organisation (passerelle directory search …)")
        if not new and session.get(Person, person) is None:
            raise ConfigurationError(f"--as {person}: no such person; --new makes up a member of {room}")
        rooms.link(session, room, "console", room, system_clock())

    database.run_now(work)


def shifted(at: datetime | None) -> Clock:
    """Return a clock that starts at an instant and goes on at its own pace; the present without one."""
    if at is None:
        return system_clock
    ahead = at - system_clock()
    return lambda: system_clock() + ahead


async def _talk(settings: Settings, database: Database, options: argparse.Namespace) -> None:
    clock = shifted(options.at)
    app = build(settings, database, clock)
    draw = as_json if options.json else as_text
    console = Console(
        {options.room: options.person}, lambda shown: print(draw(shown), flush=True), clock, options.files
    )
    add(app, console, {f"console:{options.room}"})
    async with running(app):
        await console.opened(app.dispatcher.receive, options.room)
        await settle(app)
        async for line in lines():
            if line.strip():
                await console.typed(app.dispatcher.receive, options.room, line)
            await settle(app)


def at_a_terminal() -> bool:
    """Whether somebody can type: standard input may even be closed, and then Python has none."""
    return sys.stdin is not None and sys.stdin.isatty()


async def lines() -> AsyncIterator[str]:
    """Read standard input line by line without blocking the loop."""
    while sys.stdin is not None and (line := await asyncio.to_thread(sys.stdin.readline)):
        yield line.rstrip("\n")


async def settle(app: App) -> None:
    """Wait until nothing is due in this process's queues any more."""
    while True:
        app.worker.wake()
        await asyncio.sleep(QUIET)
        due = await app.database.run(lambda s: next_due(s, app.worker.queues, app.worker.owner))
        if app.worker.idle and (due is None or (due - app.clock()).total_seconds() > 1):
            return
