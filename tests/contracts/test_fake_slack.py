"""The fake Slack, held against the libraries that talk to the real one: what it promises to other tests."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack import ApiError, FakeSlack, FormRefused, NotAcknowledged, Payload, Settings, SlackControl, Story

QUICK = Settings(ack_timeout=0.3, retry_delays=(0.05, 0.1), trigger_lifetime=0.3)


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack(settings=QUICK) as fake:
        yield fake


def client_of(slack: Story, *, token: str | None = None, **options: Any) -> Any:
    """The SDK's client; as Any, because its answers are typed as if every field could be missing."""
    known: dict[str, Any] = {"retry_handlers": [], **options}
    return AsyncWebClient(token or slack.bot_token, base_url=slack.api_url, **known)


async def error_of(call: Any) -> Payload:
    with pytest.raises(SlackApiError) as caught:
        await call
    return caught.value.response.data


def plain(text: str) -> Payload:
    return {"type": "plain_text", "text": text}


def section(text: str, **more: Any) -> Payload:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def button(text: str = "Prendre", action_id: str = "take", **more: Any) -> Payload:
    return {"type": "button", "text": plain(text), "action_id": action_id, **more}


def actions(*elements: Payload) -> Payload:
    return {"type": "actions", "elements": list(elements)}


def field(block_id: str = "answer", label: str = "Réponse", **element: Any) -> Payload:
    inner = {"type": "plain_text_input", "action_id": "text", **element}
    return {"type": "input", "block_id": block_id, "label": plain(label), "element": inner}


def modal(*blocks: Payload, title: str = "Répondre", **more: Any) -> Payload:
    made = {"type": "modal", "callback_id": "form", "title": plain(title), "submit": plain("Envoyer"), **more}
    return made | {"blocks": list(blocks or [field()])}


class Bot:
    """A Bolt app that keeps what reaches it; ``failing`` makes its first answers no acknowledgement."""

    def __init__(self, slack: Story) -> None:
        self.client = client_of(slack)
        options: dict[str, Any] = {"ignoring_self_events_enabled": False, "signing_secret": slack.signing_secret}
        self.app = AsyncApp(client=self.client, **options)
        self.bodies: list[Payload] = []
        self.retries: list[str | None] = []
        self.failing = 0
        self.app.use(self._keep)

    async def _keep(self, req: AsyncBoltRequest, next: Callable[[], Any]) -> None:  # noqa: A002
        self.bodies.append(req.body)
        self.retries.append(req.headers.get("x-slack-retry-num", [None])[0])
        if self.failing:
            self.failing -= 1
            message = "planned"
            raise RuntimeError(message)
        await next()

    def events(self, kind: str = "") -> list[Payload]:
        found = [body["event"] for body in self.bodies if "event" in body]
        return [event for event in found if not kind or kind in (event["type"], event.get("subtype"))]

    def catch_events(self) -> None:
        async def nothing() -> None:
            pass

        for kind in (
            "message",
            "app_mention",
            "reaction_added",
            "member_joined_channel",
            "channel_left",
            "file_shared",
        ):
            self.app.event(kind)(nothing)

    @asynccontextmanager
    async def connected(self, slack: Story) -> AsyncGenerator["Bot"]:
        handler = AsyncSocketModeHandler(self.app, slack.app_token, ping_interval=0.2)
        await handler.connect_async()
        try:
            await slack.connected()
            yield self
        finally:
            await handler.close_async()


@asynccontextmanager
async def link(slack: Story) -> AsyncGenerator[aiohttp.ClientWebSocketResponse]:
    """A bare Socket Mode connection."""
    url = (await client_of(slack).apps_connections_open(app_token=slack.app_token))["url"]
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        hello = await socket.receive_json()
        assert hello["type"] == "hello"
        yield socket


async def acked(socket: aiohttp.ClientWebSocketResponse, payload: Payload | None = None) -> Payload:
    envelope = await socket.receive_json(timeout=2)
    await socket.send_json({"envelope_id": envelope["envelope_id"], **({"payload": payload} if payload else {})})
    return envelope


# What Slack refuses

