"""What time does to a question: reminders, the ladder, the end of a silence; not at night, not twice, not after an answer."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from bot import due, relay
from bot.clockwork import reminders
from bot.directory.tables import Closure, Organisation, Person, Posting, Right
from bot.questions import find
from bot.questions.find import by_number
from bot.questions.tables import Move
from tests.stories.conftest import SAARBRUCKEN
from tests.stories.scene import Place, Scene, fields_of
from tests.typed import typed

NUMBER = "Q-2026-00001"
ANSWER = "Réponse attendue"


def change(play: Scene, *rows: object) -> None:
    play.app.database.run_now(lambda session: session.add_all(rows))


def hours(play: Scene, organisation: str, said: str) -> None:
    def work(session: Session) -> None:
        session.get_one(Organisation, organisation).opening_hours = said

    play.app.database.run_now(work)


async def test_each_side_reads_the_deadline_in_its_own_time(prefecture: Place, play: Scene) -> None:
    """The recipient's hours count, its clocks are not the asker's, and both read the same instant."""
    cayenne = play.link("prefecture-973")
    play.link("consulat-francfort", language="en")
    await cayenne.invoke("question", SAARBRUCKEN)
    own = fields_of(cayenne.sees("En attente").card)[ANSWER]
    theirs = next(shown for shown in play.stage.posts.values() if shown.to.room == "consulat-francfort")
    assert own == "avant jeudi 8 h, heure de Cayenne"
    assert fields_of(theirs.card)["Answer expected"] == "before Thursday 12:00, Berlin time"


async def test_reminded_at_half_time_and_at_the_deadline(prefecture: Place, consulate: Place, play: Scene) -> None:
    await prefecture.say(SAARBRUCKEN)
    card = consulate.sees(NUMBER)
    assert fields_of(card.card)[ANSWER] == "avant jeudi 12 h, heure de Berlin"
    await play.at("2026-03-17T17:29")
    consulate.sees_not("attend une réponse")
    await play.at("2026-03-17T17:30")
    reminder = consulate.sees("attend une réponse avant jeudi 12 h")
    assert reminder.to.thread == card.id
    assert reminder.buttons == ["Prendre", "Répondre"]
    await play.at("2026-03-19T12:00")
    consulate.sees_not("en retard")  # it has just closed for lunch
    await play.at("2026-03-19T14:00")
    consulate.sees("est en retard")
    assert typed(fields_of(card.card)[ANSWER]) == "délai dépassé : c’était avant jeudi 12 h, heure de Berlin"
    prefecture.sees("n’a pas répondu dans le délai")
    await play.tick()
    assert consulate.transcript().count("est en retard") == 1


async def test_what_was_reminded_of_tells_what_became_of_it(prefecture: Place, consulate: Place, play: Scene) -> None:
    await prefecture.say(SAARBRUCKEN)
    await play.at("2026-03-17T17:30")
    reminder = consulate.sees("attend une réponse avant")
    await consulate.click(reminder, "Prendre")
    assert reminder.buttons == ["Répondre"]
    assert "Prise par le consulat général de France à Francfort" in reminder.text
    assert fields_of(reminder.card)[ANSWER] == "avant jeudi 12 h, heure de Berlin"
    await play.at("2026-03-19T14:00")
    late = consulate.sees("est en retard")
    await consulate.invoke("repondre", f"{NUMBER} Oui.")
    for shown in (reminder, late):
        assert typed("Répondue jeudi 19 mars à 14 h. Ce message est sans objet depuis") in shown.text
        assert not shown.buttons
    await play.at("2026-03-30T10:00")
    warning = prefecture.sees("elle sera close")
    await prefecture.click(warning, "Garder ouverte")
    assert not warning.buttons
    assert "sera close" not in warning.text
    assert "attend" not in reminder.text


async def test_what_was_reminded_of_is_taken_from_who_has_it_no_more(
    prefecture: Place, consulate: Place, play: Scene
) -> None:
    munich = play.link("consulat-munich")
    await prefecture.say(SAARBRUCKEN)
    await play.at("2026-03-17T17:30")
    reminder = consulate.sees("attend une réponse avant")
    await consulate.invoke("rediriger", f"{NUMBER} consulat-munich")
    assert "a été remise au consulat général de France à Munich" in reminder.text
    assert not reminder.buttons
    await play.at("2026-03-19T14:00")
    assert munich.sees("attend une réponse avant").buttons == ["Prendre", "Répondre"]


@dataclass
class Pause:
    """A place in a transaction where it stops, in its thread, until it may go on."""

    reached: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)

    def after(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **named: Any) -> Any:
            result = work(*arguments, **named)
            self.reached.set()
            assert self.go_on.wait(10)
            return result

        return wrapped

    async def holds_up(self, first: Awaitable[object], second: Callable[[], Awaitable[object]]) -> None:
        """Let the second begin once the first is here, and see that it has to wait for its end."""
        begun = asyncio.ensure_future(first)
        assert await asyncio.to_thread(self.reached.wait, 10)
        then = asyncio.ensure_future(second())
        await asyncio.sleep(0.1)
        assert not then.done()
        self.go_on.set()
        await asyncio.gather(begun, then)


async def test_an_answer_that_came_first_cancels_the_reminder_of_the_same_second(
    prefecture: Place, consulate: Place, play: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tick has found the reminder due, and waits for the transaction of the answer."""
    pause = Pause()
    await prefecture.say(SAARBRUCKEN)
    play.clock.pass_(days=1, hours=4, minutes=30)  # Tuesday, half past five
    monkeypatch.setattr(relay, "answer", pause.after(relay.answer))
    answering = play.receive(consulate.event("repondre", f"{NUMBER} Oui."))
    await pause.holds_up(answering, lambda: play.app.clockwork.tick(play.clock()))
    await play.at("2026-03-25T10:00")
    prefecture.sees("Oui.")
    consulate.sees_not("attend une réponse")
    consulate.sees_not("en retard")


