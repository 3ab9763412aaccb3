"""Writing the directory as files that an import reads: importing them again changes nothing.

A file that would be beyond the limits of an import is written in parts: `people.csv`, `people-2.csv`, …
"""

import csv
import io
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.directory import scopes, vcards
from bot.directory.cells import guard
from bot.directory.files import FILES, ORGANISATIONS, PEOPLE, POSTINGS, File
from bot.directory.records import LINES, SIZE
from bot.directory.scopes import Scope

_LEAVE = 1_000  # lines and bytes by which a part stays below the limits


@dataclass(frozen=True, slots=True)
class Part:
    """What somebody may export at an instant: the rows and columns of their scope."""

    scope: Scope
    at: datetime


def export(session: Session, folder: Path, part: Part | None = None) -> None:
    """Write all files into `folder`, which is made if need be; each is replaced whole or not at all.

    Rows are sorted by their keys. Only the owner may read the files: they name people. Cells that a spreadsheet would
    take for formulas begin with an apostrophe (`cells.guard`). Raises OSError.
    """
    for file in FILES:
        columns, rows = _rows(session, file, part)
        if columns:
            lines = (_line([_cell(row[name]) for name in columns]) for row in rows)
            _write(folder, file.name, lines, _line(columns))


def export_vcards(session: Session, folder: Path, part: Part | None = None) -> None:
    """Write organisations and people, these with their postings, as vCards of version 4, like `export`."""
    _, organisations = _rows(session, ORGANISATIONS, part)
    names = {row["id"]: row["name"] for row in organisations}
    postings: dict[str, list[Mapping[str, Any]]] = {}
    for row in _rows(session, POSTINGS, part)[1]:
        postings.setdefault(row["person"], []).append(row)
    _write(folder, "organisations.vcf", map(vcards.organisation, organisations))
    _, people = _rows(session, PEOPLE, part)
    _write(folder, "people.vcf", (vcards.person(row, postings.get(row["id"], ()), names) for row in people))


def _rows(session: Session, file: File, part: Part | None) -> tuple[Sequence[str], list[Mapping[str, Any]]]:
    """Return the columns of a file and its rows, sorted by their keys; of a part of it what belongs to that."""
    columns = tuple(file.by_name) if part is None else part.scope.columns(file)
    rows = sorted(_stored(session, file), key=lambda row: [_cell(row[name]) for name in file.key])
    if part is None:
        return columns, rows
    own = scopes.Own(part.scope, _stored(session, POSTINGS), (), part.at)
    rows = [row for row in rows if scopes.may_bring(part.scope, file, own=own.has(file, row))]
    return columns if rows else (), [{name: row[name] for name in columns} for row in rows]


def _stored(session: Session, file: File) -> list[Mapping[str, Any]]:
    names = list(file.by_name)
    found = session.execute(select(*(getattr(file.table, name) for name in names)))
    return [dict(zip(names, row, strict=True)) for row in found]


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case date():
            return value.isoformat()
        case _:
            return guard(str(value))


def _line(row: Sequence[str]) -> str:
    """Return a record as CSV, with all its lines."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerow(row)
    return text.getvalue()


def _write(folder: Path, name: str, texts: Iterable[str], header: str = "") -> None:
    """Write texts one after the other, into as many files as the limits ask for, each beginning with the header."""
    folder.mkdir(parents=True, exist_ok=True)
    number = 0
    for number, part in enumerate(_parts(texts, header), 1):
        path = folder / _named(name, number)
        new = path.with_name(f".{path.name}.new")
        new.unlink(missing_ok=True)
        made = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(made, "w", encoding="utf-8", newline="") as stream:
            stream.writelines(part)
        new.replace(path)
    stem, suffix = name.split(".")
    for old in folder.glob(f"{stem}-*.{suffix}"):  # of a larger directory, earlier
        rest = re.fullmatch(rf"{stem}-(\d{{1,4}})\.{suffix}", old.name)
        if rest is not None and int(rest[1]) > number:
            old.unlink()


def _parts(texts: Iterable[str], header: str) -> Iterator[Iterator[str]]:
    """Cut texts into parts within the limits; each part is to be read before the next is asked for."""
    waiting: list[str] = []
    rest = iter(texts)
    ended = False

    def part() -> Iterator[str]:
        nonlocal ended
        yield header
        lines, size = header.count("\n"), len(header.encode())
        while True:
            text = waiting.pop() if waiting else next(rest, None)
            if text is None:
                ended = True
                return
            lines, size = lines + text.count("\n"), size + len(text.encode())
            if lines > LINES - _LEAVE or size > SIZE - _LEAVE:
                waiting.append(text)
                return
            yield text

    while not ended:
        yield part()


def _named(name: str, number: int) -> str:
    stem, suffix = name.split(".")
    return name if number == 1 else f"{stem}-{number}.{suffix}"
