"""`failed` and `matrix`: what an operator mends."""

import argparse
import asyncio
import json
import re
import sys
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import posts, receipts, wire
from bot.app import build
from bot.cli.parsing import Commands, account
from bot.clock import system_clock
from bot.connections import matrix_options
from bot.db import Database
from bot.errors import ConfigurationError
from bot.jobs.tables import Job, Lane
from bot.memory import PlatformMemory
from bot.message import Address
from bot.opening import open_database
from config.settings import Settings

if TYPE_CHECKING:
    from bot.platforms.matrix import MatrixPlatform


def add_to(commands: Commands) -> None:
    """Add these commands to the grammar."""
    failed = commands.add_parser("failed", help="what could not be handled or delivered")
    actions = failed.add_subparsers(required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="all of it, with the reason")
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(command=_list)
    replay = actions.add_parser("replay", help="try again: an event (E12) or a delivery (J34)")
    replay.add_argument("id", metavar="ID")
    replay.set_defaults(command=_replay)

    matrix = commands.add_parser("matrix", help="the bot's Matrix identity and whom it trusts")
    actions = matrix.add_subparsers(required=True, metavar="ACTION")
    fingerprint = actions.add_parser("fingerprint", help="the bot's master key, to compare in a client")
    fingerprint.set_defaults(command=_fingerprint)
    trust = actions.add_parser("trust", help="accept a user's new identity")
    trust.add_argument("user", metavar="USER", type=account)
    trust.set_defaults(command=_trust)
    reset = actions.add_parser("reset-identity", help="give the bot a new identity; needs matrix.password")
    reset.set_defaults(command=_reset)


def _list(settings: Settings, options: argparse.Namespace) -> int:
    database = open_database(settings.database_url)

    def work(session: Session) -> list[dict[str, str | None]]:
        events = [
            {"id": f"E{r.id}", "what": f"{r.platform} {r.kind}", "at": r.at.isoformat(), "reason": r.error}
            for r in receipts.failed(session)
        ]
        jobs = [
            {"id": f"J{j.id}", "what": f"{j.kind} to {j.lane}", "at": j.created_at.isoformat(), "reason": j.error}
            for j in session.scalars(select(Job).where(Job.state == "failed").order_by(Job.id))
        ]
        return events + jobs

    rows = database.run_now(work)
    database.close()
    if options.json:
        print(json.dumps(rows, ensure_ascii=False))
    else:
        for row in rows:
            print(f"{row['id']}  {row['at']}  {row['what']}: {row['reason']}")
    return 0


def _replay(settings: Settings, options: argparse.Namespace) -> int:
    asked = re.fullmatch(r"([EJ])(\d{1,18})", options.id.upper(), re.ASCII)
    if asked is None:
        print("passerelle: an id looks like E12 or J34", file=sys.stderr)
        return 2
    kind, number = asked[1], int(asked[2])
    database = open_database(settings.database_url)
    done = _replay_event(settings, database, number) if kind == "E" else _replay_job(database, number)
    database.close()
    if not done:
        print(f"passerelle: {options.id} still fails, or there is no such failure", file=sys.stderr)
        return 1
    print(f"{options.id}: done")
    return 0


def _replay_event(settings: Settings, database: Database, number: int) -> bool:
    def payload(session: Session) -> str | None:
        row = session.get(receipts.Receipt, number)
        return row.payload if row is not None and row.outcome == "failed" else None

    text = database.run_now(payload)
    if text is None:
        return False
    asyncio.run(build(settings, database).dispatcher.again(wire.load(text)))
    return database.run_now(payload) is None


def _replay_job(database: Database, number: int) -> bool:
    now = system_clock()

    def work(session: Session) -> bool:
        job = session.get(Job, number)
        if job is None or job.state != "failed" or job.args == "{}":  # both sides know that a file did not cross
            return False
        job.state, job.attempts, job.due_at, job.created_at = "unknown", 0, now, now
        session.get_one(Lane, job.lane).due_at = now
        posts.forget_drawn(session, [job.target or job.key])  # it may have been rewritten since
        return True

    return database.run_now(work)


def _fingerprint(settings: Settings, _options: argparse.Namespace) -> int:
    database, matrix = _matrix(settings)
    found = matrix.fingerprint()
    database.close()
    if found is None:
        print("passerelle: the bot has no identity yet; it makes one at its first start", file=sys.stderr)
        return 1
    print(found)
    return 0


def _trust(settings: Settings, options: argparse.Namespace) -> int:
    database, matrix = _matrix(settings)
    asyncio.run(matrix.trust(options.user))
    database.close()
    print(f"{options.user}: the identity seen next is accepted")
    return 0


def _reset(settings: Settings, _options: argparse.Namespace) -> int:
    database, matrix = _matrix(settings)
    asyncio.run(_reset_and_close(matrix))
    print(f"new identity: {matrix.fingerprint()}; everybody who had verified the bot must verify it anew")
    database.close()
    return 0


async def _reset_and_close(matrix: "MatrixPlatform") -> None:
    from bot.platforms.matrix.wire import HomeserverError, Unreachable  # noqa: PLC0415 -- only when asked for

    try:
        await matrix.reset_identity("")
    except (HomeserverError, Unreachable) as error:
        message = f"matrix.homeserver: {error}; the identity is as it was, or is completed when this is done again"
        raise ConfigurationError(message) from error
    finally:
        await matrix.close()


def _matrix(settings: Settings) -> "tuple[Database, MatrixPlatform]":
    """Return the platform on its database, without starting it."""
    from bot.platforms.matrix import MatrixPlatform  # noqa: PLC0415 -- only when asked for

    options = matrix_options(settings)
    database = open_database(settings.database_url)

    async def nowhere() -> list[Address]:
        return []

    memory = PlatformMemory(database, "matrix")
    return database, MatrixPlatform(options, memory=memory, report=_silent, live=nowhere)


def _silent(ok: bool, reason: str = "") -> None:
    """Say nothing: the command itself tells."""