TOO_MUCH: list[tuple[str, Payload, str]] = [
    ("empty section", section(""), "more than 0"),
    ("blank section", section("  "), "more than 0"),
    ("long section", section("a" * 3001), "less than 3001"),
    ("neither text nor fields", {"type": "section"}, "must define either"),
    ("11 fields", {"type": "section", "fields": [plain("a")] * 11}, "no more than 10"),
    ("long field", {"type": "section", "fields": [plain("a" * 2001)]}, "less than 2001"),
    ("long header", {"type": "header", "text": plain("a" * 151)}, "less than 151"),
    ("mrkdwn header", {"type": "header", "text": {"type": "mrkdwn", "text": "a"}}, "must be one of"),
    ("long button", actions(button("a" * 76)), "less than 76"),
    ("empty button", actions(button("")), "more than 0"),
    ("long value", actions(button(value="a" * 2001)), "less than 2001"),
    ("long action_id", actions(button(action_id="a" * 256)), "less than 256"),
    ("same action_id twice", actions(button(), button()), "already exists"),
    ("26 buttons", actions(*(button(action_id=str(n)) for n in range(26))), "no more than 25"),
    ("no button", actions(), "no fewer than 1"),
    ("11 in context", {"type": "context", "elements": [plain("a")] * 11}, "no more than 10"),
    ("image without words", {"type": "image", "image_url": "https://a.fr/b.png"}, "alt_text"),
    ("unknown key", section("a", colour="red"), "invalid additional property: colour"),
    ("no address", actions(button(url="service-public")), "valid url"),
    ("unknown block", {"type": "carousel"}, "unsupported type: carousel"),
    ("unknown key in rich text", {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [
        {"type": "text", "text": "a", "size": 3}]}]}, "invalid additional property: size"),
    ("101 options", actions({"type": "static_select", "action_id": "s", "options": [
        {"text": plain("a"), "value": str(n)} for n in range(101)]}), "no more than 100"),
    ("long option", actions({"type": "static_select", "action_id": "s", "options": [
        {"text": plain("a" * 76), "value": "v"}]}), "less than 76"),
]  # fmt: skip


@pytest.mark.parametrize(("block", "reason"), [row[1:] for row in TOO_MUCH], ids=[row[0] for row in TOO_MUCH])
async def test_a_block_beyond_a_limit_is_refused_with_its_place(slack: FakeSlack, block: Payload, reason: str) -> None:
    slack.channel("C1")
    error = await error_of(client_of(slack).chat_postMessage(channel="C1", text="a", blocks=[section("ok"), block]))
    assert error["error"] == "invalid_blocks"
    assert any(reason in line and "/blocks/1" in line for line in error["response_metadata"]["messages"]), error
    assert not await slack.posts("C1")
    assert [each["method"] for each in await slack.violations()] == ["chat.postMessage"]


async def test_blocks_at_the_limit_are_taken_and_get_ids(slack: FakeSlack) -> None:
    slack.channel("C1")
    blocks = [
        section("a" * 3000, accessory=button("a" * 75, value="v" * 2000)),
        {"type": "section", "fields": [plain("a" * 700)] * 10},
        {"type": "header", "text": plain("a" * 150)},
        actions(*(button(action_id=str(n)) for n in range(25))),
        {"type": "context", "elements": [plain("a")] * 10},
        {"type": "image", "image_url": "https://a.fr/b.png", "alt_text": "carte"},
        *({"type": "divider"} for _ in range(44)),
    ]
    sent = await client_of(slack).chat_postMessage(channel="C1", text="a", blocks=blocks)
    assert len({block["block_id"] for block in sent["message"]["blocks"]}) == 50
    error = await error_of(
        client_of(slack).chat_postMessage(channel="C1", text="a", blocks=[*blocks, {"type": "divider"}])
    )
    assert error["error"] == "invalid_blocks"
    heavy = [section("a" * 2999) for _ in range(5)]
    assert (await error_of(client_of(slack).chat_postMessage(channel="C1", text="a", blocks=heavy)))["error"] == (
        "msg_blocks_too_long"
    )
    twice = [section("a", block_id="x"), section("b", block_id="x")]
    assert "already exists" in str(
        await error_of(client_of(slack).chat_postMessage(channel="C1", text="a", blocks=twice))
    )


async def test_text_is_needed_cut_when_posted_and_refused_when_changed(slack: FakeSlack) -> None:
    slack.channel("C1")
    client = client_of(slack)
    for text in ("", " \n"):
        error = await error_of(client.api_call("chat.postMessage", json={"channel": "C1", "text": text}))
        assert error["error"] == "no_text"
    sent = await client.chat_postMessage(channel="C1", text="a" * 40_001)
    assert len(sent["message"]["text"]) == 40_000
    assert (await slack.entries("post"))[0]["truncated"] == 40_001
    error = await error_of(client.chat_update(channel="C1", ts=sent["ts"], text="a" * 4_001))
    assert error["error"] == "msg_too_long"
    await client.chat_update(channel="C1", ts=sent["ts"], text="a" * 4_000)


async def test_unknown_arguments_methods_and_metadata_are_refused(slack: FakeSlack) -> None:
    slack.channel("C1")
    client = client_of(slack)
    error = await error_of(client.chat_postMessage(channel="C1", text="a", colour="red"))
    assert (error["error"], "colour" in str(error)) == ("invalid_arguments", True)
    assert (await error_of(client.api_call("chat.shout", json={})))["error"] == "unknown_method"
    assert "channel" in str(await error_of(client.api_call("chat.postMessage", json={"text": "a"})))
    for metadata in ({"event_type": "x"}, {"event_type": "x", "event_payload": {}, "more": 1}):
        error = await error_of(client.chat_postMessage(channel="C1", text="a", metadata=metadata))
        assert error["error"] == "invalid_metadata_format"
    large = {"event_type": "x", "event_payload": {"key": "a" * 20_000}}
    assert (await error_of(client.chat_postMessage(channel="C1", text="a", metadata=large)))[
        "error"
    ] == "metadata_too_large"


