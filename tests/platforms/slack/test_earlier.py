"""Several processes listen to one app: whoever gets the second message of a thread knows of the first."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.message import Message
from tests.fakes.slack import FakeSlack, Room, User
from tests.platforms.slack.conftest import Bot


@pytest.fixture
async def beside(slack: FakeSlack) -> AsyncIterator[Bot]:
    """A process that is not alone."""
    made = Bot(slack)
    made.platform._gateway._before.earlier._alone = lambda: False
    await made.start()
    yield made
    await made.stop()


async def unheard(slack: FakeSlack, user: User, where: Room | User, text: str, thread: str = "") -> str:
    """Somebody speaks, and another process is given it, which is frozen."""
    slack.core.events.losing = True
    post = await user.say(where, text, thread=thread)
    slack.core.events.losing = False
    return post.ts


async def test_what_another_was_given_is_taken_first(slack: FakeSlack, beside: Bot, agent: User, room: Room) -> None:
    root = await unheard(slack, agent, room, f"{slack.mention} une question")
    await unheard(slack, agent, room, "premier complément", root)
    await agent.say(room, "second complément", thread=root)
    await beside.until(3)
    assert beside.texts[-2:] == ["premier complément", "second complément"]
    assert [m.mentions_bot for m in beside.kept if isinstance(m, Message)] == [True, False, False]
    await agent.say(room, "troisième", thread=root)
    await beside.until(4)
    offered = [m.text for m in beside.offered if isinstance(m, Message)]
    assert offered.count("premier complément") == 1, "only what came since is asked for"


async def test_so_it_is_in_a_direct_conversation(slack: FakeSlack, beside: Bot, agent: User) -> None:
    await unheard(slack, agent, agent, "un")
    await agent.say(agent, "deux")
    await beside.until(2)
    assert beside.texts == ["un", "deux"]


async def test_who_is_alone_asks_nothing(slack: FakeSlack, bot: Bot, agent: User, room: Room) -> None:
    await bot.start()
    root = await unheard(slack, agent, room, "racine")
    await agent.say(room, "suite", thread=root)
    await bot.until(1)
    assert bot.texts == ["suite"]


async def test_without_an_answer_in_time_it_is_taken_as_it_comes(
    slack: FakeSlack, beside: Bot, agent: User, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.platforms.slack.earlier.WITHIN", 0.05)
    root = await unheard(slack, agent, room, "racine")
    await slack.configure(latency=0.3)
    await agent.say(room, "suite", thread=root)
    await beside.until(1)
    assert beside.texts == ["suite"]
    await asyncio.sleep(0.3)
