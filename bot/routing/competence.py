"""Who is in charge of a topic at a place on a day: the most specific of the dated competences in force wins.

Towards a post the topic decides first, since visas are pooled for a country while a consulate of influence does no
civil status (orders of 8 October 2014 and 6 August 2014): topic over any, then place over country over neither, then
the asker's own stretch of border. Towards a prefecture the territory decides first, then the topic (a police
prefecture within its département).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from bot.directory.snapshot import Comp
from bot.routing.model import Recipient
from bot.routing.names import Run
from bot.routing.register import Register
from bot.routing.spelling import keys

Direction: TypeAlias = Literal["to_post", "to_prefecture"]


@dataclass(frozen=True, slots=True)
class Where:
    """The places named of one country (empty: none named), those that hold them, and the territories concerned."""

    country: str
    places: frozenset[Run] = frozenset()
    within: frozenset[Run] = frozenset()
    territories: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class InCharge:
    """Who answers, by which competence (None: called by name); `closed` is the organisation that it succeeds."""

    recipient: Recipient
    by: Comp | None
    closed: str | None = None


def in_force(register: Register, direction: Direction, countries: Iterable[str], on: date) -> tuple[Comp, ...]:
    """Return the competences of a direction that hold on a day, for these countries or for any."""
    directions = {direction, "both", ""}
    return tuple(row for row in register.competences(countries, on) if row.direction in directions)


def best(
    rows: Iterable[Comp], topic: str, where: Where, direction: Direction, register: Register, asker: str
) -> tuple[InCharge, ...]:
    """Return who is most specifically in charge; several when they tie, none when nobody is.

    The organisation that asks is not asked. A closed organisation gives way to its successor, or drops out.
    """
    matching = [(_rank(row, where, direction), row) for row in rows if _covers(row, topic, where)]
    for rank in sorted({rank for rank, _ in matching}, reverse=True):
        found: dict[str, InCharge] = {}
        for row in (row for its, row in matching if its == rank):
            charge = _open(row, register)
            if charge and charge.recipient.organisation != asker:
                found.setdefault(charge.recipient.organisation, charge)
        if found:
            return tuple(found.values())
    return ()


def border_countries(rows: Iterable[Comp], topic: str, territories: frozenset[str]) -> tuple[str, ...]:
    """Return the countries for which a topic has a competence of its own on these stretches of border."""
    found = (row.country for row in rows if row.topic == topic and row.territory in territories and row.country)
    return tuple(dict.fromkeys(found))


def _covers(row: Comp, topic: str, where: Where) -> bool:
    return (
        row.topic in {"", topic}
        and row.country in {"", where.country}
        and (not row.territory or row.territory in where.territories)
        and (not row.place or keys(row.place) in where.places | where.within)
    )


def _rank(row: Comp, where: Where, direction: Direction) -> tuple[int, ...]:
    """Return how specific a row is; a place named beats one that holds it, and a body without a country."""
    topic = int(bool(row.topic))
    named = bool(row.place) and keys(row.place) in where.places
    ground = 4 * bool(row.place) + 2 * bool(row.country) + named
    territory = 0 if not row.territory else 1 if row.territory.startswith("region-") else 2
    return (topic, ground, territory) if direction == "to_post" else (ground, territory, topic)


def _open(row: Comp, register: Register) -> InCharge | None:
    """Return who answers for a row today: its organisation, or the open one that succeeds it."""
    seen: set[str] = set()
    ident: str | None = row.organisation
    while ident and ident not in seen:
        seen.add(ident)
        organisation = register.organisations.get(ident)
        if organisation is None:
            return None
        if organisation.status == "open":
            closed = None if ident == row.organisation else row.organisation
            return InCharge(Recipient(ident, row.role), row, closed)
        ident = organisation.successor
    return None