@pytest.mark.parametrize(
    ("view", "reason"),
    [
        (modal(title="a" * 25), "less than 25"),
        (modal(submit=plain("a" * 25)), "less than 25"),
        (modal(private_metadata="a" * 3001), "less than 3001"),
        (modal(callback_id="a" * 256), "less than 256"),
        (modal(*(section("a") for _ in range(101))), "no more than 100"),
        (modal(field(), field()), "already exists"),
        (modal(field(max_length=3001)), "between 1 and 3000"),
        (modal(field(label="a" * 2001)), "less than 2001"),
        ({name: value for name, value in modal().items() if name != "submit"}, "submit is required"),
        (modal(mode="dark"), "invalid additional property: mode"),
        ({"type": "home", "blocks": [section("a")]}, "must be one of: modal"),
    ],
)
async def test_a_form_beyond_a_limit_is_refused(slack: FakeSlack, view: Payload, reason: str) -> None:
    agent = slack.user("U1")
    async with link(slack) as socket:
        trigger = await triggered(slack, socket)
        error = await error_of(client_of(slack).views_open(trigger_id=trigger, view=view))
        assert error["error"] == "invalid_arguments"
        assert reason in str(error["response_metadata"])
        await client_of(slack).views_open(trigger_id=await triggered(slack, socket), view=modal(title="a" * 24))
    assert (await slack.expect_view(agent)).title == "a" * 24


async def triggered(slack: Story, socket: aiohttp.ClientWebSocketResponse) -> str:
    press = asyncio.create_task(slack.user("U1").shortcut("ask"))
    envelope = await acked(socket)
    await press
    return envelope["payload"]["trigger_id"]


async def test_a_trigger_is_good_once_and_for_a_short_time(slack: FakeSlack) -> None:
    slack.user("U1")
    client = client_of(slack)
    async with link(slack) as socket:
        trigger = await triggered(slack, socket)
        await client.views_open(trigger_id=trigger, view=modal())
        assert (await error_of(client.views_open(trigger_id=trigger, view=modal())))["error"] == "exchanged_trigger_id"
        late = await triggered(slack, socket)
        await asyncio.sleep(0.35)
        assert (await error_of(client.views_open(trigger_id=late, view=modal())))["error"] == "expired_trigger_id"
    assert (await error_of(client.views_open(trigger_id="1.2.x", view=modal())))["error"] == "invalid_trigger_id"


async def test_tokens_and_scopes(slack: FakeSlack) -> None:
    slack.channel("C1")
    nobody = AsyncWebClient(base_url=slack.api_url)
    assert (await error_of(nobody.auth_test()))["error"] == "not_authed"
    assert (await error_of(client_of(slack, token="xoxb-other").auth_test()))["error"] == "invalid_auth"
    assert (await error_of(client_of(slack).apps_connections_open(app_token=slack.bot_token)))["error"] == (
        "not_allowed_token_type"
    )
    await slack.grant(scopes=["chat:write"])
    error = await error_of(client_of(slack).reactions_add(channel="C1", name="eyes", timestamp="1.1"))
    assert (error["error"], error["needed"], error["provided"]) == ("missing_scope", "reactions:write", "chat:write")
    await slack.revoke()
    assert (await error_of(client_of(slack).auth_test()))["error"] == "token_revoked"


async def test_words_for_what_is_not_there_or_not_allowed(slack: FakeSlack) -> None:
    agent = slack.user("U1")
    room, private = slack.channel("C1", members=[agent]), slack.channel("G1", private=True, bot=False)
    elsewhere = slack.channel("C2", bot=False)
    client = client_of(slack)
    said = await agent.say(room, "bonjour")
    own = await client.chat_postMessage(channel="C1", text="a", thread_ts=said.ts)
    cases = [
        (client.chat_postMessage(channel="C9", text="a"), "channel_not_found"),
        (client.chat_postMessage(channel=private.id, text="a"), "channel_not_found"),
        (client.chat_postMessage(channel=elsewhere.id, text="a"), "not_in_channel"),
        (client.conversations_history(channel=elsewhere.id), "not_in_channel"),
        (client.chat_postMessage(channel="C1", text="a", thread_ts="1.000001"), "thread_not_found"),
        (client.chat_postMessage(channel="C1", text="a", thread_ts=own["ts"]), "cannot_reply_to_message"),
        (client.chat_update(channel="C1", ts=said.ts, text="a"), "cant_update_message"),
        (client.chat_update(channel="C1", ts="1.000001", text="a"), "message_not_found"),
        (client.users_info(user="U9"), "user_not_found"),
        (client.conversations_replies(channel="C1", ts="1.000001"), "thread_not_found"),
        (client.views_update(view_id="V9", view=modal()), "not_found"),
        (client.conversations_history(channel="C1", cursor="nonsense"), "invalid_cursor"),
    ]
    for call, word in cases:
        assert (await error_of(call))["error"] == word
    await client.conversations_join(channel=elsewhere.id)
    await client.chat_postMessage(channel=elsewhere.id, text="a")
    await room.archive(agent)
    assert (await error_of(client.chat_postMessage(channel="C1", text="a")))["error"] == "is_archived"


