"""Storing directory files: all of them or nothing.

`reading.read` comes first, outside any transaction. An import is an upsert by key: a row that no file names stays, and
so does a column that a file lacks; an empty cell empties. A competence whose last day is given closes the one that is
stored without a last day and is otherwise alike, unless the files name that one too.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.audit.recording import record, who
from bot.db import Database
from bot.directory import checks
from bot.directory.current import NAMED
from bot.directory.files import COMPETENCES, FILES, LAND, ORGANISATIONS, PEOPLE, File
from bot.directory.history import Author, Change, change, key_text, mark, version
from bot.directory.matching import Key, Match, Row, key_of, matches, released
from bot.directory.parsed import Difference, Parsed, Problem, Result
from bot.directory.tables import Competence, Person, competence_key
from bot.directory.writing import Ready, inserting, updating, write

_LOCK = 7_267_001  # of PostgreSQL's advisory locks: one import at a time
_CACHE = 65_536  # kB of SQLite's memory while it writes: with less, indices go to the disk and come back
SHOWN = 100  # differences that a preview shows
_MANY = 1_000  # rows of a table after which PostgreSQL shall know how many there are
REPLANNED = 3  # times, before an import keeps the others waiting
_CALLED = frozenset({"kind", "short_name", "city", "territory", "parent", "visibility"})
"""Columns of a prefecture by whose words what lies within its territory is found."""
_ROUTED = (ORGANISATIONS, COMPETENCES)  # what routing keeps in memory; releases bring it, and its rows are marked


class Overtaken(Exception):
    """The directory changed since an import was planned."""


@dataclass(slots=True)
class _Table:
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
    tables: tuple[_Table, ...]
    history: Sequence[Ready]
    marks: tuple[tuple[str, str], ...]  # what is said to have changed, by file and key
    result: Result
    author: Author | None = None  # for the audit


def apply(
    session: Session, parsed: Parsed, *, shipped: bool = False, dry_run: bool = False, author: Author | None = None
) -> Result:
    """Store what was read, unless anything is wrong with it, and say what was done; a dry run stores nothing.

    `shipped` is for the reference data of a release: of the rows that exist it changes only those that came with a
    release and that nobody edited. Other imports mark what they change as edited. With an author, the history keeps
    each change.
    """
    lock(session)
    made = plan(session, parsed, shipped=shipped, author=author)
    if not dry_run and not made.result.errors:
        carry_out(session, made)
    return made.result


def store(database: Database, parsed: Parsed, author: Author) -> Result:
    """Import beside a running bot: the long part, planning, keeps nobody waiting; only what differs is then written.

    All or nothing, like `apply`; when the directory changes in between, it is planned anew, the last time with
    everybody waiting.
    """
    for _ in range(REPLANNED):
        made = database.reading(lambda session: plan(session, parsed, author=author))
        if made.result.errors:
            return made.result
        try:
            database.run_now(lambda session, made=made: carry_out(session, made))
        except (Overtaken, IntegrityError):  # a room that the bot met meanwhile is in nobody's version
            continue
        return made.result
    return database.run_now(lambda session: apply(session, parsed, author=author))


def lock(session: Session) -> None:
    """Let one import at a time write."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def plan(session: Session, parsed: Parsed, *, shipped: bool = False, author: Author | None = None) -> Plan:
    """Return what an import would do now; nothing is written."""
    at = version(session)
    needed = {ORGANISATIONS.name, PEOPLE.name} | {sheet.file.name for sheet in parsed.sheets}
    stored = {file.name: _stored(session, file) for file in FILES if file.name in needed}
    found = list(matches(parsed.sheets, stored))
    found = released(found, stored) if shipped else found
    problems = [*parsed.problems, *checks.problems(found, stored, parsed)]
    if problems:
        return Plan(at, (), (), (), Result(0, 0, 0, tuple(sorted(problems, key=_place))))
    found.sort(key=_order)
    tables = tuple(_table(session, file, found, shipped=shipped) for file in FILES)
    differing = list(differences(found))
    history = [] if author is None else inserting(session, Change, list(_changes(differing, author)))
    result = Result(
        added=sum(len(table.added) - len(table.gone) for table in tables),
        changed=sum(len(table.changed) + len(table.gone) - table.closed for table in tables),
        closed=sum(table.closed for table in tables),
        errors=(),
        differences=tuple(
            Difference(m.sheet.file.name, key_text(m.sheet.file, m.row), b, a) for m, b, a in differing[:SHOWN]
        ),
    )
    return Plan(at, tables, history, _marks(differing), result, author)


def carry_out(session: Session, made: Plan) -> None:
    """Write what was planned. Raises Overtaken when the directory is no longer the one it was planned for."""
    lock(session)
    if version(session) != made.version:
        raise Overtaken
    if session.get_bind().dialect.name == "sqlite":
        session.connection().exec_driver_sql(f"PRAGMA cache_size=-{_CACHE}")
    _write(session, made.tables)
    write(session, made.history)
    if made.marks:
        mark(session, made.marks)
        _record(session, made)


def _record(session: Session, made: Plan) -> None:
    """Let the audit keep that an import was made; its rows stand in the directory's history."""
    if made.author is None:
        return
    files = sorted({file for file, _ in made.marks})
    counts = {"added": made.result.added, "changed": made.result.changed, "closed": made.result.closed}
    actor = who(made.author.person, made.author.account)
    record(session, made.author.at, "directory.import", actor=actor, content={"files": files, **counts})


def differences(found: Sequence[Match]) -> Iterator[tuple[Match, Row | None, Row]]:
    """Return the rows that an import adds or changes, with the columns that differ before and after."""
    for match in found:
        if match.old is None:
            yield match, None, {name: value for name, value in match.row.items() if value not in ("", None)}
        else:
            names = [name for name, value in match.row.items() if match.old[name] != value]
            if names:
                yield match, {name: match.old[name] for name in names}, {name: match.row[name] for name in names}


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


def _table(session: Session, file: File, found: Sequence[Match], *, shipped: bool) -> _Table:
    table = _Table(file)
    for match in found:
        if match.sheet.file is file:
            _plan_row(table, match, shipped=shipped)
    table.ready += inserting(session, file.table, table.added)
    table.ready += updating(session, file.table, table.changed)
    return table


def _plan_row(table: _Table, match: Match, *, shipped: bool) -> None:
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


def _count(session: Session, table: _Table) -> None:
    """Let PostgreSQL count a table that grew much: until it does, by itself in a minute, it would read all of it."""
    if len(table.added) > _MANY and session.get_bind().dialect.name == "postgresql":
        session.connection().exec_driver_sql(f"ANALYZE {table.file.table.__tablename__}")


def _write(session: Session, tables: Sequence[_Table]) -> None:
    """Write in the order of the files: what is referred to comes first. Loaded objects are read anew afterwards."""
    session.flush()
    for table in tables:
        for column in {column for _, column in table.freed}:
            rows = [{"id": person, column: None} for person, freed in table.freed if freed == column]
            session.execute(update(Person), rows)
        for start in range(0, len(table.gone), 500):
            session.execute(delete(Competence).where(Competence.key.in_(table.gone[start : start + 500])))
        write(session, table.ready)
        _count(session, table)
    session.expire_all()
