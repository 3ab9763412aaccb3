"""What a reading of directory files gives, and what an import of it did."""

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, cast

from bot.directory.cells import Value
from bot.directory.files import File, Target
from bot.texts import Markdown, Text


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `line` counts from 1, the header's; 0 is the file itself. `column` None is the line."""

    file: str
    line: int
    column: str | None
    value: str | None
    reason: Text


@dataclass(frozen=True, slots=True)
class Sheet:
    """What one file holds: the columns that it has and, with their lines, the values of its good rows."""

    name: str
    file: File
    columns: tuple[str, ...]
    rows: list[tuple[int, tuple[Value, ...]]]

    def dicts(self) -> Iterator[tuple[int, dict[str, Value]]]:
        """Return the rows with their lines, by column."""
        return ((line, dict(zip(self.columns, values, strict=True))) for line, values in self.rows)


@dataclass(frozen=True, slots=True)
class Parsed:
    """What the files say, in the order in which it is stored, and what is wrong with them."""

    sheets: tuple[Sheet, ...]
    problems: tuple[Problem, ...]
    doubtful: Mapping[Target, AbstractSet[str]]  # ids of bad rows: nobody is told that they do not exist
    broken: AbstractSet[Target]  # what was not read to its end: nobody is told that one of them does not exist
    left_out: int = 0  # entries of a foreign directory that are none of ours


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that an import adds (`before` is None) or changes, with the columns that differ."""

    file: str
    row: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """How many rows an import adds, changes and closes, each counted once; with errors, nothing was stored."""

    added: int
    changed: int
    closed: int
    errors: tuple[Problem, ...]
    differences: tuple[Difference, ...] = ()  # the first of them

    def as_json(self, render: Callable[[Text], str]) -> dict[str, Any]:
        """Return it as the command line prints it; `render` gives a reason's words."""
        errors = [
            {
                "file": problem.file,
                "line": problem.line,
                "column": problem.column,
                "value": problem.value,
                "reason": render(_plain(problem.reason)),
            }
            for problem in self.errors
        ]
        return {"added": self.added, "changed": self.changed, "closed": self.closed, "errors": errors}


def _plain(reason: Text) -> Text:
    """Return a reason whose values are shown as they are: nothing reads the output as Markdown."""
    return Text(reason.key, tuple((name, _plain_value(value)) for name, value in reason.values))


def _plain_value(value: object) -> object:
    return Markdown(", ".join(cast("tuple[str, ...]", value)) if isinstance(value, tuple) else str(value))