async def test_history_pages_backwards_and_shows_metadata_on_request(slack: FakeSlack) -> None:
    agent = slack.user("U1")
    room = slack.channel("C1", members=[agent])
    client = client_of(slack)
    said = [await agent.say(room, f"n{number}") for number in range(5)]
    key = {"event_type": "outbox", "event_payload": {"key": "k1"}}
    own = await client.chat_postMessage(channel="C1", text="a", metadata=key, thread_ts=said[0].ts)
    first = await client.conversations_history(channel="C1", limit=2)
    assert [each["text"] for each in first["messages"]] == ["n4", "n3"]
    await agent.say(room, "n5")
    second = await client.conversations_history(channel="C1", limit=2, cursor=first["response_metadata"]["next_cursor"])
    assert ([each["text"] for each in second["messages"]], second["has_more"]) == (["n2", "n1"], True)
    span = {"oldest": said[1].ts, "latest": said[3].ts}
    inside = await client.conversations_history(channel="C1", **span)
    assert [each["text"] for each in inside["messages"]] == ["n2"]
    ends = await client.conversations_history(channel="C1", inclusive=True, **span)
    assert [each["text"] for each in ends["messages"]] == ["n3", "n2", "n1"]
    thread = await client.conversations_replies(channel="C1", ts=said[0].ts)
    assert [(each["text"], "metadata" in each) for each in thread["messages"]] == [("n0", False), ("a", False)]
    assert thread["messages"][0]["reply_count"] == 1
    full = await client.conversations_replies(channel="C1", ts=said[0].ts, include_all_metadata=True)
    assert (full["messages"][1]["ts"], full["messages"][1]["metadata"]) == (own["ts"], key)


async def test_rate_limits(slack: FakeSlack) -> None:
    slack.channel("C1")
    slack.channel("C2")
    client = client_of(slack)
    await slack.configure(paced=True, post_interval=0.2, minute=6.0)
    sent = await client.chat_postMessage(channel="C1", text="a")
    await client.chat_postMessage(channel="C2", text="another channel")
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel="C1", text="b")
    assert (caught.value.response.status_code, caught.value.response["error"]) == (429, "ratelimited")
    assert caught.value.response.headers["Retry-After"] == "1"
    await asyncio.sleep(0.2)
    await client.chat_postMessage(channel="C1", text="b")
    updates = [client.chat_update(channel="C1", ts=sent["ts"], text=str(number)) for number in range(60)]
    results = await asyncio.gather(*updates, return_exceptions=True)
    assert 50 <= sum(not isinstance(each, BaseException) for each in results) < 58
    await slack.configure(paced=False, limited_every=3, retry_after=7)
    words = [await asyncio.gather(client.auth_test(), return_exceptions=True) for _ in range(6)]
    limited = [each[0] for each in words if isinstance(each[0], SlackApiError)]
    assert [each.response.headers["Retry-After"] for each in limited] == ["7", "7"]
    await slack.configure(limited_every=0, connection_interval=30.0)
    await client.apps_connections_open(app_token=slack.app_token)
    assert (await error_of(client.apps_connections_open(app_token=slack.app_token)))["error"] == "ratelimited"


async def test_files_go_up_in_three_steps_and_come_down_with_a_token(slack: FakeSlack) -> None:
    agent = slack.user("U1")
    room = slack.channel("C1", members=[agent])
    client = client_of(slack)
    done = await client.files_upload_v2(channel="C1", filename="visite.ics", content="BEGIN", initial_comment="Voici")
    post = await slack.expect(room, "Voici")
    assert "(visite.ics)" in post.text
    assert (await slack.file(done["file"]["id"]))[1] == b"BEGIN"
    shared = await agent.upload(room, "acte.pdf", b"%PDF", comment="un acte")
    url = shared.body["files"][0]["url_private_download"]
    async with aiohttp.ClientSession() as session:
        right = await session.get(url, headers={"Authorization": f"Bearer {slack.bot_token}"})
        assert (right.content_type, await right.read()) == ("application/pdf", b"%PDF")
        wrong = await session.get(url)
        assert (wrong.status, wrong.content_type) == (200, "text/html")
        await slack.fault("download", "error", status=503)
        assert (await session.get(url)).status == 503
        announced = await client.files_getUploadURLExternal(filename="a.txt", length=5)
        assert (await session.post(announced["upload_url"], data=b"four")).status == 400


# Socket Mode


