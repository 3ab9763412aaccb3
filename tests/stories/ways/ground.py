"""Where ways to leak are gone: who is there, what a way is, and what must be so at its end."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, cast

from sqlalchemy import select

from bot.agenda.publishing import exported
from bot.agenda.tables import Event
from bot.life import tick
from tests.stories.conftest import SAARBRUCKEN
from tests.stories.verbs import Play, Room

CANARY = "CANARI"  # said in the consulate
COLIBRI = "COLIBRI"  # said in the prefecture
SECRET = "12AB34567"  # the number of a passport, made up
MARKED = f"SECRET DÉFENSE : {CANARY}"
ANOTHER = "Pouvez-vous vérifier un autre acte de naissance établi à Sarrebruck ?"
NUMBER = "Q-2026-00001"
STRANGER = "inconnu"
GUESTS = (STRANGER, "munichois", "messin")

Where: TypeAlias = Literal["stage", "slack", "matrix"]
Kind: TypeAlias = Literal["remark", "identifier", "asked", "sealed", "marked"]
Do: TypeAlias = "Callable[[Ground], Awaitable[object]]"


@dataclass
class Ground:
    """A question between a prefecture and a consulate, with colleagues on both sides, before each way."""

    play: Play
    prefecture: Room
    consulate: Room
    munich: Room
    root: str
    card: Any
    number: str = NUMBER
    pages: dict[str, str] = field(default_factory=dict[str, str])  # drawn for one person, not said

    @property
    def intern(self) -> Room:
        return self.consulate.as_("stagiaire")

    @property
    def alsace(self) -> Room:
        """Another prefecture: what is kept for all is offered to it."""
        return cast("Room", self.play.link("prefecture-67"))

    @property
    def colleague(self) -> Room:
        return self.prefecture.as_("collegue")

    @property
    def stranger(self) -> Room:
        """Somebody in the consulate's room for whom nobody vouches."""
        return self.consulate.as_(STRANGER, insider=False)

    def guest(self, account: str, organisation: str) -> Room:
        """Somebody in the consulate's room whom the directory knows in another organisation."""
        guest = self.consulate.as_(account)
        guest.employ(organisation)
        return guest

    def export(self) -> None:
        """Read the agenda as a calendar file that anybody might be handed."""
        rows = self.play.app.database.run_now(lambda s: s.scalars(select(Event)).all())
        self.pages["a calendar file"] = exported(rows, "Agenda", "Rendez-vous")

    async def look_around(self) -> None:
        """Have the other side ask for all that may be asked for, so that it would show."""
        for place in (self.prefecture, self.munich):
            for line in (
                "demandes",
                "demandes toutes",
                "agenda tout",
                f"historique {self.number}",
                f"voir {self.number}",
                f"plus {self.number}",
                "notes",
                "bilan",
                "aide",
            ):
                await place.say(f"!{line}", mention=False)
            self.pages[place.room] = await place.home_page()
            await place.say(f"!question {SAARBRUCKEN}", mention=False)  # what is known of the like is offered
            await place.say(f"Où en est {self.number} ?", mention=False)


@dataclass(frozen=True)
class Way:
    """One way, and where it can be gone: where there are no forms, no quotes or no strangers, some cannot."""

    name: str
    kind: Kind
    do: Do
    on: frozenset[Where]
    guests: tuple[str, ...] = ()  # in the room, but not of it: a homeserver must know them before
    offered: bool = False  # said to the bot, which asks back with buttons: these are stored

    def __str__(self) -> str:
        return self.name


WAYS: list[Way] = []


def way(
    kind: Kind, *, but: Collection[Where] = (), guests: tuple[str, ...] = (), offered: bool = False
) -> Callable[[Do], Do]:
    """List a way of a kind, which can be gone everywhere but there; on it `guests` come into the room."""

    def listed(do: Do) -> Do:
        everywhere: set[Where] = {"stage", "matrix"} if kind == "sealed" else {"stage", "slack", "matrix"}
        WAYS.append(Way(do.__name__, kind, do, frozenset(everywhere - set(but)), guests, offered))  # type: ignore[attr-defined]
        return do

    return listed


def ways(where: Where, *kinds: Kind) -> list[Way]:
    """Return the ways of these kinds that can be gone there."""
    return [each for each in WAYS if each.kind in kinds and where in each.on]


async def ground(play: Play, prefecture: Room, consulate: Room) -> Ground:
    """Return a question that was asked between two rooms, with a third and a region beside."""
    munich = cast("Room", play.link("consulat-munich"))
    play.link("region-grand-est")
    root = await prefecture.say(SAARBRUCKEN)
    return Ground(play, prefecture, consulate, munich, root, consulate.sees(NUMBER))


async def assert_kept(at: Ground, *kept: tuple[str, Room]) -> None:
    """Nobody but the people of its own room was shown a canary, by any message, file, page or job."""
    await tick(at.play.app)
    await at.look_around()
    for canary, home in kept:
        pages = "".join(page for room, page in at.pages.items() if room != home.room)
        shown = await at.play.shown_beside([home.room]) + pages
        assert canary not in shown, shown[max(0, shown.find(canary) - 300) : shown.find(canary) + 100]
