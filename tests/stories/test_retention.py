"""What is over is forgotten after its period, and no day before; figures, moves and the audit's chain stay."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from bot import jobs, receipts
from bot.agenda.associates import Associate, Visit
from bot.agenda.crossings import Crossing
from bot.agenda.seats import Enrolment
from bot.agenda.tables import Event, Participation
from bot.audit import chain
from bot.audit.recording import record
from bot.audit.tables import Content, Entry
from bot.db import Base
from bot.directory.history import Change
from bot.directory.proposals import Proposal
from bot.directory.tables import Absence, Duty, LinkTry, Person, Posting
from bot.errors import ConfigurationError
from bot.jobs.tables import Job
from bot.life import tick
from bot.message import Address, Message, User
from bot.opening import CONFIG
from bot.posts import Post
from bot.privacy import retention
from bot.questions.figures import count, facts
from bot.questions.passages import Passage
from bot.questions.tables import Move, Question
from bot.receipts import Receipt
from tests.stories.conftest import SAARBRUCKEN
from tests.stories.scene import Place, Scene

PERIODS = retention.load(CONFIG / "retention.toml")


def rows(play: Scene, table: type[Base]) -> int:
    return play.app.database.run_now(lambda s: s.scalar(select(func.count()).select_from(table)) or 0)


async def after(play: Scene, kind: str, **more: float) -> None:
    """Let a kind's period pass, and the nights in it."""
    play.clock.at += PERIODS[kind].kept + timedelta(**more)
    await tick(play.app)
    await play.settle()


async def test_the_words_of_a_question_go_and_its_figures_stay(
    play: Scene, prefecture: Place, consulate: Place
) -> None:
    await prefecture.say(SAARBRUCKEN)
    card = consulate.sees("Q-2026-00001")
    await consulate.click(card, "Prendre")
    await consulate.invoke("repondre", "Q-2026-00001 Il est authentique.")
    await prefecture.invoke("clore", "Q-2026-00001")
    await prefecture.say("Une autre : une naissance à Sarrebruck est-elle établie ?")  # stays open
    database, day = play.app.database, play.clock().date()

    def figures() -> object:
        directory = play.app.world.current
        return database.run_now(
            lambda s: count(facts(s, directory.get(s), day, day, play.clock(), zone="Europe/Paris"))
        )

    before, moves = figures(), rows(play, Move)
    database.run_now(lambda s: s.execute(update(Question).where(Question.id == 2).values(counted_from=None)))
    await after(play, "questions", days=-1)
    assert play.question().text == SAARBRUCKEN
    await after(play, "links", days=1)
    question = play.question()
    assert (question.text, question.asker_account, question.taken_by) == ("", "", None)
    assert rows(play, Passage) == 0
    assert rows(play, Move) >= moves
    found = database.run_now(lambda s: s.scalars(select(Post.question_id)).all())
    assert 1 not in found
    later = figures()
    assert (later.asked, later.answered, later.to_answer) == (  # type: ignore[attr-defined]
        before.asked,  # type: ignore[attr-defined]
        before.answered,  # type: ignore[attr-defined]
        before.to_answer,  # type: ignore[attr-defined]
    )
    await prefecture.invoke("rouvrir", "Q-2026-00001")
    prefecture.sees("retir")
    chain.seal_all(database)
    assert database.reading(chain.verify).fault is None


def put_old(session: Session, at: datetime) -> None:
    """Put one thing of each kind that ended at an instant."""
    day = at.date()
    session.add_all(
        [
            Person(id="parti", given_name="Parti", family_name="Exemple"),
            Person(id="reste", given_name="Resté", family_name="Exemple"),
        ]
    )
    session.flush()
    session.add_all(
        [
            Posting(person="parti", organisation="prefecture-57", role="desk", start=day, end=day),
            Posting(person="reste", organisation="prefecture-57", role="desk", start=day),
            Absence(person="reste", start=day, end=day),
            Duty(person="reste", organisation="prefecture-57", start=day, end=day),
            LinkTry(platform="stage", account="x", at=at),
            Change(at=at, file="people.csv", row="reste", before=None, after="{}", via="card"),
        ]
    )
    put_agenda(session, at)
    waits = Proposal(person="reste", account="x", place="{}", files="[]", scope="[]", state="dropped", at=at)
    session.add_all([waits, Proposal(person="reste", account="y", place="{}", files="[]", scope="[]", at=at)])
    author = User("stage", "x")
    said = Message(id="e0", at=at, author=author, to=Address("stage", "r"), message_id="m0", text="mots")
    receipts.fail(session, said, at, "oops")
    receipts.record(session, replace(said, id="e1"), at)
    jobs.put(session, "say", {}, lane="stage:r", queue="elsewhere", key="failed", now=at)
    jobs.write(session)
    session.execute(update(Job).where(Job.key == "failed").values(state="failed", done_at=at))
    record(session, at, "test.act", actor="operator", content={"number": 1})


