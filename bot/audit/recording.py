"""Adding to the log, in the transaction of what is done: it is kept with it or not at all."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from bot.audit.tables import Alias, Content, Entry
from bot.db import insert_on

CLOCK: Final = "clock"  # the bot itself, on time
OPERATOR: Final = "operator"  # whoever has the command line
PROCESS: Final = "process"
_PERSONAL: Final = ("person:", "account:", "direct:")  # names that are known by an alias only


def who(person: str | None, account: str | None, *, otherwise: str = OPERATOR) -> str:
    """Return how somebody is named to the log: as a person where they are known, else by their account."""
    if person is not None:
        return f"person:{person}"
    return f"account:{account}" if account is not None else otherwise


def record(
    session: Session,
    at: datetime,
    action: str,
    *,
    actor: str,
    about: str = "",
    content: Mapping[str, object] | None = None,
) -> None:
    """Add an entry. `actor` and `about` are names such as `who` makes, or `question:Q-…`, `organisation:…`.

    What may be known of it only for a time, or tells of people, belongs into `content`.
    """
    connection = session.connection()
    statements = _statements(connection.dialect.name)
    salt, said = secrets.token_hex(16), "" if content is None else canonical(content)
    row: dict[str, Any] = {
        "at": at,
        "action": action,
        "actor": alias(session, actor),
        "about": alias(session, about),
        "digest": "" if content is None else digest(salt, said),
    }
    made = connection.execute(statements[0], row).scalar_one()
    if content is not None:
        connection.execute(statements[1], {"entry": made, "salt": salt, "content": said})


def alias(session: Session, name: str) -> str:
    """Return how the log calls somebody, from now on if it never did; other names stay what they are."""
    if not name.startswith(_PERSONAL):
        return name[:255]
    connection, name = session.connection(), name[:300]
    found = connection.scalar(_CALLED, {"called": name})
    if found is not None:
        return found
    fresh = f"{name.partition(':')[0]}:{secrets.token_hex(12)}"
    connection.execute(_statements(connection.dialect.name)[2], {"name": name, "alias": fresh})
    return connection.scalar(_CALLED, {"called": name}) or fresh  # somebody else may have been quicker


def canonical(content: Mapping[str, object]) -> str:
    """Return a content as it is digested: the same for the same values."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)


def digest(salt: str, content: str) -> str:
    """Return the digest of a content: without its salt nobody can try out what it was."""
    return hashlib.sha256(f"{salt}\n{content}".encode()).hexdigest()


_CALLED = select(Alias.alias).where(Alias.name == bindparam("called"))


@cache
def _statements(dialect: str) -> tuple[ReturningInsert[Any], Insert, Insert]:
    """Made once: to make a statement anew costs more than to execute it."""
    return (
        insert_on(dialect, Entry).returning(Entry.id),
        insert_on(dialect, Content),
        insert_on(dialect, Alias).on_conflict_do_nothing(index_elements=["name"]),
    )
