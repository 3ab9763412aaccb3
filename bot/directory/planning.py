"""Planning an import: what it would do to the directory, and all that is wrong with it; nothing is written.

An import is an upsert by key: a row that no file names stays, and so does a column that a file lacks; an empty cell
empties. A competence whose last day is given closes the one that is stored without a last day and is otherwise alike,
unless the files name that one too.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.directory import checks, scopes
from bot.directory.current import NAMED
from bot.directory.files import COMPETENCES, FILES, LAND, ORGANISATIONS, PEOPLE, POSTINGS, File
from bot.directory.history import Author, Change, change, key_text, version
from bot.directory.matching import Key, Match, Row, key_of, matches, released
from bot.directory.parsed import Difference, Parsed, Problem, Result
from bot.directory.tables import competence_key
from bot.directory.writing import Ready, inserting, updating

SHOWN = 100  # differences that a preview shows
_CALLED = frozenset({"kind", "short_name", "city", "territory", "parent", "visibility"})
"""Columns of a prefecture by whose words what lies within its territory is found."""
_ROUTED = (ORGANISATIONS, COMPETENCES)  # what routing keeps in memory; releases bring it, and its rows are marked


@dataclass(frozen=True, slots=True)
class Terms:
    """What files are imported under that came in chat.

    `scope` is what their author may change. `agreed` is the digest of what they were shown, None while nothing was;
    `along` is done in the transaction that writes.
    """

    scope: scopes.Scope
    agreed: str | None = None
    along: Callable[[Session], None] = lambda _session: None


@dataclass(slots=True)
class Writing:
    """What is to be written to one table."""

    file: File
    added: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    changed: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])  # whole rows
    gone: list[str] = field(default_factory=list[str])  # keys of competences that come again, closed
    closed: int = 0
    freed: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])  # people and columns: accounts given up
    ready: list[Ready] = field(default_factory=list[Ready])  # the rows above


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would do to the directory as it was at a version, or why it can do nothing."""

    version: int
    tables: tuple[Writing, ...]
    history: Sequence[Ready]
    marks: tuple[tuple[str, str], ...]  # what is said to have changed, by file and key
    result: Result
    digest: str = ""  # of all that would change, where it has an author
    author: Author | None = None  # for the audit

    def differs(self, terms: Terms | None) -> bool:
        """Say whether it would do something else than was agreed to."""
        return terms is not None and self.digest != terms.agreed


def plan(
    session: Session,
    parsed: Parsed,
    *,
    shipped: bool = False,
    author: Author | None = None,
    terms: Terms | None = None,
    listed: Callable[[Difference], None] = lambda _difference: None,
) -> Plan:
    """Return what an import would do now; nothing is written. Each difference is `listed`."""
    at = version(session)
    needed = {ORGANISATIONS.name, PEOPLE.name} | {sheet.file.name for sheet in parsed.sheets}
    needed |= {POSTINGS.name} if terms is not None else set()
    stored = {file.name: _stored(session, file) for file in FILES if file.name in needed}
    found = list(matches(parsed.sheets, stored))
    found = released(found, stored) if shipped else found
    problems = [*parsed.problems, *checks.problems(found, stored, parsed)]
    if terms is not None and author is not None:
        problems += scopes.problems(found, stored, terms.scope, author.at)
    if problems:
        return Plan(at, (), (), (), Result(0, 0, 0, tuple(sorted(problems, key=_place))))
    found.sort(key=_order)
    tables = tuple(_table(session, file, found, shipped=shipped) for file in FILES)
    differing = list(differences(found))
    for match, before, after in differing:
        listed(Difference(match.sheet.file.name, key_text(match.sheet.file, match.row), before, after))
    changes = [] if author is None else list(_changes(differing, author))
    history = inserting(session, Change, changes)
    result = Result(
        added=sum(len(table.added) - len(table.gone) for table in tables),
        changed=sum(len(table.changed) + len(table.gone) - table.closed for table in tables),
        closed=sum(table.closed for table in tables),
        errors=(),
        differences=tuple(
            Difference(m.sheet.file.name, key_text(m.sheet.file, m.row), b, a) for m, b, a in differing[:SHOWN]
        ),
    )
    return Plan(at, tables, history, _marks(differing), result, _digest(changes), author)


