"""Who speaks: the person behind an account, and what the place vouches for.

A linked account is served anywhere. In a room linked to an organisation an insider (of the bot's own workspace or of
an allowed server) who is not linked acts as a member of that organisation. Anybody else is a stranger.
"""

import re
from dataclasses import dataclass
from datetime import date

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session

from bot.directory import rights
from bot.directory.rooms import Place, room_of
from bot.directory.tables import Organisation, Person, Posting
from bot.message import User

_SLACK_USER = re.compile(r"(?<![A-Z0-9])[UW][A-Z0-9]{2,}(?![A-Z0-9])")


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who is served, with what they may do. All but `rights` may be unknown."""

    user: User | None  # None: the operator, at the command line
    person: str | None  # None: known by nothing but the room
    name: str | None  # as the directory has it, never as the account shows it
    organisation: str | None  # for whom they speak now
    rights: frozenset[str]
    language: str | None
    zone: str | None  # IANA name


OPERATOR = Actor(None, None, None, None, frozenset({"administrator"}), None, None)


def identify(session: Session, user: User, room: tuple[str, str], direct: bool, on: date) -> Actor | None:
    """Return who `user` is in `room` (its platform and id) on a day; None for strangers and bots.

    A direct room vouches for nobody, and neither does one that is closed or not linked. A person with several
    postings speaks for the one whose room it is, else for the latest.
    """
    if user.bot:
        return None
    place = None if direct else _linked(session, room)
    vouched = place if place is not None and user.insider else None
    person = person_of(session, user)
    if person is not None:
        return _linked_actor(session, user, person, place, vouched, on)
    return _vouched_actor(user, vouched) if vouched is not None else None


def person_of(session: Session, user: User) -> Person | None:
    """Return the person an account belongs to; on the console an account is a person's id.

    A Slack id without its team, as files have it, is that of the bot's own workspace.
    """
    match user.platform:
        case "console":
            return session.get(Person, user.id)
        case "matrix":
            return session.scalar(select(Person).where(Person.matrix_id == user.id))
        case "slack":
            ids = {user.id, *(_SLACK_USER.findall(user.id) if user.insider else ())}
            known = session.connection().scalars(_ON_SLACK, {"ids": sorted(ids)}).all()
            found = [session.get_one(Person, id_) for id_ in known]
            return min(found, key=lambda person: person.slack_id != user.id, default=None)
        case _:
            return None


def _linked(session: Session, room: tuple[str, str]) -> Place | None:
    row = room_of(session, *room)
    return row if row is not None and row.organisation is not None and row.state == "open" else None


def _linked_actor(
    session: Session, user: User, person: Person, place: Place | None, vouched: Place | None, on: date
) -> Actor:
    held = _organisation_held(session, person.id, place, on)
    organisation = held or (vouched.organisation if vouched else None)
    granted = rights.of(session, person.id)
    return Actor(
        user=user,
        person=person.id,
        name=f"{person.given_name} {person.family_name}".strip() or person.id,
        organisation=organisation,
        rights=granted | {"member"} if organisation else granted,
        language=person.language or (place.language if place else "") or None,
        zone=person.timezone or _zone(session, organisation),
    )


def _vouched_actor(user: User, room: Place) -> Actor:
    """Return an actor of whom nothing is known: their language and zone are those of the room."""
    return Actor(user, None, None, room.organisation, frozenset({"member"}), None, None)


def _organisation_held(session: Session, person: str, place: Place | None, on: date) -> str | None:
    current = select(Posting).where(
        Posting.person == person, Posting.start <= on, or_(Posting.end.is_(None), Posting.end >= on)
    )
    here = place.organisation if place else None
    found = [(p.organisation == here, p.start, p.organisation) for p in session.scalars(current)]
    return max(found)[2] if found else None


_ON_SLACK = select(Person.id).where(Person.slack_id.in_(bindparam("ids", expanding=True)))
_ZONE = select(Organisation.timezone).where(Organisation.id == bindparam("id"))


def _zone(session: Session, organisation: str | None) -> str | None:
    return (organisation and session.connection().scalar(_ZONE, {"id": organisation})) or None
