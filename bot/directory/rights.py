"""Rights of use: what a person may do here, whatever their office. Each includes those before it."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.directory.tables import Person, Right
from bot.errors import UserError

RIGHTS = ("reader", "member", "editor", "coordinator", "administrator")


def has(rights: Collection[str], needed: str) -> bool:
    """Say whether any of these rights is `needed` or includes it.

    Raises ValueError when `needed` is no right.
    """
    return not set(RIGHTS[RIGHTS.index(needed) :]).isdisjoint(rights)


def grant(session: Session, person: str, right: str) -> bool:
    """Give a person a right; return whether they lacked it.

    Raises UserError for a person or a right that does not exist.
    """
    _known(session, person, right)
    if session.get(Right, (person, right)) is not None:
        return False
    session.add(Right(person=person, right=right))
    session.flush()
    return True


def revoke(session: Session, person: str, right: str) -> bool:
    """Take a right from a person; return whether they had it. The rights that it included go with it.

    Raises UserError for a person or a right that does not exist.
    """
    _known(session, person, right)
    held = session.get(Right, (person, right))
    if held is None:
        return False
    session.delete(held)
    session.flush()
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