async def test_a_mention_is_two_events_and_own_posts_come_back(slack: FakeSlack) -> None:
    agent = slack.user("U1", "agent")
    room = slack.channel("C1", members=[agent])
    bot = Bot(slack)
    bot.catch_events()
    async with bot.connected(slack):
        said = await agent.say(room, f"{slack.mention} a < b & <https://a.fr|ici>")
        await slack.settled()
        await slack.configure(mention_order="mention_first")
        await agent.say(room, f"{slack.mention} encore")
        await agent.dm(f"{slack.mention} directement")
        await bot.client.chat_postMessage(channel="C1", text="carte")
        await slack.settled()
    kinds = [(event["type"], event.get("channel_type", "")) for event in bot.events()]
    assert kinds == [
        *(("message", "channel"), ("app_mention", "")),
        *(("app_mention", ""), ("message", "channel")),
        *(("message", "im"), ("message", "channel")),
    ]
    message, mention = bot.bodies[:2]
    assert message["event"]["text"] == f"{slack.mention} a &lt; b &amp; <https://a.fr|ici>"
    assert message["event"]["blocks"][0]["elements"][0]["elements"][0] == {"type": "user", "user_id": slack.bot_user}
    assert (message["event"]["ts"], mention["event"]["ts"]) == (said.ts, said.ts)
    assert message["event_id"] != mention["event_id"]
    assert {"client_msg_id", "user", "team", "channel"} <= message["event"].keys()
    assert (bot.events()[-1]["bot_id"], bot.events()[-1]["app_id"]) == (slack.bot_id, slack.app_id)
    assert set(bot.retries) == {"0"}


async def test_an_unacknowledged_event_comes_again_and_is_lost_in_the_end(slack: FakeSlack) -> None:
    agent = slack.user("U1")
    room = slack.channel("C1", members=[agent])
    async with link(slack) as socket:
        await agent.say(room, "bonjour")
        seen = [await socket.receive_json(timeout=2) for _ in range(2)]
        seen.append(await acked(socket))
        await slack.settled()
        await agent.say(room, "encore")
        await slack.settled()
    assert [(each["retry_attempt"], each["retry_reason"]) for each in seen] == [(0, ""), (1, "timeout"), (2, "timeout")]
    assert len({each["payload"]["event_id"] for each in seen}) == 1
    assert [each["attempt"] for each in await slack.entries("ack")] == [2]
    assert [each["reason"] for each in await slack.entries("lost")] == ["timeout"]


async def test_a_payload_without_listener_is_never_acknowledged_by_bolt(slack: FakeSlack) -> None:
    agent = slack.user("U1")
    room = slack.channel("C1", members=[agent])
    bot = Bot(slack)
    async with bot.connected(slack):
        await agent.say(room, "bonjour")
        await slack.settled()
    assert bot.retries == ["0", "1", "2"]


async def test_buttons_commands_and_forms_are_never_sent_again(slack: FakeSlack) -> None:
    agent = slack.user("U1")
    room = slack.channel("C1", members=[agent])
    await slack.configure(own_events=False)
    await client_of(slack).chat_postMessage(channel="C1", text="a", blocks=[actions(button())])
    card = await slack.expect(room, button="Prendre")
    with pytest.raises(NotAcknowledged, match="no_connection"):
        await agent.click(card, "Prendre")
    async with link(slack) as socket:
        with pytest.raises(NotAcknowledged, match="timeout"):
            await agent.click(card, "Prendre")
        await agent.slash(room, "question", check=False)
        await agent.shortcut("ask", card, check=False)
        received = [await socket.receive_json(timeout=1) for _ in range(3)]
        with pytest.raises(TimeoutError):
            await socket.receive_json(timeout=0.5)
        await socket.send_json({"envelope_id": received[0]["envelope_id"]})
        await slack.until(lambda: late(slack), 2)
    assert [each["type"] for each in received] == ["interactive", "slash_commands", "interactive"]
    assert "retry_attempt" not in received[0]
    assert len(await slack.entries("operation_timeout")) == 4
    assert len(await slack.entries("late_ack")) == 1


async def late(slack: Story) -> bool | None:
    return bool(await slack.entries("late_ack")) or None


async def test_what_was_sent_to_a_broken_connection_comes_on_the_next(slack: FakeSlack) -> None:
    agent = slack.user("U1")
    room = slack.channel("C1", members=[agent])
    async with link(slack) as socket:
        await agent.say(room, "bonjour")
        first = await socket.receive_json(timeout=2)
        await slack.drop_connections()
        assert (await socket.receive(timeout=2)).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
    async with link(slack) as socket:
        again = await acked(socket)
    assert (again["retry_attempt"], again["retry_reason"]) == (1, "connection_lost")
    assert again["payload"]["event_id"] == first["payload"]["event_id"]


