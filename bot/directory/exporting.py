"""Writing the directory as the files that an import reads: importing them again changes nothing."""

import csv
import os
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.directory.cells import guard
from bot.directory.files import FILES, File


def export(session: Session, folder: Path) -> None:
    """Write all six files into `folder`, which is made if need be; each is replaced whole or not at all.

    Rows are sorted by their keys. Only the owner may read the files: they name people. Cells that a spreadsheet would
    take for formulas begin with an apostrophe (`cells.guard`). Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for file in FILES:
        _write(folder / file.name, [[column.name for column in file.columns], *_rows(session, file)])


def _rows(session: Session, file: File) -> list[list[str]]:
    names = [column.name for column in file.columns]
    found = session.execute(select(*(getattr(file.table, name) for name in names)))
    rows = [[_cell(value) for value in row] for row in found]
    key = [names.index(name) for name in file.key]
    return sorted(rows, key=lambda row: [row[at] for at in key])


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


def _write(path: Path, rows: list[list[str]]) -> None:
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    made = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(made, "w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\r\n").writerows(rows)
    new.replace(path)
