"""Socket Mode: what is delivered, when again, and to whom."""

import time

import aiohttp
import pytest

from tests.contracts.fake_slack.bolt import Bot, acked, actions, button, client_of, link, second_connection
from tests.fakes.slack import ApiError, FakeSlack, NotAcknowledged, Story


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