async def test_connections_share_envelopes_and_tickets_are_used_once(slack: FakeSlack) -> None:
    agent = slack.user("U1")
    room = slack.channel("C1", members=[agent])
    async with link(slack) as one, link(slack) as two:
        for number in range(4):
            await agent.say(room, f"n{number}")
        texts = [(await acked(socket))["payload"]["event"]["text"] for socket in (one, one, two, two)]
        assert sorted(texts) == ["n0", "n1", "n2", "n3"]
    url = (await client_of(slack).apps_connections_open(app_token=slack.app_token))["url"]
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url):
            pass
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url)
    await slack.configure(max_connections=1)
    async with link(slack):
        url = (await client_of(slack).apps_connections_open(app_token=slack.app_token))["url"]
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as third:
            assert (await third.receive_json())["reason"] == "too_many_websockets"


@pytest.mark.parametrize("end", ["refresh", "drop", "freeze"])
async def test_the_sdk_comes_back_after_a_connection_ends(slack: FakeSlack, end: str) -> None:
    agent = slack.user("U1")
    room = slack.channel("C1", members=[agent])
    bot = Bot(slack)
    bot.catch_events()
    async with bot.connected(slack):
        if end == "refresh":
            await slack.disconnect("refresh_requested", close_after=0.1)
        elif end == "drop":
            await slack.drop_connections()
        else:
            await slack.freeze_connections()
        await slack.until(lambda: second_connection(slack), 5)
        await agent.say(room, "toujours là ?")
        await slack.settled()
    assert [event["text"] for event in bot.events("message")] == ["toujours là ?"]


async def second_connection(slack: Story) -> bool | None:
    return len(await slack.entries("connected")) > 1 or None


async def test_doubled_held_and_reversed_events(slack: FakeSlack) -> None:
    agent = slack.user("U1")
    room = slack.channel("C1", members=[agent])
    await slack.configure(duplicate_every=3)
    bot = Bot(slack)
    bot.catch_events()
    async with bot.connected(slack):
        await slack.hold_events()
        for number in range(3):
            await agent.say(room, f"n{number}")
        await slack.release_events(reverse=True)
        await slack.settled()
    assert [event["text"] for event in bot.events()] in (["n2", "n1", "n0", text] for text in ("n0", "n1", "n2"))


async def test_a_form_from_click_to_close(slack: FakeSlack) -> None:
    agent = slack.user("U1", "agent")
    room = slack.channel("C1", members=[agent])
    bot = Bot(slack)
    bot.catch_events()
    answers = {"non": {"response_action": "errors", "errors": {"answer": "Trop court."}}}
    answers["bis"] = {"response_action": "update", "view": modal(section("Vraiment ?"), field(), title="Bis")}
    answers["plus"] = {"response_action": "push", "view": modal(title="Encore", notify_on_close=True)}
    answers["faux"] = {"response_action": "errors", "errors": {"unknown": "?"}}

    @bot.app.action("take")
    async def open_form(ack: Any, body: Payload, client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=modal(private_metadata=body["actions"][0]["value"]))

    @bot.app.view("form")
    async def take(ack: Any, view: Payload) -> None:
        await ack(**answers.get(view["state"]["values"]["answer"]["text"]["value"], {}))

    @bot.app.view_closed("form")
    async def closed(ack: Any) -> None:
        await ack()

    async with bot.connected(slack):
        blocks = [section("Question"), actions(button(value="Q-1"))]
        await bot.client.chat_postMessage(channel="C1", text="Question", blocks=blocks)
        card = await slack.expect(room, "Question", button="Prendre")
        await agent.click(card, "Prendre")
        form = await slack.expect_view(agent, "Répondre")
        assert (form.private_metadata, form.inputs) == ("Q-1", ["Réponse"])
        with pytest.raises(FormRefused):
            await agent.submit(form)
        assert await agent.submit(form, {"Réponse": "non"}) == {"answer": "Trop court."}
        with pytest.raises(NotAcknowledged, match="bad_response"):
            await agent.submit(form, {"Réponse": "faux"})
        assert await agent.submit(form, {"Réponse": "bis"}) == {}
        form = await slack.expect_view(agent, "Vraiment ?")
        await agent.submit(form, {"answer": "plus"})
        await slack.expect_view(agent, "Encore")
        await agent.close()
        form = await slack.expect_view(agent, "Vraiment ?")
        await agent.submit(form, {"text": "oui"})
        with pytest.raises(AssertionError, match="sees no such form"):
            await slack.expect_view(agent, timeout=0.05)
    click = next(body for body in bot.bodies if body.get("type") == "block_actions")
    assert click["container"] == {"type": "message", "message_ts": card.ts, "channel_id": "C1", "is_ephemeral": False}
    assert {"message", "channel", "response_url", "state", "team", "user", "api_app_id"} <= click.keys()
    assert click["actions"][0] | {"action_ts": ""} == {
        "type": "button",
        "action_id": "take",
        "block_id": card.element("Prendre").block_id,
        "value": "Q-1",
        "text": plain("Prendre"),
        "action_ts": "",
    }
    assert [body["is_cleared"] for body in bot.bodies if body.get("type") == "view_closed"] == [False]


