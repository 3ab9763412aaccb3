"""What the bot says, and what is known when Slack does not take it."""

import asyncio

import pytest

from bot.card import Button, Buttons, Card, Paragraph
from bot.errors import NotSent, OutcomeUnknown, Refused
from bot.message import Address
from bot.message import User as Account
from bot.platforms import Edits, Joins, Platform
from tests.fakes.slack import FakeSlack, Room, User
from tests.platforms.slack.conftest import Bot

CARD = Card("Bonjour", (Paragraph("à **tous**"), Buttons((Button("Prendre", "prendre", "Q-1"),))))


async def test_a_card_in_a_channel_a_thread_and_a_direct_room(
    slack: FakeSlack, bot: Bot, agent: User, room: Room
) -> None:
    root = await agent.say(room, "racine")
    one = await bot.platform.send(Address("slack", room.id), CARD, key="k1", again=False)
    two = await bot.platform.send(Address("slack", room.id, root.ts), CARD, key="k2", again=False)
    three = await bot.platform.send(Address("slack", slack.dm(agent).id, surface="direct"), CARD, key="k3", again=False)
    assert (await slack.expect(room, "Bonjour", button="Prendre")).ts in {one, two}
    assert [p.ts for p in await slack.posts(room, thread=root)] == [two]
    assert (await slack.expect(agent, "Bonjour")).ts == three
    assert (await slack.posts(room, by_bot=True))[0].metadata == {
        "event_type": "passerelle",
        "event_payload": {"key": "k1"},
    }


async def test_a_persons_id_is_their_direct_room(slack: FakeSlack, bot: Bot, agent: User) -> None:
    to = Address("slack", agent.id, surface="direct")
    ts = await bot.platform.send(to, CARD, key="k1", again=False)
    assert await bot.platform.send(to, CARD, key="k1", again=True) == ts
    await bot.platform.edit(to, ts, Card("Bonsoir"), key="k2")
    assert (await slack.expect(agent, "Bonsoir")).edited
    assert (await slack.calls())["conversations.open"] == 1


async def test_what_is_for_one_person_alone_is_said_at_most_once(
    slack: FakeSlack, bot: Bot, agent: User, room: Room
) -> None:
    to = Address("slack", room.id, audience=Account("slack", agent.id))
    seen = await bot.platform.send(to, CARD, key="k1", again=False)
    assert (await slack.expect(room, "Bonjour", to=agent)).ts == seen
    assert await bot.platform.send(to, CARD, key="k1", again=True) == ""
    await bot.platform.edit(to, seen, CARD, key="k2")
    assert len(await slack.entries("ephemeral")) == 1
    assert await slack.violations() == []


async def test_an_audience_in_a_direct_room_is_an_ordinary_message(slack: FakeSlack, bot: Bot, agent: User) -> None:
    to = Address("slack", slack.dm(agent).id, audience=Account("slack", agent.id), surface="direct")
    assert await bot.platform.send(to, CARD, key="k1", again=False)
    assert not (await slack.expect(agent, "Bonjour")).ephemeral_to


async def test_an_edit_and_a_deletion_may_be_repeated(slack: FakeSlack, bot: Bot, room: Room) -> None:
    to = Address("slack", room.id)
    ts = await bot.platform.send(to, CARD, key="k1", again=False)
    for _ in range(2):
        await bot.platform.edit(to, ts, Card("Bonsoir"), key="k2")
    assert [(p.text, p.buttons) for p in await slack.posts(room)] == [("*Bonsoir*", [])]
    for _ in range(2):
        await bot.platform.delete(to, ts, key="k3")
    assert await slack.posts(room) == []
    await bot.platform.edit(to, "", CARD, key="k4")
    await bot.platform.delete(to, "", key="k5")
    with pytest.raises(Refused) as told:
        await bot.platform.edit(to, ts, CARD, key="k6")
    assert not told.value.gone


@pytest.mark.parametrize(
    ("word", "gone"),
    [
        ("channel_not_found", True),
        ("is_archived", True),
        ("not_in_channel", True),
        ("thread_not_found", False),
        ("invalid_blocks", False),
        ("msg_too_long", False),
    ],
)
async def test_what_will_never_be_taken_is_refused(
    slack: FakeSlack, bot: Bot, room: Room, word: str, gone: bool
) -> None:
    await slack.fault("chat.postMessage", "refuse", word=word)
    with pytest.raises(Refused, match=word) as told:
        await bot.platform.send(Address("slack", room.id), CARD, key="k", again=False)
    assert told.value.gone == gone


