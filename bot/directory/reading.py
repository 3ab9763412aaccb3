"""Reading directory files, outside any transaction: bounded in time and memory whatever the files hold.

Nothing here raises for what a file or a path is: every complaint is a `Problem`. A file that cannot be read on (no
UTF-8, broken quotes, a limit) is left at that line; after `PROBLEMS` complaints reading stops altogether.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import BinaryIO, TypeAlias

from bot.directory.cells import BadCell, Value, bare, sound
from bot.directory.files import BY_NAME, Column, File, Target
from bot.directory.parsed import Parsed, Problem, Sheet
from bot.directory.records import Unreadable, opened, records
from bot.texts import Text

PROBLEMS = 1_000  # after which reading stops
_FOLDERS = 10_000  # that are looked into
_SHOWN = 100  # characters of a bad value
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_NOTHING: tuple[int, list[str]] = (0, [])

_Key: TypeAlias = tuple[Value, ...]


class _Enough(Exception):
    """There are so many problems that more would help nobody."""


@dataclass(slots=True)
class _Reading:
    """What has been read so far."""

    sheets: list[Sheet] = field(default_factory=list[Sheet])
    problems: list[Problem] = field(default_factory=list[Problem])
    doubtful: dict[Target, set[str]] = field(default_factory=lambda: {"organisation": set(), "person": set()})
    broken: set[Target] = field(default_factory=set[Target])
    seen: dict[tuple[str, ...], dict[_Key, tuple[str, int]]] = field(
        default_factory=dict[tuple[str, ...], dict[_Key, tuple[str, int]]]
    )  # of a file's name and columns: the keys and accounts there, with the place where they were first read

    def complain(self, file: str, line: int, reason: Text, column: str | None = None, value: str | None = None) -> None:
        """Note a problem, or give up."""
        self.problems.append(Problem(file, line, _shown(column), _shown(value), reason))
        if len(self.problems) == PROBLEMS:
            self.problems.append(Problem(file, line, None, None, Text.of("import.too_many_problems", limit=PROBLEMS)))
            self.broken |= {"organisation", "person"}
            raise _Enough


def read(paths: Iterable[Path]) -> Parsed:
    """Read the directory files that are given, or that lie in the folders that are given, at any depth."""
    reading = _Reading()
    with suppress(_Enough):
        for name, path in _found(paths, reading):
            _read_file(name, path, reading)
    order = list(BY_NAME)
    sheets = sorted(reading.sheets, key=lambda sheet: order.index(sheet.file.name))
    return Parsed(tuple(sheets), tuple(reading.problems), reading.doubtful, reading.broken)


def _shown(value: str | None) -> str | None:
    """Return a value as it can be printed anywhere."""
    return None if value is None else _UNSEEN.sub("\ufffd", value[:_SHOWN])


def _found(paths: Iterable[Path], reading: _Reading) -> Iterator[tuple[str, Path]]:
    """Return each file once, with the name by which problems call it: its path below the folder that was given."""
    known: set[Path] = set()
    for given in paths:
        try:
            inside = list(_inside(given, reading)) if given.is_dir() else [given]
            if not inside:
                reading.complain(str(given), 0, Text.of("import.no_file", expected=tuple(BY_NAME)))
            fresh = [path for path in inside if path.resolve() not in known]
        except (OSError, ValueError, RuntimeError) as error:
            reading.complain(_name(given), 0, Text.of("import.unreadable", error=type(error).__name__))
            continue
        known.update(path.resolve() for path in fresh)
        for path in fresh:
            yield _name(path.relative_to(given) if path != given else Path(path.name)), path


def _inside(folder: Path, reading: _Reading) -> Iterator[Path]:
    for number, (at, folders, names) in enumerate(os.walk(folder)):
        if number >= _FOLDERS:
            reading.complain(_name(folder), 0, Text.of("import.too_many_folders", limit=_FOLDERS))
            return
        folders.sort()
        yield from (Path(at, name) for name in sorted(names) if name.lower() in BY_NAME)


def _name(path: Path) -> str:
    """Return a path as text that can be printed, whatever bytes it is made of."""
    return path.as_posix().encode(errors="backslashreplace").decode()


def _read_file(name: str, path: Path, reading: _Reading) -> None:
    file = BY_NAME.get(path.name.lower())
    if file is None:
        reason = Text.of("import.unknown_file" if path.exists() else "import.not_found", expected=tuple(BY_NAME))
        reading.complain(name, 0, reason)
        return
    try:
        with closing(opened(path)) as stream:
            _read_rows(name, file, stream, reading)
    except Unreadable as found:
        if file.target is not None:
            reading.broken.add(file.target)
        reading.complain(name, found.line, found.reason, found.column, found.value)


def _read_rows(name: str, file: File, stream: BinaryIO, reading: _Reading) -> None:
    found = records(stream)
    line, header = next(found, _NOTHING)
    if not any(header):
        raise Unreadable(line, Text.of("import.empty_file"))
    columns = _header(file, header, line)
    sheet = Sheet(name, file, tuple(column.name for column in columns), [])
    reading.sheets.append(sheet)
    for line, record in found:
        if (len(record) == len(columns) or len(record) <= 1) and not any(map(str.strip, record)):
            continue
        if len(record) != len(columns):
            reason = Text.of("import.wrong_number_of_cells", found=len(record), expected=len(columns))
            _doubt(sheet, record, reading)
            reading.complain(name, line, reason)
            continue
        values = _row(sheet, columns, line, record, reading)
        if values is not None:
            sheet.rows.append((line, values))


def _header(file: File, header: list[str], line: int) -> tuple[Column, ...]:
    names = [cell.strip().lower() for cell in header]
    for name in names:
        if name not in file.by_name:
            expected = tuple(file.by_name)
            raise Unreadable(line, Text.of("import.unknown_column", expected=expected), name, name)
        if names.count(name) > 1:
            raise Unreadable(line, Text.of("import.repeated_column"), name)
    for name in file.key:
        if name not in names:
            raise Unreadable(line, Text.of("import.missing_column"), name)
    return tuple(file.by_name[name] for name in names)


def _row(
    sheet: Sheet, columns: tuple[Column, ...], line: int, record: list[str], reading: _Reading
) -> tuple[Value, ...] | None:
    """Return the values of a row; None, with its problems noted, when it is bad."""
    values: list[Value] = []
    bad: list[tuple[str, str, Text]] = []
    for column, cell in zip(columns, record, strict=True):
        try:
            values.append(_value(column, cell))
        except BadCell as found:
            bad.append((column.name, cell, found.reason))
    if not bad:
        row = dict(zip(sheet.columns, values, strict=True))
        bad = [*_repeated(sheet, line, row, reading), *_backwards(sheet, row)]
    if not bad:
        return tuple(values)
    _doubt(sheet, record, reading)
    for column, cell, reason in bad:
        reading.complain(sheet.name, line, reason, column, cell)
    return None


def _doubt(sheet: Sheet, record: list[str], reading: _Reading) -> None:
    at = sheet.columns.index("id") if sheet.file.target is not None else len(record)
    if sheet.file.target is not None and at < len(record):
        reading.doubtful[sheet.file.target].add(bare(record[at]))


def _value(column: Column, cell: str) -> Value:
    if not cell and not column.required:
        return column.empty
    sound(cell)
    plain = bare(cell)
    if plain:
        return column.read(plain)
    if column.required:
        raise BadCell(Text.of("import.required"))
    return column.empty


def _repeated(sheet: Sheet, line: int, row: Mapping[str, Value], reading: _Reading) -> Iterator[tuple[str, str, Text]]:
    """Complain about a row, or an account, that was in these files before."""
    accounts = [(column.name,) for column in sheet.file.columns if column.account and row.get(column.name)]
    for names in (sheet.file.key, *accounts):
        seen = reading.seen.setdefault((sheet.file.name, *names), {})
        key = tuple(row[name] for name in names)
        file, before = seen.setdefault(key, (sheet.name, line))
        if (file, before) != (sheet.name, line):
            value = " ".join(str(part) for part in key if part)
            yield " ".join(names), value, Text.of("import.repeated", file=file, line=before)


def _backwards(sheet: Sheet, row: Mapping[str, Value]) -> Iterator[tuple[str, str, Text]]:
    start, end = (row.get(name) for name in sheet.file.span) if sheet.file.span else (None, None)
    if isinstance(start, date) and isinstance(end, date) and end < start:
        yield (sheet.file.span or ("", ""))[1], str(end), Text.of("import.end_before_start")
