"""The directory's files: their names, columns and keys, in the order in which they are stored."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from bot.db import Base
from bot.directory import cells
from bot.directory.cells import BadCell, Read, Value
from bot.directory.tables import Absence, Closure, Competence, Duty, Organisation, Person, Posting, Room
from bot.texts import Text

Target = Literal["organisation", "person"]

KINDS = (
    "region prefecture sous_prefecture police_prefecture representation_etat embassy consulate_general consulate "
    "honorary_consulate representation ministry body ccpd other"
).split()
LAND = ("prefecture", "representation_etat", "region")  # in charge of a territory, and called by its name
ROLES = "prefect cdpr ambassador consul asi head deputy desk frontier_ambassador regional_ambassador member".split()
TOPICS = (
    "visa sejour eloignement asile nationalite etat_civil protection_consulaire securite entraide_judiciaire economie "
    "cooperation_transfrontaliere cooperation_decentralisee deplacement_officiel formation mobilite crise "
    "circulation_frontaliere autre"
).split()
VISIBILITIES = ("all", "network", "own")
STATUSES = ("open", "closed", "suspended")
PLATFORMS = ("slack", "matrix", "console")
DIRECTIONS = ("to_post", "to_prefecture", "both")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file and of its table."""

    name: str
    read: Read = cells.line
    key: bool = False
    required: bool = False  # it may not be empty
    empty: Value = ""  # what an empty cell, or a new row without the column, stands for
    refers: Target | None = None  # its value is the id of one of these
    account: bool = False  # no two people have the same

    def value(self, cell: str) -> Value:
        """Return what a cell that says no more than itself stands for; an empty one stands for `empty`.

        Raises BadCell.
        """
        cells.sound(cell)
        if cell:
            return self.read(cell)
        if self.required:
            raise BadCell(Text.of("import.required"))
        return self.empty


@dataclass(frozen=True)
class File:
    """One of the files."""

    name: str
    table: type[Base]
    columns: tuple[Column, ...]
    span: tuple[str, str] | None = None  # the columns of a first and a last day
    target: Target | None = None  # what its rows are when others refer to them

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """The columns by their names."""
        return {column.name: column for column in self.columns}

    @cached_property
    def key(self) -> tuple[str, ...]:
        """The names of the columns that say which row is meant."""
        return tuple(column.name for column in self.columns if column.key)


def _id() -> Column:
    return Column("id", cells.identifier, key=True, required=True)


def _person(name: str = "person", *, key: bool = True) -> Column:
    return Column(name, cells.identifier, key, key, None, "person")


def _organisation(name: str = "organisation", *, key: bool = False, required: bool = False) -> Column:
    return Column(name, cells.identifier, key, required, None, "organisation")


def _day(name: str, *, key: bool = False, required: bool = False) -> Column:
    return Column(name, cells.day, key, required, None)


_VISIBILITY = Column("visibility", cells.one_of(*VISIBILITIES), empty="all")

ORGANISATIONS = File(
    "organisations.csv",
    Organisation,
    (
        _id(),
        Column("kind", cells.one_of(*KINDS), required=True),
        Column("name", required=True),
        Column("short_name"),
        Column("country", cells.country),
        Column("subdivision"),
        Column("city"),
        Column("address", cells.text),
        Column("territory", cells.territory),
        _organisation("parent"),
        _organisation("successor"),
        Column("timezone", cells.timezone),
        Column("opening_hours", cells.opening_hours),
        Column("phone"),
        Column("email", cells.email),
        Column("website", cells.website),
        Column("languages", cells.languages),
        Column("language", cells.language),
        _VISIBILITY,
        Column("status", cells.one_of(*STATUSES), empty="open"),
        Column("source", cells.text),
        _day("checked_on"),
    ),
    target="organisation",
)
PEOPLE = File(
    "people.csv",
    Person,
    (
        _id(),
        Column("given_name"),
        Column("family_name"),
        Column("email", cells.email),
        Column("phone"),
        Column("language", cells.language),
        _VISIBILITY,
        Column("slack_id", cells.account, empty=None, account=True),
        Column("matrix_id", cells.matrix_account, empty=None, account=True),
    ),
    target="person",
)
POSTINGS = File(
    "postings.csv",
    Posting,
    (
        _person(),
        _organisation(key=True, required=True),
        Column("role", cells.one_of(*ROLES), key=True, required=True),
        _day("start", key=True, required=True),
        _day("end"),
    ),
    span=("start", "end"),
)
ABSENCES = File(
    "absences.csv",
    Absence,
    (_person(), _day("start", key=True, required=True), _day("end"), _person("stand_in", key=False)),
    span=("start", "end"),
)
ROOMS = File(
    "rooms.csv",
    Room,
    (
        _organisation(),
        Column("platform", cells.one_of(*PLATFORMS), key=True, required=True),
        Column("room", cells.account, key=True, required=True),
        Column("language", cells.language),
        Column("relay_unencrypted", cells.yes_or_no, empty=False),
    ),
)
COMPETENCES = File(
    "competences.csv",
    Competence,
    (
        _organisation(key=True, required=True),
        Column("role", cells.one_of(*ROLES), key=True, required=True),
        Column("topic", cells.one_of(*TOPICS), key=True),
        Column("country", cells.country, key=True),
        Column("territory", cells.territory, key=True),
        Column("place", cells.place, key=True),
        Column("direction", cells.one_of(*DIRECTIONS), key=True, empty="both"),
        Column("legal_basis", cells.text),
        _day("valid_from", key=True),
        _day("valid_to", key=True),
    ),
    span=("valid_from", "valid_to"),
)

CLOSURES = File(
    "closures.csv",
    Closure,
    (
        _organisation(key=True, required=True),
        _day("start", key=True, required=True),
        _day("end", required=True),
        Column("open", cells.yes_or_no, empty=False),
        Column("reason"),
    ),
    span=("start", "end"),
)
DUTIES = File(
    "duties.csv",
    Duty,
    (
        _organisation(key=True, required=True),
        _person(),
        _day("start", key=True, required=True),
        _day("end", required=True),
    ),
    span=("start", "end"),
)

FILES = (ORGANISATIONS, PEOPLE, POSTINGS, ABSENCES, ROOMS, COMPETENCES, CLOSURES, DUTIES)
BY_NAME = {file.name: file for file in FILES}
