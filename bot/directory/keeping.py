"""Keeping cards true: who may correct which, and what a correction does.

A card is a person's or an organisation's row. Everybody corrects their own, an editor those of their organisation and
of who holds a posting there, a coordinator all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from bot.directory import confirming
from bot.directory.cells import BadCell
from bot.directory.days import postings_held
from bot.directory.files import ORGANISATIONS, PEOPLE, File
from bot.directory.history import Author, record
from bot.directory.identity import Actor
from bot.directory.tables import Organisation, Person
from bot.errors import UserError
from bot.rights import Denied, Scope, may
from bot.texts import Text

CORRECTED = {
    PEOPLE.name: ("given_name", "family_name", "phone", "email", "language", "visibility"),
    ORGANISATIONS.name: ("phone", "email", "address", "website", "opening_hours", "language"),
}
"""The columns that people correct in chat; an import changes the others."""


@dataclass(frozen=True, slots=True)
class Card:
    """A row that somebody may correct."""

    file: File
    row: Person | Organisation

    @property
    def columns(self) -> tuple[str, ...]:
        """What can be corrected."""
        return CORRECTED[self.file.name]

    def values(self) -> Mapping[str, str]:
        """Return what it says now."""
        return {name: getattr(self.row, name) for name in self.columns}


def card(session: Session, actor: Actor, id_: str, author: Author) -> Card:
    """Return the card that somebody may correct; an empty id means their own.

    Raises UserError: the same whether there is no such card or it is none of theirs.
    """
    if not id_ and actor.person is None:
        raise UserError("keeping.not_linked")
    person = session.get(Person, id_ or actor.person)
    if person is not None and _may_correct_person(session, actor, person, author):
        return Card(PEOPLE, person)
    organisation = session.get(Organisation, id_)
    if organisation is not None and may_keep(session, actor, "directory.correct", organisation.id, author):
        return Card(ORGANISATIONS, organisation)
    if person is None and organisation is None:
        raise UserError("keeping.not_yours", id=id_[:80])
    raise Denied("directory.correct", "keeping.not_yours", id=id_[:80])


def correct(
    session: Session, of: Card, values: Mapping[str, str], author: Author, every: timedelta
) -> Mapping[str, Text]:
    """Change a card, all of it or nothing; return what is wrong by column, nothing when it is done.

    A person who corrects their own card confirms it by that; `every` is when they are asked again.
    """
    new: dict[str, Any] = {}
    wrong: dict[str, Text] = {}
    for name, value in values.items():
        column = of.file.by_name[name]
        if not value.strip() and column.empty:  # « visible to all » is said, not left out
            wrong[name] = Text.of("import.required")
            continue
        try:
            new[name] = column.value(value.strip())
        except BadCell as found:
            wrong[name] = found.reason
    if wrong:
        return wrong
    before = {name: getattr(of.row, name) for name in new}
    for name, value in new.items():
        setattr(of.row, name, value)
    if isinstance(of.row, Organisation) and before != new:
        of.row.edited = True
    record(session, author, of.file, {"id": of.row.id}, before, new)
    if isinstance(of.row, Person) and of.row.id == author.person:
        confirming.confirm(session, of.row, author.at, every)
    return {}


def confirm(session: Session, of: Card, author: Author, every: timedelta) -> None:
    """Note that a card was found to be true."""
    if isinstance(of.row, Person):
        confirming.confirm(session, of.row, author.at, every)
        return
    today = author.at.date()
    record(session, author, of.file, {"id": of.row.id}, {"checked_on": of.row.checked_on}, {"checked_on": today})
    of.row.checked_on = today


def _may_correct_person(session: Session, actor: Actor, person: Person, author: Author) -> bool:
    if actor.person == person.id:
        return may(actor.rights, "directory.correct", "own")
    shared = not _held_by(session, actor, author.at).isdisjoint(_offices(session, person.id, author.at))
    return may(actor.rights, "directory.correct", *_organisation(its=shared))


def may_keep(session: Session, actor: Actor, action: str, organisation: str, author: Author) -> bool:
    """Say whether somebody may do something to what is an organisation's: its card, its rota."""
    return may(actor.rights, action, *_organisation(its=organisation in _held_by(session, actor, author.at)))


def offices_edited(session: Session, actor: Actor, at: datetime) -> set[str]:
    """Return the organisations that an editor keeps: those where they hold a posting, whatever room they sit in."""
    return _held_by(session, actor, at) if may(actor.rights, "directory.correct", "organisation") else set()


def _organisation(*, its: bool) -> tuple[Scope, ...]:
    return ("organisation",) if its else ()


def _held_by(session: Session, actor: Actor, at: datetime) -> set[str]:
    return _offices(session, actor.person, at) if actor.person is not None else set()


def _offices(session: Session, person: str, at: datetime) -> set[str]:
    return {posting.organisation for posting, _ in postings_held(session, person, at)}