async def test_an_answer_that_came_second_follows_the_reminder_and_is_the_last_word(
    prefecture: Place, consulate: Place, play: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause = Pause()
    await prefecture.say(SAARBRUCKEN)
    play.clock.pass_(days=1, hours=4, minutes=30)
    monkeypatch.setattr(reminders, "say", pause.after(reminders.say))
    answer = consulate.event("repondre", f"{NUMBER} Oui.")
    await pause.holds_up(play.app.clockwork.tick(play.clock()), lambda: play.receive(answer))
    monkeypatch.undo()
    await play.at("2026-03-25T10:00")
    prefecture.sees("Oui.")
    assert consulate.transcript().count("Ce message est sans objet depuis") == 1
    consulate.sees_not("en retard")


async def test_after_an_outage_what_is_late_is_said_once_and_says_so(
    prefecture: Place, consulate: Place, play: Scene
) -> None:
    await prefecture.say(SAARBRUCKEN)
    await play.at("2026-03-21T23:00")  # a Saturday night: the half and the deadline have passed
    consulate.sees_not("en retard")
    await play.at("2026-03-23T11:00")
    shown = consulate.sees("est en retard")
    assert "Ce rappel devait partir lundi 23 mars à 9 h" in shown.text
    consulate.sees_not("attend une réponse avant")
    await play.tick()
    assert consulate.transcript().count("est en retard") == 1


async def test_the_asker_is_told_in_the_morning(prefecture: Place, play: Scene) -> None:
    """Nouméa works while Metz sleeps."""
    hours(play, "prefecture-988", "Mo-Fr 07:30-15:30")
    noumea = play.link("prefecture-988")
    await prefecture.invoke("question", SAARBRUCKEN)
    await prefecture.invoke("rediriger", f"{NUMBER} prefecture-988")
    due_at = play.question().due_at
    assert due_at is not None
    play.clock.at = due_at
    await play.tick()
    noumea.sees("est en retard")
    prefecture.sees_not("n’a pas répondu")
    play.clock.at = due_at + timedelta(hours=8)
    await play.tick()
    prefecture.sees("n’a pas répondu dans le délai")


async def test_the_ladder_is_climbed_step_by_step(prefecture: Place, consulate: Place, play: Scene) -> None:
    change(
        play,
        Person(id="adjointe", given_name="Ada", family_name="Jointe"),
        Person(id="coordonne", given_name="Coco", family_name="Ordonne"),
    )
    change(
        play,
        Posting(person="adjointe", organisation="consulat-francfort", role="deputy", start=date(2026, 1, 1)),
        Posting(person="coordonne", organisation="ministere-cdcs", role="desk", start=date(2026, 1, 1)),
        Right(person="coordonne", right="coordinator"),
    )
    region, coordination = play.link("region-grand-est"), play.link("ministere-cdcs")
    await prefecture.say(SAARBRUCKEN)
    await play.at("2026-03-19T14:00")
    await play.at("2026-03-20T14:00")
    consulate.sees("À l’attention de : Ada Jointe, adjoint")
    await play.at("2026-03-23T14:00")
    consulate.sees("À l’attention de : chef de poste")
    region.sees_not(NUMBER)
    await play.at("2026-03-24T14:00")
    assert "Répondre" in region.sees(NUMBER).buttons
    prefecture.sees("signalée à")
    await play.at("2026-03-26T18:00")
    await play.at("2026-03-27T10:00")
    coordination.sees(NUMBER)
    moves = play.app.database.run_now(lambda s: [m.reason for m in _history(s) if m.kind == "escalate"])
    assert moves == ["deputy", "head", "cdpr", "coordinator"]
    await region.invoke("repondre", f"{NUMBER} Nous répondons.")
    prefecture.sees("Nous répondons.")
    before = consulate.transcript()
    await play.at("2026-04-03T10:00")
    assert consulate.transcript() == before, "nothing is said after an answer"


def _history(session: Session) -> Sequence[Move]:
    question = by_number(session, NUMBER)
    assert question is not None
    return list(find.history(session, question))


async def test_what_is_urgent_does_not_wait_for_the_morning(prefecture: Place, consulate: Place, play: Scene) -> None:
    play.clock.at = datetime(2026, 3, 22, 2, tzinfo=UTC)  # a Sunday night
    await prefecture.say(SAARBRUCKEN)

    def urgent(session: Session) -> None:
        question = by_number(session, NUMBER)
        assert question is not None
        question.urgent, question.due_at = True, None

    play.app.database.run_now(urgent)
    play.clock.pass_(minutes=30)
    await play.tick()
    consulate.sees("attend une réponse avant dimanche 4 h")
    play.clock.pass_(minutes=30)
    await play.tick()
    consulate.sees("est en retard")
    prefecture.sees("n’a pas répondu dans le délai")


async def test_a_silence_is_warned_of_then_ends_and_there_is_a_way_back(
    prefecture: Place, consulate: Place, play: Scene
) -> None:
    await prefecture.say(SAARBRUCKEN)
    await consulate.invoke("repondre", f"{NUMBER} Oui.")
    await play.at("2026-03-26T20:00")
    prefecture.sees_not("sera close")  # at night
    await play.at("2026-03-27T09:30")
    warning = prefecture.sees("sera close")
    assert warning.buttons == ["Garder ouverte", "Clore"]
    await prefecture.click(warning, "Garder ouverte")
    await play.at("2026-04-01T10:00")
    assert play.question().state == "answered"
    await play.at("2026-04-07T10:00")
    await play.at("2026-04-12T10:00")
    assert play.question().state == "answered", "a Sunday"
    await play.at("2026-04-13T10:00")
    assert play.question().state == "closed"
    closed = prefecture.sees("faute de suite")
    assert closed.buttons == ["Rouvrir"]
    await prefecture.click(closed, "Rouvrir")
    assert play.question().state == "routed"
    assert play.question().due_at is not None


async def test_what_is_added_to_an_answer_is_waited_for_again(prefecture: Place, consulate: Place, play: Scene) -> None:
    first = await prefecture.say(SAARBRUCKEN)
    await consulate.invoke("repondre", f"{NUMBER} Oui.")
    await prefecture.say("Merci beaucoup !", mention=False, thread=first)
    consulate.sees("Merci beaucoup")
    assert play.question().state == "answered", "thanks ask nothing"
    play.clock.pass_(days=2)
    await prefecture.say("Et l'acte de son frère ?", mention=False, thread=first)
    assert play.question().state == "taken"
    assert prefecture.sees("Prise par").buttons == [
        "Compléter",
        "Rediriger",
        "Clore",
        "Ouvrir le dialogue",
        "Historique",
    ]
    assert fields_of(prefecture.sees("Prise par").card)[ANSWER] == "avant lundi 12 h, heure de Paris"
    await play.at("2026-03-23T14:00")
    consulate.sees("est en retard")


async def test_nobody_is_turned_to_twice_and_all_are_turned_to_again_another_time(
    prefecture: Place, consulate: Place, play: Scene
) -> None:
    """The region is raised to by hand, so not by the clock; after the question is opened again it is."""
    region = play.link("region-grand-est")
    await prefecture.say(SAARBRUCKEN)
    await prefecture.invoke("signaler", NUMBER)
    region.sees(NUMBER)
    for day in ("19T14:00", "20T14:00", "23T14:00", "24T14:00", "25T14:00"):
        await play.at(f"2026-03-{day}")
    assert len(region.posts) == 1
    await consulate.invoke("repondre", f"{NUMBER} Oui.")
    await prefecture.invoke("rouvrir", NUMBER)
    await prefecture.invoke("signaler", NUMBER)
    again = region.sees("vous est signalée à nouveau")
    assert again.to.thread == region.posts[0].id


async def test_a_word_after_the_warning_keeps_it_open(prefecture: Place, consulate: Place, play: Scene) -> None:
    first = await prefecture.say(SAARBRUCKEN)
    await consulate.invoke("repondre", f"{NUMBER} Oui.")
    await play.at("2026-03-27T09:30")
    prefecture.sees("sera close")
    await prefecture.say("Merci beaucoup !", mention=False, thread=first)
    await play.at("2026-04-02T09:30")
    assert play.question().state == "answered"


async def test_closures_of_the_post_count(prefecture: Place, consulate: Place, play: Scene) -> None:
    change(play, Closure(organisation="consulat-francfort", start=date(2026, 3, 17), end=date(2026, 3, 20)))
    await prefecture.say(SAARBRUCKEN)
    card = consulate.sees(NUMBER)
    assert fields_of(card.card)[ANSWER] == "avant mercredi 25 mars 12 h, heure de Berlin"


async def test_a_thing_that_fails_is_tried_again_and_holds_up_nothing(play: Scene) -> None:
    put = play.app.database.run_now
    put(lambda s: due.put(s, "question", "Q-2026-99999", play.clock()))
    put(lambda s: due.put(s, "unknown", "x", play.clock() - timedelta(hours=1)))
    await play.tick()
    items = put(lambda s: due.found(s, play.clock() + timedelta(hours=1), 9))
    (left,) = [item for item in items if item.kind == "unknown"]
    assert left.tries == 1
    assert left.due_at == play.clock() + timedelta(minutes=1)


@pytest.mark.parametrize("many", [40])
async def test_two_processes_do_each_thing_once(prefecture: Place, consulate: Place, play: Scene, many: int) -> None:
    for _ in range(many // 10):
        await prefecture.invoke("question", SAARBRUCKEN)
    play.clock.pass_(days=1, hours=4, minutes=30)
    await asyncio.gather(*(play.app.clockwork.tick(play.clock()) for _ in range(3)))
    await play.settle()
    assert consulate.transcript().count("attend une réponse avant") == many // 10
