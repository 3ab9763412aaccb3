"""`advisers`: whether every region has its diplomatic adviser, and the report of a year's work."""

import argparse
import sys
from datetime import date
from pathlib import Path

from bot.app import world
from bot.cli.parsing import Commands
from bot.clock import system_clock
from bot.documents.reports import of_adviser
from bot.opening import open_database
from bot.questions.advisers import coverage
from bot.texts import Reader
from config.settings import Settings


def add_to(commands: Commands) -> None:
    """Add these commands to the grammar."""
    actions = commands.add_parser("advisers", help="diplomatic advisers").add_subparsers(
        required=True, metavar="ACTION"
    )
    listing = actions.add_parser("list", help="each region's adviser, holes first; status 1 if there are holes")
    listing.set_defaults(command=_list)
    report = actions.add_parser("report", help="a year of a region's adviser, as PDF")
    report.add_argument("region", metavar="REGION", help="its id: region-grand-est")
    report.add_argument("file", metavar="FILE.pdf", type=Path)
    report.add_argument("--year", type=int, help="default: last year")
    report.set_defaults(command=_report)


def _list(settings: Settings, _options: argparse.Namespace) -> int:
    database, now, current = open_database(settings.database_url), system_clock(), world().current
    found = database.run_now(lambda s: coverage(s, current.get(s), now.date(), now))
    database.close()
    for it in found:
        names = ", ".join(adviser.name + (" (away)" if adviser.away else "") for adviser in it.advisers) or "nobody"
        hole = f"  nobody from {it.hole}" if it.hole else ""
        print(f"{it.region:34} {names:40} {it.pending:4} waiting {it.late:4} late{hole}")
    return 1 if any(it.hole for it in found) else 0


def _report(settings: Settings, options: argparse.Namespace) -> int:
    now, around = system_clock(), world()
    year: int = options.year or now.year - 1
    if not date.min.year < year < date.max.year:
        print("passerelle: --year is no year", file=sys.stderr)
        return 2
    database = open_database(settings.database_url)
    try:
        known = database.run_now(lambda s: around.current.get(s).organisations)
        if options.region not in known or known[options.region].kind != "region":
            print(f"passerelle: there is no region {options.region!r}", file=sys.stderr)
            return 1
        reader = Reader(settings.language, settings.timezone)
        made = database.run_now(lambda s: of_adviser(around, s, reader, options.region, year, now))
    finally:
        database.close()
    options.file.write_bytes(made.drawn())
    print(options.file)
    return 0
