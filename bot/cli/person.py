"""`person export` and `person erase`: what is kept of somebody, given to them or deleted."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from bot.audit.chain import seal_all
from bot.audit.recording import OPERATOR, record
from bot.cli.parsing import Commands
from bot.clock import system_clock
from bot.context import Scope
from bot.db import Database
from bot.opening import open_database
from bot.privacy.compacting import compact, take_wish
from bot.privacy.erasing import Erased, erase
from bot.privacy.exporting import export
from config.settings import Settings


def add_to(commands: Commands) -> None:
    """Add these commands to the grammar."""
    actions = commands.add_parser("person", help="what is kept of somebody").add_subparsers(
        required=True, metavar="ACTION"
    )
    give = actions.add_parser("export", help="all that is kept of a person")
    give.add_argument("id", metavar="ID")
    give.add_argument("--dry-run", action="store_true", help="say how much there is, and leave no trace of it")
    give.add_argument("--json", action="store_true")
    give.set_defaults(command=_export)
    gone = actions.add_parser("erase", help="delete all that is kept of a person; cannot be undone")
    gone.add_argument("id", metavar="ID")
    gone.add_argument("--dry-run", action="store_true", help="say what would be deleted")
    gone.add_argument("--json", action="store_true")
    gone.set_defaults(command=_erase)


class _Undone(Exception):
    """Ends a dry run: nothing of it is kept."""

    def __init__(self, result: Erased) -> None:
        super().__init__()
        self.result = result


def _export(settings: Settings, options: argparse.Namespace) -> int:
    database = open_database(settings.database_url)

    def work(session: Session) -> Mapping[str, Any]:
        found = export(session, options.id)
        if not options.dry_run:
            record(session, system_clock(), "person.export", actor=OPERATOR, about=f"person:{options.id}")
        return found

    found = database.run_now(work)
    seal_all(database)
    database.close()
    if options.dry_run:
        _tell({name: len(rows) for name, rows in found.items() if rows}, as_json=options.json)
    elif options.json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        for name, rows in found.items():
            print(f"{name} ({len(rows)})")
            for row in rows:
                print("  " + "\n    ".join(f"{key}: {value}" for key, value in row.items() if value not in (None, "")))
    return 0


def _erase(settings: Settings, options: argparse.Namespace) -> int:
    database = open_database(settings.database_url)
    scope = _scoped(settings, database)

    def work(session: Session) -> Erased:
        result = erase(scope(session), options.id, OPERATOR)
        if options.dry_run:
            raise _Undone(result)
        return result

    try:
        result = database.run_now(work)
    except _Undone as undone:
        database.close()
        _tell(undone.result.counts, as_json=options.json)
        return 0
    seal_all(database)
    database.run_now(take_wish)
    whole = compact(database)
    database.close()
    _tell(result.counts, as_json=options.json)
    if not whole:
        print("passerelle: another process kept the database's log of changes open: run this again", file=sys.stderr)
    return 0 if whole else 1


def _tell(counts: Mapping[str, int], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(counts))
    else:
        print("\n".join(f"{name}: {count}" for name, count in counts.items()))


def _scoped(settings: Settings, database: Database) -> Callable[[Session], Scope]:
    from bot.app import build  # noqa: PLC0415 - the other command needs nothing of it

    app = build(settings, database)

    def scope(session: Session) -> Scope:
        now = app.clock()
        key = f"erase/{now:%Y%m%dT%H%M%S%f}"
        return Scope(session=session, now=now, outbox=app.exit_(session, now), world=app.world, key=key)

    return scope
