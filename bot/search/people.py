"""The people who can be found: by their names and offices, by what reaches them, and by where they are."""

from array import array
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from sys import intern
from typing import Any

from sqlalchemy import Row, exists, literal, null, select
from sqlalchemy.orm import Session

from bot.directory.tables import Person, Posting
from bot.directory.visibility import field_needed, needed
from bot.routing.spelling import keys
from bot.search.columns import each, first_day, last_day, numbers
from bot.search.index import Builder, Entries
from bot.search.words import Lexicon

_PERSON = 0.95  # who is found as well as an organisation comes after it
_FREE_PERSON = 0.9
_SHARED = 0.7  # what it says of somebody that a word of their organisation was found
_WORTH_OF_NAME = {"given_name": 0.97, "family_name": 1.0}
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
    """The words of names and offices, put into bags once: names come again."""

    def __init__(self, builder: Builder, lexicon: Lexicon) -> None:
        self._builder = builder
        self._names: dict[str, dict[str, int]] = {field: {} for field in _WORTH_OF_NAME}
        self._offices = {
            role: builder.bag(each("postings", names, 1.0, "person")) for role, names in lexicon.roles.items()
        }

    def of_names(self, field: str, names: Iterable[str]) -> list[int]:
        """Return the bags of a column of names."""
        known, level, worth = self._names[field], field_needed("person", field), _WORTH_OF_NAME[field]
        bag = self._builder.bag
        found: list[int] = []
        for name in names:
            if name not in known:
                known[name] = bag((word, worth, level) for word in keys.__wrapped__(name))
            found.append(known[name])
        return found

    def of_roles(self, roles: Iterable[str]) -> list[int]:
        """Return the bags of a column of offices."""
        return [self._offices.get(role, self._builder.nothing) for role in roles]


def add_people(builder: Builder, session: Session, lexicon: Lexicon, on: date, only: Collection[str] | None) -> None:
    """Add people in their offices, and by themselves those whom no office holds for good; `only` some, by id."""
    binary = "BINARY" if session.get_bind().dialect.name == "sqlite" else "C"  # the same order on both
    by_key = [column.collate(binary) for column in (Person.id, Posting.organisation, Posting.role)]
    settled = exists().where(Posting.person == Person.id, Posting.end.is_(None), Posting.start <= on)
    bags = _Bags(builder, lexicon)
    for statement in (_HELD.order_by(*by_key, Posting.start), _FREE.where(~settled).order_by(by_key[0])):
        chosen = statement if only is None else statement.where(Person.id.in_(only))
        rows = session.connection().execute(chosen, execution_options={"yield_per": _AT_ONCE})
        for part in rows.partitions():
            builder.add(_people(part, bags))


def _people(rows: Sequence[Row[Any]], bags: _Bags) -> Entries:
    levels = {visibility: needed(visibility) for visibility in {row.visibility for row in rows}}
    hidden = [(at, row) for at, row in enumerate(rows) if row.visibility == "own"]
    return Entries(
        kind="person",
        ids=[row.id for row in rows],
        levels=[levels[row.visibility] for row in rows],
        owners=[(at, id_) for at, row in hidden for id_ in (row.id, row.organisation) if id_],
        bags=[
            bags.of_names("given_name", (row.given_name for row in rows)),
            bags.of_names("family_name", (row.family_name for row in rows)),
            bags.of_roles(row.role for row in rows),
        ],
        worth=[_PERSON if row.role else _FREE_PERSON for row in rows],
        roles=[intern(row.role) for row in rows],
        organisations=[intern(row.organisation) for row in rows],
        shares=_SHARED,
        first=array("i", (first_day(row.start) for row in rows)),
        last=array("i", (last_day(row.end) for row in rows)),
        numbers=numbers("person", rows),
    )
