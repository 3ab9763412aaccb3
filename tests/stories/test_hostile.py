"""Bad input, strangers, floods and faults: a clear word, nothing stored, nobody else delayed."""

import logging
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from bot import receipts, wire
from bot.card import Errors
from bot.message import Invocation, Message, User
from bot.posts import Post
from bot.questions.tables import Question
from bot.receipts import Receipt
from tests.stories.conftest import SAARBRUCKEN
from tests.stories.scene import Place, Scene

MARKED = "SECRET DÉFENSE : liste des passages à Sarrebruck"


def rows(play: Scene, table: type) -> int:
    return play.app.database.run_now(lambda s: s.scalar(select(func.count()).select_from(table)) or 0)


def everything(play: Scene) -> str:
    """All rows of all tables as text."""

    def dump(session: Session) -> str:
        names = [t.name for t in __import__("bot.db").db.Base.metadata.sorted_tables]
        return "\n".join(str(row) for name in names for row in session.execute(text(f"SELECT * FROM {name}")))

    return play.app.database.run_now(dump)


@pytest.mark.parametrize("how", ["say", "slash", "form", "edit", "flood"])
async def test_a_marked_text_is_refused_and_kept_nowhere(
    prefecture: Place, consulate: Place, play: Scene, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    match how:
        case "say":
            await prefecture.say(MARKED)
        case "slash":
            await prefecture.slash("question", MARKED)
        case "form":
            reply = await prefecture.invoke("question", "", form={"text": MARKED})
            assert isinstance(reply, Errors)
            assert "mention de protection" in str(reply.by_field)
        case "edit":
            first = await prefecture.say(SAARBRUCKEN)
            await prefecture.edit(first, MARKED)
        case _:
            for _ in range(70):
                await prefecture.scene.receive(_marked(prefecture))
            await play.settle()
    assert "liste des passages" not in everything(play)
    assert "liste des passages" not in caplog.text
    if how != "form":
        prefecture.sees("mention de protection")
    consulate.sees_not("liste des passages")


def _marked(place: Place) -> Message:
    event = place._event()
    return Message(**event, message_id=f"u{event['id']}", text=MARKED, mentions_bot=True)


async def test_a_stranger_is_refused_once_and_served_nothing(play: Scene, consulate: Place) -> None:
    for stranger in (
        Place(play, "nowhere"),
        Place(play, "direct", surface="direct"),
        Place(play, consulate.room, account="outsider", insider=False),
    ):
        await stranger.say("annuaire consulat munich")
        await stranger.say(SAARBRUCKEN)
        await stranger.slash("annuaire", "consulat munich")
        stranger.sees("Je ne sers que les agents")
        assert stranger.transcript().count("Je ne sers que") == 1
        stranger.sees_not("Munich")
    assert rows(play, Question) == 0
    assert SAARBRUCKEN not in everything(play)


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("!nimporte quoi", "Je ne connais pas la commande"),
        ("!prendre", "De quelle question"),
        ("!clore Q-2026-00099", "Je ne trouve pas"),
        ("!langue allemand", "n’est pas un choix"),
        ("!langue", "Il manque quelque chose"),
        ("!demandes tout de suite", "Je ne comprends pas"),
        ("!question", "Écrivez votre question"),
        ("!question \u200f\u202e \u0000", "Je ne vois pas de question"),
        ("!question ????", "Je ne vois pas de question"),
        ("!question " + "a" * 100_000, "trop longue"),
        ("!question " + "\n".join(["ligne"] * 10_000), "trop longue"),
        ("!choix 7", "Aucun bouton"),
    ],
)
async def test_what_does_not_fit_gets_the_usage_and_stores_nothing(
    prefecture: Place, play: Scene, line: str, answer: str
) -> None:
    await prefecture.say(line, mention=False)
    prefecture.sees(answer)
    assert rows(play, Question) == 0


async def test_buttons_of_older_releases_get_a_polite_word(prefecture: Place) -> None:
    await prefecture.invoke("bouton-disparu", "x", pressed="m99")
    prefecture.sees("Ce bouton n’est plus valable")


