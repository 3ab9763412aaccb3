"""The directory's files in and out, in a process of its own: `python -m bot.directory.apart < REQUEST`.

What people send is hostile until it is read, and a large file takes seconds of the processor: the bot waits for none.
The request is JSON on standard input, since it holds the database's address; the answers are lines of JSON: `progress`
now and then, at last one with the outcome. The process may use so much time and memory.
"""

import csv
import json
import resource
import sys
import time
import zipfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

from bot.db import Database
from bot.directory import exporting, importing, planning, proposals
from bot.directory.cells import guard
from bot.directory.history import Author
from bot.directory.parsed import Difference, Parsed
from bot.directory.planning import Plan, Terms
from bot.directory.reading import read
from bot.directory.scopes import Scope
from bot.directory.snapshot import Org, load
from bot.texts import to_data

MEMORY: Final = 2 * 1024**3  # bytes of address space: 200,000 new rows take half of it
CPU: Final = 120  # seconds
CHANGES: Final = 2_000_000  # bytes of the list of changes
_TOLD_EVERY: Final = 0.5  # seconds


Tell: TypeAlias = Callable[[dict[str, Any]], None]


def main() -> None:
    """Do what standard input asks."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU, CPU))
    _say(answer(json.load(sys.stdin), _say))


def answer(asked: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """Do what is asked and return the outcome; `tell` is given how far it is."""
    database = cache(lambda: Database(asked["url"]))
    try:
        return _export(asked, database()) if asked["kind"] == "export" else _import(asked, database, tell)
    finally:
        database().close()


def _import(asked: dict[str, Any], opened: Callable[[], Database], tell: Tell) -> dict[str, Any]:
    """Read files and say what they would change; store it where that is what was agreed to.

    The database is `opened` afterwards: what is read may be hostile, and is let in alone.
    """

    def known() -> Mapping[str, Org]:
        return opened().reading(load).organisations

    parsed = read([Path(path) for path in asked["paths"]], known, _Progress(tell))
    author = Author(datetime.fromisoformat(asked["at"]), "import", asked["person"], asked["account"])
    id_ = asked["store"]
    terms = Terms(_scope(asked), asked["agreed"], lambda session: proposals.note_stored(session, id_))
    if id_ is not None:
        made = importing.store_agreed(opened(), parsed, author, terms)
        if not (made.result.errors or made.differs(terms)):
            return _outcome(parsed, made, stored=True)
    with _listed(Path(asked["changes"])) as listed:
        made = opened().reading(lambda s: planning.plan(s, parsed, author=author, terms=terms, listed=listed))
    return _outcome(parsed, made, stored=False)


def _export(asked: dict[str, Any], database: Database) -> dict[str, Any]:
    """Write what somebody may export into an archive, which an import reads."""
    folder, archive = Path(asked["folder"]), Path(asked["archive"])
    at = datetime.fromisoformat(asked["at"])
    write = exporting.export_vcards if asked["format"] == "vcard" else exporting.export
    database.reading(lambda session: write(session, folder, exporting.Part(_scope(asked), at)))
    with zipfile.ZipFile(archive, "x", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(folder.iterdir()):
            packed.write(path, path.name)
    return {"size": archive.stat().st_size}


def _scope(asked: dict[str, Any]) -> Scope:
    level, offices = asked["scope"]
    return Scope(level, frozenset(offices))


def _outcome(parsed: Parsed, made: Plan, *, stored: bool) -> dict[str, Any]:
    result = made.result
    return {
        "stored": stored,
        "digest": made.digest,
        "counts": [result.added, result.changed, result.closed, parsed.left_out],
        "errors": [[p.file, p.line, p.column, p.value, to_data(p.reason)] for p in result.errors],
        "differences": [
            [d.file, d.row, None if d.before is None else _plain(d.before), _plain(d.after)] for d in result.differences
        ],
    }


def _plain(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: "" if value is None else str(value) for name, value in values.items()}


@contextmanager
def _listed(path: Path) -> Generator[Callable[[Difference], None]]:
    """Lend what writes each difference into a file, up to a size: row by row, and column by column of it."""
    with path.open("x", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("file", "row", "column", "before", "after"))

        def write(difference: Difference) -> None:
            if stream.tell() > CHANGES:
                return
            before = difference.before
            for name, value in difference.after.items():
                was = "" if before is None else before[name]
                cells = (difference.file, difference.row, name, was, value)
                writer.writerow(guard("" if cell is None else str(cell)) for cell in cells)

        yield write


class _Progress:
    """Tells which file is being read, and which line of it, now and then."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._at = time.monotonic()

    def __call__(self, name: str, line: int) -> None:
        if time.monotonic() - self._at >= _TOLD_EVERY:
            self._at = time.monotonic()
            self._tell({"progress": [name, line]})


def _say(said: dict[str, Any]) -> None:
    sys.stdout.write(f"{json.dumps(said)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
