"""What Slack refuses: limits, tokens, rates; what it keeps."""

import asyncio

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.contracts.fake_slack.bolt import (
    acked,
    actions,
    button,
    client_of,
    error_of,
    field,
    link,
    modal,
    plain,
    section,
)
from tests.fakes.slack import FakeSlack, Payload, Story

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
