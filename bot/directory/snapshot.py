"""What routing needs of the directory, as frozen values that outlive the transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from operator import itemgetter
from types import MappingProxyType
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.db import Base
from bot.directory.tables import Absence, Competence, Organisation, Posting


@dataclass(frozen=True, slots=True)
class Org:
    """An organisation. Texts are empty, references None when absent."""

    id: str
    kind: str
    name: str
    short_name: str
    country: str
    subdivision: str
    city: str
    territory: str
    parent: str | None
    successor: str | None
    timezone: str
    opening_hours: str
    languages: tuple[str, ...]
    language: str
    visibility: str
    status: str


@dataclass(frozen=True, slots=True)
class Comp:
    """A competence. An empty topic, country, territory or place means any."""

    organisation: str
    role: str
    topic: str
    country: str
    territory: str
    place: str
    direction: str
    legal_basis: str
    valid_from: date | None
    valid_to: date | None

    def holds(self, on: date) -> bool:
        """Say whether it is in force on a day; its first and last days are."""
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on <= self.valid_to)


@dataclass(frozen=True, slots=True)
class Held:
    """Somebody holds an office; told only of those who are away at some time, their stand-ins, and their colleagues."""

    person: str
    organisation: str
    role: str
    first: date
    last: date | None


@dataclass(frozen=True, slots=True)
class Away:
    """Somebody is away, first and last days included, and somebody may stand in."""

    person: str
    first: date
    last: date | None
    stand_in: str | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The organisations by id, closed ones included, and all competences, past and coming ones included.

    Both are in the order of their keys: the same directory gives the same snapshot.
    """

    organisations: Mapping[str, Org]
    competences: tuple[Comp, ...]
    held: tuple[Held, ...] = ()
    away: tuple[Away, ...] = ()


def load(session: Session) -> Snapshot:
    """Return the directory as it is now."""
    organisations = _rows(session, Organisation, [field.name for field in fields(Org)])
    competences = _rows(session, Competence, ["key", *(field.name for field in fields(Comp))])
    return Snapshot(
        MappingProxyType({row[0]: _org(row) for row in organisations}),
        tuple(Comp(*row[1:]) for row in competences),
        *_absences(session),
    )


def _absences(session: Session) -> tuple[tuple[Held, ...], tuple[Away, ...]]:
    """Return who is away at some time, and the offices that this concerns."""
    rows = session.execute(select(Absence.person, Absence.start, Absence.end, Absence.stand_in))
    away = sorted((Away(*row) for row in rows), key=lambda it: (it.person, it.first))
    people = {name for it in away for name in (it.person, it.stand_in) if name}
    if not people:
        return (), ()
    columns = (Posting.person, Posting.organisation, Posting.role, Posting.start, Posting.end)
    concerned = select(Posting.organisation).where(Posting.person.in_(people))
    held = (Held(*row) for row in session.execute(select(*columns).where(Posting.organisation.in_(concerned))))
    return tuple(sorted(held, key=lambda it: (it.organisation, it.role, it.person, it.first))), tuple(away)


def _org(row: tuple[Any, ...]) -> Org:
    values = [*row]
    values[_LANGUAGES] = tuple(values[_LANGUAGES].split())
    return Org(*values)


_LANGUAGES = [field.name for field in fields(Org)].index("languages")


def _rows(session: Session, table: type[Base], names: list[str]) -> list[tuple[Any, ...]]:
    """Return the named columns of all rows, in the order of the first, which is the key."""
    rows = session.connection().execute(select(*(getattr(table, name) for name in names)))
    return sorted((tuple(row) for row in rows), key=itemgetter(0))
