"""The people who can be found: by their names and offices, by what reaches them, and by where they are."""

from array import array
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from sys import intern
from typing import NamedTuple

from sqlalchemy import exists, literal, null, select
from sqlalchemy.orm import Session

from bot.directory.days import ZONE
from bot.directory.tables import Person, Posting
from bot.directory.visibility import needed
from bot.routing.spelling import keys
from bot.search.columns import begins, each, ends, numbers
from bot.search.index import Bags, Builder, Entries, Words
from bot.search.words import Lexicon

_PERSON = 0.95  # who is found as well as an organisation comes after it
_FREE_PERSON = 0.9
_SHARED = 0.7  # what it says of somebody that a word of their organisation was found
_AT_ONCE = 2_000  # rows that are held at once
_PERSON_COLUMNS = (
    Person.id,
    Person.given_name,
    Person.family_name,
    Person.email,
    Person.phone,
    Person.visibility,
)
_HELD = select(*_PERSON_COLUMNS, Posting.organisation, Posting.role, Posting.start, Posting.end).join(
    Posting, Posting.person == Person.id
)
_FREE = select(
    *_PERSON_COLUMNS,
    literal("").label("organisation"),
    literal("").label("role"),
    null().label("start"),
    null().label("end"),
)


class _Bags:
    """The words of names and offices."""

    def __init__(self, builder: Builder, lexicon: Lexicon) -> None:
        self.given = Bags(builder, lambda name: _names("given_name", name, 0.97))
        self.family = Bags(builder, lambda name: _names("family_name", name, 1.0))
        self.roles = Bags(builder, lambda role: each("postings", lexicon.roles.get(role, ()), 1.0, "person"))


def _names(field: str, name: str, worth: float) -> Words:
    return each(field, keys.__wrapped__(name), worth, "person")


def add_people(
    builder: Builder,
    session: Session,
    lexicon: Lexicon,
    zones: Mapping[str, str],
    on: date,
    only: Collection[str] | None,
) -> None:
    """Add people in their offices, and by themselves those whom no office holds for good; `only` some, by id.

    `zones` are those of organisations: their days begin there.
    """
    binary = "BINARY" if session.get_bind().dialect.name == "sqlite" else "C"  # the same order on both
    by_key = [column.collate(binary) for column in (Person.id, Posting.organisation, Posting.role)]
    settled = exists().where(Posting.person == Person.id, Posting.end.is_(None), Posting.start < on)
    bags = _Bags(builder, lexicon)
    for statement in (_HELD.order_by(*by_key, Posting.start), _FREE.where(~settled).order_by(by_key[0])):
        chosen = statement if only is None else statement.where(Person.id.in_(only))
        rows = session.connection().execute(chosen, execution_options={"yield_per": _AT_ONCE})
        for part in rows.partitions():
            builder.add(_people(_Columns(*zip(*part, strict=True)), bags, zones))


class _Columns(NamedTuple):
    """Some rows, column by column: that is read in a third of the time."""

    id: Sequence[str]
    given_name: Sequence[str]
    family_name: Sequence[str]
    email: Sequence[str]
    phone: Sequence[str]
    visibility: Sequence[str]
    organisation: Sequence[str]
    role: Sequence[str]
    start: Sequence[date | None]
    end: Sequence[date | None]


def _people(rows: _Columns, bags: _Bags, zones: Mapping[str, str]) -> Entries:
    levels = {visibility: needed(visibility) for visibility in set(rows.visibility)}
    hidden = [at for at, visibility in enumerate(rows.visibility) if visibility == "own"]
    there = [zones.get(organisation) or ZONE for organisation in rows.organisation]
    return Entries(
        kind="person",
        ids=rows.id,
        levels=[levels[visibility] for visibility in rows.visibility],
        owners=[(at, id_) for at in hidden for id_ in (rows.id[at], rows.organisation[at]) if id_],
        bags=[bags.given.column(rows.given_name), bags.family.column(rows.family_name), bags.roles.column(rows.role)],
        worth=[_PERSON if role else _FREE_PERSON for role in rows.role],
        roles=[intern(role) for role in rows.role],
        organisations=[intern(organisation) for organisation in rows.organisation],
        shares=_SHARED,
        first=array("i", map(begins, rows.start, there)),
        last=array("i", map(ends, rows.end, there)),
        numbers=numbers("person", rows.phone, rows.email),
    )
