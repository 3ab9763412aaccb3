"""Who asks, and from where: that settles the direction, the border and the adviser."""

from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from bot.directory.snapshot import Org
from bot.routing.model import Recipient
from bot.routing.register import Register

Side: TypeAlias = Literal["prefecture", "post", "other"]

PREFECTURES = frozenset({"region", "prefecture", "sous_prefecture", "police_prefecture", "representation_etat"})
_ABROAD = "ministere-meae"
"""Whose services ask as posts do: what they ask the other ministry goes to its side."""
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


def who(asker: str | None, register: Register) -> Asker:
    """Return what the directory knows of an asker; an unknown organisation is as good as none."""
    organisation = register.organisations.get(asker or "")
    if organisation is None:
        return Asker(None, "other")
    if organisation.kind in PREFECTURES:
        return Asker(organisation, "prefecture", register.around(organisation))
    if organisation.kind in POSTS | {"ccpd"} or _ABROAD in _above(organisation, register):
        return Asker(organisation, "post")
    return Asker(organisation, "other")


def _above(organisation: Org, register: Register) -> set[str]:
    """Return an organisation and those that it belongs to; a loop in the data ends them."""
    found: set[str] = set()
    current: Org | None = organisation
    while current and current.id not in found:
        found.add(current.id)
        current = register.organisations.get(current.parent or "")
    return found


def adviser(territories: tuple[str, ...], register: Register, on: date) -> Recipient | None:
    """Return the diplomatic adviser of a territory's region; overseas without one, the regional ambassador."""
    for role in ("cdpr", "regional_ambassador"):
        for row in register.advisers:
            if row.role == role and row.territory in territories and row.holds(on):
                return Recipient(row.organisation, role)
    return None
