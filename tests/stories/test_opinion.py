"""Where routing asks back, a model may propose a choice; a person chooses, and without the model nothing changes."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.db import Database
from config.settings import OpinionSettings, Settings
from tests.servers.model import Model, says, sends
from tests.servers.web import LoopbackServer
from tests.stories.scene import Scene, scene

CONGO = "Une question d'état civil au Congo : qui authentifie un acte de naissance ?"


@pytest.fixture
def model() -> Model:
    return Model(says("2"))


@pytest_asyncio.fixture
async def play(shipped: Database, model: Model) -> AsyncIterator[Scene]:
    async with LoopbackServer(model.app()) as server:
        own = OpinionSettings.model_construct(url=f"{server.url}/v1", model="petit-modele")  # http: only here
        async with scene(shipped, settings=Settings().model_copy(update={"opinion": own})) as made:
            yield made


async def test_the_choice_is_proposed_and_a_person_makes_it(play: Scene, model: Model) -> None:
    prefecture = play.link("prefecture-57")
    await prefecture.say(CONGO)
    own = prefecture.sees("Q-2026-00001")
    assert "Un modèle de langue penche pour" in own.text
    assert len(model.asked) == 1
    assert play.question().state == "asked_back", "a proposal decides nothing"
    await prefecture.click(own, own.buttons[0])
    assert play.question().state == "routed"
    assert "modèle de langue" not in own.text


async def test_without_an_answer_the_choices_stand_as_they_are(play: Scene, model: Model) -> None:
    model.answer = sends("", 500)
    prefecture = play.link("prefecture-57")
    await prefecture.say(CONGO)
    own = prefecture.sees("Q-2026-00001")
    assert len(own.buttons) >= 2
    assert "modèle de langue" not in own.text


async def test_a_question_that_goes_its_way_is_not_asked_about(play: Scene, model: Model) -> None:
    await play.link("prefecture-57").say("Nous doutons d'un acte de naissance établi à Sarrebruck.")
    assert model.asked == []
