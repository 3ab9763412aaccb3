"""Storing directory files: all of them or nothing.

`reading.read` comes first, outside any transaction; `planning.plan` says what is to be written.
"""

from collections.abc import Sequence

from sqlalchemy import delete, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.audit.recording import record, who
from bot.db import Database
from bot.directory.history import Author, mark, version
from bot.directory.parsed import Parsed, Result
from bot.directory.planning import Plan, Terms, Writing, plan
from bot.directory.tables import Competence, Person
from bot.directory.writing import write

_LOCK = 7_267_001  # of PostgreSQL's advisory locks: one import at a time
_CACHE = 65_536  # kB of SQLite's memory while it writes: with less, indices go to the disk and come back
_MANY = 1_000  # rows of a table after which PostgreSQL shall know how many there are
REPLANNED = 3  # times, before an import keeps the others waiting


class Overtaken(Exception):
    """The directory changed since an import was planned."""


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
    return store_agreed(database, parsed, author, None).result


def store_agreed(database: Database, parsed: Parsed, author: Author, terms: Terms | None) -> Plan:
    """Do the same under terms, and return the plan: nothing was done where it `differs` from what was agreed to."""
    for _ in range(REPLANNED):
        made = database.reading(lambda session: plan(session, parsed, author=author, terms=terms))
        if made.result.errors or made.differs(terms):
            return made
        try:
            database.run_now(lambda session, made=made: _write_along(session, made, terms))
        except (Overtaken, IntegrityError):  # a room that the bot met meanwhile is in nobody's version
            continue
        return made
    return database.run_now(lambda session: _at_once(session, parsed, author, terms))


def _at_once(session: Session, parsed: Parsed, author: Author, terms: Terms | None) -> Plan:
    lock(session)
    made = plan(session, parsed, author=author, terms=terms)
    if not (made.result.errors or made.differs(terms)):
        _write_along(session, made, terms)
    return made


def _write_along(session: Session, made: Plan, terms: Terms | None) -> None:
    carry_out(session, made)
    if terms is not None:
        terms.along(session)


def lock(session: Session) -> None:
    """Let one import at a time write."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


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


def _count(session: Session, table: Writing) -> None:
    """Let PostgreSQL count a table that grew much: until it does, by itself in a minute, it would read all of it."""
    if len(table.added) > _MANY and session.get_bind().dialect.name == "postgresql":
        session.connection().exec_driver_sql(f"ANALYZE {table.file.table.__tablename__}")


def _write(session: Session, tables: Sequence[Writing]) -> None:
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
