"""`run`, `check` and `db upgrade`: the service itself."""

import argparse
import asyncio
import gc
import json
import signal
import sys
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot import alerts
from bot.app import App, build
from bot.cli import machine
from bot.cli.parsing import Commands
from bot.clock import system_clock
from bot.connections import connect, matrix_options, slack_options
from bot.db import Database
from bot.directory.tables import Organisation, Right, Room
from bot.errors import ConfigurationError, Unavailable
from bot.jobs import upkeep
from bot.life import running, settled
from bot.opening import open_database
from config.settings import Settings

PATIENCE = 30.0  # seconds that the only platform may take to answer for the first time

_TO_DO = {
    "jobs_late": "is the bot running, and are its platforms?",
    "jobs_failed": "passerelle failed list, then failed replay",
    "events_failed": "passerelle failed list, then failed replay",
    "lanes_abandoned": "restart the bot",
}


def add_to(commands: Commands) -> None:
    """Add these commands to the grammar."""
    run = commands.add_parser("run", help="the bot, on every configured platform")
    run.set_defaults(command=_run)
    check = commands.add_parser("check", help="look for what is wrong before it hurts")
    check.add_argument("--json", action="store_true")
    check.set_defaults(command=_check)
    db = commands.add_parser("db", help="the database").add_subparsers(required=True, metavar="ACTION")
    upgrade = db.add_parser("upgrade", help="create or upgrade the tables, load the reference data")
    upgrade.set_defaults(command=_upgrade)


def _run(settings: Settings, _options: argparse.Namespace) -> int:
    if settings.slack is None and settings.matrix is None:
        message = "no platform is configured: set slack.bot_token or matrix.homeserver (see docs/deploy.md)"
        raise ConfigurationError(message)
    database = open_database(settings.database_url)
    try:
        asyncio.run(_serve(settings, database))
    finally:
        database.close()
    return 0


async def _serve(settings: Settings, database: Database) -> None:
    from bot import http  # noqa: PLC0415 -- a web server is a fifth of a second that only this command needs

    gc.disable()  # until all is loaded: see `settled`
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    app = build(settings, database)
    connect(app)
    async with http.serving(app), running(app):
        await _first_answer(app, stop)
        settling = asyncio.create_task(settled(app))
        await stop.wait()
        settling.cancel()


async def _first_answer(app: App, stop: asyncio.Event) -> None:
    """Give up when no platform at all answered in time: a wrong address is better told than waited for."""
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE
    while not stop.is_set() and not any(state.ever for state in app.states.values()):
        if loop.time() > until:
            reasons = "; ".join(f"{name}: {state.reason}" for name, state in app.states.items())
            raise ConfigurationError(f"no platform could be reached: {reasons}")
        await asyncio.sleep(0.1)


def _upgrade(settings: Settings, _options: argparse.Namespace) -> int:
    open_database(settings.database_url).close()
    print("ok: tables and reference data are up to date")
    return 0


def _check(settings: Settings, options: argparse.Namespace) -> int:
    lines: list[tuple[bool, str, str]] = [(True, "configuration", "read")]
    try:
        database = open_database(settings.database_url)
        lines += database.run_now(_rows)
        database.close()
    except (ConfigurationError, Unavailable) as error:
        lines.append((False, "database", str(error)))
    lines += machine.look(settings, options.config)
    lines += asyncio.run(_platforms(settings))
    if options.json:
        print(json.dumps([{"ok": ok, "what": what, "detail": detail} for ok, what, detail in lines]))
    else:
        for ok, what, detail in lines:
            print(f"{'ok  ' if ok else 'FAIL'} {what}: {detail}")
    wrong = list(dict.fromkeys(what for ok, what, _ in lines if not ok))
    if wrong:
        print(f"passerelle: to be mended: {', '.join(wrong)}", file=sys.stderr)
    return 1 if wrong else 0


def _rows(session: Session) -> list[tuple[bool, str, str]]:
    organisations = session.scalar(select(func.count()).select_from(Organisation)) or 0
    rooms = session.scalar(select(func.count()).where(Room.organisation.is_not(None), Room.state == "open")) or 0
    closed = session.scalar(select(func.count()).where(Room.organisation.is_not(None), Room.state == "closed")) or 0
    administrators = session.scalar(select(func.count()).where(Right.right == "administrator")) or 0
    out = [
        (True, "database", "reachable, tables up to date"),
        (organisations > 0, "reference data", f"{organisations} organisations"),
        (
            rooms > 0,
            "rooms",
            f"{rooms} linked" if rooms else "none is linked: import rooms.csv, or say `relier` there",
        ),
        (
            administrators > 0,
            "rights",
            f"{administrators} administrator(s)"
            if administrators
            else "nobody is administrator: passerelle rights grant PERSON administrator",
        ),
    ]
    if closed:
        out.append((False, "rooms", f"{closed} linked room(s) can no longer be reached"))
    out.append(_clock(session, system_clock()))
    findings = upkeep.look(session, system_clock())
    return [*out, *((False, finding.name, _stuck(finding)) for finding in findings)]


def _stuck(finding: upkeep.Finding) -> str:
    since = f" since {finding.since:%Y-%m-%d %H:%M} UTC" if finding.since is not None else ""
    return f"{finding.count}{since}: {_TO_DO[finding.name]}"


def _clock(session: Session, now: datetime) -> tuple[bool, str, str]:
    """Compare our clock with the database's, which may be another machine's."""
    if session.get_bind().dialect.name != "postgresql":
        return True, "clock", f"{now:%Y-%m-%d %H:%M:%S} UTC"
    ahead = (now - session.scalars(select(func.clock_timestamp())).one()).total_seconds()
    ok = abs(ahead) < alerts.AHEAD.total_seconds()
    return ok, "clock", f"{ahead:+.1f} s from the database's" + ("" if ok else ": restore its synchronisation (NTP)")


async def _platforms(settings: Settings) -> list[tuple[bool, str, str]]:
    if settings.slack is None and settings.matrix is None:
        return [(False, "platforms", "none is configured")]
    out: list[tuple[bool, str, str]] = []
    if settings.slack is not None:
        from bot.platforms.slack.check import check as check_slack  # noqa: PLC0415 -- only when configured

        ok, detail = await check_slack(slack_options(settings))
        out.append((ok, "slack", detail))
    if settings.matrix is not None:
        from bot.platforms.matrix.check import check as check_matrix  # noqa: PLC0415 -- only when configured

        ok, detail = await check_matrix(matrix_options(settings))
        out.append((ok, "matrix", detail))
    return out
