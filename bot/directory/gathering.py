"""What a reading of directory files has found so far: good rows by sheet, and every complaint."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeAlias

from bot.directory.cells import BadCell, Value, bare
from bot.directory.files import BY_NAME, Column, File, Target
from bot.directory.parsed import Parsed, Problem, Sheet
from bot.texts import Text

PROBLEMS = 10_000  # after which reading stops
_SHOWN = 100  # characters of a bad value
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f]")

_Key: TypeAlias = tuple[Value, ...]
Read: TypeAlias = Callable[[Column, str], Value]


class Enough(Exception):
    """There are so many problems that more would help nobody."""


class Unreadable(Exception):
    """A file cannot be read, or not beyond this line; line 0 is the file itself."""

    def __init__(self, line: int, reason: Text, column: str | None = None, value: str | None = None) -> None:
        super().__init__(reason.key)
        self.line, self.reason, self.column, self.value = line, reason, column, value


@dataclass(frozen=True, slots=True)
class Entry:
    """A row that a file of another format holds: the text of its cells by column, as nothing but themselves."""

    file: File
    line: int
    cells: Mapping[str, str]


@dataclass(slots=True)
class Gathering:
    """Rows and problems, in the order in which they were read."""

    sheets: list[Sheet] = field(default_factory=list[Sheet])
    problems: list[Problem] = field(default_factory=list[Problem])
    left_out: int = 0  # entries of a foreign directory that are none of ours
    doubtful: dict[Target, set[str]] = field(default_factory=lambda: {"organisation": set(), "person": set()})
    broken: set[Target] = field(default_factory=set[Target])
    seen: dict[tuple[str, ...], dict[_Key, tuple[str, int]]] = field(
        default_factory=dict[tuple[str, ...], dict[_Key, tuple[str, int]]]
    )  # of a file's name and columns: the keys and accounts there, with the place where they were first read

    def parsed(self) -> Parsed:
        """Return all of it, in the order in which it is stored."""
        order = list(BY_NAME)
        sheets = sorted(self.sheets, key=lambda sheet: order.index(sheet.file.name))
        return Parsed(tuple(sheets), tuple(self.problems), self.doubtful, self.broken, self.left_out)

    def complain(self, file: str, line: int, reason: Text, column: str | None = None, value: str | None = None) -> None:
        """Note a problem, or give up by raising Enough."""
        self.problems.append(Problem(file, line, _shown(column), _shown(value), reason))
        if len(self.problems) == PROBLEMS:
            self.problems.append(Problem(file, line, None, None, Text.of("import.too_many_problems", limit=PROBLEMS)))
            self.broken |= {"organisation", "person"}
            raise Enough

    def stopped(self, name: str, targets: Sequence[Target | None], why: Unreadable) -> None:
        """Note that a file was not read to its end: what it might have brought is not missed elsewhere."""
        self.broken.update(target for target in targets if target is not None)
        self.complain(name, why.line, why.reason, why.column, why.value)

    def doubt(self, sheet: Sheet, record: Sequence[str]) -> None:
        """Note that a bad row names an organisation or person: nobody is told that it does not exist."""
        target = sheet.file.target
        at = sheet.columns.index("id") if target is not None else len(record)
        if target is not None and at < len(record):
            self.doubtful[target].add(bare(record[at]))

    def row(self, sheet: Sheet, line: int, record: Sequence[str], read: Read) -> None:
        """Take a row as the cells of a sheet's columns, or complain about each of them that is bad."""
        values: list[Value] = []
        bad: list[tuple[str, str, Text]] = []
        for name, cell in zip(sheet.columns, record, strict=True):
            try:
                values.append(read(sheet.file.by_name[name], cell))
            except BadCell as found:
                bad.append((name, cell, found.reason))
        if not bad:
            row = dict(zip(sheet.columns, values, strict=True))
            bad = [*self._repeated(sheet, line, row), *_backwards(sheet, row)]
        if not bad:
            sheet.rows.append((line, tuple(values)))
            return
        self.doubt(sheet, record)
        for column, cell, reason in bad:
            self.complain(sheet.name, line, reason, column, cell)

    def _repeated(self, sheet: Sheet, line: int, row: Mapping[str, Value]) -> Iterator[tuple[str, str, Text]]:
        """Complain about a row, or an account, that was in these files before."""
        accounts = [(column.name,) for column in sheet.file.columns if column.account and row.get(column.name)]
        for names in (sheet.file.key, *accounts):
            seen = self.seen.setdefault((sheet.file.name, *names), {})
            key = tuple(row[name] for name in names)
            file, before = seen.setdefault(key, (sheet.name, line))
            if (file, before) != (sheet.name, line):
                value = " ".join(str(part) for part in key if part)
                yield " ".join(names), value, Text.of("import.repeated", file=file, line=before)


def _shown(value: str | None) -> str | None:
    """Return a value as it can be printed anywhere."""
    return None if value is None else _UNSEEN.sub("\ufffd", value[:_SHOWN])


def _backwards(sheet: Sheet, row: Mapping[str, Value]) -> Iterator[tuple[str, str, Text]]:
    start, end = (row.get(name) for name in sheet.file.span) if sheet.file.span else (None, None)
    if isinstance(start, date) and isinstance(end, date) and end < start:
        yield (sheet.file.span or ("", ""))[1], str(end), Text.of("import.end_before_start")
