"""What may come into the directory by chat, and go out of it, by file and column: acts of `bot.rights`.

Who may import a file's rows may export them too, in the columns that they see (`visibility.FIELDS`). Everybody else's
corrections go one by one (`keeping`). An editor's scope are the organisations where they hold a posting, who holds one
there, and who is new and gets one there with the same files; a coordinator's is the network. The operator's imports at
the command line have none.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy.orm import Session

from bot.directory.days import local_day
from bot.directory.files import (
    ABSENCES,
    CLOSURES,
    DUTIES,
    FILES,
    ORGANISATIONS,
    PEOPLE,
    POSTINGS,
    File,
)
from bot.directory.identity import Actor
from bot.directory.keeping import CORRECTED, offices_edited
from bot.directory.matching import Match, Row, Stored
from bot.directory.parsed import Problem
from bot.directory.visibility import FIELDS, field_needed, level_of
from bot.rights import RIGHTS, TABLE, least, may
from bot.rights import Scope as Tie
from bot.texts import Text

_NO_MORE: Final[Mapping[str, str]] = MappingProxyType({})


# Columns that need more than their row, and the act that writing them is (`bot.rights`). Who writes an account into a
# card speaks as that person; `relier moi` has it proved.
COLUMNS: Final[Mapping[str, Mapping[str, str]]] = {
    ORGANISATIONS.name: {
        name: "import.organisations.official"
        for name in ORGANISATIONS.by_name
        if name not in ("id", *CORRECTED[ORGANISATIONS.name])
    },
    PEOPLE.name: dict.fromkeys(("slack_id", "matrix_id"), "import.people.account"),
}
_KINDS: Final = {ORGANISATIONS.name: "organisation", PEOPLE.name: "person"}


@dataclass(frozen=True, slots=True)
class Scope:
    """Somebody's rights over the directory's files: the number of their highest right, and their own offices."""

    level: int
    offices: frozenset[str]

    @property
    def useful(self) -> bool:
        """Whether anything at all may be imported."""
        return any(may_bring(self, file, own=True) for file in FILES)

    def may(self, act: str, *scopes: Tie) -> bool:
        """Say whether an act is allowed on what stands in these scopes."""
        return self.level >= 0 and may({RIGHTS[self.level]}, act, *scopes)

    def as_json(self) -> str:
        """Return it as a proposal keeps it."""
        return json.dumps([self.level, sorted(self.offices)])

    def columns(self, file: File) -> tuple[str, ...]:
        """Return the columns of a file that may be exported."""
        kind = _KINDS.get(file.name)
        seen = (name for name in file.by_name if kind is None or self.level >= field_needed(kind, name))
        return tuple(name for name in seen if kind is not None or act_of(file) in TABLE)


def of(session: Session, actor: Actor, at: datetime) -> Scope:
    """Return the scope of somebody at an instant."""
    return Scope(level_of(actor), frozenset(offices_edited(session, actor, at)))


class Own:
    """Which rows belong to a scope's own offices, by who holds what there."""

    def __init__(self, scope: Scope, postings: Collection[Row], known: Collection[str], at: datetime) -> None:
        """`postings` are those stored, `known` the ids of the people stored."""
        self._offices = scope.offices
        self._known = known
        today = local_day(None, at)
        self._people = {
            row["person"]
            for row in postings
            if row["organisation"] in scope.offices and (row["end"] is None or row["end"] >= today)
        }

    def add(self, posting: Row) -> None:
        """Let somebody new be one's own who gets a posting at one's office with the same files."""
        if posting["person"] not in self._known and posting["organisation"] in self._offices:
            self._people.add(posting["person"])

    def has(self, file: File, row: Row) -> bool:
        """Say whether a row is one's own."""
        if file is ORGANISATIONS:
            return row["id"] in self._offices
        if file is PEOPLE:
            return row["id"] in self._people
        if file is ABSENCES:
            return row["person"] in self._people
        if file is CLOSURES:
            return row["organisation"] in self._offices
        return file in (POSTINGS, DUTIES) and row["organisation"] in self._offices and row["person"] in self._people


def problems(found: Sequence[Match], stored: Stored, scope: Scope, at: datetime) -> Iterator[Problem]:
    """Complain about rows and columns that are beyond a scope, whatever is stored under their keys."""
    postings = stored.get(POSTINGS.name, {}).values()
    own = Own(scope, postings, {row["id"] for row in stored[PEOPLE.name].values()}, at)
    for match in found:
        if match.sheet.file is POSTINGS:
            own.add(match.row)
    for match in found:
        yield from _beyond(match, scope, own)


def act_of(file: File) -> str:
    """Return what it is to import rows of a file."""
    return f"import.{file.name.removesuffix('.csv')}"


def may_bring(scope: Scope, file: File, *, own: bool) -> bool:
    """Say whether a row of a file, one's own or another's, may be imported and exported."""
    return scope.may(act_of(file), "organisation") if own else scope.may(act_of(file))


def _beyond(match: Match, scope: Scope, own: Own) -> Iterator[Problem]:
    file = match.sheet.file
    if not may_bring(scope, file, own=own.has(file, match.row)):
        name = file.key[0]
        yield Problem(match.sheet.name, match.line, name, str(match.row[name]), Text.of("import.not_yours"))
        return
    for name, act in COLUMNS.get(file.name, _NO_MORE).items():
        if name in match.row and not scope.may(act) and _touches(match, name, scope):
            shown = _shown(match.row[name])
            reason = Text.of("import.right_needed", right=Text.of(f"right.{least(act)}"))
            yield Problem(match.sheet.name, match.line, name, shown, reason)


def _touches(match: Match, name: str, scope: Scope) -> bool:
    """Whether a row changes a column; one that may not even be seen is not compared."""
    kind = _KINDS.get(match.sheet.file.name)
    hidden = kind is not None and name in FIELDS[kind] and scope.level < field_needed(kind, name)
    return hidden or match.old is None or match.old[name] != match.row[name]


def _shown(value: Any) -> str | None:
    return None if value is None else str(value)
