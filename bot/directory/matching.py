"""Which stored row each row of the files means."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from bot.directory.files import COMPETENCES, File
from bot.directory.parsed import Sheet

Row: TypeAlias = Mapping[str, Any]
Key: TypeAlias = tuple[Any, ...]
Stored: TypeAlias = Mapping[str, Mapping[Key, Row]]  # by the name of a file, then by key


@dataclass(frozen=True, slots=True)
class Match:
    """A row of a sheet, and the stored row that it adds to (None), changes or leaves as it is."""

    sheet: Sheet
    line: int
    row: Row
    old: Row | None


def matches(sheets: Sequence[Sheet], stored: Stored) -> Iterator[Match]:
    """Match all rows by key; a competence with a last day also with the one that it closes, if no row names that."""
    taken = {key_of(COMPETENCES, row) for sheet in sheets if sheet.file is COMPETENCES for _, row in sheet.dicts()}
    for sheet in sheets:
        for line, row in sheet.dicts():
            key = key_of(sheet.file, row)
            old = stored[sheet.file.name].get(key)
            if old is None and sheet.file is COMPETENCES and row["valid_to"] is not None:
                still_open = key_of(COMPETENCES, {**row, "valid_to": None})
                if still_open not in taken:
                    old = stored[sheet.file.name].get(still_open)
                    taken.add(still_open)
            yield Match(sheet, line, row, old)


def released(found: Sequence[Match], stored: Stored) -> list[Match]:
    """Return what a release may do: add rows, and change those that came with a release and that nobody edited.

    A competence that somebody closed is not added again as it was shipped.
    """
    competences = stored.get(COMPETENCES.name, {}).values()
    edited = {_beginning(row) for row in competences if row["shipped"] and row["edited"]}
    return [match for match in found if _may_ship(match, edited)]


def key_of(file: File, row: Row) -> Key:
    """Return the key of a row."""
    return tuple(row[name] for name in file.key)


def _may_ship(match: Match, edited: set[Key]) -> bool:
    if match.old is None:
        return match.sheet.file is not COMPETENCES or _beginning(match.row) not in edited
    return match.old.get("shipped", False) and not match.old["edited"]


def _beginning(competence: Row) -> Key:
    return tuple(competence[name] for name in COMPETENCES.key if name != "valid_to")
