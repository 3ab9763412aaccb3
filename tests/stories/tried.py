"""How each act of the table of rights is tried: by doing it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from bot.agenda import rights as agenda
from bot.agenda.associates import Associate, parts_of
from bot.agenda.seats import Enrolment, Training
from bot.agenda.tables import Event
from bot.directory import scopes
from bot.directory.files import FILES
from bot.directory.identity import Actor
from bot.directory.visibility import level_of
from bot.foureyes import Asked
from bot.questions import queue
from bot.questions.notes import Note
from bot.questions.passages import Passage
from bot.questions.tables import Move, Question
from bot.rights import Scope
from tests.stories.scene import Clock
from tests.stories.trials import ASKER, ELSEWHERE, MOVES, OTHERS, RECIPIENT, WHERE, Trial, Try


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


def _import(action: str) -> Try:
    files = {scopes.act_of(file): file for file in FILES}

    async def attempt(_trial: Trial, scope: Scope, actor: Actor) -> bool:
        allowed = scopes.Scope(level_of(actor), frozenset({RECIPIENT}))
        if action in files:
            return scopes.may_bring(allowed, files[action], own=scope == "organisation")
        return allowed.may(action)

    return attempt


async def _agree(trial: Trial, _scope: Scope, actor: Actor) -> bool:
    def work(session: Session) -> int:
        session.execute(delete(Asked))
        row = Asked(action="directory.import_many", args='{"proposal": 0}', by="chef-a", at=Clock().at)
        session.add(row)
        session.flush()
        return row.id

    return await trial.invoke(actor, f"quatre_yeux {trial.run(work)} oui", trial.rooms[ELSEWHERE])


def tried(action: str) -> Try:
    if action in MOVES:
        return lambda trial, scope, actor: _move(trial, scope, actor, action)
    if action in OTHERS:
        return lambda trial, scope, actor: _other(trial, scope, actor, action)
    if action.startswith("event."):
        return _event(action.partition(".")[2])  # type: ignore[arg-type]
    if action.startswith("import."):
        return _import(action)
    ways: Mapping[str, Try] = {
        "directory.import_many": _agree,
        "note.keep": _note,
        "queue.see": _queue,
        "directory.correct": _correct,
        "training.approve": _approve,
    }
    return ways[action]
