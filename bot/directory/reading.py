"""Reading directory files, outside any transaction: bounded in time and memory whatever the files hold.

Files of this directory (CSV), vCards (`.vcf`), the State's open directory (`.json`, `.jsonl`), and archives of those.
Nothing here raises for what a file or a path is: every complaint is a `Problem`. A file that cannot be read on (no
UTF-8, broken quotes, a limit) is left at that line; after `gathering.PROBLEMS` complaints reading stops altogether.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, BinaryIO, TypeAlias

from bot.directory import archives, dila, vcards
from bot.directory.cells import Value, bare
from bot.directory.files import BY_NAME, ORGANISATIONS, PEOPLE, Column, File, Target
from bot.directory.gathering import Enough, Entry, Gathering, Unreadable
from bot.directory.parsed import Parsed, Sheet
from bot.directory.records import measured, opened, records
from bot.directory.snapshot import Org
from bot.texts import Text

Progress: TypeAlias = Callable[[str, int], None]
"""Called now and then with a file's name and the line that is being read."""

VCARDS = (".vcf", ".vcard")
STATES = (".json", ".jsonl", ".ndjson")
EXPECTED = (*BY_NAME, "*.vcf", "*.json", "*.zip", "*.tar.bz2")
_FOLDERS = 10_000  # that are looked into
_PART = re.compile(r"-\d{1,4}(?=\.csv\Z)")  # of a file in several parts
_NOTHING: tuple[int, list[str]] = (0, [])


def read(
    paths: Iterable[Path],
    known: Callable[[], Mapping[str, Org]] = dict[str, Org],
    progress: Progress = lambda _name, _line: None,
) -> Parsed:
    """Read the files that are given, or the directory's own that lie in the folders that are given, at any depth.

    `known` returns the organisations of the directory; it is asked once, if the State's directory is read.
    """
    reading = _Reading(Gathering(), cache(known), progress)
    with suppress(Enough):
        for name, path in _found(paths, reading.gathering):
            reading.file(name, path)
    return reading.gathering.parsed()


def named(name: str) -> File | None:
    """Return the file of the directory that a file's name means: `people.csv`, or a part of it, `people-2.csv`."""
    return BY_NAME.get(_PART.sub("", name.lower()))


def _found(paths: Iterable[Path], gathering: Gathering) -> Iterator[tuple[str, Path]]:
    """Return each file once, with the name by which problems call it: its path below the folder that was given."""
    known: set[Path] = set()
    for given in paths:
        try:
            inside = list(_inside(given, gathering)) if given.is_dir() else [given]
            if not inside:
                gathering.complain(str(given), 0, Text.of("import.no_file", expected=EXPECTED))
            fresh = [path for path in inside if path.resolve() not in known]
        except (OSError, ValueError, RuntimeError) as error:
            gathering.complain(_name(given), 0, Text.of("import.unreadable", error=type(error).__name__))
            continue
        known.update(path.resolve() for path in fresh)
        for path in fresh:
            yield _name(path.relative_to(given) if path != given else Path(path.name)), path


def _inside(folder: Path, gathering: Gathering) -> Iterator[Path]:
    for number, (at, folders, names) in enumerate(os.walk(folder)):
        if number >= _FOLDERS:
            gathering.complain(_name(folder), 0, Text.of("import.too_many_folders", limit=_FOLDERS))
            return
        folders.sort()
        yield from (Path(at, name) for name in sorted(names) if named(name) or name.lower().endswith(VCARDS))


def _name(path: Path) -> str:
    """Return a path as text that can be printed, whatever bytes it is made of."""
    return path.as_posix().encode(errors="backslashreplace").decode()