async def test_home_menus_shortcuts_and_commands(slack: FakeSlack) -> None:
    agent = slack.user("U1", "agent")
    room = slack.channel("C1", members=[agent])
    bot = Bot(slack)
    bot.catch_events()
    options = [{"text": plain(name), "value": name.lower()} for name in ("Visa", "Asile")]
    menu = {"type": "static_select", "action_id": "topic", "placeholder": plain("Sujet"), "options": options}
    home = {"type": "home", "blocks": [section("Bonjour"), actions(menu, button("Actualiser", "refresh"))]}
    acks = {name: asyncio.Event() for name in ("topic", "refresh", "ask", "quote")}

    @bot.app.event("app_home_opened")
    async def draw(event: Payload, client: Any) -> None:
        view = event.get("view", {})
        await client.views_publish(user_id=event["user"], view=home, **({"hash": view["hash"]} if view else {}))

    for name in ("topic", "refresh"):
        bot.app.action(name)(acknowledging(acks[name]))
    for name in ("ask", "quote"):
        bot.app.shortcut(name)(acknowledging(acks[name]))

    @bot.app.command("/annuaire")
    async def directory(ack: Any, respond: Any, command: Payload) -> None:
        await ack(f"cherche {command['text']}")
        await respond(text="trouvé", response_type="in_channel")

    async with bot.connected(slack):
        await agent.open_home()
        shown = await slack.expect_view(agent, "Bonjour", home=True)
        stale = shown.body["hash"]
        await agent.select(shown, "Asile")
        await agent.click(shown, "Actualiser")
        await agent.shortcut("ask")
        said = await agent.say(room, "une question")
        await agent.shortcut("quote", said)
        await agent.slash(room, "annuaire", "consulat munich")
        await slack.expect(room, "cherche consulat munich", to=agent)
        await slack.expect(room, "trouvé")
        await agent.open_home()
        await slack.settled()
        error = await error_of(bot.client.views_publish(user_id="U1", view=home, hash=stale))
    assert error["error"] == "hash_conflict"
    assert all(event.is_set() for event in acks.values())
    chosen = next(body for body in bot.bodies if body.get("type") == "block_actions")
    assert chosen["actions"][0]["selected_option"]["value"] == "asile"
    assert chosen["container"] == {"type": "view", "view_id": shown.id}
    quoted = next(body for body in bot.bodies if body.get("type") == "message_action")
    assert (quoted["message"]["text"], quoted["message_ts"]) == ("une question", said.ts)
    command = next(body for body in bot.bodies if "command" in body)
    assert {"trigger_id", "response_url", "channel_id", "user_id", "team_id", "channel_name"} <= command.keys()
    assert not [each for each in await slack.violations() if each.get("method") != "views.publish"]


async def test_a_response_url_is_good_five_times(slack: FakeSlack) -> None:
    agent = slack.user("U1", "agent")
    room = slack.channel("C1", members=[agent])
    await slack.configure(own_events=False)
    await client_of(slack).chat_postMessage(channel="C1", text="carte", blocks=[section("carte"), actions(button())])
    card = await slack.expect(room, "carte")
    async with link(slack) as socket:
        click = asyncio.create_task(agent.click(card, "Prendre"))
        url = (await acked(socket))["payload"]["response_url"]
        await click
    whisper = {"text": "à vous"}
    replacing = {"text": "remplacée", "blocks": [section("remplacée")], "replace_original": True}
    aloud = {"text": "à tous", "response_type": "in_channel"}
    async with aiohttp.ClientSession() as session:
        sent = [whisper, replacing, aloud, {"text": "a", "colour": "red"}, {"delete_original": True}, whisper]
        statuses = [(await session.post(url, json=body)).status for body in sent]
    assert statuses == [200, 200, 200, 404, 200, 404]
    assert [each.text for each in await slack.posts(room)] == ["à vous", "à tous"]
    assert (await slack.refresh(card)).versions == ("carte",)


async def test_a_whisper_can_be_replaced_without_an_event(slack: FakeSlack) -> None:
    agent = slack.user("U1", "agent")
    room = slack.channel("C1", members=[agent])
    blocks = [section("deux choix"), actions(button())]
    await client_of(slack).chat_postEphemeral(channel="C1", user="U1", text="choix", blocks=blocks)
    whisper = await slack.expect(room, "deux choix", to=agent)
    async with link(slack) as socket, aiohttp.ClientSession() as session:
        click = asyncio.create_task(agent.click(whisper, "Prendre"))
        payload = (await acked(socket))["payload"]
        await click
        assert (payload["container"]["is_ephemeral"], "message" in payload) == (True, False)
        body = {"text": "choisi", "blocks": [section("choisi")], "replace_original": True}
        assert (await session.post(payload["response_url"], json=body)).status == 200
        assert (await slack.expect(room, "choisi", to=agent)).ts == whisper.ts
        with pytest.raises(TimeoutError):
            await socket.receive_json(timeout=0.2)
    history = await client_of(slack).conversations_history(channel="C1")
    assert history["messages"] == []


