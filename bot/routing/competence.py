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

from bot.directory.snapshot import Comp, Snapshot
from bot.routing.model import Recipient
from bot.routing.spelling import keys

Direction: TypeAlias = Literal["to_post", "to_prefecture"]


@dataclass(frozen=True, slots=True)
class Where:
    """The places and territories of a question about one country (empty: none named)."""

    country: str
    places: frozenset[tuple[str, ...]] = frozenset()
    territories: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class InCharge:
    """Who answers, by which competence; `closed` is the organisation that it succeeds."""

    recipient: Recipient
    by: Comp
    closed: str | None = None


def in_force(directory: Snapshot, direction: Direction, countries: Iterable[str], on: date) -> tuple[Comp, ...]:
    """Return the competences of a direction that hold on a day, for these countries or for any."""
    wanted = {*countries, ""}
    directions = {direction, "both", ""}
    return tuple(
        row for row in directory.competences if row.country in wanted and row.direction in directions and row.holds(on)
    )


def best(
    rows: Iterable[Comp], topic: str, where: Where, direction: Direction, directory: Snapshot, asker: str
) -> tuple[InCharge, ...]:
    """Return who is most specifically in charge; several when they tie, none when nobody is.

    The organisation that asks is not asked. A closed organisation gives way to its successor, or drops out.
    """
    matching = [(_rank(row, direction), row) for row in rows if _covers(row, topic, where)]
    for rank in sorted({rank for rank, _ in matching}, reverse=True):
        found: dict[str, InCharge] = {}
        for row in (row for its, row in matching if its == rank):
            charge = _open(row, directory)
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
        and (not row.place or keys(row.place) in where.places)
    )


def _rank(row: Comp, direction: Direction) -> tuple[int, ...]:
    topic = int(bool(row.topic))
    ground = 2 if row.place else int(bool(row.country))
    territory = 0 if not row.territory else 1 if row.territory.startswith("region-") else 2
    return (topic, ground, territory) if direction == "to_post" else (ground, territory, topic)


def _open(row: Comp, directory: Snapshot) -> InCharge | None:
    """Return who answers for a row today: its organisation, or the open one that succeeds it."""
    seen: set[str] = set()
    ident: str | None = row.organisation
    while ident and ident not in seen:
        seen.add(ident)
        organisation = directory.organisations.get(ident)
        if organisation is None:
            return None
        if organisation.status == "open":
            closed = None if ident == row.organisation else row.organisation
            return InCharge(Recipient(ident, row.role), row, closed)
        ident = organisation.successor
    return None
