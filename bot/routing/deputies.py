"""Who stands in: an office whose holders are all away gives way to the office of the one who stands in for them."""

from collections.abc import Iterable
from datetime import date

from bot.directory.snapshot import Away, Held, Snapshot
from bot.routing.model import Recipient


def standing_in(recipient: Recipient, directory: Snapshot, on: date) -> Recipient | None:
    """Return who answers instead of an office on a day, along a chain of stand-ins; None when the office itself does.

    Only an organisation is changed for another: within one the queue is the same. A loop of stand-ins, or one who
    holds no office that day, changes nothing.
    """
    current, seen = recipient, {recipient}
    while (after := _next(current, directory, on)) is not None:
        if after in seen:
            return None
        seen.add(after)
        current = after
    return current if current.organisation != recipient.organisation else None


def _next(office: Recipient, directory: Snapshot, on: date) -> Recipient | None:
    people = [it.person for it in _in_office(directory.held, on) if _office(it) == office]
    absences = [_absence(person, directory.away, on) for person in people]
    if not absences or any(it is None for it in absences):
        return None
    stand_ins = [it.stand_in for it in absences if it is not None and it.stand_in]
    offices = (_office(it) for name in stand_ins for it in _in_office(directory.held, on) if it.person == name)
    return next((it for it in offices if it != office), None)


def _in_office(held: Iterable[Held], on: date) -> Iterable[Held]:
    return (it for it in held if it.first <= on and (it.last is None or on <= it.last))


def _absence(person: str, away: Iterable[Away], on: date) -> Away | None:
    return next(
        (it for it in away if it.person == person and it.first <= on and (it.last is None or on <= it.last)), None
    )


def _office(held: Held) -> Recipient:
    return Recipient(held.organisation, held.role)
