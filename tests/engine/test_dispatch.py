"""What is answered to whom and where: forms, errors, private words, strangers, events that must wait or come again."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import jobs, receipts, turns
from bot.card import Card, Errors, Form, to_text
from bot.connections import add
from bot.db import Database
from bot.directory import rights, rooms
from bot.directory.tables import Person, Posting
from bot.errors import NotYet, Unavailable
from bot.memory import PlatformMemory
from bot.message import Address, Invocation, Message, Reaction, RoomChange, User
from bot.receipts import Receipt
from tests.engine.conftest import NOON
from tests.stories.conftest import SAARBRUCKEN
from tests.stories.scene import Place, Scene, Stage
from tests.typed import typed

ROOM = Address("matrix", "!r:h")


@pytest.fixture
def matrix(play: Scene) -> Stage:
    """A platform where what is private goes to a direct room: a room linked to a prefecture, and a person."""
    stage = Stage(name="matrix")
    add(play.app, stage, {"matrix"})

    def work(session: Session) -> None:
        session.add(Person(id="agent-a", given_name="Agent", family_name="Exemple", matrix_id="@a:h", language="en"))
        session.flush()
        session.add(Posting(person="agent-a", organisation="prefecture-57", role="desk", start=NOON.date()))
        rooms.link(session, "prefecture-57", "matrix", "!r:h", NOON)

    play.app.database.run_now(work)
    play.app.worker.wake()
    return stage


def message(play: Scene, text: str, *, author: str = "@a:h", to: Address = ROOM) -> Message:
    n = next(play.numbers)
    user = User("matrix", author, insider=True)
    return Message(id=f"x{n}", at=play.clock(), author=user, to=to, message_id=f"u{n}", text=text, mentions_bot=True)


async def said(play: Scene, event: Message) -> None:
    await play.receive(event)
    await play.settle()


def outcomes(play: Scene) -> list[str]:
    return list(play.app.database.run_now(lambda s: s.scalars(select(Receipt.outcome).order_by(Receipt.id)).all()))


# --- in private


async def test_what_is_private_goes_to_the_person_and_the_room_is_told_so(play: Scene, matrix: Stage) -> None:
    await said(play, message(play, "demandes"))
    private, pointer = matrix.posts.values()
    assert (private.to.audience, private.to.room) == (User("matrix", "@a:h"), "!r:h")
    assert private.text == "No question under way.", "in the person's own language"
    assert (pointer.to.audience, pointer.text) == (None, "Je vous réponds en privé.")


@pytest.mark.parametrize("by", ["number", "reaction"])
async def test_the_numbers_of_what_is_private_press_in_the_direct_room(play: Scene, matrix: Stage, by: str) -> None:
    async def direct_room(to: Address) -> str:
        assert to.audience is not None
        return f"!direct-{to.audience.id}"

    matrix.direct_room = direct_room  # type: ignore[attr-defined] -- a platform with rooms of two
    await said(play, message(play, "annuaire consulat munch"))
    shown = next(p for p in matrix.posts.values() if p.to.audience is not None)
    assert shown.buttons
    direct = Address("matrix", "!direct-@a:h", surface="direct")
    if by == "number":
        await said(play, message(play, "1", to=direct))
    else:
        user = User("matrix", "@a:h", insider=True)
        await play.receive(Reaction(id="r1", at=NOON, author=user, to=direct, message_id=shown.id, emoji="1️⃣"))
        await play.settle()
    answer = list(matrix.posts.values())[-1]
    assert "no button" not in answer.text
    assert answer.to.room == direct.room
    assert "failed" not in outcomes(play)


async def test_who_cannot_be_reached_in_private_is_answered_in_the_thread(play: Scene, matrix: Stage) -> None:
    event = message(play, "demandes", author="@nobody:h")
    await said(play, event)
    [answer] = matrix.posts.values()
    assert (answer.to.audience, answer.to.thread) == (None, event.message_id)
    assert answer.text == "Aucune question en cours."


async def test_deadlines_count_from_when_we_received_it_whatever_the_senders_clock_says(
    play: Scene, matrix: Stage
) -> None:
    now = play.clock()
    for ahead in (-30, 30):
        await said(play, replace(message(play, SAARBRUCKEN), at=now + timedelta(days=ahead)))
    past, future = play.question(), play.question("Q-2026-00002")
    assert past.due_at == future.due_at
    assert past.due_at is not None
    assert {it.asked_at - now < timedelta(minutes=1) for it in (past, future)} == {True}
    assert now < past.due_at < now + timedelta(days=14)


async def test_in_a_direct_room_nothing_needs_pointing_at(play: Scene, matrix: Stage) -> None:
    await said(play, message(play, "demandes", to=Address("matrix", "!dm:h", surface="direct")))
    [answer] = matrix.posts.values()
    assert answer.to == Address("matrix", "!dm:h", surface="direct")


async def test_a_direct_room_that_is_an_organisations_is_its_room(play: Scene, matrix: Stage) -> None:
    """Only one of its people is there at the moment; what they say to each other stays internal."""
    to = Address("matrix", "!r:h", surface="direct")
    await said(play, message(play, SAARBRUCKEN, author="@nobody:h", to=to))
    assert play.question().asker_organisation == "prefecture-57"


# --- forms


async def test_a_form_that_lacks_something_says_so_beside_the_field(prefecture: Place) -> None:
    reply = await prefecture.invoke("langue", form={"langue": ""})
    assert reply == Errors((("langue", "À remplir."),))


async def test_what_a_form_gets_wrong_is_told_beside_its_field(prefecture: Place) -> None:
    reply = await prefecture.invoke("question", form={"text": "???"})
    assert isinstance(reply, Errors)
    [(name, words)] = reply.by_field
    assert name == "text"
    assert str(words).startswith("Je ne vois pas de question")
    reply = await prefecture.invoke("langue", form={"langue": "allemand"})
    assert isinstance(reply, Errors)
    assert "« allemand » n’est pas un choix" in typed(str(reply.by_field[0][1]))


async def test_a_form_is_rendered_for_its_reader(prefecture: Place, play: Scene) -> None:
    form = await prefecture.slash("langue", forms=True)
    assert isinstance(form, Form)
    assert [(c.value, c.label) for c in form.fields[0].choices] == [("fr", "français"), ("en", "English")]


# --- the home surface


def home(play: Scene, command: str = "accueil", user: str = "nobody") -> Invocation:
    to = Address("stage", user, surface="home")
    author = User("stage", user, insider=True)
    return Invocation(id=f"h{next(play.numbers)}", at=play.clock(), author=author, to=to, command=command)


async def test_a_home_is_drawn_in_the_acknowledgement(play: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    play.app.database.run_now(lambda s: s.add(Person(id="agent-a", given_name="Agent")))
    monkeypatch.setattr("bot.directory.identity.person_of", lambda s, user: s.get(Person, "agent-a"))
    play.app.database.run_now(lambda s: rights.grant(s, "agent-a", "reader"))
    card = await play.receive(home(play))
    assert isinstance(card, Card)
    assert "Passerelle" in to_text(card)
    assert "1. Poser une question" in to_text(card)
    await play.settle()
    assert play.stage.posts == {}


async def test_a_strangers_home_says_how_to_begin(play: Scene) -> None:
    card = await play.receive(home(play))
    assert isinstance(card, Card)
    assert "Je ne sers que les agents" in to_text(card)
    await play.settle()
    assert play.stage.posts == {}
    assert outcomes(play) == ["stranger"]


# --- rights


async def test_who_lacks_the_right_is_told_which(play: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    play.app.database.run_now(lambda s: s.add(Person(id="agent-a", given_name="Agent")))
    play.app.database.run_now(lambda s: rights.grant(s, "agent-a", "reader"))
    monkeypatch.setattr("bot.directory.identity.person_of", lambda s, user: s.get(Person, "agent-a"))
    reader = Place(play, "dm", surface="direct")
    await reader.say("aide")
    reader.sees("ce que je sais faire")
    assert "poser une question" not in reader.transcript(), "only what they may use is listed"
    await reader.say("!question " + SAARBRUCKEN)
    reader.sees("Il faut être membre pour cela")


# --- strangers


async def test_a_stranger_is_refused_once_a_day(play: Scene) -> None:
    stranger = Place(play, "elsewhere")
    for hours in (0, 1, 1, 23):
        play.clock.pass_(hours=hours)
        await stranger.say("Bonjour ?")
    assert stranger.transcript().count("Je ne sers que") == 2


# --- the same event again, and events that must wait


async def test_the_place_in_the_stream_is_kept_with_the_event(play: Scene, prefecture: Place) -> None:
    event = Message(**prefecture._event(), message_id="u", text="demandes", mentions_bot=True, cursor=("since", "s42"))
    await play.receive(event)
    assert await PlatformMemory(play.app.database, "stage").get("since") == "s42"


async def test_when_nothing_can_be_committed_the_platform_is_told(
    play: Scene, prefecture: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(_: Callable[[Session], object]) -> None:
        raise Unavailable("down")

    event = Message(**prefecture._event(), message_id="u", text="demandes", mentions_bot=True)
    with monkeypatch.context() as outage:
        outage.setattr(play.app.database, "run", down)
        with pytest.raises(Unavailable):
            await play.receive(event)
    assert outcomes(play) == []
    await play.receive(event)
    assert outcomes(play) == ["done"]


async def test_an_event_that_was_handled_is_not_handled_again(play: Scene, prefecture: Place, consulate: Place) -> None:
    event = Message(**prefecture._event(), message_id="u", text=SAARBRUCKEN, mentions_bot=True)
    await play.receive(event)
    await play.app.dispatcher.again(event)
    await play.settle()
    assert len(consulate.posts) == 1


async def test_a_failing_reaction_is_kept_without_a_word(
    play: Scene, prefecture: Place, consulate: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise ZeroDivisionError

    await prefecture.say(SAARBRUCKEN)
    card = consulate.sees("Q-2026-00001")
    before = len(consulate.posts)
    with monkeypatch.context() as broken:
        broken.setattr("bot.interpret.press", crash)
        await consulate.react(card, "1️⃣")
    assert len(consulate.posts) == before
    [failed] = play.app.database.run_now(receipts.failed)
    assert failed.kind == "reaction"
    assert "ZeroDivisionError" in str(failed.error)


async def test_an_answer_to_what_is_still_being_said_waits_for_it(
    play: Scene, prefecture: Place, consulate: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The platform shows our card, and somebody replies, before it has told us what the card is called."""
    told = asyncio.Event()
    send = play.stage.send

    async def shown_at_once_and_told_later(to: Address, card: Card, *, key: str, again: bool) -> str:
        message_id = await send(to, card, key=key, again=again)
        if to.room == consulate.room:
            await told.wait()
        return message_id

    monkeypatch.setattr(play.stage, "send", shown_at_once_and_told_later)
    asked = Message(**prefecture._event(), message_id="u1", text=SAARBRUCKEN, mentions_bot=True)
    await play.receive(asked)
    async with asyncio.timeout(5):
        while not consulate.posts:
            await asyncio.sleep(0.01)
    card = consulate.sees("Q-2026-00001")
    press = Message(**consulate._event(), message_id="u2", text="1", reply_to=card.id)
    await play.receive(press)
    assert outcomes(play) == ["done", "deferred"]
    told.set()
    async with asyncio.timeout(5):
        while play.question().state != "taken":
            play.clock.pass_(seconds=0.1)
            await asyncio.sleep(0.02)
    assert outcomes(play) == ["done", "done"]


