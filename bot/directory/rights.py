"""Grants of rights of use: who has which, by whom and since when in the audit."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.audit.recording import record, who
from bot.directory.history import Author
from bot.directory.tables import Person, Right
from bot.errors import UserError
from bot.rights import RIGHTS


def grant(session: Session, person: str, right: str, *, author: Author | None = None) -> bool:
    """Give a person a right; return whether they lacked it. The author is for the audit.

    Raises UserError for a person or a right that does not exist.
    """
    _known(session, person, right)
    if session.get(Right, (person, right)) is not None:
        return False
    session.add(Right(person=person, right=right))
    session.flush()
    _record(session, author, "right.grant", person, right)
    return True


def revoke(session: Session, person: str, right: str, *, author: Author | None = None) -> bool:
    """Take a right from a person; return whether they had it. The rights that it included go with it.

    Raises UserError for a person or a right that does not exist.
    """
    _known(session, person, right)
    held = session.get(Right, (person, right))
    if held is None:
        return False
    session.delete(held)
    session.flush()
    _record(session, author, "right.revoke", person, right)
    return True


def of(session: Session, person: str) -> frozenset[str]:
    """Return the rights granted to a person."""
    return frozenset(session.scalars(select(Right.right).where(Right.person == person)))


def granted(session: Session) -> list[tuple[str, str]]:
    """Return all grants as (person, right): by person, and from the least right to the greatest."""
    rows = session.execute(select(Right.person, Right.right))
    return sorted(((person, right) for person, right in rows), key=lambda row: (row[0], RIGHTS.index(row[1])))


def _known(session: Session, person: str, right: str) -> None:
    if right not in RIGHTS:
        raise UserError("rights.unknown_right", right=right, expected=RIGHTS)
    if session.get(Person, person) is None:
        raise UserError("rights.unknown_person", person=person)


def _record(session: Session, author: Author | None, action: str, person: str, right: str) -> None:
    if author is not None:
        name = who(author.person, author.account)
        record(session, author.at, action, actor=name, about=f"person:{person}", content={"right": right})
