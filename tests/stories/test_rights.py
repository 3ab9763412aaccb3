"""Every cell of the table of rights, as its page says it, by doing it: who may does; who may not is told, and audited."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TypeAlias

import pytest
import pytest_asyncio
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

import bot.dispatch
from bot.agenda import rights as agenda
from bot.agenda.associates import Associate, parts_of
from bot.agenda.tables import Event
from bot.agenda.training import Enrolment, Training
from bot.audit.tables import Content, Entry
from bot.db import Database
from bot.digests.tables import Digest
from bot.directory import identity
from bot.directory import rights as grants
from bot.directory.identity import Actor
from bot.directory.tables import Person, Posting, Room
from bot.directory.visibility import FIELDS, Owned, sees
from bot.message import Invocation, User
from bot.questions import queue
from bot.questions.notes import Note
from bot.questions.passages import Passage
from bot.questions.tables import Move, Question
from bot.rights import RIGHTS, TABLE, Scope, may
from scripts.rights_table import PAGE, page
from tests.stories.conftest import SAARBRUCKEN
from tests.stories.scene import Clock, Place, Scene, scene

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
            values = {
                "state": state,
                "taken_by": taken,
                "taken_person": None,
                "dialogue": None,
                "recipient": RECIPIENT,
                "merged_into": None,
            }
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


async def _move(trial: Trial, scope: Scope, actor: Actor, action: str) -> bool:
    state, typed = MOVES[action]
    trial.again(state)
    kind = action.partition(".")[2]
    before = trial.counted(Move, kind=kind)
    allowed = await trial.invoke(actor, typed, trial.rooms[WHERE.get(scope, RECIPIENT)])
    assert (trial.counted(Move, kind=kind) > before) == allowed, "what is refused is not done, what is allowed is"
    return allowed


async def _other(trial: Trial, scope: Scope, actor: Actor, action: str) -> bool:
    state, typed = OTHERS[action]
    trial.again(state)
    place = trial.rooms[WHERE.get(scope, RECIPIENT)]
    if action == "figures.see" and scope == "any":
        actor = replace(actor, organisation=None)  # of no organisation: of all, or of none
    if action == "rota.keep" and scope == "any":
        actor, place = replace(actor, organisation=RECIPIENT), trial.rooms[RECIPIENT]  # without an office there
    if action in ("room.language", "digest.keep") and scope == "any":
        place = trial.rooms[ASKER]  # somebody else's room
    return await trial.invoke(actor, typed, place)


async def _note(trial: Trial, _scope: Scope, actor: Actor) -> bool:
    def work(session: Session) -> int:
        session.execute(delete(Note))
        question = session.scalars(select(Question)).first()
        assert question is not None
        passage = Passage(question_id=question.id, side="recipient", text="Oui.", at=Clock().at)
        session.add(passage)
        session.flush()
        day = Clock().at.date() + timedelta(days=9)
        values = {"about": "a", "text": "b", "kept_at": Clock().at, "until": day}
        note = Note(question_id=question.id, passage=passage.id, owner=RECIPIENT, **values)
        session.add(note)
        session.flush()
        return note.id

    number = trial.run(work)
    allowed = await trial.invoke(actor, f"retirer {number}", trial.rooms[RECIPIENT])
    left = trial.run(lambda s: s.scalar(select(func.count()).select_from(Note)))
    assert (left == 0) == allowed
    return allowed


async def _queue(trial: Trial, scope: Scope, actor: Actor) -> bool:
    trial.again("routed")
    if not await trial.invoke(actor, "demandes tous", trial.rooms[RECIPIENT]):
        return False
    found = trial.run(lambda s: queue.page(s, actor, "nobody's", "all", Clock().at).count)
    if scope == "own":  # theirs wherever it lies
        account = f"{ASKER}/agent"
        found = trial.run(lambda s: queue.page(s, actor, account, "mine", Clock().at).count)
    return bool(found)


async def _correct(trial: Trial, _scope: Scope, actor: Actor) -> bool:
    return await trial.invoke(actor, "confirmer agent-a", trial.rooms[RECIPIENT])


async def _approve(trial: Trial, _scope: Scope, actor: Actor) -> bool:
    def work(session: Session) -> int:
        session.execute(delete(Enrolment))
        session.execute(delete(Training))
        event = _session(RECIPIENT, kind="training", uid=f"session-{trial.tries}", person=None, visibility="all")
        session.add(event)
        session.flush()
        session.add(Training(event=event.id, approval=True))
        asked = {"person": "agent-a", "organisation": RECIPIENT, "state": "asked", "place": 1, "at": Clock().at}
        session.add(Enrolment(event=event.id, **asked))
        return event.id

    event = trial.run(work)
    allowed = await trial.invoke(actor, f"formation accord E-{event} agent-a", trial.rooms[RECIPIENT])
    assert (trial.run(lambda s: s.scalar(select(Enrolment.state))) == "seat") == allowed
    return allowed


def _session(organiser: str, **columns: str | None) -> Event:
    starts = Clock().at + timedelta(days=20)
    values: dict[str, str | None] = {"kind": "commission", "visibility": "own", "person": "chef-b", **columns}
    return Event(
        title="Commission", organisers=organiser, starts=starts, ends=starts, zone="Europe/Paris", state="confirmed",
        place="", note="", countries="", territories="", bodies="", links="", whole_days=False,
        created_at=Clock().at, changed_at=Clock().at, **values,
    )  # fmt: skip


def _event(act: agenda.Act) -> Try:
    async def attempt(_trial: Trial, scope: Scope, actor: Actor) -> bool:
        event = _session(
            RECIPIENT if scope == "organisation" else "region-corse",
            visibility="all" if scope == "seen" else "own",
            person="agent-a" if scope == "own" else "chef-b",
        )
        parts = [Associate(organisation=RECIPIENT, part=scope, released=False)]
        return agenda.may(actor, act, None if act.startswith("add") else event, parts_of(actor, parts))

    return attempt


def tried(action: str) -> Try:
    if action in MOVES:
        return lambda trial, scope, actor: _move(trial, scope, actor, action)
    if action in OTHERS:
        return lambda trial, scope, actor: _other(trial, scope, actor, action)
    if action.startswith("event."):
        return _event(action.partition(".")[2])  # type: ignore[arg-type]
    ways: Mapping[str, Try] = {
        "note.keep": _note,
        "queue.see": _queue,
        "directory.correct": _correct,
        "training.approve": _approve,
    }
    return ways[action]


def cells(action: str) -> list[Cell]:
    """Return the cells of an act, as the page shows them."""
    found: list[Cell] = []
    for line in PAGE.read_text("utf-8").splitlines():
        columns = [column.strip() for column in line.strip("|").split("|")]
        if columns[0] == action:
            _, scope, *marks = columns
            found += [(scope, right, mark == "✓") for right, mark in zip(RIGHTS, marks, strict=True)]  # type: ignore[misc]
    return found


def every(found: list[Cell]) -> list[Cell]:
    return found


def borders(found: list[Cell]) -> list[Cell]:
    """Keep, of each scope, the least right that may and the greatest that may not: the others lie beyond these."""
    kept: dict[tuple[Scope, bool], Cell] = {}
    for scope, right, allowed in found:
        if not allowed or (scope, True) not in kept:
            kept[scope, allowed] = (scope, right, allowed)
    return list(kept.values())


WHICH = [borders, pytest.param(every, marks=pytest.mark.proof)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def trial(new_url: Callable[[str], str]) -> AsyncIterator[Trial]:
    database = Database(new_url("sqlite"))
    with pytest.MonkeyPatch.context() as monkeypatch:
        async with scene(database) as play:
            made = Trial(play, monkeypatch)
            await made.begin()
            yield made
    database.close()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("which", WHICH)
@pytest.mark.parametrize("action", TABLE)
async def test_each_cell_by_doing_it(trial: Trial, action: str, which: Which, subtests: pytest.Subtests) -> None:
    assert cells(action)
    for scope, right, allowed in which(cells(action)):
        with subtests.test(scope=scope, right=right):
            assert await tried(action)(trial, scope, acting(scope, right)) == allowed


def test_the_page_is_what_the_code_says() -> None:
    assert page() == PAGE.read_text("utf-8"), "run `make rights`"


def test_what_is_not_in_the_table_is_denied() -> None:
    assert not may(set(RIGHTS), "question.burn", "own", "asker", "recipient")
    assert not may(set(), "event.see", "seen")
    assert not may({"administrator"}, "note.keep")  # not theirs, and no scope says `any`


def test_every_move_that_people_make_has_its_row() -> None:
    from bot.questions.moves import TABLE as LIFE

    for rule in LIFE:
        if rule.who != "clock":
            assert rule.who in TABLE[f"question.{rule.kind}"], rule


@pytest.mark.parametrize("kind", ["organisation", "person"])
def test_each_field_as_the_page_shows_it(kind: str) -> None:
    shown = {name: marks for name, *marks in _rows() if name.startswith(f"{kind}.") and len(marks) == len(RIGHTS)}
    assert set(shown) == {f"{kind}.{field}" for field in FIELDS[kind]}
    for name, marks in shown.items():
        for right, mark in zip(RIGHTS, marks, strict=True):
            actor = acting("any", right)
            row = Owned(kind, "all", {"somebody"})
            assert sees(actor, row, name.partition(".")[2]) == (mark == "✓"), (name, right)
            assert not sees(None, row, name.partition(".")[2])


def _rows() -> list[list[str]]:
    return [[c.strip() for c in line.strip("|").split("|")] for line in PAGE.read_text("utf-8").splitlines()]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("which", WHICH)
async def test_each_command_is_heard_from_its_right_on(trial: Trial, which: Which, subtests: pytest.Subtests) -> None:
    rows = {name: marks for name, *marks in _rows() if name in trial.play.app.world.commands and len(marks) == 5}
    assert set(rows) == {command.name for command in trial.play.app.world.commands.values()}
    for name, marks in rows.items():
        unheard = select(func.count()).where(Content.content.contains(f'"use {name}"'))
        for _, right, heard in which([("any", right, mark == "✓") for right, mark in zip(RIGHTS, marks, strict=True)]):
            with subtests.test(command=name, right=right):
                before = trial.run(lambda s, q=unheard: s.scalar(q))
                await trial.invoke(acting("any", right), f"{name} ", trial.rooms[ELSEWHERE])
                assert (trial.run(lambda s, q=unheard: s.scalar(q)) == before) == heard


async def test_a_grant_holds_from_the_next_command_on(play: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    consulate = play.link("consulat-francfort")
    play.app.database.run_now(people)
    agent = consulate.as_("agent")
    monkeypatch.setattr(identity, "person_of", lambda s, _: s.get(Person, "agent-a"))
    await agent.invoke("annuaire", "à confirmer")
    consulate.sees("coordinat")
    play.app.database.run_now(lambda s: grants.grant(s, "agent-a", "coordinator"))
    await agent.invoke("annuaire", "à confirmer")
    consulate.sees("à confirmer")
    play.app.database.run_now(lambda s: grants.revoke(s, "agent-a", "coordinator"))
    before = len(consulate.posts)
    await agent.invoke("annuaire", "à confirmer")
    assert "coordinat" in consulate.posts[before].text
