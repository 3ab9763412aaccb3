"""What an event is to somebody; what they may do to it then stands in `bot.rights`.

An event for its own (`own`) is seen by those who organise it, by the bodies and organisations it names, by who entered
it, and by coordinators. One that a calendar brought is changed where it comes from.
"""

from collections.abc import Collection
from typing import Literal, TypeAlias

from bot.agenda.tables import Event
from bot.directory.identity import Actor
from bot.directory.visibility import Owned, sees
from bot.errors import UserError
from bot.rights import Denied, Scope
from bot.rights import may as allows

Act: TypeAlias = Literal[
    "see", "add", "add_for_others", "change", "answer", "participants", "subscribe", "contribute", "brief", "announce"
]

_PARTS: tuple[Scope, ...] = ("asked", "copy")


def account_of(actor: Actor) -> str | None:
    """Return how rows name an account: its platform and its id; None for the operator."""
    return f"{actor.user.platform}:{actor.user.id}" if actor.user is not None else None


def tie(actor: Actor, event: Event) -> set[Scope]:
    """Return what an event is to somebody."""
    details = event.details
    found: set[Scope] = set()
    if _is_author(actor, event):
        found |= {"own", "seen"}
    if actor.organisation in details.organisers:
        found.add("organisation")
    if sees(actor, Owned("event", event.visibility, {*details.organisers, *details.bodies})):
        found.add("seen")
    return found


def may(actor: Actor, act: Act, event: Event | None = None, parts: Collection[str] = ()) -> bool:
    """Say whether somebody may do something, to an event if one is given.

    `parts` are those that their organisation has in a visit (`bot.agenda.associates`).
    """
    if act == "change" and event is not None and event.calendar is not None:
        return False
    scopes = tie(actor, event) if event is not None else set[Scope]()
    scopes.update(part for part in _PARTS if part in parts)
    return allows(actor.rights, f"event.{act}", *scopes)


def check(actor: Actor, act: Act, event: Event | None = None, parts: Collection[str] = ()) -> None:
    """Raise UserError when somebody may not do something."""
    if may(actor, act, event, parts):
        return
    if event is not None and act == "change" and event.calendar is not None:
        raise UserError("agenda.from_calendar", number=event.number)
    raise Denied(f"event.{act}", f"agenda.may_not.{act}")


def approves(actor: Actor, person: str, heads: Collection[str]) -> bool:
    """Say whether somebody confirms a request of a person whose office these head: never their own."""
    if actor.person is None or actor.person == person:
        return False
    return allows(actor.rights, "training.approve", *(("organisation",) if actor.person in heads else ()))


def seen(actor: Actor, events: Collection[Event]) -> list[Event]:
    """Return the events that somebody may see, in their order."""
    return [event for event in events if may(actor, "see", event)]


def _is_author(actor: Actor, event: Event) -> bool:
    if event.person is not None:
        return event.person == actor.person
    return event.account is not None and event.account == account_of(actor)
