"""`directory import` and `directory export`: the directory's files in and out."""

import argparse
import json
import sys
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Self

from bot.audit.chain import seal_all
from bot.cli.parsing import Commands, count
from bot.cli.words import in_words
from bot.clock import system_clock
from bot.db import Database
from bot.directory import exporting, importing, planning, scopes
from bot.directory.history import Author
from bot.directory.parsed import Difference, Parsed, Result
from bot.directory.reading import read
from bot.directory.snapshot import Org, load
from bot.directory.visibility import level
from bot.errors import UserError
from bot.opening import open_database
from config.settings import Settings

_REDRAW = 0.1  # seconds between two states of the progress that is shown


def add_to(actions: Commands) -> None:
    """Add these actions to the grammar of `directory`."""
    bring = actions.add_parser("import", help="add and change rows from files or folders; all or nothing")
    bring.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="CSV, vCard, DILA's JSON, .zip, .tar.bz2")
    bring.add_argument("--dry-run", action="store_true", help="say what would change")
    bring.add_argument(
        "--at-most", type=count, metavar="N", help="store nothing if more than N rows would change or close"
    )
    bring.add_argument("--json", action="store_true")
    bring.set_defaults(command=_import)
    send = actions.add_parser("export", help="write all files to a folder")
    send.add_argument("folder", type=Path, metavar="DIR")
    send.add_argument("--format", choices=("csv", "vcard"), default="csv")
    send.set_defaults(command=_export)


def _import(settings: Settings, options: argparse.Namespace) -> int:
    opened = cache(lambda: open_database(settings.database_url))  # what is read may be hostile: it is let in alone

    def known() -> Mapping[str, Org]:
        return opened().reading(load).organisations

    with _Progress() as progress:
        parsed = read(options.paths, known, progress)
        progress.now("…")
        database = opened()
        if options.dry_run:
            result = database.reading(lambda session: planning.plan(session, parsed)).result
        else:
            result = _stored(database, parsed, options.at_most)
            seal_all(database)
    database.close()
    if options.json:
        print(json.dumps(result.as_json(in_words), ensure_ascii=False))
    else:
        _tell(result, dry_run=options.dry_run)
    if parsed.left_out:
        print(f"passerelle: {parsed.left_out} records of other services left out", file=sys.stderr)
    for problem in result.errors:
        where = ", ".join(filter(None, (problem.file, f"line {problem.line}" if problem.line else "", problem.column)))
        shown = f" {problem.value!r}" if problem.value else ""
        print(f"{where}:{shown} {in_words(problem.reason)}", file=sys.stderr)
    return 1 if result.errors else 0


def _stored(database: Database, parsed: Parsed, at_most: int | None) -> Result:
    """Store what was read. Raises UserError where that touches more rows than it may, or others than were counted."""
    author = Author(system_clock(), "import")
    if at_most is None:
        return importing.store(database, parsed, author)
    made = database.reading(lambda session: planning.plan(session, parsed, author=author))
    touched = made.result.changed + made.result.closed
    if touched > at_most:
        raise UserError("import.too_many", touched=touched, limit=at_most)
    terms = planning.Terms(scopes.Scope(level("administrator"), frozenset()), made.digest)
    done = importing.store_agreed(database, parsed, author, terms)
    if done.differs(terms) and not done.result.errors:
        raise UserError("import.overtaken")
    return done.result


def _tell(result: Result, *, dry_run: bool) -> None:
    print(f"{'would be ' if dry_run else ''}added {result.added}, changed {result.changed}, closed {result.closed}")
    if not dry_run:
        return
    for difference in result.differences:
        print(_line(difference))
    more = result.added + result.changed + result.closed - len(result.differences)
    if more > 0:
        print(f"… and {more} more")


def _line(difference: Difference) -> str:
    before, after = difference.before, difference.after
    if before is None:
        return f"+ {difference.file} {difference.row}"
    changes = ", ".join(f"{name} {str(before[name] or '')!r} → {str(after[name] or '')!r}" for name in after)
    return f"~ {difference.file} {difference.row}: {changes}"


def _export(settings: Settings, options: argparse.Namespace) -> int:
    database = open_database(settings.database_url)
    write = exporting.export_vcards if options.format == "vcard" else exporting.export
    database.reading(lambda session: write(session, options.folder))
    database.close()
    print(f"exported to {options.folder}")
    return 0


class _Progress:
    """A line at the terminal that says how far an import is; nothing where nobody watches."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._at = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def __call__(self, name: str, line: int) -> None:
        if self._shown and time.monotonic() - self._at >= _REDRAW:
            self.now(f"{name}: {line:,}")

    def now(self, words: str) -> None:
        """Show this."""
        if self._shown:
            self._at = time.monotonic()
            print(f"\r\033[K{words}", end="", file=sys.stderr, flush=True)
