"""The lines of a file and the records of a CSV file: bounded in time and memory whatever it holds."""

import csv
import stat
from collections.abc import Callable, Iterator
from itertools import chain, count
from pathlib import Path
from typing import IO, BinaryIO, TypeAlias

from bot.directory.gathering import Unreadable
from bot.texts import Text

LINES = 200_000  # of a file, without its header
SIZE = 64_000_000  # bytes of a file
LINE = 500_000  # bytes of a line: all fields at their limit, in quotes
_CHUNK = 1_000_000
_TOLD_EVERY = 2_000  # lines

Told: TypeAlias = Callable[[int], None]
"""Called now and then with the number of the line that is being read."""


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


def measured(stream: IO[bytes], into: IO[bytes] | None = None) -> None:
    """Read a text through before any of it is kept in memory: one that has too many lines, or none, is refused at once.

    It is copied `into` a file, or gone back to its beginning itself. Raises Unreadable.
    """
    lines = size = 0
    while chunk := stream.read(_CHUNK):
        size += len(chunk)
        ends = chunk.count(b"\n")
        lines += ends
        if lines > LINES + 1:
            raise Unreadable(LINES + 2, Text.of("import.too_many_lines", limit=LINES))
        if not ends and len(chunk) > LINE:
            raise Unreadable(lines + 1, Text.of("import.line_too_long", limit=LINE))
        if size > SIZE:
            raise Unreadable(lines + 1, Text.of("import.file_too_large", limit=SIZE))
        if into is not None:
            into.write(chunk)
    (into or stream).seek(0)


def records(stream: IO[bytes], told: Told = lambda _: None) -> Iterator[tuple[int, list[str]]]:
    """Return the records of a CSV file with the lines where they begin; its first line says which separator is used.

    Raises Unreadable, from the iterator.
    """
    lines = decoded(stream, told)
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


def decoded(stream: IO[bytes], told: Told = lambda _: None) -> Iterator[str]:
    """Return the lines of a text in UTF-8, within the limits.

    Raises Unreadable, from the iterator.
    """
    size = 0
    for number in count(1):
        raw = _line(stream, number)
        size += len(raw)
        if not raw:
            return
        if number > LINES + 1:
            raise Unreadable(number, Text.of("import.too_many_lines", limit=LINES))
        if size > SIZE:  # it was packed, or grew while it was read
            raise Unreadable(number, Text.of("import.file_too_large", limit=SIZE))
        if number % _TOLD_EVERY == 0:
            told(number)
        try:
            yield raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise Unreadable(number, Text.of("import.not_utf8")) from error


def _line(stream: IO[bytes], number: int) -> bytes:
    try:
        raw = stream.readline(LINE + 1)
    except OSError as error:
        raise Unreadable(number, Text.of("import.unreadable", error=str(error))) from error
    if len(raw) > LINE:
        raise Unreadable(number, Text.of("import.line_too_long", limit=LINE))
    return raw
