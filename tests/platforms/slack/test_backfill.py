"""What was said while nobody listened."""

import asyncio

import pytest

from bot.card import Reply
from bot.errors import Unavailable
from bot.message import Address, Inbound, Message, RoomChange
from tests.fakes.slack import FakeSlack, Room, User
from tests.platforms.slack.conftest import Bot


async def missed(slack: FakeSlack, *said: tuple[User, Room | User, str, str]) -> list[str]:
    """People speak, and Slack never tells the bot."""
    slack.core.events.losing = True
    posts = [await user.say(where, text, thread=thread) for user, where, text, thread in said]
    slack.core.events.losing = False
    return [post.ts for post in posts]


async def again(bot: Bot) -> None:
    """The same bot, with what it remembers, after a stop."""
    await bot.stop()
    await bot.start()


async def test_the_first_start_ever_reads_no_history(slack: FakeSlack, bot: Bot, agent: User, room: Room) -> None:
    await missed(slack, (agent, room, "ancien", ""), (agent, agent, "ancien aussi", ""))
    await bot.start()
    assert bot.offered == []
    assert {"since", f"ts:{room.id}", f"ts:{slack.dm(agent).id}"} <= bot.memory.keys()


async def test_a_restart_reads_what_was_missed_in_channels_threads_and_direct_rooms(
    slack: FakeSlack, bot: Bot, agent: User, room: Room
) -> None:
    await slack.configure(clock_offset=-3600.0)
    slack.core.workspace._last_us = 0
    old = await agent.say(room, "racine vivante, depuis longtemps")
    await slack.configure(clock_offset=0.0)
    root = await agent.say(room, "racine")
    await bot.start()
    bot.threads = [Address("slack", room.id, old.ts)]
    await bot.stop()
    await missed(
        slack,
        (agent, room, "un", ""),
        (agent, room, "dans le fil", root.ts),
        (agent, room, "dans le fil vivant", old.ts),
        (agent, room, f"{slack.mention} deux", ""),
        (agent, agent, "en privé", ""),
    )
    await bot.start()
    there = [m for m in bot.kept if isinstance(m, Message) and m.to.room == room.id]
    assert [m.text for m in there][-4:] == ["un", "dans le fil", "dans le fil vivant", "deux"]
    assert [m.to.thread for m in there][-4:] == [None, root.ts, old.ts, None]
    assert there[-1].mentions_bot
    assert "en privé" in bot.texts


async def test_what_history_shows_is_what_the_event_would_have_been(
    slack: FakeSlack, bot: Bot, agent: User, room: Room
) -> None:
    await bot.start()
    await agent.say(room, f"{slack.mention} *bonjour* https://x.fr")
    await slack.settled()
    heard = {m.id: m for m in bot.offered}
    bot.memory[f"ts:{room.id}"] = bot.memory["since"]
    bot.offered.clear()
    await again(bot)
    read = {m.id: m for m in bot.offered}
    assert read.keys() == heard.keys()
    for key, message in read.items():
        live = heard[key]
        assert isinstance(message, Message)
        assert isinstance(live, Message)
        assert (message.text, message.to, message.author, message.at, message.mentions_bot) == (
            live.text,
            live.to,
            live.author,
            live.at,
            live.mentions_bot,
        )
        assert message.cursor is None
        assert live.cursor == (f"ts:{room.id}", live.message_id)


async def test_more_than_a_page_is_read_in_order(slack: FakeSlack, bot: Bot, agent: User, room: Room) -> None:
    await bot.start()
    await bot.stop()
    slack.core.events.losing = True
    await slack.burst([{"user": agent.id, "channel": room.id, "text": str(n)} for n in range(450)])
    slack.core.events.losing = False
    await bot.start()
    assert bot.texts == [str(n) for n in range(450)]


async def test_a_dropped_connection_is_a_gap(slack: FakeSlack, bot: Bot, agent: User, room: Room) -> None:
    await bot.start()
    slack.core.events.losing = True
    await slack.drop_connections()
    await agent.say(room, "dans le trou")
    slack.core.events.losing = False
    await bot.until(1)
    assert bot.texts == ["dans le trou"]


