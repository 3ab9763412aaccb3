"""What a transaction notes for its end: undone with the savepoint in which it was noted."""

from collections.abc import Iterator
from typing import Any, TypeVar

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

N = TypeVar("N")


def note(session: Session, note: object) -> None:
    """Note something for the end of the transaction, unless the savepoint in which this happens is undone."""
    within: list[SessionTransaction] = []
    transaction = session.get_nested_transaction()
    while transaction is not None:
        within.append(transaction)
        transaction = transaction.parent
    session.info.setdefault("notes", []).append((within, note))


def notes(session: Session) -> Iterator[Any]:
    """Yield what this transaction noted so far."""
    return (note for _, note in session.info.get("notes", ()))


def take_notes(session: Session, *kinds: type[N]) -> list[N]:
    """Return what this transaction noted of some kinds, in order, and forget it."""
    noted = session.info.get("notes", [])
    taken = [note for _, note in noted if isinstance(note, kinds)]
    noted[:] = [(within, note) for within, note in noted if not isinstance(note, kinds)]
    return taken


def _unnote(session: Session, undone: SessionTransaction) -> None:
    noted = session.info.get("notes")
    if noted:
        noted[:] = [(within, note) for within, note in noted if undone not in within]


event.listen(Session, "after_soft_rollback", _unnote)


def note_queue(session: Session, queue: str) -> None:
    """Remember that this transaction gives a queue work: its worker is woken right after the commit."""
    session.info.setdefault("queues", set()).add(queue)
