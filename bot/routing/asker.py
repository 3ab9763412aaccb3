"""Who asks, and from where: that settles the direction, the border and the adviser."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from bot.directory.snapshot import Org, Snapshot
from bot.routing.model import Recipient

Side: TypeAlias = Literal["prefecture", "post", "other"]

PREFECTURES = frozenset({"region", "prefecture", "sous_prefecture", "police_prefecture", "representation_etat"})
POSTS = frozenset({"embassy", "consulate_general", "consulate", "honorary_consulate", "representation"})


@dataclass(frozen=True, slots=True)
class Asker:
    """An asker's side, and for a French one the territories that hold it: its département, its region."""

    organisation: Org | None
    side: Side
    territories: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The organisation's id, empty when it is not known."""
        return self.organisation.id if self.organisation else ""

    @property
    def country(self) -> str:
        """The country where the asker is, empty when it is not known."""
        return self.organisation.country if self.organisation else ""


def who(asker: str | None, directory: Snapshot) -> Asker:
    """Return what the directory knows of an asker; an unknown organisation is as good as none."""
    organisation = directory.organisations.get(asker or "")
    if organisation is None:
        return Asker(None, "other")
    if organisation.kind in PREFECTURES:
        return Asker(organisation, "prefecture", _around(organisation, directory))
    return Asker(organisation, "post" if organisation.kind in POSTS else "other")


def territories_of(code: str, directory: Snapshot) -> tuple[str, ...]:
    """Return a territory and the region that holds it, by the prefecture in charge there."""
    prefecture = next(
        (
            org
            for org in directory.organisations.values()
            if org.territory == code and org.kind in {"prefecture", "representation_etat", "region"}
        ),
        None,
    )
    return _around(prefecture, directory) if prefecture else (code,)


def adviser(territories: tuple[str, ...], directory: Snapshot, on: date) -> Recipient | None:
    """Return the diplomatic adviser of a territory's region; overseas without one, the regional ambassador."""
    for role in ("cdpr", "regional_ambassador"):
        for row in directory.competences:
            if row.role == role and row.territory in territories and row.holds(on):
                return Recipient(row.organisation, role)
    return None


def _around(organisation: Org, directory: Snapshot) -> tuple[str, ...]:
    return tuple(dict.fromkeys(org.territory for org in _line(organisation, directory) if org.territory))


def _line(organisation: Org, directory: Snapshot) -> Iterator[Org]:
    """Yield an organisation and its parents; a loop in the data ends it."""
    seen: set[str] = set()
    current: Org | None = organisation
    while current and current.id not in seen:
        yield current
        seen.add(current.id)
        current = directory.organisations.get(current.parent or "")
