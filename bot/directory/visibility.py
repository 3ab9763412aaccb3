"""Who may see what of the directory: right by field, and what a row's own visibility adds. What is not here is denied.

`reader` is somebody of the network who only looks up: organisations and offices, not how to reach a person. A row for
its own (`own`) is seen by its organisation's people, by the person, and by coordinators.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from bot.directory.identity import Actor
from bot.directory.snapshot import Snapshot
from bot.rights import RIGHTS

ROWS: Mapping[str, str] = {"all": "reader", "network": "member", "own": "coordinator"}
"""The least right that sees a row of a visibility at all."""

FIELDS: Mapping[str, Mapping[str, str]] = {
    "organisation": {
        **dict.fromkeys(
            "id kind name short_name country subdivision city address territory parent successor timezone "
            "opening_hours phone email website languages language status checked_on competences".split(),
            "reader",
        ),
        **dict.fromkeys("source visibility rooms".split(), "editor"),
    },
    "person": {
        **dict.fromkeys("id given_name family_name postings".split(), "reader"),
        **dict.fromkeys("email phone language timezone absences confirmed".split(), "member"),
        **dict.fromkeys("visibility".split(), "editor"),
        **dict.fromkeys("slack_id matrix_id rights".split(), "coordinator"),
    },
    "event": {"id": "reader"},  # what one may do to it: bot/agenda/rights.py
}
"""The least right that sees a field of a row that is seen."""


@dataclass(frozen=True, slots=True)
class Owned:
    """A row as visibility looks at it: its kind, its own visibility, and the ids of those it belongs to."""

    kind: str
    visibility: str
    owners: Collection[str]


def level(right: str | None) -> int:
    """Return the number of a right, from the least; what needs none that exists needs one more than all."""
    return RIGHTS.index(right) if right in RIGHTS else len(RIGHTS)


def level_of(actor: Actor | None) -> int:
    """Return the number of an actor's highest right; -1 for strangers."""
    return max((level(right) for right in (actor.rights if actor else ()) if right in RIGHTS), default=-1)


def needed(visibility: str) -> int:
    """Return the number of the least right that sees a row of this visibility."""
    return level(ROWS.get(visibility))


def field_needed(kind: str, field: str) -> int:
    """Return the number of the least right that sees a field."""
    return level(FIELDS.get(kind, {}).get(field))


def sees(actor: Actor | None, row: Owned, field: str = "id") -> bool:
    """Say whether an actor may see a field of a row. Strangers see nothing."""
    rank = level_of(actor)
    if actor is None or rank < 0:
        return False
    if row.kind == "person" and actor.person is not None and actor.person in row.owners:
        return field in FIELDS["person"]  # one's own
    own = row.visibility == "own" and not {actor.organisation, actor.person}.isdisjoint(row.owners)
    return (own or rank >= needed(row.visibility)) and rank >= field_needed(row.kind, field)


def seen_by(directory: Snapshot, actor: Actor) -> Snapshot:
    """Return the directory as if what an actor may not see were not there."""
    seen = {
        id_: organisation
        for id_, organisation in directory.organisations.items()
        if sees(actor, Owned("organisation", organisation.visibility, (id_,)))
    }
    if len(seen) == len(directory.organisations):
        return directory
    competences = tuple(row for row in directory.competences if row.organisation in seen)
    return replace(directory, organisations=MappingProxyType(seen), competences=competences)
