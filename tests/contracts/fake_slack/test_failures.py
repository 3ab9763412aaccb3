"""Calls that fail before or after they took effect, and outages."""

import asyncio
import time
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from tests.contracts.fake_slack.bolt import Bot, client_of, second_connection
from tests.fakes.slack import FakeSlack


@pytest.mark.parametrize("kind", ["reset", "error", "html"])
@pytest.mark.parametrize("after", [False, True])
async def test_a_call_fails_before_or_after_it_took_effect(slack: FakeSlack, kind: Any, after: bool) -> None:
    room = slack.channel("C1")
    await slack.fault("chat.postMessage", kind, after=after)
    key = {"event_type": "outbox", "event_payload": {"key": "k1"}}
    with pytest.raises((SlackApiError, aiohttp.ClientError)):
        await client_of(slack).chat_postMessage(channel="C1", text="a", metadata=key)
    assert len(await slack.posts(room)) == int(after)
    history = await client_of(slack).conversations_history(channel="C1", include_all_metadata=True)
    assert [each["metadata"] for each in history["messages"]] == [key] * after
    assert len(await slack.entries("fault")) == 1
    await client_of(slack).chat_postMessage(channel="C1", text="b")


async def test_the_sdk_doubles_a_post_whose_answer_is_lost(slack: FakeSlack) -> None:
    room = slack.channel("C1")
    await slack.fault("chat.postMessage", "reset", after=True)
    await client_of(slack, retry_handlers=None).chat_postMessage(channel="C1", text="a")
    assert len(await slack.posts(room)) == 2


async def test_faults_can_wait_repeat_choose_and_answer_late(slack: FakeSlack) -> None:
    slack.channel("C1")
    slack.channel("C2")
    client = client_of(slack, timeout=1)
    await slack.fault("chat.postMessage", "refuse", word="fatal_error", channel="C2", skip=1, every=2, times=2)
    words: list[str] = []
    for _ in range(6):
        await client.chat_postMessage(channel="C1", text="a")
        try:
            await client.chat_postMessage(channel="C2", text="a")
            words.append("ok")
        except SlackApiError as error:
            words.append(error.response["error"])
    assert words == ["ok", "ok", "fatal_error", "ok", "fatal_error", "ok"]
    await slack.fault("auth.test", "slow", delay=0.2)
    started = time.monotonic()
    await client.auth_test()
    assert time.monotonic() - started > 0.2
    await slack.fault("chat.postMessage", "hang", after=True, channel="C1")
    with pytest.raises(TimeoutError):
        await client.chat_postMessage(channel="C1", text="resté sans réponse")
    assert await slack.expect("C1", "resté sans réponse")


@pytest.mark.parametrize("lost", [False, True])
async def test_an_outage_and_the_return(slack: FakeSlack, lost: bool) -> None:
    agent = slack.user("U1")
    room = slack.channel("C1", members=[agent])
    bot = Bot(slack)
    bot.catch_events()
    async with bot.connected(slack):
        await slack.outage(lose_events=lost)
        with pytest.raises(aiohttp.ClientError):
            await bot.client.conversations_history(channel="C1")
        await agent.say(room, "pendant la panne")
        await asyncio.sleep(0.1)
        await slack.recover()
        await slack.until(lambda: second_connection(slack), 5)
        await slack.settled()
        history = await bot.client.conversations_history(channel="C1")
    assert [event["text"] for event in bot.events()] == ([] if lost else ["pendant la panne"])
    assert [each["text"] for each in history["messages"]] == ["pendant la panne"]
    assert len(await slack.entries("lost")) == int(lost)