def differences(found: Sequence[Match]) -> Iterator[tuple[Match, Row | None, Row]]:
    """Return the rows that an import adds or changes, with the columns that differ before and after."""
    for match in found:
        if match.old is None:
            yield match, None, {name: value for name, value in match.row.items() if value not in ("", None)}
        else:
            names = [name for name, value in match.row.items() if match.old[name] != value]
            if names:
                yield match, {name: match.old[name] for name in names}, {name: match.row[name] for name in names}


def _digest(changes: Iterable[Mapping[str, Any]]) -> str:
    """Return what tells all that would change from anything else."""
    found = hashlib.sha256()
    for each in changes:
        found.update(repr((each["file"], each["row"], each["before"], each["after"])).encode(errors="replace"))
    return found.hexdigest()


def _changes(differing: Sequence[tuple[Match, Row | None, Row]], author: Author) -> Iterator[Mapping[str, Any]]:
    for match, before, after in differing:
        made = change(author, match.sheet.file, match.row, before, after)
        if made is not None:
            yield made


def _marks(differing: Sequence[tuple[Match, Row | None, Row]]) -> tuple[tuple[str, str], ...]:
    """Return what to say of rows that differ: their keys, or the files alone when others are found by them too."""
    if len(differing) > NAMED or any(_is_land(match) and _CALLED & set(after) for match, _, after in differing):
        return tuple((name, "") for name in {match.sheet.file.name for match, _, _ in differing})
    return tuple((match.sheet.file.name, key_text(match.sheet.file, match.row)) for match, _, _ in differing)


def _is_land(match: Match) -> bool:
    return match.sheet.file is ORGANISATIONS and match.row.get("kind", (match.old or {}).get("kind")) in LAND


def _stored(session: Session, file: File) -> dict[Key, Row]:
    names = [column.name for column in file.columns] + (["shipped", "edited"] if file in _ROUTED else [])
    found = session.execute(select(*(getattr(file.table, name) for name in names)))
    rows = (dict(zip(names, row, strict=True)) for row in found)
    return {key_of(file, row): row for row in rows}


def _order(match: Match) -> tuple[int, str]:
    """Return where a row is written: indices that are written in their own order take half the time."""
    return FILES.index(match.sheet.file), key_text(match.sheet.file, match.row)


def _place(problem: Problem) -> tuple[str, int]:
    return problem.file, problem.line


def _table(session: Session, file: File, found: Sequence[Match], *, shipped: bool) -> Writing:
    table = Writing(file)
    for match in found:
        if match.sheet.file is file:
            _plan_row(table, match, shipped=shipped)
    table.ready += inserting(session, file.table, table.added)
    table.ready += updating(session, file.table, table.changed)
    return table


def _plan_row(table: Writing, match: Match, *, shipped: bool) -> None:
    old = match.old
    if old is None:
        empty = {column.name: column.empty for column in table.file.columns}
        marks = {"shipped": shipped, "edited": False} if table.file in _ROUTED else {}
        table.added.append(_storable(table.file, {**empty, **match.row, **marks}))
        return
    if all(old[name] == value for name, value in match.row.items()):
        return
    marks = {"edited": not shipped} if table.file in _ROUTED else {}
    new = _storable(table.file, {**old, **match.row, **marks})
    table.closed += _closes(old, new)
    if key_of(table.file, new) == key_of(table.file, old):
        table.changed.append(new)
    else:
        table.gone.append(_storable(table.file, old)["key"])
        table.added.append(new)
    accounts = (column.name for column in table.file.columns if column.account)
    table.freed += [(new["id"], name) for name in accounts if old[name] is not None and old[name] != new[name]]


def _storable(file: File, row: Row) -> dict[str, Any]:
    """Return a row as its table has it."""
    if file is not COMPETENCES:
        return dict(row)
    return {**row, "key": competence_key(**{name: row[name] for name in file.key})}


def _closes(old: Row, new: Row) -> bool:
    """Say whether a change ends what was open: a status, or a last day where there was none."""
    days = (name for name in ("end", "valid_to") if name in old)
    ended = any(old[name] is None and new[name] is not None for name in days)
    return ended or (new.get("status") == "closed" and old["status"] != "closed")
