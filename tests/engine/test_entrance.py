"""The one entrance: whatever characters arrive, each event is taken once and costs nobody else anything."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import func, select

from bot.db import Database
from bot.message import Attachment, Invocation, Message, Reaction
from bot.questions.tables import Question
from bot.receipts import Receipt
from tests.stories.conftest import SAARBRUCKEN
from tests.stories.scene import Place, Scene, scene

ODD = "\x00\ud800\udfff"  # what PostgreSQL, or any UTF-8, cannot hold


@pytest_asyncio.fixture
async def play(shipped: Database) -> AsyncIterator[Scene]:
    async with scene(shipped) as made:
        yield made


def outcomes(play: Scene) -> list[str]:
    return list(play.app.database.run_now(lambda s: s.scalars(select(Receipt.outcome).order_by(Receipt.id)).all()))


async def test_no_character_breaks_an_event(prefecture: Place, consulate: Place, play: Scene) -> None:
    first = await prefecture.say(SAARBRUCKEN + ODD)
    card = consulate.sees("Q-2026-00001")
    await prefecture.edit(first, SAARBRUCKEN + ODD + " Merci.")
    assert "Merci." in card.text
    await consulate.say(f"!repondre Q-2026-00001 Oui{ODD}.", mention=False)
    assert "Oui" in prefecture.sees("Oui").text
    await consulate.invoke("repondre", "Q-2026-00001", form={"text": f"Non{ODD}."})
    prefecture.sees("Non")
    for line in (
        f"!annuaire {ODD}",
        f"annuaire munich{ODD}",
        f"!{ODD}demandes",
        f"!rediriger Q-2026-00001 {ODD}metz",
        ODD,
    ):
        await prefecture.say(line)
    await play.receive(Reaction(**prefecture._event(), message_id=first, emoji=ODD))
    assert "failed" not in outcomes(play)


async def test_not_even_while_its_author_floods(
    prefecture: Place, play: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.turns.BURST", 1)
    for number in range(4):
        event = prefecture._event()
        file = Attachment(id="f", name=ODD, size=1, media_type="text/plain", source="f")
        await play.receive(
            Message(**event, message_id=f"f{number}", text=f"!demandes{ODD}", mentions_bot=True, files=(file,))
        )
    await play.settle()
    assert "failed" not in outcomes(play)


async def test_an_edit_cannot_make_a_question_longer_than_it_may_be(
    prefecture: Place, consulate: Place, play: Scene
) -> None:
    first = await prefecture.say(SAARBRUCKEN)
    await prefecture.edit(first, SAARBRUCKEN + "x" * 100_000)
    assert len(play.question().text) <= 10_000
    consulate.sees("Sarrebruck")


async def test_an_edit_to_nothing_leaves_the_question(prefecture: Place, consulate: Place, play: Scene) -> None:
    first = await prefecture.say(SAARBRUCKEN)
    await prefecture.edit(first, " \u200f ")
    assert play.question().state == "routed"
    assert consulate.sees("Q-2026-00001").text


async def test_a_form_of_a_command_may_be_empty(prefecture: Place, play: Scene) -> None:
    await play.receive(Invocation(**prefecture._event(), command="aide", form={}))
    await play.settle()
    prefecture.sees("ce que je sais faire")
    assert play.app.database.run_now(lambda s: s.scalar(select(func.count()).select_from(Question))) == 0


async def test_no_id_breaks_an_event(prefecture: Place, play: Scene) -> None:
    await prefecture.say("!demandes", thread=f"fil{ODD}")
    event = prefecture._event(f"fil{ODD}")
    event["id"] = "x" * 400
    await prefecture.scene.receive(Message(**event, message_id="u400", text="!demandes", mentions_bot=True))
    await play.settle()
    assert outcomes(play) == ["done", "done"]