class _Reading:
    """How each format is read; rows and problems go to `gathering`."""

    def __init__(self, gathering: Gathering, known: Callable[[], Mapping[str, Org]], progress: Progress) -> None:
        self.gathering = gathering
        self._known = known
        self._progress = progress

    def file(self, name: str, path: Path) -> None:
        """Read one file, an archive with all that it holds."""
        if self._read_by(path.name) is None and not path.name.lower().endswith(archives.SUFFIXES):
            reason = Text.of("import.unknown_file" if path.exists() else "import.not_found", expected=EXPECTED)
            self.gathering.complain(name, 0, reason)
            return
        try:
            with closing(opened(path)) as stream:
                if path.name.lower().endswith(archives.SUFFIXES):
                    self._archive(name, stream)
                else:
                    self._stream(name, path.name, stream)
        except Unreadable as found:
            self.gathering.stopped(name, self._targets(path.name), found)

    def _archive(self, name: str, stream: BinaryIO) -> None:
        read = False
        for inside, member in archives.unpacked(name, stream):
            if self._read_by(inside) is None:
                continue
            read = True
            within = f"{name}/{_name(Path(inside))}"
            try:
                if inside.lower().endswith(STATES):
                    self._stream(within, inside, member)
                else:
                    with TemporaryFile() as copy:
                        measured(member, copy)
                        self._stream(within, inside, copy)
            except Unreadable as found:  # the archive is left with it: a bomb may go off but once
                self.gathering.stopped(within, self._targets(name), found)
                return
        if not read:
            raise Unreadable(0, Text.of("import.no_file", expected=EXPECTED))

    def _stream(self, name: str, file_name: str, stream: IO[bytes]) -> None:
        read = self._read_by(file_name)
        if read is None:
            return
        if not file_name.lower().endswith(STATES):
            measured(stream)
        read(name, stream)

    def _read_by(self, file_name: str) -> Callable[[str, IO[bytes]], None] | None:
        file = named(file_name)
        if file is not None:
            return partial(self._rows, file)
        if file_name.lower().endswith(VCARDS):
            return self._vcards
        return self._state if file_name.lower().endswith(STATES) else None

    def _targets(self, file_name: str) -> list[Target | None]:
        """Return what a file might have brought."""
        file = named(file_name)
        return [file.target] if file is not None else [ORGANISATIONS.target, PEOPLE.target]

    def _rows(self, file: File, name: str, stream: IO[bytes]) -> None:
        found = records(stream, partial(self._progress, name))
        line, header = next(found, _NOTHING)
        if not any(header):
            raise Unreadable(line, Text.of("import.empty_file"))
        columns = _header(file, header, line)
        sheet = Sheet(name, file, tuple(column.name for column in columns), [])
        self.gathering.sheets.append(sheet)
        for line, record in found:
            if (len(record) == len(columns) or len(record) <= 1) and not any(map(str.strip, record)):
                continue
            if len(record) != len(columns):
                reason = Text.of("import.wrong_number_of_cells", found=len(record), expected=len(columns))
                self.gathering.doubt(sheet, record)
                self.gathering.complain(name, line, reason)
                continue
            self.gathering.row(sheet, line, record, _cell)

    def _vcards(self, name: str, stream: IO[bytes]) -> None:
        self._entries(name, vcards.entries(stream, partial(self._progress, name)))

    def _state(self, name: str, stream: IO[bytes]) -> None:
        self._entries(name, dila.entries(stream, self._known(), partial(self._progress, name)))

    def _entries(self, name: str, entries: Iterator[Entry | None]) -> None:
        sheets: dict[tuple[str, ...], Sheet] = {}
        for entry in entries:
            if entry is None:
                self.gathering.left_out += 1
                continue
            columns = tuple(entry.cells)
            sheet = sheets.get((entry.file.name, *columns))
            if sheet is None:
                sheet = sheets[(entry.file.name, *columns)] = Sheet(name, entry.file, columns, [])
                self.gathering.sheets.append(sheet)
            self.gathering.row(sheet, entry.line, list(entry.cells.values()), _text)


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


def _cell(column: Column, cell: str) -> Value:
    """Read a cell of a CSV file, where an apostrophe may stand before a value."""
    return column.empty if not cell and not column.required else column.value(bare(cell))


def _text(column: Column, text: str) -> Value:
    """Read a value of a format that says no more than it means."""
    return column.value(text.strip())