async def test_an_external_menu_asks_the_bot_for_its_options(slack: FakeSlack) -> None:
    agent = slack.user("U1", "agent")
    menu = {"type": "external_select", "action_id": "who", "min_query_length": 2}
    chooser = {"type": "input", "block_id": "to", "label": plain("Destinataire"), "element": menu}
    bot = Bot(slack)

    @bot.app.shortcut("ask")
    async def ask(ack: Any, body: Payload, client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=modal(chooser))

    @bot.app.options("who")
    async def offer(ack: Any, body: Payload) -> None:
        await ack(options=[{"text": plain(f"Consulat {body['value']}"), "value": "c-1"}])

    bot.app.view("form")(acknowledging(asyncio.Event()))
    async with bot.connected(slack):
        await agent.shortcut("ask")
        form = await slack.expect_view(agent)
        offered = await agent.suggestions(form, "Destinataire", "mun")
        assert [each["text"]["text"] for each in offered] == ["Consulat mun"]
        assert await agent.submit(form, {"Destinataire": "c-1"}) == {}
    state = bot.bodies[-1]["view"]["state"]["values"]
    assert state["to"]["who"]["selected_option"]["value"] == "c-1"


def acknowledging(event: asyncio.Event) -> Any:
    async def handle(ack: Any) -> None:
        event.set()
        await ack()

    return handle


async def test_edits_previews_deletions_reactions_and_members(slack: FakeSlack) -> None:
    agent, consul = slack.user("U1", "agent"), slack.user("U2", "consul")
    room = slack.channel("C1", members=[agent])
    bot = Bot(slack)
    bot.catch_events()
    async with bot.connected(slack):
        said = await agent.say(room, "un https://a.fr acte")
        reply = await consul.say(room, "vu", thread=said)
        await slack.unfurl(said, "https://a.fr")
        await agent.edit(said, "deux")
        await agent.react(said, "incoming_envelope")
        await consul.delete(reply)
        await slack.user("U3").join(room)
        await room.kick_bot(agent)
        await agent.say(room, "sans lui")
        await slack.settled()
    preview, edit = bot.events("message_changed")
    assert (preview["message"]["text"], "edited" in preview["message"]) == (preview["previous_message"]["text"], False)
    assert (edit["message"]["text"], edit["previous_message"]["text"]) == ("deux", "un <https://a.fr> acte")
    assert (edit["message"]["edited"]["user"], edit["hidden"]) == ("U1", True)
    assert bot.events("message")[1]["thread_ts"] == said.ts
    assert bot.events("message_deleted")[0]["deleted_ts"] == reply.ts
    assert bot.events("reaction_added")[0]["item"] == {"type": "message", "channel": "C1", "ts": said.ts}
    assert bot.events("member_joined_channel")[0]["user"] == "U3"
    assert bot.events("channel_join")[0]["user"] == "U3"
    assert bot.events()[-1]["type"] == "channel_left"
    with pytest.raises(ApiError, match="cant_update_message"):
        await consul.edit(said, "à sa place")


async def test_outsiders_other_bots_and_unsubscribed_events(slack: FakeSlack) -> None:
    outsider = slack.user("U7", "invité", team="T0AILLEURS")
    other, agent = slack.other_bot("U8"), slack.user("U1")
    shared, room = slack.channel("C7", shared_with=["T0AILLEURS"]), slack.channel("C1")
    await slack.grant(bot_events=["message.channels"])
    bot = Bot(slack)
    bot.catch_events()
    async with bot.connected(slack):
        await outsider.say(shared, f"{slack.mention} bonjour")
        await other.say(room, "moderne")
        await other.say(room, "ancien", classic=True)
        said = await agent.say(room, "moi")
        await agent.react(said, "eyes")
        await slack.settled()
    stranger, modern, classic, _ = bot.bodies
    assert stranger["is_ext_shared_channel"]
    assert (stranger["event"]["user_team"], stranger["team_id"]) == ("T0AILLEURS", slack.team)
    assert "bot_id" in modern["event"]
    assert "subtype" not in modern["event"]
    assert classic["event"]["subtype"] == "bot_message"
    info = await client_of(slack).users_info(user="U7")
    assert (info["user"]["is_stranger"], info["user"]["team_id"]) == (True, "T0AILLEURS")


async def test_a_burst_is_delivered_in_order_and_fast(slack: FakeSlack) -> None:
    slack.user("U1")
    slack.channel("C1")
    async with link(slack) as socket:
        said = [{"user": "U1", "channel": "C1", "text": f"n{number}"} for number in range(1500)]
        started = time.monotonic()
        await slack.configure(ack_timeout=10.0)
        await slack.burst(said)
        texts = [(await acked(socket))["payload"]["event"]["text"] for _ in said]
        assert time.monotonic() - started < 5
    assert texts == [each["text"] for each in said]


# Failures


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


# HTTP mode


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


# Stories, and a process of its own


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
