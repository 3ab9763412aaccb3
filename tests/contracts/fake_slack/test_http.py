"""HTTP mode: signed requests, and what comes again."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from tests.contracts.fake_slack.bolt import Bot, modal
from tests.fakes.slack import FakeSlack, Payload, Story


@asynccontextmanager
async def serving(bot: Bot, slack: Story) -> AsyncGenerator[None]:
    runner = web.AppRunner(bot.app.web_app("/slack/events"))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    await slack.http_mode(f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events")
    try:
        yield
    finally:
        await slack.http_mode("")
        await runner.cleanup()


async def test_signed_requests_reach_the_bot_and_forged_ones_do_not(slack: FakeSlack) -> None:
    agent = slack.user("U1", "agent")
    room = slack.channel("C1", members=[agent])
    bot = Bot(slack)
    bot.catch_events()

    @bot.app.view("form")
    async def refuse(ack: Any) -> None:
        await ack(response_action="errors", errors={"answer": "Non."})

    @bot.app.command("/question")
    async def ask(ack: Any, body: Payload, client: Any) -> None:
        await ack("noté")
        await client.views_open(trigger_id=body["trigger_id"], view=modal())

    async with serving(bot, slack):
        assert await slack.verify_url()
        await agent.say(room, "bonjour é & <")
        await slack.settled()
        assert await slack.replay() == 200
        await agent.slash(room, "question", "où ?")
        await slack.expect(room, "noté", to=agent)
        assert await agent.submit(await slack.expect_view(agent), {"Réponse": "oui"}) == {"answer": "Non."}
        event = {"type": "message", "channel": "C1", "user": "U1", "text": "faux", "ts": "1.000001"}
        assert await slack.forge("", event) == 200
        for forged in ("signature", "secret", "old", "unsigned", "body"):
            assert await slack.forge(forged, event) == 401, forged
    texts = [event["text"] for event in bot.events()]
    assert texts == ["bonjour é &amp; &lt;", "bonjour é &amp; &lt;", "faux"]


async def test_a_failing_bot_gets_the_event_again_with_retry_headers(slack: FakeSlack) -> None:
    agent = slack.user("U1")
    room = slack.channel("C1", members=[agent])
    bot = Bot(slack)
    bot.catch_events()
    bot.failing = 2
    async with serving(bot, slack):
        await agent.say(room, "bonjour")
        await slack.settled()
    assert bot.retries == [None, "1", "2"]
    assert [each["reason"] for each in await slack.entries("unacked")] == ["http_error", "http_error"]
    await slack.http_mode("http://127.0.0.1:9/slack/events")
    await agent.say(room, "personne")
    await slack.settled()
    assert [each["reason"] for each in await slack.entries("lost")] == ["connection_failed"]