async def test_a_message_that_comes_during_a_walk_waits_for_those_before_it(
    slack: FakeSlack, bot: Bot, agent: User, room: Room
) -> None:
    await bot.start()
    await bot.stop()
    await missed(slack, (agent, room, "avant", ""))
    await slack.fault("conversations.history", "slow", delay=0.5)
    start = asyncio.create_task(bot.start())
    await slack.connected()
    await agent.say(room, "pendant")
    await start
    await slack.settled()
    assert bot.texts == ["avant", "pendant"]


async def test_while_a_walk_fails_messages_come_in_and_no_cursor_moves(
    slack: FakeSlack, bot: Bot, agent: User, room: Room
) -> None:
    await bot.start()
    await bot.stop()
    reached = bot.memory[f"ts:{room.id}"]
    await missed(slack, (agent, room, "avant", ""))
    await slack.fault("conversations.history", "error", times=None)
    bot.task = asyncio.create_task(bot.platform.run(bot.receive))
    await slack.connected()
    await asyncio.sleep(0.2)
    await agent.say(room, "pendant")
    await bot.until(1)
    assert bot.texts == ["pendant"]
    assert bot.kept[0].cursor is None
    assert bot.memory[f"ts:{room.id}"] == reached
    await slack.clear_faults()
    await bot.until(2)
    assert bot.texts == ["pendant", "avant"]
    await bot.caught_up()
    assert bot.memory[f"ts:{room.id}"] > reached


async def test_limits_are_waited_for(slack: FakeSlack, bot: Bot, agent: User, room: Room) -> None:
    await bot.start()
    await bot.stop()
    await missed(slack, (agent, room, "avant", ""))
    await slack.fault("conversations.history", "limited", retry_after=0, times=3)
    await bot.start()
    assert bot.texts == ["avant"]


async def test_what_could_not_be_kept_for_long_is_read_again(
    slack: FakeSlack, bot: Bot, agent: User, room: Room
) -> None:
    await slack.configure(retry_delays=())
    await bot.start()
    bot.down = True
    await agent.say(room, "perdu")
    await slack.settled()
    bot.down = False
    await agent.say(room, "suite")
    await bot.until(2)
    assert sorted(bot.texts) == ["perdu", "suite"]


async def test_back_from_an_outage_of_the_database_a_reply_waits_for_the_message_it_belongs_to(
    slack: FakeSlack, bot: Bot, agent: User, room: Room
) -> None:
    """Taken at once it would belong to nothing, and be of no interest."""
    await slack.configure(retry_delays=())
    await bot.start()
    bot.down = bot.memory.away = True
    root = await agent.say(room, "question")
    await slack.settled()
    bot.down = False
    await agent.say(room, "complément", thread=root)
    await asyncio.sleep(0.2)
    bot.memory.away = False
    await bot.until(2)
    assert bot.texts == ["question", "complément"]


async def test_a_reply_does_not_overtake_the_message_before_it_that_is_just_refused(
    slack: FakeSlack, bot: Bot, agent: User, room: Room
) -> None:
    """One broken connection costs one transaction; what waited behind it must not be quicker."""
    await slack.configure(retry_delays=(0.05,))
    take, refused = bot.receive, False

    async def receive(inbound: Inbound) -> Reply:
        nonlocal refused
        if not refused:
            await asyncio.sleep(0.1)  # the reply is there by now, and waits
            refused = True
            raise Unavailable("the connection broke")
        return await take(inbound)

    bot.receive = receive  # type: ignore[method-assign]
    await bot.start()
    root = await agent.say(room, "question")
    await agent.say(room, "complément", thread=root)
    await bot.until(2)
    assert bot.texts == ["question", "complément"]


async def test_a_channel_that_is_closed_to_us_stops_nothing(
    slack: FakeSlack, bot: Bot, agent: User, room: Room
) -> None:
    await bot.start()
    await bot.stop()
    bot.threads = [Address("slack", "C9AILLEURS", "1.5"), Address("slack", room.id, "1.5")]
    await missed(slack, (agent, room, "avant", ""))
    await bot.start()
    assert bot.texts == ["avant"]


