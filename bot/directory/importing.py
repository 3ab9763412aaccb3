"""Storing directory files: all of them or nothing.

`reading.read` comes first, outside any transaction. An import is an upsert by key: a row that no file names stays, and
so does a column that a file lacks; an empty cell empties. A competence whose last day is given closes the one that is
stored without a last day and is otherwise alike, unless the files name that one too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.orm import Session

from bot.directory import checks
from bot.directory.current import changed, touch
from bot.directory.files import ABSENCES, COMPETENCES, FILES, ORGANISATIONS, PEOPLE, POSTINGS, File
from bot.directory.matching import Key, Match, Row, key_of, matches, released
from bot.directory.parsed import Parsed, Problem, Result
from bot.directory.tables import Competence, Person, competence_key

_LOCK = 7_267_001  # of PostgreSQL's advisory locks: one import at a time
_OF_PEOPLE = (POSTINGS, ABSENCES)
_ROUTED = (ORGANISATIONS, COMPETENCES)  # what routing keeps in memory; releases bring it, and its rows are marked


@dataclass(slots=True)
class _Plan:
    """What is to be written to one table."""

    file: File
    added: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    changed: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])  # whole rows
    gone: list[str] = field(default_factory=list[str])  # keys of competences that come again, closed
    closed: int = 0
    freed: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])  # people and columns: accounts given up


def apply(session: Session, parsed: Parsed, *, shipped: bool = False, dry_run: bool = False) -> Result:
    """Store what was read, unless anything is wrong with it, and say what was done; a dry run stores nothing.

    `shipped` is for the reference data of a release: of the rows that exist it changes only those that came with a
    release and that nobody edited. Other imports mark what they change as edited.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    needed = {ORGANISATIONS.name, PEOPLE.name} | {sheet.file.name for sheet in parsed.sheets}
    stored = {file.name: _stored(session, file) for file in FILES if file.name in needed}
    found = list(matches(parsed.sheets, stored))
    found = released(found, stored) if shipped else found
    problems = [*parsed.problems, *checks.problems(found, stored, parsed)]
    if problems:
        return Result(0, 0, 0, tuple(sorted(problems, key=_place)))
    plans = [_plan(file, found, shipped=shipped) for file in FILES]
    if not dry_run:
        _write(session, plans)
    return Result(
        added=sum(len(plan.added) - len(plan.gone) for plan in plans),
        changed=sum(len(plan.changed) + len(plan.gone) - plan.closed for plan in plans),
        closed=sum(plan.closed for plan in plans),
        errors=(),
    )


def _stored(session: Session, file: File) -> dict[Key, Row]:
    names = [column.name for column in file.columns] + (["shipped", "edited"] if file in _ROUTED else [])
    found = session.execute(select(*(getattr(file.table, name) for name in names)))
    rows = (dict(zip(names, row, strict=True)) for row in found)
    return {key_of(file, row): row for row in rows}


def _place(problem: Problem) -> tuple[str, int]:
    return problem.file, problem.line


def _plan(file: File, found: Sequence[Match], *, shipped: bool) -> _Plan:
    plan = _Plan(file)
    for match in found:
        if match.sheet.file is file:
            _plan_row(plan, match, shipped=shipped)
    return plan


def _plan_row(plan: _Plan, match: Match, *, shipped: bool) -> None:
    old = match.old
    if old is None:
        empty = {column.name: column.empty for column in plan.file.columns}
        marks = {"shipped": shipped, "edited": False} if plan.file in _ROUTED else {}
        plan.added.append(_storable(plan.file, {**empty, **match.row, **marks}))
        return
    if all(old[name] == value for name, value in match.row.items()):
        return
    marks = {"edited": not shipped} if plan.file in _ROUTED else {}
    new = _storable(plan.file, {**old, **match.row, **marks})
    plan.closed += _closes(old, new)
    if key_of(plan.file, new) == key_of(plan.file, old):
        plan.changed.append(new)
    else:
        plan.gone.append(_storable(plan.file, old)["key"])
        plan.added.append(new)
    accounts = (column.name for column in plan.file.columns if column.account)
    plan.freed += [(new["id"], name) for name in accounts if old[name] is not None and old[name] != new[name]]


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


def _write(session: Session, plans: Sequence[_Plan]) -> None:
    """Write in the order of the files: what is referred to comes first. Loaded objects are read anew afterwards."""
    session.flush()
    for plan in plans:
        for column in {column for _, column in plan.freed}:
            rows = [{"id": person, column: None} for person, freed in plan.freed if freed == column]
            session.execute(update(Person), rows)
        for start in range(0, len(plan.gone), 500):
            session.execute(delete(Competence).where(Competence.key.in_(plan.gone[start : start + 500])))
        if plan.added:
            session.execute(insert(plan.file.table), plan.added)
        if plan.changed:
            session.execute(update(plan.file.table), plan.changed)
    session.expire_all()
    written = [plan for plan in plans if plan.added or plan.changed]
    if any(plan.file in _ROUTED for plan in written):
        touch(session)
    else:
        changed(session, people=_people(written))


def _people(written: Iterable[_Plan]) -> set[str]:
    """Return whose own row, postings or absences were written."""
    rows = ((plan.file, row) for plan in written for row in (*plan.added, *plan.changed))
    return {row["id"] if file is PEOPLE else row["person"] for file, row in rows if file in (PEOPLE, *_OF_PEOPLE)}
