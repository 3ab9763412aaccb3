"""HTTP mode: signed requests on the application's own server, and nothing for anybody else."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, web

from bot.card import Field, Form
from bot.errors import ConfigurationError
from bot.message import Invocation
from tests.fakes.slack import FakeSlack, Room, User
from tests.fakes.slack.httpmode import FORM, signed_headers
from tests.platforms.slack.conftest import Bot


@pytest.fixture
async def bot(slack: FakeSlack) -> AsyncIterator[Bot]:
    made = Bot(slack, options={"mode": "http", "app_token": ""})
    application = web.Application()
    application.add_routes(made.platform.routes())
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    await slack.http_mode(f"http://{host}:{port}/slack/events")
    yield made
    await made.stop()
    await runner.cleanup()


async def test_slack_checks_the_url(slack: FakeSlack, bot: Bot) -> None:
    await bot.start()
    assert await slack.verify_url()


async def test_events_commands_and_forms_arrive(slack: FakeSlack, bot: Bot, agent: User, room: Room) -> None:
    bot.answer = lambda i: (
        Form("question", "Question", "Envoyer", (Field("texte", "Texte"),))
        if isinstance(i, Invocation) and not i.form
        else None
    )
    await bot.start()
    await agent.say(room, f"{slack.mention} é & <b>")
    await slack.settled()
    assert bot.texts == [r"é & \<b>"]
    await agent.slash(room, "question", "l'été & après")
    assert bot.invocations[0].line == "l'été & après"
    assert await agent.submit(await slack.expect_view(agent), {"Texte": "oui"}) == {}
    assert bot.invocations[1].form == {"texte": "oui"}
    assert await slack.violations() == []


@pytest.mark.parametrize("forged", ["signature", "secret", "old", "unsigned", "body"])
async def test_a_forged_or_old_request_is_refused_and_leaves_no_trace(slack: FakeSlack, bot: Bot, forged: str) -> None:
    await bot.start()
    event = {"type": "message", "channel": "C1", "user": "U1", "ts": "1.5", "text": "x", "team": slack.team}
    assert await slack.forge("", event) == 200
    assert len(bot.offered) == 1
    assert await slack.forge(forged, event) == 401  # type: ignore[arg-type]
    assert len(bot.offered) == 1


async def test_the_same_request_twice_has_one_key(slack: FakeSlack, bot: Bot, agent: User, room: Room) -> None:
    await bot.start()
    await agent.say(room, "bonjour")
    await slack.settled()
    assert await slack.replay() == 200
    assert (len(bot.offered), len(bot.kept)) == (2, 1)


async def test_what_cannot_be_kept_is_answered_so_and_comes_again(
    slack: FakeSlack, bot: Bot, agent: User, room: Room
) -> None:
    await slack.configure(retry_delays=(0.3,))
    await bot.start()
    bot.down = True
    await agent.say(room, "bonjour")
    async with asyncio.timeout(5):
        while not await slack.entries("unacked"):
            await asyncio.sleep(0.01)
    bot.down = False
    await slack.settled()
    assert bot.texts == ["bonjour"]


async def test_nonsense_is_refused_before_anything_is_looked_at(slack: FakeSlack, bot: Bot) -> None:
    await bot.start()
    async with ClientSession() as session:
        for body, content_type in (
            (b"\xff\xfe", "application/json"),
            (b"{", "application/json"),
            (b"payload={", "application/x-www-form-urlencoded"),
            (b"", "text/plain"),
            (b"x", "text/plain; charset=klingon"),
            (b"[1]", "application/json"),
            (b'"x"', "application/json"),
        ):
            async with session.post(slack.core.http.url, data=body, headers={"Content-Type": content_type}) as answer:
                assert answer.status in {400, 401}, (body, answer.status)
    assert bot.offered == []


async def test_what_is_signed_and_still_nonsense_is_a_bad_request(slack: FakeSlack, bot: Bot) -> None:
    await bot.start()
    async with ClientSession() as session:
        for body in ("{", "payload={"):
            headers = signed_headers(slack.signing_secret, body, "application/json" if body == "{" else FORM)
            async with session.post(slack.core.http.url, data=body, headers=headers) as answer:
                assert answer.status == 400
        headers = {**headers, "X-Slack-Request-Timestamp": "bientôt"}
        async with session.post(slack.core.http.url, data=body, headers=headers) as answer:
            assert answer.status == 401
    assert bot.offered == []


async def test_before_it_runs_and_after_it_nothing_is_taken(slack: FakeSlack, bot: Bot) -> None:
    event = {"type": "message", "channel": "C1", "user": "U1", "ts": "1.5", "text": "x", "team": slack.team}
    assert await slack.forge("", event) == 503
    await bot.start()
    assert await slack.forge("", event) == 200
    await bot.stop()
    assert await slack.forge("", event) == 503


async def test_an_empty_signing_secret_is_a_mistake(slack: FakeSlack) -> None:
    bot = Bot(slack, options={"mode": "http", "signing_secret": ""})
    with pytest.raises(ConfigurationError, match=r"slack\.signing_secret"):
        await asyncio.wait_for(bot.platform.run(bot.receive), 2)


async def test_a_start_reads_what_was_missed(slack: FakeSlack, bot: Bot, agent: User, room: Room) -> None:
    await bot.start()
    await bot.stop()
    slack.core.events.losing = True
    await agent.say(room, "pendant")
    slack.core.events.losing = False
    await bot.start()
    assert bot.texts == ["pendant"]
