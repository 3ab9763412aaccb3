"""Random people, clicks, clocks and crashes against a model of what a question's life may be.

The model is written by hand, apart from the table it checks. Extend `Life` with rules that move time; its invariants hold
after every step.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.db import Database
from bot.message import Address, Invocation, User
from bot.outbox import Outbox
from bot.posts import Post
from bot.questions import find
from bot.questions.tables import Endpoint, Question
from tests.stories.scene import Clock, Scene, Stage, scene

ASKERS = ("prefecture-57", "prefecture-67")
POSTS = ("consulat-francfort", "consulat-munich")
BESIDE = ("region-grand-est",)
TEXT = "Nous doutons d'un acte de naissance établi à Sarrebruck. Pouvez-vous le vérifier ?"

ASKER, RECIPIENT = "asker", "recipient"
LIFE: dict[str, dict[str, dict[str, str]]] = {  # command → side → state → state
    "prendre": {RECIPIENT: {"routed": "taken"}},
    "rendre": {RECIPIENT: {"taken": "routed"}},
    "repondre": {
        RECIPIENT: dict.fromkeys(("routed", "taken", "answered", "asked_back"), "answered"),
        ASKER: {"routed": "routed", "taken": "taken", "answered": "taken", "asked_back": "taken"},
    },
    "preciser": {RECIPIENT: {"routed": "asked_back", "taken": "asked_back"}},
    "rediriger": {
        RECIPIENT: dict.fromkeys(("asked_back", "routed", "taken", "answered"), "routed"),
        ASKER: dict.fromkeys(("asked_back", "routed", "taken", "answered"), "routed"),
    },
    "clore": {
        RECIPIENT: dict.fromkeys(("asked_back", "routed", "taken", "answered"), "closed"),
        ASKER: dict.fromkeys(("asked_back", "routed", "taken", "answered"), "closed"),
    },
    "annuler": {ASKER: dict.fromkeys(("asked_back", "routed", "taken"), "cancelled")},
    "rouvrir": {
        RECIPIENT: dict.fromkeys(("closed", "answered"), "routed"),
        ASKER: dict.fromkeys(("closed", "answered", "cancelled", "merged"), "routed"),
    },
    "avis": {ASKER: {"answered": "answered", "closed": "closed"}},
}
ARGUMENTS = {"repondre": "Des mots.", "preciser": "De quelle année ?", "avis": "oui"}


class Died(Exception):
    """The process is killed in the middle of a transaction."""


@dataclass
class Model:
    """What a question should be."""

    asker: str
    recipient: str
    state: str = "routed"
    moves: int = 1
    had: set[str] = field(default_factory=set)

    @property
    def rooms(self) -> set[str]:
        """The rooms that anything of it may ever have been said in."""
        return {self.asker, self.recipient, *self.had}


class Life(RuleBasedStateMachine):
    """One bot on one database; `fresh` makes it and returns its address."""

    def fresh(self) -> str:
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.questions: dict[str, Model] = {}
        self.events = 0
        self.last: Invocation | None = None
        self.clock = Clock()
        self.stage = Stage()

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    @initialize()
    def start(self) -> None:
        self.database = Database(self.fresh())
        self.up()
        for organisation in (*ASKERS, *POSTS, *BESIDE):
            self.play.link(organisation)

    def up(self) -> None:
        self.open: AbstractAsyncContextManager[Scene] = scene(self.database, self.clock, stage=self.stage)
        self.play = self.do(self.open.__aenter__())

    def down(self) -> None:
        self.do(self.open.__aexit__(None, None, None))

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.down()
            self.database.close()
        self.loop.close()

    def event(self, room: str, command: str, line: str) -> Invocation:
        self.events += 1
        author = User("stage", f"{room}/agent", insider=True)
        to = Address("stage", room)
        return Invocation(id=f"life{self.events}", at=self.clock(), author=author, to=to, command=command, line=line)

    def send(self, event: Invocation) -> None:
        self.last = event
        self.do(self.play.receive(event))
        self.do(self.play.settle())

    # --- what people do

    @precondition(lambda self: len(self.questions) < 4)
    @rule(asker=st.sampled_from(ASKERS))
    def ask(self, asker: str) -> None:
        self.send(self.event(asker, "poser", TEXT))
        self.questions[f"Q-2026-{len(self.questions) + 1:05d}"] = Model(asker, "consulat-francfort")

    @precondition(lambda self: self.questions)
    @rule(data=st.data(), command=st.sampled_from(sorted(LIFE)), room=st.sampled_from((*ASKERS, *POSTS)))
    def click(self, data: st.DataObject, command: str, room: str) -> None:
        number = data.draw(st.sampled_from(sorted(self.questions)))
        self.send(self.event(room, command, self.line(number, command)))
        self.moved(number, command, room)

    def line(self, number: str, command: str) -> str:
        if command == "rediriger":
            own = self.questions[number].recipient
            return f"{number} {next(post for post in POSTS if post != own)}"
        return f"{number} {ARGUMENTS.get(command, '')}".strip()

    def moved(self, number: str, command: str, room: str) -> None:
        """Let the model follow what somebody in a room did."""
        model = self.questions[number]
        sides = [side for side, own in ((RECIPIENT, model.recipient), (ASKER, model.asker)) if own == room]
        after = next((LIFE[command][side].get(model.state) for side in sides if side in LIFE[command]), None)
        if after is None:
            return
        model.moves += 1
        model.state = after
        if command == "rediriger":
            model.had.add(model.recipient)
            model.recipient = next(post for post in POSTS if post != model.recipient)

    @precondition(lambda self: self.last is not None)
    @rule()
    def redelivered(self) -> None:
        assert self.last is not None
        self.send(self.last)

    @precondition(lambda self: self.questions)
    @rule(data=st.data(), command=st.sampled_from(["prendre", "clore", "rediriger", "annuler"]))
    def killed_and_redelivered(self, data: st.DataObject, command: str) -> None:
        """The process dies within a transaction: nothing of it stays, and the same event is handled when it is back."""
        number = data.draw(st.sampled_from(sorted(self.questions)))
        room = data.draw(st.sampled_from([self.questions[number].asker, self.questions[number].recipient]))
        event = self.event(room, command, self.line(number, command))
        with _dying():
            try:
                self.do(self.play.receive(event))
            except Died:
                pass
        self.down()
        self.up()
        self.send(event)
        self.moved(number, command, room)

    @rule(minutes=st.integers(1, 3000))
    def time_passes(self, minutes: int) -> None:
        self.clock.pass_(minutes=minutes)

    # --- what holds whatever they do

    @invariant()
    def every_question_is_as_the_model_says(self) -> None:
        for number, model in self.questions.items():
            question = self.play.question(number)
            assert (question.state, question.recipient) == (model.state, model.recipient), number

    @invariant()
    def no_question_is_without_an_owner(self) -> None:
        for number in self.questions:
            question = self.play.question(number)
            assert question.asker_organisation
            if question.state in ("routed", "taken", "answered"):
                assert question.placed_with == question.recipient, number
            assert (question.state == "taken") <= (question.taken_by is not None)

    @invariant()
    def its_history_is_complete(self) -> None:
        for number, model in self.questions.items():
            lines = self.database.run_now(lambda s, n=number: find.history(s, find.by_number(s, n)))  # type: ignore[arg-type]
            assert len(lines) == model.moves, number
            assert [line.before for line in lines[1:]] == [line.after for line in lines[:-1]], number
            assert lines[-1].after == model.state

    @invariant()
    def nothing_is_said_in_a_room_that_is_not_its_own(self) -> None:
        if not self.questions:
            return

        def said(session: Session) -> list[tuple[str, str]]:
            rows = session.execute(select(Question.number, Post.room).join(Post, Post.question_id == Question.id))
            ends = session.execute(
                select(Question.number, Endpoint.room).join(Endpoint, Endpoint.question_id == Question.id)
            )
            return [(row[0], row[1]) for row in (*rows, *ends)]

        for number, room in self.database.run_now(said):
            assert room in self.questions[number].rooms, (number, room)


class _dying:  # noqa: N801 - it reads as what happens
    """Within it, whatever would be said ends the process."""

    def __enter__(self) -> None:
        self.put, self.edit = Outbox.put, Outbox.edit

        def die(*_args: object, **_more: object) -> Any:
            raise Died

        Outbox.put = Outbox.edit = die  # type: ignore[method-assign,assignment]

    def __exit__(self, *_: object) -> None:
        Outbox.put, Outbox.edit = self.put, self.edit  # type: ignore[method-assign]
