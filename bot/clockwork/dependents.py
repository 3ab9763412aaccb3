"""Events on which others depend are looked at after each change, and when something of theirs is due."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.agenda.keeping import CHANGED
from bot.agenda.tables import Event
from bot.clockwork import Again, Kind, Ring, mobility, training, visits
from bot.context import Scope


def look(ctx: Scope, ring: Ring) -> Again:
    """Look at an event as whatever depends on it: an event can become one of another kind."""
    event = ctx.session.get(Event, int(ring.key))
    if event is None:
        return None
    again = (visits.look(ctx, event), training.look(ctx, event), mobility.look(ctx, event))
    return min((at for at in again if at is not None), default=None)


def _locked(session: Session, key: str) -> object:
    """Lock the event that a key begins with, as those do who change it."""
    return session.scalar(select(Event).where(Event.id == int(key.partition(" ")[0])).with_for_update())


KINDS: Mapping[str, Kind] = {
    CHANGED: Kind(look, _locked),
    visits.ASSOCIATE: Kind(visits.look_at, _locked),
    training.ENROLMENT: Kind(training.look_at, _locked),
}
