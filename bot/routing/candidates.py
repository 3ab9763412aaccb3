"""Questions that were redirected, on their way to becoming examples: proposed, then confirmed by a coordinator.

Nothing that nobody confirmed is learnt from. Identifiers are masked before a text is kept; what stays unconfirmed is
forgotten after `KEPT`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bot.errors import UserError
from bot.routing.identifiers import masked
from bot.routing.tables import RoutingExample

KEPT = timedelta(days=90)
STATES = ("proposed", "confirmed", "refused")


def propose(session: Session, example: RoutingExample) -> None:
    """Keep a redirected question, masked; a later redirection of the same question replaces it while unconfirmed."""
    session.execute(
        delete(RoutingExample).where(RoutingExample.number == example.number, RoutingExample.state == "proposed")
    )
    example.text, example.why = masked(example.text), masked(example.why)[:200] if example.why else None
    session.add(example)


def withdraw(session: Session, number: str) -> None:
    """Delete what was kept of a question that who asked it took back."""
    session.execute(delete(RoutingExample).where(RoutingExample.number == number))


def listed(session: Session, state: str | None = None) -> Sequence[RoutingExample]:
    """Return the examples in a state, or all, the oldest first."""
    query = select(RoutingExample).order_by(RoutingExample.id)
    return session.scalars(query if state is None else query.where(RoutingExample.state == state)).all()


def settle(session: Session, ident: int, state: str, topic: str | None, by: str, now: datetime) -> RoutingExample:
    """Confirm or refuse an example.

    Raises UserError when there is none, or when its topic is neither known nor given.
    """
    example = session.get(RoutingExample, ident)
    if example is None:
        raise UserError("route.examples.unknown", number=ident)
    example.topic = topic or example.topic
    if state == "confirmed" and not example.topic:
        raise UserError("route.examples.topic", number=ident)
    example.state, example.settled_by, example.settled_at = state, by, now
    return example


def confirmed(session: Session) -> list[tuple[str, str]]:
    """Return topic and text of the confirmed examples, in the order of their confirmation."""
    rows = [(row.topic, row.text) for row in listed(session, "confirmed")]
    return [(topic, text) for topic, text in rows if topic]


def forget(session: Session, now: datetime) -> None:
    """Delete what nobody confirmed in time, and what was refused."""
    old = RoutingExample.at < now - KEPT
    session.execute(delete(RoutingExample).where(RoutingExample.state != "confirmed", old))
