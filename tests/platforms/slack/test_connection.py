"""Socket Mode: connections that break, are replaced, or must not be tried again."""

import asyncio

import pytest

from bot.errors import ConfigurationError
from tests.fakes.slack import FakeSlack, Room, User
from tests.platforms.slack.conftest import Bot


async def test_a_drop_is_told_and_mended(slack: FakeSlack, bot: Bot, agent: User, room: Room) -> None:
    await bot.start()
    await slack.drop_connections()
    async with asyncio.timeout(5):
        while bot.reports[-2:] != [(False, "Slack is not connected: the connection broke"), (True, "")]:
            await asyncio.sleep(0.01)
    await agent.say(room, "bonjour")
    await bot.until(1)
    assert bot.texts == ["bonjour"]


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
async def test_an_announced_end_leaves_no_moment_without_a_connection(
    slack: FakeSlack, bot: Bot, agent: User, room: Room, reason: str
) -> None:
    await bot.start()
    bot.delay = 0.2
    await agent.say(room, "sous l'ancienne")
    await asyncio.sleep(0.05)
    await slack.disconnect(reason)
    await agent.say(room, "sous la nouvelle")
    await bot.until(2)
    await slack.settled()
    assert bot.texts == ["sous l'ancienne", "sous la nouvelle"]
    assert bot.reports == [(True, ""), (True, "")]
    assert [entry["attempt"] for entry in await slack.entries("ack", type="message")] == [0, 0]
    counts = [entry["connections"] for entry in await slack.entries("connected", "disconnected")]
    assert min(counts) >= 1
    async with asyncio.timeout(5):
        while (await slack.call("connections"))["open"] != 1:
            await asyncio.sleep(0.01)


async def test_an_outage_is_waited_out(slack: FakeSlack, bot: Bot, agent: User, room: Room) -> None:
    await slack.outage("error")
    bot.task = asyncio.create_task(bot.platform.run(bot.receive))
    await asyncio.sleep(0.1)
    assert bot.reports[-1][0] is False
    await slack.recover()
    await slack.connected()
    await agent.say(room, "bonjour")
    await bot.until(1)
    assert bot.reports[-1] == (True, "")


async def test_the_pause_between_attempts_grows(slack: FakeSlack, room: Room) -> None:
    bot = Bot(slack, options={"pace": 0.05})
    await bot.start()
    await slack.outage("error")
    await asyncio.sleep(1.0)
    attempts = (await slack.calls())["apps.connections.open"] - 1
    assert 3 <= attempts <= 12
    await slack.recover()
    await slack.connected()
    await bot.stop()


async def test_connections_that_break_at_once_are_not_hammered(slack: FakeSlack) -> None:
    bot = Bot(slack, options={"pace": 0.1})
    await bot.start()
    async with asyncio.timeout(10):
        loop = asyncio.get_running_loop()
        until = loop.time() + 1.0
        while loop.time() < until:
            await slack.drop_connections()
            await asyncio.sleep(0.005)
    assert 4 <= (await slack.calls())["apps.connections.open"] <= 12
    await slack.connected()
    await bot.stop()


async def test_a_limit_on_connections_is_waited_for(slack: FakeSlack, bot: Bot) -> None:
    await slack.fault("apps.connections.open", "limited", retry_after=1)
    began = asyncio.get_running_loop().time()
    await bot.start()
    assert asyncio.get_running_loop().time() - began >= 1.0


@pytest.mark.parametrize(("option", "method"), [("bot_token", "auth.test"), ("app_token", "apps.connections.open")])
@pytest.mark.parametrize("word", ["invalid_auth", "token_revoked", "not_authed"])
async def test_a_dead_token_ends_the_platform_with_a_clear_word(
    slack: FakeSlack, bot: Bot, option: str, method: str, word: str
) -> None:
    await slack.fault(method, "refuse", word=word, times=None)
    with pytest.raises(ConfigurationError, match=rf"slack\.{option} \({word}\)"):
        await asyncio.wait_for(bot.platform.run(bot.receive), 5)
    assert (await slack.calls())[method] == 1


async def test_a_token_that_is_revoked_while_running_ends_it_at_the_next_connection(slack: FakeSlack, bot: Bot) -> None:
    await bot.start()
    assert bot.task
    await slack.revoke()
    await slack.drop_connections()
    with pytest.raises(ConfigurationError):
        await asyncio.wait_for(bot.task, 5)
    bot.task = None


async def test_too_many_connections_are_tried_again(slack: FakeSlack, bot: Bot) -> None:
    await slack.configure(max_connections=0)
    bot.task = asyncio.create_task(bot.platform.run(bot.receive))
    await asyncio.sleep(0.2)
    assert "too_many_websockets" in bot.reports[-1][1]
    await slack.configure(max_connections=10)
    await slack.connected()


async def test_cancelled_it_leaves_nothing_behind(slack: FakeSlack, bot: Bot, agent: User, room: Room) -> None:
    await bot.start()
    bot.delay = 5.0
    await agent.say(room, "jamais gardé")
    await asyncio.sleep(0.05)
    await asyncio.wait_for(bot.stop(), 2)
    assert bot.kept == []
    bot.delay = 0.0
    await bot.start()
    await bot.until(1)
    assert bot.texts == ["jamais gardé"]