@pytest.mark.parametrize("shown", [True, False])
async def test_brought_in_while_away_it_reads_only_what_came_after(
    slack: FakeSlack, bot: Bot, agent: User, shown: bool
) -> None:
    await bot.start()
    await bot.stop()
    bot.memory["since"] = f"{float(bot.memory['since']) - 4000:.6f}"
    await slack.configure(clock_offset=-2000.0)
    slack.core.workspace._last_us = 0
    new = slack.channel("C3NOUVEAU", members=[agent])
    await missed(slack, (agent, new, "avant", ""))
    if shown:
        slack.core.events.losing = True
        slack.core.posting.say(
            slack.core.workspace.channels[new.id],
            slack.core.workspace.bot,
            "has joined the channel",
            subtype="channel_join",
            inviter=agent.id,
        )
    await missed(slack, (agent, new, "après", ""))
    await slack.configure(clock_offset=0.0)
    await bot.start()
    if shown:
        joined = bot.kept[0]
        assert isinstance(joined, RoomChange)
        assert (joined.change, joined.author.id, joined.to.room) == ("joined", agent.id, new.id)
    assert bot.texts == (["après"] if shown else [])
    await again(bot)
    assert bot.texts == (["après"] if shown else [])


async def test_a_walk_of_many_channels_keeps_slacks_pace(
    slack: FakeSlack, agent: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = Bot(slack, options={"pace": 0.01})
    for number in range(60):
        slack.channel(f"C5N{number:03}", members=[agent])
    await bot.start()
    await bot.stop()
    loop = asyncio.get_running_loop()
    before = loop.time()
    bot.platform._backfill._calls.clear()
    await bot.start()
    assert loop.time() - before > 0.5  # the 41st call waits for its "minute" of 0.6 s
    await bot.stop()


async def test_a_reply_does_not_come_before_the_message_it_belongs_to(
    slack: FakeSlack, bot: Bot, agent: User, room: Room
) -> None:
    await slack.configure(retry_delays=(0.05,))
    await bot.start()
    await bot.stop()
    [root] = await missed(slack, (agent, room, "question", ""))
    await slack.fault("conversations.history", "limited", retry_after=3, times=1)
    started = asyncio.create_task(bot.start())
    await slack.connected()
    await agent.say(room, "complément", thread=root)
    await started
    await bot.until(2)
    assert bot.texts == ["question", "complément"]


async def test_a_reply_does_not_overtake_one_that_history_still_holds(
    slack: FakeSlack, bot: Bot, agent: User, room: Room
) -> None:
    """The thread is known, and Slack's patience ends before the history comes: the later reply waits all the same."""
    await slack.configure(retry_delays=(0.05,))
    await bot.start()
    root = await agent.say(room, "question")
    await bot.until(1)
    await bot.stop()
    bot.threads = [Address("slack", room.id, root.ts)]
    await missed(slack, (agent, room, "premier complément", root.ts))
    await slack.fault("conversations.history", "limited", retry_after=3, times=1)
    started = asyncio.create_task(bot.start())
    await slack.connected()
    await agent.say(room, "second complément", thread=root.ts)
    await agent.say(room, "autre question")  # begins something of its own: waits for nothing for long
    await started
    await bot.until(4)
    assert [text for text in bot.texts if "complément" in text] == ["premier complément", "second complément"]
    assert sorted(bot.texts) == ["autre question", "premier complément", "question", "second complément"]


async def test_where_nothing_tells_since_when_it_is_ours_the_last_minutes_are_read(
    slack: FakeSlack, bot: Bot, agent: User
) -> None:
    """As when the bot ended before it kept that it was brought in, and nothing in the channel says so."""
    await bot.start()
    await bot.stop()
    channel = slack.channel("C0NEW", members=[agent])
    await missed(slack, (agent, channel, "déjà là", ""))
    await bot.start()
    await bot.until(1)
    assert bot.texts == ["déjà là"]


async def test_what_is_said_in_private_waits_for_what_was_said_before_it(
    slack: FakeSlack, bot: Bot, agent: User, room: Room
) -> None:
    await slack.configure(retry_delays=(0.05,))
    await agent.dm("avant")
    await bot.start()
    await bot.stop()
    await missed(slack, (agent, agent, "un", ""))
    await slack.fault("conversations.history", "limited", retry_after=3, times=2)
    started = asyncio.create_task(bot.start())
    await slack.connected()
    await agent.dm("deux")
    await started
    await bot.until(3)
    assert bot.texts[-2:] == ["un", "deux"]
