"""A question between two rooms, and whoever tries something there with one right and in one scope."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import TypeAlias

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

import bot.dispatch
from bot.audit.tables import Entry
from bot.digests.tables import Digest
from bot.directory.identity import Actor
from bot.directory.tables import Person, Posting, Room
from bot.message import Invocation, User
from bot.questions.tables import Move, Question
from bot.rights import Scope
from tests.stories.conftest import SAARBRUCKEN
from tests.stories.scene import Clock, Place, Scene

ASKER, RECIPIENT, ELSEWHERE = "prefecture-57", "consulat-francfort", "consulat-munich"
NUMBER = "Q-2026-00001"
WHERE: Mapping[str, str] = {"asker": ASKER, "any": ELSEWHERE}
MOVES: Mapping[str, tuple[str, str]] = {  # act → the state it is tried in, what is typed
    "question.take": ("routed", "prendre"),
    "question.release": ("taken", "rendre"),
    "question.answer": ("routed", "repondre {n} Il est authentique."),
    "question.add": ("answered", "repondre {n} Il en existe un second."),
    "question.ask_back": ("routed", "preciser {n} De quelle année ?"),
    "question.redirect": ("routed", "rediriger {n} consulat-munich"),
    "question.close": ("answered", "clore"),
    "question.reopen": ("closed", "rouvrir"),
    "question.split": ("routed", "scinder {n} Et son mariage ?"),
    "question.cancel": ("routed", "annuler"),
    "question.rate": ("answered", "avis {n} oui"),
    "question.dialogue": ("taken", "dialogue {n} ouvrir"),
}
OTHERS: Mapping[str, tuple[str, str]] = {
    "question.see": ("routed", "voir"),
    "question.escalate": ("routed", "signaler"),
    "question.merge": ("routed", "fusionner {n} Q-2026-00002"),
    "question.keep_open": ("answered", "maintenir"),
    "question.keep_note": ("answered", "noter"),
    "figures.see": ("routed", "bilan 2026-03"),
    "report.see": ("routed", "rapport 2025 region-grand-est"),
    "person.erase": ("routed", "effacer agent-a"),
    "directory.overdue": ("routed", "annuaire à confirmer"),
    "room.link": ("routed", "relier consulat-munich"),
    "room.language": ("routed", "langue fr"),
    "rota.keep": ("routed", "permanence du 1/4 au 2/4 agent-a"),
    "digest.keep": ("routed", "digest chaque lundi à 8 h"),
}

Cell: TypeAlias = tuple[Scope, str, bool]
Which: TypeAlias = Callable[[list[Cell]], list[Cell]]
Try: TypeAlias = Callable[["Trial", Scope, Actor], Awaitable[bool]]


class Trial:
    """A question between two rooms, and whoever tries something there."""

    def __init__(self, play: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        self.play = play
        self.rooms = {name: play.link(name) for name in (ASKER, RECIPIENT, ELSEWHERE)}
        self.monkeypatch = monkeypatch
        self.tries = 0

    def run(self, work: Callable[[Session], object]) -> object:
        return self.play.app.database.run_now(work)

    async def begin(self) -> None:
        self.run(people)
        await self.rooms[ASKER].invoke("poser", SAARBRUCKEN)
        await self.rooms[ASKER].invoke("poser", f"{SAARBRUCKEN} Et un second, de Mayence ?")

    def again(self, state: str) -> None:
        """Let the question stand where it stood."""

        def work(session: Session) -> None:
            taken = "Agent" if state == "taken" else None
            nobody = dict.fromkeys(("taken_person", "dialogue", "merged_into"))
            values = {"state": state, "taken_by": taken, "recipient": RECIPIENT, **nobody}
            session.execute(update(Question).values(**values, placed_with=RECIPIENT, text=SAARBRUCKEN))
            session.execute(update(Room).values(organisation=Room.room))
            session.execute(delete(Digest))

        self.run(work)

    def counted(self, what: type[Entry | Move], **columns: str) -> int:
        query = select(func.count()).select_from(what).filter_by(**columns)
        found = self.run(lambda s: s.scalar(query))
        assert isinstance(found, int)
        return found

    async def invoke(self, actor: Actor, typed: str, place: Place) -> bool:
        """Do something as somebody; return whether they may."""
        before = self.counted(Entry, action="refused")
        self.monkeypatch.setattr(bot.dispatch, "identify", lambda *_: actor)
        command, _, line = typed.partition(" ")
        self.tries += 1
        asks = place.room == ASKER and typed.startswith("repondre")
        author = place.user if asks else User("stage", f"account{self.tries}", insider=True)  # not a flood of one
        said = {"id": f"try{self.tries}", "at": self.play.clock(), "author": author, "to": place.to()}
        line = line.replace("{n}", NUMBER) or NUMBER
        await self.play.receive(Invocation(**said, command=command, line=line))  # type: ignore[arg-type]
        return self.counted(Entry, action="refused") == before


def people(session: Session) -> None:
    held = (("agent-a", RECIPIENT, "desk"), ("chef-a", RECIPIENT, "consul"), ("agent-b", ELSEWHERE, "desk"))
    for id_, organisation, role in held:
        session.add(Person(id=id_, given_name="Agent", family_name="Exemple"))
        session.flush()
        start = Clock().at.date() - timedelta(days=400)
        session.add(Posting(person=id_, organisation=organisation, role=role, start=start))


def acting(scope: str, right: str) -> Actor:
    """Return somebody with one right, who stands in one scope to what they try."""
    organisation = WHERE.get(scope, RECIPIENT)
    person = {"own": "agent-a", "organisation": "chef-a", "any": "agent-b"}.get(scope)
    user = User("stage", f"{organisation}/{right}", insider=True)
    return Actor(user, person, None, organisation, frozenset({right}), None, None)