def put_agenda(session: Session, at: datetime) -> None:
    """Put events that ended at an instant, and one that ends never, with all that depends on them."""
    for uid, ends in (("past", at), ("future", at + timedelta(days=9_999))):
        event = Event(
            uid=uid, kind="visit", title="Parti Exemple : consul, Consulat", starts=at, ends=ends, zone="Europe/Paris",
            state="confirmed", person="reste", account="stage:x", created_at=at, changed_at=at,
        )  # fmt: skip
        session.add(event)
        session.flush()
        participant = {"event": event.id, "who": "reste", "person": "reste", "answer": "yes", "at": at}
        session.add_all(
            [
                Participation(**participant),
                Enrolment(event=event.id, person="reste", place=1, state="seat", at=at),
                Visit(event=event.id, starts=at, due_at=at),
                Associate(event=event.id, organisation="prefecture-57", part="asked", text="mots", person="reste"),
                Crossing(event=event.id, person="reste", organisation="consulat-munich", role="consul"),
            ]
        )


PAST = select(Event.id).where(Event.uid == "past").scalar_subquery()
KEPT: Mapping[str, tuple[ColumnElement[bool], ...]] = {  # what `put_old` put, by kind
    "links": (LinkTry.account == "x",),
    "deliveries": (Receipt.event_id == "e1",),
    "failures": (Receipt.event_id == "e0", Job.key == "failed"),
    "absences": (Absence.person == "reste", Duty.person == "reste"),
    "participations": (Participation.event == PAST, (Event.uid == "past") & (Event.person == "reste")),
    "enrolments": (Enrolment.event == PAST,),
    "contributions": (Associate.event == PAST, Visit.event == PAST),
    "crossings": (Crossing.event == PAST, (Event.uid == "past") & Event.title.contains("Parti")),
    "proposals": (Proposal.account == "x",),
    "history": (Change.via == "card",),
    "left": (Person.id == "parti",),
    "audit": (Content.content == '{"number":1}',),
}


def left(play: Scene, kind: str) -> list[int]:
    return [play.app.database.run_now(lambda s, w=w: s.scalar(select(func.count()).where(w)) or 0) for w in KEPT[kind]]


def still_under_way(session: Session) -> set[int]:
    """Count what hangs on an event that is to come, by table, and proposals that are not over."""
    future = select(Event.id).where(Event.uid == "future").scalar_subquery()
    counts = [
        session.scalar(select(func.count()).select_from(table).where(table.event == future))
        for table in (Participation, Enrolment, Visit, Associate, Crossing)
    ]
    counts.append(session.scalar(select(func.count()).where(Event.uid == "future", Event.person == "reste")))
    counts.append(session.scalar(select(func.count()).where(Proposal.account == "y")))
    return {count or 0 for count in counts}


@pytest.mark.parametrize("kind", KEPT)
async def test_each_kind_after_its_period(play: Scene, kind: str) -> None:
    play.app.database.run_now(lambda s: put_old(s, play.clock()))
    await after(play, kind, days=-1)
    assert set(left(play, kind)) == {1}, "no day before"
    play.clock.pass_(days=2, hours=1)
    await tick(play.app)
    assert set(left(play, kind)) == {0}
    assert play.app.database.run_now(lambda s: s.get(Person, "reste")) is not None
    assert play.app.database.run_now(still_under_way) == {1}, "what is not over is kept"
    assert play.app.database.run_now(lambda s: s.scalar(select(func.count()).where(Entry.action == "test.act"))) == 1


@pytest.mark.parametrize(
    "text",
    ["[questions]\ndays = 0\nwhy = 'x'", "[somethings]\ndays = 3\nwhy = 'x'", "[links]\ndays = 3"],
)
def test_a_wrong_period_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "retention.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=r"retention\.toml: .*expected days"):
        retention.load(tmp_path / "retention.toml")


def test_every_period_says_by_which_right() -> None:
    assert all("RGPD" in period.why or "CNIL" in period.why for period in PERIODS.values())
    assert PERIODS["deliveries"].kept >= timedelta(days=30), "longer than any platform delivers an event again"
