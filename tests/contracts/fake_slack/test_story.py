"""What a story expects of it, in this process and in one of its own."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.fake_slack.bolt import Bot, acknowledging, actions, button, client_of, section
from tests.fakes.slack import ApiError, FakeSlack, SlackControl


async def test_expect_sees_changes_and_shows_the_conversation_when_it_fails(slack: FakeSlack) -> None:
    agent = slack.user("U1", "agent")
    room = slack.channel("C1", "prefecture-67", members=[agent])
    client = client_of(slack)
    said = await agent.say(room, "qui ?")
    sent = await client.chat_postMessage(
        channel="C1", text="x", blocks=[section("état : <@U1> *ouvert*"), actions(button())]
    )
    later = asyncio.create_task(slack.expect(room, "état : pris"))
    await asyncio.sleep(0.05)
    await client.chat_update(channel="C1", ts=sent["ts"], text="x", blocks=[section("état : pris")])
    post = await later
    assert (post.ts, post.edited, post.buttons) == (sent["ts"], True, [])
    await client.chat_postMessage(channel="C1", text="en fil", thread_ts=said.ts)
    await client.chat_postEphemeral(channel="C1", user="U1", text="pour vous &amp; <!here>")
    with pytest.raises(AssertionError) as caught:
        await slack.expect(room, "jamais dit", timeout=0.05)
    for line in (
        "#prefecture-67",
        "agent: qui ?",
        "┃ état : pris",
        "↳",
        "en fil",
        "only visible to agent",
        "pour vous & ",
    ):
        assert line in str(caught.value)
    narrower: list[dict[str, Any]] = [{"thread": said}, {"after": sent["ts"]}, {"to": agent}, {"button": "Prendre"}]
    for narrow in narrower:
        with pytest.raises(AssertionError):
            await slack.expect(room, "état", timeout=0.02, **narrow)
    assert (await slack.expect(room, "pour vous", to=agent)).pings == ["@here"]
    await slack.silence(room, 0.05)
    noisy = asyncio.create_task(slack.silence(room, 0.2))
    await asyncio.sleep(0.05)
    await client.chat_postMessage(channel="C1", text="bruit")
    with pytest.raises(AssertionError, match="not silent"):
        await noisy


async def test_the_same_story_with_the_fake_in_its_own_process(tmp_path: Path) -> None:
    ledger = tmp_path / "slack.jsonl"
    options = ["--settings", json.dumps({"own_events": False})]
    async with SlackControl.spawn(ledger=ledger, options=options) as slack:
        agent = slack.user("U1", "agent")
        room = slack.channel("C1", members=[agent])
        bot = Bot(slack)
        take = asyncio.Event()
        bot.app.action("take")(acknowledging(take))

        @bot.app.event("message")
        async def answer(say: Any) -> None:
            await say(text="carte", blocks=[section("carte"), actions(button())])

        async with bot.connected(slack):
            await agent.say(room, "une question")
            card = await slack.expect(room, "carte")
            assert (await agent.click(card, "Prendre")).acked
            with pytest.raises(ApiError, match="message_not_found"):
                await slack.unfurl(replace(card, ts="1.000001"))
            await slack.settled()
            assert (await slack.calls())["chat.postMessage"] == 1
            written = [json.loads(line) for line in ledger.read_text(encoding="utf-8").splitlines()]
            assert written == await slack.entries()
    kinds = [entry["kind"] for entry in written]
    assert (kinds.count("said"), kinds.count("post"), kinds.count("ack")) == (1, 1, 2)
    assert take.is_set()