async def test_the_same_event_put_off_twice_waits_once(
    play: Scene, prefecture: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.turns.BURST", 1)
    monkeypatch.setattr("bot.turns.RATE", 0.001)
    play.app.worker.queues.discard("in")
    events = [Message(**prefecture._event(), message_id=f"u{n}", text="!demandes", mentions_bot=True) for n in range(3)]
    for event in (*events, *events):
        await play.receive(event)
    assert outcomes(play) == ["done", "deferred", "deferred"]


async def test_what_one_says_stays_in_order_behind_what_waits(
    play: Scene, prefecture: Place, consulate: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.turns.BURST", 2)
    for number in range(6):
        text = f"!question {SAARBRUCKEN} numéro {number}"
        await play.receive(Message(**prefecture._event(), message_id=f"u{number}", text=text, mentions_bot=True))
    for _ in range(40):
        await play.settle()
        if "deferred" not in outcomes(play):
            break
    asked = [play.question(f"Q-2026-{n:05}").text for n in range(1, 7)]
    assert asked == [f"{SAARBRUCKEN} numéro {n}" for n in range(6)]


async def test_a_look_up_before_the_index_is_made_is_kept_and_its_author_told(
    play: Scene, matrix: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = threading.Event()

    def not_yet(*_: object, **__: object) -> list[object]:
        if made.is_set():
            return []
        raise NotYet(lambda: made.wait(5))

    monkeypatch.setattr(play.app.world.finder, "find", not_yet)
    monkeypatch.setattr("bot.dispatch.PATIENCE", 0.01)
    lookup = message(play, "annuaire munich")
    await play.receive(lookup)
    await play.receive(lookup)
    assert outcomes(play) == ["deferred"], "it is acknowledged, and kept"
    made.set()
    await play.settle()
    starting, pointer, answer = (post.text for post in matrix.posts.values())
    assert (starting.partition(":")[0], pointer) == ("One moment", "Je vous réponds en privé.")
    assert answer.startswith("Nothing found for")
    assert outcomes(play) == ["done"]


def test_the_paces_of_many_accounts_take_little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.turns.WINDOW", 10)
    mine = turns.Turns()
    for number in range(100):
        event = RoomChange(id="e", at=NOON, author=User("p", f"u{number}"), to=Address("p", "r"), change="joined")
        assert not mine.floods(event)
        pressed = Invocation(id="e", at=NOON, author=User("p", f"u{number}"), to=Address("p", "r"), command="aide")
        assert not mine.floods(pressed)
    assert len(mine._allowances) == 10


async def test_what_was_put_off_before_a_restart_is_still_first(
    database: Database, play: Scene, prefecture: Place
) -> None:
    waiting = Message(**prefecture._event(), message_id="u1", text="!demandes", mentions_bot=True)
    database.run_now(lambda s: turns.put_off(s, waiting, play.clock()))
    fresh = turns.Turns()
    later = Message(**prefecture._event(), message_id="u2", text="!demandes", mentions_bot=True)
    assert database.run_now(lambda s: fresh.must_wait(s, later))
    other = Message(**prefecture.as_("autre")._event(), message_id="u3", text="!demandes", mentions_bot=True)
    assert not database.run_now(lambda s: fresh.must_wait(s, other))
    play.clock.pass_(minutes=1)
    for _ in range(20):
        await play.settle()
        if not database.run_now(lambda s: jobs.is_busy(s, f"in:stage:{prefecture.user.id}")):
            break
    assert not database.run_now(lambda s: fresh.must_wait(s, later))
