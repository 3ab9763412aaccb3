"""Random people, clicks, clocks and crashes against a model of what a question's life may be.

The process dies in the middle of transactions, a person's or the clock's, and comes back on the same database and the
same stage. Time passes tick by tick, or in an outage with one tick at its end. Invariants hold after every step.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import schedule
from bot.db import Database
from bot.directory import identity
from bot.directory.tables import Person, Posting
from bot.due import Due
from bot.message import Address, Invocation, User
from bot.outbox import Outbox
from bot.posts import Post
from bot.questions import find, moves
from bot.questions.tables import Endpoint, Move, Question
from bot.worktime.holidays import Place as Holidays
from tests.stories.life_model import ARGUMENTS, ASKERS, LIFE, OPEN, POSTS, REGION, WAITED, Model
from tests.stories.scene import Clock, Scene, Stage, named_by_account, scene
from tests.typed import typed

TEXT = "Nous doutons d'un acte de naissance établi à Sarrebruck. Pouvez-vous le vérifier ?"
PEOPLE = ("premier", "second")  # of the first post; everybody else is known by their room alone
LADDER = 6  # steps of the clock in all: two reminders, four of the ladder
BERLIN = ZoneInfo("Europe/Berlin")
REDELIVERED = timedelta(days=7)  # platforms deliver again for hours, receipts are kept for weeks
LONGEST = timedelta(days=1, hours=12)  # of an absence that is not noticed: a night and a Sunday


class Died(BaseException):
    """The process is killed in the middle of a transaction."""


class Life(RuleBasedStateMachine):
    """One bot on one database; `fresh` makes it and returns its address."""

    def fresh(self) -> str:
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.questions: dict[str, Model] = {}
        self.away: dict[str, tuple[date, date]] = {}
        self.events = 0
        self.heard = 0
        self.last: Invocation | None = None
        self.clock = Clock()
        self.stage = Stage()
        self.own = (schedule.run, identity.person_of)

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    @initialize()
    def start(self) -> None:
        schedule.run = _by_hand  # type: ignore[assignment]
        identity.person_of = named_by_account  # type: ignore[assignment]
        self.database = Database(self.fresh())
        self.up()
        for organisation in (*ASKERS, *POSTS, REGION):
            self.play.link(organisation)

        def people(session: Session) -> None:
            for name in PEOPLE:
                session.add(Person(id=name, given_name=name.title(), family_name="Exemple"))
            session.flush()
            session.add_all(
                Posting(person=n, organisation=POSTS[0], role="desk", start=date(2026, 1, 1)) for n in PEOPLE
            )

        self.database.run_now(people)

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
        schedule.run, identity.person_of = self.own

    def event(self, room: str, command: str, line: str, account: str = "agent") -> Invocation:
        self.events += 1
        self.clock.pass_(seconds=1)
        author = User("stage", f"{room}/{account}", insider=True)
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
        self.questions[f"Q-2026-{len(self.questions) + 1:05d}"] = Model(asker, "consulat-francfort", self.clock())

    @precondition(lambda self: self.questions)
    @rule(
        data=st.data(),
        command=st.sampled_from(sorted(LIFE)),
        room=st.sampled_from((*ASKERS, *POSTS, REGION)),
        account=st.sampled_from(("agent", *PEOPLE)),
    )
    def click(self, data: st.DataObject, command: str, room: str, account: str) -> None:
        number = data.draw(st.sampled_from(sorted(self.questions)))
        self.send(self.event(room, command, self.line(number, command), account if room == POSTS[0] else "agent"))
        self.moved(number, command, room)

    def line(self, number: str, command: str) -> str:
        return f"{number} {self.onwards(number) if command == 'rediriger' else ARGUMENTS.get(command, '')}".strip()

    def onwards(self, number: str) -> str:
        return next(post for post in POSTS if post != self.questions[number].recipient)

    def moved(self, number: str, command: str, room: str) -> None:
        """Let the model follow what somebody in a room did."""
        self.questions[number].does(command, room, self.clock(), self.onwards(number))

    @precondition(lambda self: self.last is not None and self.clock() - self.last.at < REDELIVERED)
    @rule()
    def redelivered(self) -> None:
        assert self.last is not None
        self.send(self.last)

    @rule(person=st.sampled_from(PEOPLE), days=st.integers(0, 20), covered=st.booleans())
    def goes_away(self, person: str, days: int, covered: bool) -> None:
        if person in self.away:
            return
        event = self.event(POSTS[0], "absence", "", person)
        start, end = event.at.date(), event.at.date() + timedelta(days=days)
        other = next(it for it in PEOPLE if it != person)
        stand_in = f" {other}" if covered and other not in self.away else ""
        self.send(_said(event, f"du {start} au {end}{stand_in}"))
        self.away[person] = (start, end)

    @precondition(lambda self: self.away)
    @rule(data=st.data())
    def comes_back(self, data: st.DataObject) -> None:
        person = data.draw(st.sampled_from(sorted(self.away)))
        self.send(self.event(POSTS[0], "absence", "retour", person))
        del self.away[person]

    # --- what time does

    @rule(hours=st.integers(1, 60))
    def time_passes(self, hours: int) -> None:
        for _ in range(0, hours, 3):
            self.clock.pass_(hours=3)
            self.tick()

    @rule(days=st.integers(1, 15))
    def outage(self, days: int) -> None:
        """Nobody ticks for days: what is due since is done at once, and once."""
        self.clock.pass_(days=days, minutes=7)
        self.tick()

    def tick(self) -> None:
        self.do(self.play.tick())
        self.followed()

    def followed(self) -> None:
        """Let the model follow what the clock did and said."""
        now = self.clock()
        for room, key in self.stage.sent[self.heard :]:
            number = next((number for number in self.questions if number in key), None)
            shown = next(p for p in self.stage.posts.values() if p.key == key)
            if number is not None and key.startswith("due/"):
                self.questions[number].hears(typed(shown.text), room, now)
        self.heard = len(self.stage.sent)
        for number, model in self.questions.items():
            for line in self.lines(number)[model.moves :]:
                assert (line.account, line.organisation) == (None, None), f"{number}: {line.kind}"
                taken = self.lines(number)[: model.moves]
                by = next((it.person for it in reversed(taken) if it.kind in ("take", "answer", "ask_back")), None)
                away = by in self.away and self.away[by][0] <= line.at.date()
                model.takes_time(line.kind, line.towards, line.at, self.play.question(number).due_at, away)

    # --- how the process dies

    @precondition(lambda self: self.questions)
    @rule(data=st.data(), command=st.sampled_from(["prendre", "clore", "rediriger", "annuler", "repondre"]))
    def killed_and_redelivered(self, data: st.DataObject, command: str) -> None:
        """The process dies within a transaction: nothing of it stays, and the same event is handled when it is back."""
        number = data.draw(st.sampled_from(sorted(self.questions)))
        room = data.draw(st.sampled_from([self.questions[number].asker, self.questions[number].recipient]))
        event = self.event(room, command, self.line(number, command))
        self.die(self.play.receive(event))
        self.send(event)
        self.moved(number, command, room)

    @rule(hours=st.integers(1, 200))
    def killed_while_it_ticks(self, hours: int) -> None:
        self.clock.pass_(hours=hours)
        self.die(self.play.app.clockwork.tick(self.clock()))
        self.tick()

    def die(self, work: Coroutine[Any, Any, Any]) -> None:
        with _dying():
            try:
                self.do(work)
            except Died:
                pass
        self.down()
        self.up()

    # --- what holds whatever happens

    def lines(self, number: str) -> list[Move]:
        return self.database.run_now(lambda s: find.history(s, find.by_number(s, number)))  # type: ignore[arg-type]

    @invariant()
    def every_question_is_as_the_model_says(self) -> None:
        for number, model in self.questions.items():
            question = self.play.question(number)
            assert (question.state, question.recipient) == (model.state, model.recipient), number

    @invariant()
    def no_question_is_without_an_owner_and_a_clock(self) -> None:
        for number, model in self.questions.items():
            question = self.play.question(number)
            assert question.asker_organisation
            assert (question.state == "taken") <= (question.taken_by is not None)
            if model.state not in OPEN:
                continue
            assert question.placed_with == question.recipient, number
            assert (question.due_at is not None) == (model.state in (*WAITED, "answered")), number
            ticking = self.database.run_now(lambda s, n=number: s.get(Due, (moves.CLOCK, n)) is not None)
            assert ticking or (model.state in WAITED and question.steps == LADDER), f"{number} is forgotten"

    @invariant()
    def nobody_who_is_away_too_long_has_a_question(self) -> None:
        """Seen while the post is open, after the tick that follows its opening."""
        now = self.clock().astimezone(BERLIN)
        if now.weekday() > 4 or Holidays("DE", "HE").is_holiday(now.date()) or not self.questions:
            return
        for number, model in self.questions.items():
            question = self.play.question(number)
            start, end = self.away.get(question.taken_person or "", (date.max, date.max))
            if model.state == "taken" and question.due_at is not None and start <= now.date() <= end:
                late = end >= question.due_at.astimezone(BERLIN).date()
                looked = self.database.run_now(lambda s, p=question.taken_person: s.get(Due, ("person", p)))
                assert not late or (looked is not None and looked.due_at - self.clock() <= LONGEST), number

    @invariant()
    def its_history_is_complete(self) -> None:
        for number, model in self.questions.items():
            lines = self.lines(number)
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


def _said(event: Invocation, line: str) -> Invocation:
    return replace(event, line=line)


async def _by_hand(*_: object) -> None:
    """Ticks are the machine's to give."""
    await asyncio.Event().wait()


class _dying:  # noqa: N801 - it reads as what happens
    """Within it, whatever would be said ends the process."""

    def __enter__(self) -> None:
        self.put, self.edit = Outbox.put, Outbox.edit

        def die(*_args: object, **_more: object) -> Any:
            raise Died

        Outbox.put = Outbox.edit = die  # type: ignore[method-assign,assignment]

    def __exit__(self, *_: object) -> None:
        Outbox.put, Outbox.edit = self.put, self.edit  # type: ignore[method-assign]
