"""Who speaks: the person behind an account, and what the place vouches for.

A linked account is served anywhere; an address of mail that the platform verified links one. In a room linked to an
organisation an insider (of the bot's own workspace or of an allowed server) who is not linked acts as a member of that
organisation. Anybody else is a stranger.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from bot.directory import linking, rights
from bot.directory.accounts import person_of
from bot.directory.days import postings_held
from bot.directory.rooms import Place, room_of
from bot.directory.tables import Organisation, Person
from bot.message import User
from bot.texts import Reader


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


def identify(session: Session, user: User, room: tuple[str, str], direct: bool, at: datetime) -> Actor | None:
    """Return who `user` is in `room` (its platform and id) at an instant; None for strangers and bots.

    A direct room vouches for nobody, and neither does one that is closed or not linked. A person with several
    postings speaks for the one whose room it is, else for the latest.
    """
    if user.bot:
        return None
    place = None if direct else _linked(session, room)
    vouched = place if place is not None and user.insider else None
    person = person_of(session, user) or linking.by_email(session, user, at)
    if person is not None:
        return _linked_actor(session, user, person, place, vouched, at)
    return _vouched_actor(user, vouched) if vouched is not None else None


def known(session: Session, person: Person, at: datetime, user: User | None = None) -> Actor:
    """Return a person as they are where the bot speaks first: no room vouches for them."""
    return _linked_actor(session, user, person, None, None, at)


def reader_of(session: Session, person: Person, there: Reader, at: datetime) -> Reader:
    """Return how what is for somebody alone is said: as they chose, else as their organisation did, else as there."""
    actor = known(session, person, at)
    return Reader(actor.language or there.language, actor.zone or there.zone)


def of_room(organisation: str) -> Actor:
    """Return whoever reads in a room of an organisation."""
    return Actor(None, None, None, organisation, frozenset({"member"}), None, None)


def _linked(session: Session, room: tuple[str, str]) -> Place | None:
    row = room_of(session, *room)
    return row if row is not None and row.organisation is not None and row.state == "open" else None


def _linked_actor(
    session: Session, user: User | None, person: Person, place: Place | None, vouched: Place | None, at: datetime
) -> Actor:
    held = _organisation_held(session, person.id, place, at)
    organisation = held or (vouched.organisation if vouched else None)
    granted = rights.of(session, person.id)
    language, zone = _theirs(session, organisation)
    return Actor(
        user=user,
        person=person.id,
        name=f"{person.given_name} {person.family_name}".strip() or person.id,
        organisation=organisation,
        rights=granted | {"member"} if organisation else granted,
        language=person.language or (place.language if place else "") or language or None,
        zone=person.timezone or zone or None,
    )


def _vouched_actor(user: User, room: Place) -> Actor:
    """Return an actor of whom nothing is known: their language and zone are those of the room."""
    return Actor(user, None, None, room.organisation, frozenset({"member"}), None, None)


def _organisation_held(session: Session, person: str, place: Place | None, at: datetime) -> str | None:
    here = place.organisation if place else None
    held = (posting for posting, _ in postings_held(session, person, at))
    found = [(posting.organisation == here, posting.start, posting.organisation) for posting in held]
    return max(found)[2] if found else None


_THEIRS = select(Organisation.language, Organisation.timezone).where(Organisation.id == bindparam("id"))


def _theirs(session: Session, organisation: str | None) -> tuple[str, str]:
    """Return the language and the zone of an organisation; empty is what it has none of."""
    row = session.connection().execute(_THEIRS, {"id": organisation}).first() if organisation else None
    return (row[0], row[1]) if row is not None else ("", "")