async def test_the_same_event_again_changes_nothing(prefecture: Place, consulate: Place, play: Scene) -> None:
    event = Message(**prefecture._event(), message_id="u1", text=SAARBRUCKEN, mentions_bot=True)
    for _ in range(5):
        await play.receive(event)
    await play.settle()
    assert rows(play, Question) == 1
    assert len(consulate.posts) == 1


async def test_a_double_click_answers_once(prefecture: Place, consulate: Place, play: Scene) -> None:
    await prefecture.say(SAARBRUCKEN)
    card = consulate.sees("Q-2026-00001")
    press = Invocation(**consulate._event(), command="repondre", line="Q-2026-00001 Oui.", pressed=card.id)
    await play.receive(press)
    await play.receive(press)
    await play.settle()
    assert prefecture.transcript().count("Oui.") == 1


async def test_colleagues_chatter_leaves_no_trace(prefecture: Place, play: Scene) -> None:
    await prefecture.say("On déjeune ?", mention=False)
    await prefecture.say("12", mention=False)
    assert rows(play, Receipt) == 0
    assert prefecture.posts == []


async def test_another_bot_is_not_answered(prefecture: Place, play: Scene) -> None:
    robot = User("stage", "robot", insider=True, bot=True)
    event: dict[str, Any] = {**prefecture._event(), "author": robot}
    await play.receive(Message(**event, message_id="u1", text="question " + SAARBRUCKEN, mentions_bot=True))
    assert rows(play, Receipt) == 0


async def test_a_crashing_handler_costs_one_event_which_can_be_replayed(
    prefecture: Place,
    consulate: Place,
    play: Scene,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def crash(*_: object) -> None:
        raise ZeroDivisionError(SAARBRUCKEN)

    with monkeypatch.context() as broken:
        broken.setattr("bot.conversation.asking.place", crash)
        await prefecture.say(SAARBRUCKEN)
    prefecture.sees("Rien n’est perdu")
    assert rows(play, Question) == 0
    await prefecture.say("!aide", mention=False)
    prefecture.sees("ce que je sais faire")

    [failed] = play.app.database.run_now(receipts.failed)
    assert str(failed.error).startswith("ZeroDivisionError at ")
    assert SAARBRUCKEN not in str(failed.error)
    assert SAARBRUCKEN not in capsys.readouterr().out
    await play.app.dispatcher.again(wire.load(str(failed.payload)))
    await play.settle()
    consulate.sees("Q-2026-00001")
    assert play.app.database.run_now(receipts.failed) == []
    assert play.app.database.run_now(lambda s: s.scalar(select(Receipt.payload).where(Receipt.id == failed.id))) is None


async def test_who_floods_waits_and_nobody_else_does(
    prefecture: Place, consulate: Place, play: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.turns.RATE", 0.001)  # however slow this machine is
    play.app.worker.queues.discard("in")
    for n in range(100):
        event = prefecture._event()
        await play.receive(Message(**event, message_id=f"f{n}", text=f"!aide {n}", mentions_bot=True))
    deferred = play.app.database.run_now(lambda s: s.scalar(select(func.count()).where(Receipt.outcome == "deferred")))
    assert deferred == 40
    await consulate.as_("calm").say("!demandes", mention=False)
    consulate.sees("Aucune question en cours")


async def test_a_flood_is_put_off_not_lost(prefecture: Place, play: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.turns.BURST", 3)
    for n in range(8):
        event = prefecture._event()
        await play.receive(Message(**event, message_id=f"f{n}", text="!demandes", mentions_bot=True))
    await _until_no_deferred(play)
    assert prefecture.transcript().count("Aucune question en cours") == 8
    assert "!demandes" not in everything(play), "what waited is forgotten once it was handled"


async def _until_no_deferred(play: Scene) -> None:
    import asyncio

    async with asyncio.timeout(10):
        while play.app.database.run_now(lambda s: s.scalar(select(func.count()).where(Receipt.outcome == "deferred"))):
            await asyncio.sleep(0.05)
    await play.settle()


async def test_hostile_words_are_only_words(prefecture: Place, consulate: Place, play: Scene) -> None:
    words = "<!channel> @room <b>gras</b> [lien](https://example.org) *ital* `code` acte de naissance Sarrebruck"
    await prefecture.slash("question", words)
    assert words in consulate.sees("Q-2026-00001").text
    assert rows(play, Post) >= 2
