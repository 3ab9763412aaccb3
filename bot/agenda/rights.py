"""Who may see, add, change and answer events. What is not here is denied.

An event for its own (`own`) is seen by those who organise it, by the bodies and organisations it names, by who entered
it, and by coordinators. One that a calendar brought is changed where it comes from.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, TypeAlias

from bot.agenda.tables import Event
from bot.directory.identity import Actor
from bot.directory.rights import has
from bot.directory.visibility import Owned, sees
from bot.errors import UserError

Act: TypeAlias = Literal[
    "see", "add", "add_for_others", "change", "answer", "participants", "subscribe", "contribute", "brief", "announce"
]

NEEDED: dict[Act, str] = {  # the least right
    "see": "reader",
    "add": "member",
    "add_for_others": "editor",
    "change": "member",
    "answer": "member",
    "participants": "member",
    "subscribe": "coordinator",
    "contribute": "member",
    "brief": "member",
    "announce": "coordinator",
}


@dataclass(frozen=True, slots=True)
class Tie:
    """What an event is to somebody."""

    sees: bool
    author: bool
    organiser: bool
    coordinator: bool


def account_of(actor: Actor) -> str | None:
    """Return how rows name an account: its platform and its id; None for the operator."""
    return f"{actor.user.platform}:{actor.user.id}" if actor.user is not None else None


def tie(actor: Actor, event: Event) -> Tie:
    """Return what an event is to somebody."""
    details = event.details
    own = Owned("event", event.visibility, {*details.organisers, *details.bodies})
    author = _is_author(actor, event)
    return Tie(
        sees=author or sees(actor, own),
        author=author,
        organiser=actor.organisation in details.organisers,
        coordinator=has(actor.rights, "coordinator"),
    )


def may(actor: Actor, act: Act, event: Event | None = None, parts: Collection[str] = ()) -> bool:
    """Say whether somebody may do something, to an event if one is given.

    `parts` are those that their organisation has in a visit (`bot.agenda.associates`).
    """
    if not has(actor.rights, NEEDED[act]):
        return False
    if event is None:
        return act in {"add", "add_for_others", "subscribe", "announce"}
    its = tie(actor, event)
    match act:
        case "see" | "answer":
            return its.sees
        case "change":
            return event.calendar is None and (
                its.author or its.coordinator or (its.organiser and has(actor.rights, "editor"))
            )
        case "participants":
            return its.author or its.organiser or its.coordinator
        case "contribute":
            return "asked" in parts
        case "brief":  # whoever is in copy reads what was gathered; who contributes reads their own alone
            return its.author or its.organiser or its.coordinator or "copy" in parts
        case _:
            return False


def check(actor: Actor, act: Act, event: Event | None = None, parts: Collection[str] = ()) -> None:
    """Raise UserError when somebody may not do something."""
    if may(actor, act, event, parts):
        return
    if event is not None and act == "change" and event.calendar is not None:
        raise UserError("agenda.from_calendar", number=event.number)
    raise UserError(f"agenda.may_not.{act}")


def approves(actor: Actor, person: str, heads: Collection[str]) -> bool:
    """Say whether somebody confirms a request of a person whose office these head: never their own."""
    if actor.person is None or actor.person == person:
        return False
    return actor.person in heads or has(actor.rights, "coordinator")


def seen(actor: Actor, events: Collection[Event]) -> list[Event]:
    """Return the events that somebody may see, in their order."""
    return [event for event in events if may(actor, "see", event)]


def _is_author(actor: Actor, event: Event) -> bool:
    if event.person is not None:
        return event.person == actor.person
    return event.account is not None and event.account == account_of(actor)
