"""The records of one file: bounded in time and memory whatever it holds."""

import csv
import stat
from collections.abc import Iterator
from itertools import chain, count
from pathlib import Path
from typing import BinaryIO

from bot.texts import Text

LINES = 200_000  # of a file, without its header
SIZE = 64_000_000  # bytes of a file
LINE = 500_000  # bytes of a line: all fields at their limit, in quotes


class Unreadable(Exception):
    """A file cannot be read, or not beyond this line; line 0 is the file itself."""

    def __init__(self, line: int, reason: Text, column: str | None = None, value: str | None = None) -> None:
        super().__init__(reason.key)
        self.line, self.reason, self.column, self.value = line, reason, column, value


def opened(path: Path) -> BinaryIO:
    """Open a regular file of a bearable size.

    Raises Unreadable.
    """
    try:
        kind = path.stat()
        if not stat.S_ISREG(kind.st_mode):
            raise Unreadable(0, Text.of("import.not_a_file"))
        if kind.st_size > SIZE:
            raise Unreadable(0, Text.of("import.file_too_large", limit=SIZE))
        return path.open("rb")
    except FileNotFoundError as error:
        raise Unreadable(0, Text.of("import.not_found")) from error
    except (OSError, ValueError) as error:
        raise Unreadable(0, Text.of("import.unreadable", error=str(error))) from error


def records(stream: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    """Return the records of a CSV file with the lines where they begin; its first line says which separator is used.

    Raises Unreadable, from the iterator.
    """
    lines = _lines(stream)
    first = next(lines, "")
    separator = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(chain([first] if first else [], lines), delimiter=separator, strict=True)
    while True:
        start = reader.line_num + 1
        try:
            yield start, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Unreadable(start, Text.of("import.malformed")) from error


def _lines(stream: BinaryIO) -> Iterator[str]:
    size = 0
    for number in count(1):
        raw = _line(stream, number)
        size += len(raw)
        if not raw:
            return
        if number > LINES + 1:
            raise Unreadable(number, Text.of("import.too_many_lines", limit=LINES))
        if size > SIZE:  # it grew while it was read
            raise Unreadable(number, Text.of("import.file_too_large", limit=SIZE))
        try:
            yield raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise Unreadable(number, Text.of("import.not_utf8")) from error


def _line(stream: BinaryIO, number: int) -> bytes:
    try:
        raw = stream.readline(LINE + 1)
    except OSError as error:
        raise Unreadable(number, Text.of("import.unreadable", error=str(error))) from error
    if len(raw) > LINE:
        raise Unreadable(number, Text.of("import.line_too_long", limit=LINE))
    return raw