@pytest.mark.parametrize("word", ["internal_error", "fatal_error", "service_unavailable"])
async def test_slacks_own_failures_leave_the_outcome_unknown(slack: FakeSlack, bot: Bot, room: Room, word: str) -> None:
    await slack.fault("chat.postMessage", "refuse", word=word)
    with pytest.raises(OutcomeUnknown):
        await bot.platform.send(Address("slack", room.id), CARD, key="k", again=False)


async def test_a_slow_answer_leaves_the_outcome_unknown(slack: FakeSlack, room: Room) -> None:
    bot = Bot(slack, options={"timeout": 0.2})
    await slack.fault("chat.postMessage", "hang", after=True, delay=0.5)
    with pytest.raises(OutcomeUnknown):
        await bot.platform.send(Address("slack", room.id), CARD, key="k", again=False)
    assert await bot.platform.send(Address("slack", room.id), CARD, key="k", again=True)
    assert len(await slack.posts(room)) == 1
    await bot.stop()


async def test_a_slack_that_cannot_be_reached_was_certainly_not_told(slack: FakeSlack, room: Room) -> None:
    bot = Bot(slack, options={"api_url": "http://127.0.0.1:9/api/"})
    with pytest.raises(NotSent) as told:
        await bot.platform.send(Address("slack", room.id), CARD, key="k", again=False)
    assert told.value.outage
    await bot.stop()


async def test_a_proxy_that_refuses_was_certainly_not_slack(slack: FakeSlack, bot: Bot, room: Room) -> None:
    await slack.fault("chat.postMessage", "error", status=403)
    with pytest.raises(NotSent) as told:
        await bot.platform.send(Address("slack", room.id), CARD, key="k", again=False)
    assert told.value.outage


@pytest.mark.parametrize("word", ["invalid_auth", "token_revoked", "account_inactive", "missing_scope"])
async def test_a_dead_token_is_an_outage_that_the_operator_reads_about(
    slack: FakeSlack, bot: Bot, room: Room, word: str
) -> None:
    await slack.fault("chat.postMessage", "refuse", word=word)
    with pytest.raises(NotSent) as told:
        await bot.platform.send(Address("slack", room.id), CARD, key="k", again=False)
    assert told.value.outage
    ok, reason = bot.reports[-1]
    assert not ok
    assert word in reason
    assert slack.bot_token not in reason
    await bot.platform.send(Address("slack", room.id), CARD, key="k", again=False)
    assert bot.reports[-1] == (True, "")


async def test_when_one_cannot_look_the_outcome_stays_unknown(slack: FakeSlack, bot: Bot, room: Room) -> None:
    to = Address("slack", room.id)
    await slack.fault("conversations.history", "error")
    with pytest.raises(OutcomeUnknown):
        await bot.platform.send(to, CARD, key="k", again=True)
    await slack.fault("conversations.history", "limited", retry_after=0, times=2)
    with pytest.raises(OutcomeUnknown):
        await bot.platform.send(to, CARD, key="k", again=True)
    await slack.fault("conversations.history", "limited", retry_after=0)
    assert await bot.platform.send(to, CARD, key="k", again=True)
    assert len(await slack.posts(room)) == 1


async def test_a_refusal_names_its_reason_and_quotes_no_words(slack: FakeSlack, bot: Bot, room: Room) -> None:
    secret = "le nom de la personne"
    with pytest.raises(Refused) as told:
        await bot.platform.send(Address("slack", room.id, "1.5"), Card(secret), key="k", again=False)
    assert secret not in str(told.value)


async def test_the_platform_is_what_the_core_asks_for(bot: Bot) -> None:
    platform: Platform = bot.platform
    assert platform.name == "slack"
    assert isinstance(platform, Edits)
    assert isinstance(platform, Joins)
    await bot.platform.join("C1")


async def test_tokens_stay_out_of_what_is_printed(slack: FakeSlack) -> None:
    bot = Bot(slack)
    assert slack.bot_token not in repr(bot.platform._settings)
    assert slack.signing_secret not in repr(bot.platform._settings)
    await asyncio.sleep(0)
