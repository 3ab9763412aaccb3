"""Speaking, against a real homeserver: once under a key, and honest about what became of it."""

import asyncio
from typing import Any

import pytest

from bot.card import Card, Paragraph
from bot.errors import NotSent, OutcomeUnknown, Refused, SendError
from bot.message import Address, Deletion, Edit, Message, RoomChange, User
from bot.platforms import Edits, Joins
from bot.platforms.matrix import session
from bot.platforms.matrix.drawing import MARKER
from bot.platforms.matrix.rooms import Room
from tests.platforms.matrix.conftest import Bot, House, card
from tests.platforms.matrix.person import Person
from tests.servers.proxy import FaultyProxy


async def meeting(house: House, bot: Bot, *, encrypted: bool = False) -> tuple[Person, str]:
    agent = await house.person(encrypts=encrypted)
    room = await agent.room(bot.user_id, encrypted=encrypted)
    await bot.joined(room)
    return agent, room


async def said(agent: Person, room: str, bot: Bot) -> list[str]:
    kinds = {"m.room.message", "m.room.encrypted"}
    return [e["event_id"] for e in await agent.events(room) if e["sender"] == bot.user_id and e["type"] in kinds]


@pytest.mark.one_in(2)
@pytest.mark.parametrize("encrypted", [False, True])
async def test_the_same_key_is_the_same_event_over_restarts_of_both_sides(house: House, encrypted: bool) -> None:
    bot = await house.bot()
    agent, room = await meeting(house, bot, encrypted=encrypted)
    first = await bot.say(room, "une fois", key="k")
    assert await bot.say(room, "une fois", key="k") == first
    await bot.stop()
    if not encrypted:
        await house.homeserver.restart()
    bot = await house.restarted(bot)
    assert await bot.say(room, "une fois", key="k") == first
    assert await bot.say(room, "une fois", key="k", again=True) == first
    other = await bot.say(room, "une autre", key="l")
    assert await said(agent, room, bot) == [first, other]


async def test_a_repeat_from_another_device_finds_the_first_event_by_its_marker(house: House) -> None:
    bot = await house.bot()
    agent, room = await meeting(house, bot, encrypted=True)
    first = await bot.say(room, "une fois", key="k")
    await bot.platform.edit(Address("matrix", room), first, card("changé"), key="k")
    await bot.stop()
    session.kept_in(bot.options.store).unlink()  # another disk: a new device of the same account
    bot = await house.restarted(bot)
    assert await bot.say(room, "une fois", key="k", again=True) == first
    assert len(await said(agent, room, bot)) == 2
    new = await bot.say(room, "pas encore dit", key="new", again=True)
    assert (await said(agent, room, bot))[2:] == [new]


async def test_a_homeserver_that_asks_for_patience_is_asked_once(house: House, proxy: FaultyProxy) -> None:
    bot = await house.bot(homeserver=proxy.url)
    _, room = await meeting(house, bot)
    proxy.counts.clear()
    proxy.fault("PUT .*/send/", status=429, retry_after_ms=1500)
    with pytest.raises(NotSent) as caught:
        await bot.say(room, "x")
    assert (caught.value.retry_after, caught.value.outage) == (1.5, False)
    assert proxy.counts["PUT send"] == 1


@pytest.mark.parametrize(
    ("fault", "expected", "outage"),
    [
        ({"status": 502}, OutcomeUnknown, None),
        ({"drop": "after"}, OutcomeUnknown, None),
        ({"status": 413}, Refused, None),
        ({"status": 401}, Refused, None),
    ],
    ids=["gateway", "broken", "too large", "odd"],
)
async def test_what_became_of_it(
    house: House, proxy: FaultyProxy, fault: dict[str, object], expected: type[SendError], outage: bool | None
) -> None:
    bot = await house.bot(homeserver=proxy.url)
    agent, room = await meeting(house, bot)
    proxy.fault("PUT .*/send/", **fault)  # pyright: ignore[reportArgumentType]
    with pytest.raises(expected):
        await bot.say(room, "x", key="k")
    proxy.clear()
    await bot.say(room, "x", key="k", again=True)
    assert len(await said(agent, room, bot)) == 1


async def test_without_a_connection_nothing_was_sent(house: House, proxy: FaultyProxy) -> None:
    bot = await house.bot(homeserver=proxy.url)
    _, room = await meeting(house, bot)
    await bot.say(room, "avant")
    told = len(bot.reports)
    await proxy.cut()
    with pytest.raises(NotSent) as caught:
        await bot.say(room, "x")
    assert caught.value.outage
    assert any(not well for well, _ in bot.reports[told:])
    await proxy.restore()


async def test_before_the_start_nothing_was_sent(house: House) -> None:
    bot = await house.bot(start=False)
    with pytest.raises(NotSent) as caught:
        await bot.say("!r", "x")
    assert caught.value.outage


async def test_a_dead_token_keeps_the_message_and_tells_the_operator(house: House, proxy: FaultyProxy) -> None:
    bot = await house.bot(homeserver=proxy.url)
    _, room = await meeting(house, bot)
    proxy.fault("GET .*/sync", delay=5)
    told = len(bot.reports)
    await bot.platform._home.post("logout", body={})
    with pytest.raises(NotSent) as caught:
        await bot.say(room, "x")
    assert caught.value.outage
    # A sync that began before the logout may still end well, and say so after the send that failed.
    assert any(not well for well, _ in bot.reports[told:])


async def test_a_room_that_is_closed_to_us_is_gone(house: House) -> None:
    bot = await house.bot()
    agent, room = await meeting(house, bot)
    with pytest.raises(Refused) as caught:
        await bot.say(await agent.room(), "x")
    assert caught.value.gone
    await agent.api("PUT", "rooms", room, "state", "m.room.power_levels", "", body={"events_default": 50})
    with pytest.raises(Refused) as caught:
        await bot.say(room, "x")
    assert caught.value.gone
    with pytest.raises(Refused):
        await bot.platform.join("!nowhere:passerelle.test")


async def test_threads_are_replies_where_clients_have_none(house: House) -> None:
    bot = await house.bot()
    agent, room = await meeting(house, bot)
    root = await agent.say(room, "question")
    answer = await bot.say(room, "réponse", thread=root)
    event = await agent.waits_for(room, lambda e: e["event_id"] == answer)
    assert event["content"]["m.relates_to"] == {
        "rel_type": "m.thread",
        "event_id": root,
        "is_falling_back": True,
        "m.in_reply_to": {"event_id": root},
    }


async def test_what_can_be_no_root_of_a_thread_is_replied_to(house: House) -> None:
    bot = await house.bot()
    agent, room = await meeting(house, bot)
    root = await agent.say(room, "question")
    inside = await agent.say(room, "dans le fil", **{"m.relates_to": {"rel_type": "m.thread", "event_id": root}})
    answer = await bot.say(room, "réponse", thread=inside)
    event = await agent.waits_for(room, lambda e: e["event_id"] == answer)
    assert event["content"]["m.relates_to"] == {"m.in_reply_to": {"event_id": inside}}


async def test_edits_and_deletions_may_be_repeated_and_a_deletion_gives_no_reason(house: House) -> None:
    bot = await house.bot()
    assert isinstance(bot.platform, Edits)
    assert isinstance(bot.platform, Joins)
    agent, room = await meeting(house, bot)
    to = Address("matrix", room)
    event = await bot.say(room, "avant")
    for _ in range(2):
        await bot.platform.edit(to, event, card("après"), key="e")
    edits = [e for e in await agent.events(room) if "m.new_content" in e["content"]]
    assert [e["content"]["m.new_content"]["body"] for e in edits] == ["après"]
    assert edits[0]["content"]["m.relates_to"] == {"rel_type": "m.replace", "event_id": event}
    for _ in range(2):
        await bot.platform.delete(to, event, key="d")
    redactions = [e for e in await agent.events(room) if e["type"] == "m.room.redaction"]
    assert [set(e["content"]) <= {"redacts"} for e in redactions] == [True]
    await agent.say(room, "fin")
    await bot.gets(Message, text="fin")
    assert not any(isinstance(value, Deletion | Edit) for value in bot.inbox)  # what we do ourselves is no news


async def test_one_person_of_a_room_is_spoken_to_in_one_direct_encrypted_room(house: House) -> None:
    bot = await house.bot()
    agent, room = await meeting(house, bot)
    other = await house.person()
    await agent.api("POST", "rooms", room, "invite", body={"user_id": other.user_id})
    audience = User("matrix", agent.user_id)
    await asyncio.gather(bot.say(room, "un", audience=audience), bot.say(room, "deux", audience=audience))
    direct = bot.memory.values[f"direct:{agent.user_id}"]
    assert await bot.platform.encrypted(direct)
    await agent.api("POST", "join", direct, body={})
    bot = await house.restarted(bot)
    await bot.say(room, "trois", audience=audience, thread="$ailleurs")
    events = await agent.events(direct)
    assert len([e for e in events if e["type"] == "m.room.encrypted"]) == 3
    assert bot.memory.values[f"direct:{agent.user_id}"] == direct
    listed = await bot.platform._home.get("user", bot.user_id, "account_data", "m.direct")
    assert listed == {agent.user_id: [direct]}
    assert not [e for e in await agent.events(room) if e["type"] == "m.room.message"]
    await other.api("POST", "join", room, body={})


async def test_a_direct_room_is_made_at_most_once_even_if_interrupted(house: House) -> None:
    bot = await house.bot()
    agent = await house.person()
    audience = User("matrix", agent.user_id)
    await bot.say("!anywhere", "un", audience=audience)
    direct = bot.memory.values[f"direct:{agent.user_id}"]
    bot.memory.values[f"direct:{agent.user_id}"] = "?"  # as if killed before the room was kept
    bot = await house.restarted(bot)
    await bot.say("!anywhere", "deux", audience=audience)
    assert bot.memory.values[f"direct:{agent.user_id}"] == direct


async def test_who_left_the_direct_room_is_asked_back_and_a_closed_one_is_replaced(house: House) -> None:
    bot, agent = await house.bot(), await house.person()
    audience = User("matrix", agent.user_id)
    await bot.say("!anywhere", "un", audience=audience)
    direct = bot.memory.values[f"direct:{agent.user_id}"]
    await agent.api("POST", "join", direct, body={})
    await agent.api("POST", "rooms", direct, "leave", body={})
    await bot.gets(RoomChange, change="emptied")
    await bot.say("!anywhere", "deux", audience=audience)
    assert bot.memory.values[f"direct:{agent.user_id}"] == direct
    await agent.api("POST", "join", direct, body={})  # the invitation is there
    await agent.api("POST", "rooms", direct, "upgrade", body={"new_version": "11"})
    await agent.say(direct, "fermé")
    connected = bot.platform._connected
    assert connected is not None
    async with asyncio.timeout(5):
        while not (await connected.rooms.get(direct)).successor:
            await asyncio.sleep(0.01)
    await bot.say("!anywhere", "trois", audience=audience)
    assert bot.memory.values[f"direct:{agent.user_id}"] != direct


async def test_a_direct_room_that_a_sync_saw_half_made_is_looked_at_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot, agent = await house.bot(start=False), await house.person(encrypts=True)
    await bot.platform.start()  # and no sync, which would mend it
    connected = bot.platform._connected
    assert connected is not None
    post = connected.home.post

    async def made(*path: str, **more: Any) -> Any:
        answer = await post(*path, **more)
        if path == ("createRoom",):
            half = Room(answer["room_id"], bot.user_id, {bot.user_id: ""}, encrypted=True)
            connected.rooms._rooms[half.id] = half
        return answer

    monkeypatch.setattr(connected.home, "post", made)
    await bot.say("!anywhere", "pour vous seul", audience=User("matrix", agent.user_id))
    direct = bot.memory.values[f"direct:{agent.user_id}"]
    await agent.api("POST", "join", direct, body={})
    assert await agent.hears(direct, "pour vous seul")


async def test_a_room_that_is_entered_again_is_spoken_in_at_once(house: House) -> None:
    bot = await house.bot()
    agent, room = await meeting(house, bot)
    bot.joins = False
    await agent.api("POST", "rooms", room, "kick", body={"user_id": bot.user_id})
    await bot.gets(RoomChange, change="removed")
    with pytest.raises(Refused):
        await bot.say(room, "x")
    await agent.api("POST", "rooms", room, "invite", body={"user_id": bot.user_id})
    await bot.platform.join(room)
    assert await bot.say(room, "me revoilà")


async def test_a_direct_room_with_a_third_person_in_it_is_not_spoken_in(house: House) -> None:
    bot = await house.bot()
    agent = await house.person()
    other = await house.person()
    audience = User("matrix", agent.user_id)
    await bot.say("!anywhere", "un", audience=audience)
    direct = bot.memory.values[f"direct:{agent.user_id}"]
    await agent.api("POST", "join", direct, body={})
    await agent.api("POST", "rooms", direct, "invite", body={"user_id": other.user_id})
    await agent.say(direct, "voilà")
    async with asyncio.timeout(5):
        while (
            bot.platform._connected is None
            or not bot.platform._connected.rooms.known(direct)
            or (
                len(bot.platform._connected.rooms.known(direct).members) < 3  # pyright: ignore[reportOptionalMemberAccess]
            )
        ):
            await asyncio.sleep(0.02)
    await bot.say("!anywhere", "secret", audience=audience)
    assert bot.memory.values[f"direct:{agent.user_id}"] != direct


async def test_the_direct_room_that_a_person_opened_is_used(house: House) -> None:
    bot = await house.bot()
    agent = await house.person()
    room = await agent.room(bot.user_id, encrypted=True, is_direct=True)
    await bot.joined(room)
    await bot.say("!anywhere", "un", audience=User("matrix", agent.user_id))
    assert bot.memory.values[f"direct:{agent.user_id}"] == room
    assert len(await said(agent, room, bot)) == 1


async def test_order_holds_in_a_room_under_concurrent_sends(house: House) -> None:
    bot = await house.bot()
    agent, room = await meeting(house, bot)
    events = await asyncio.gather(*(bot.say(room, f"n{number}") for number in range(10)))
    assert await said(agent, room, bot) == events


async def test_a_long_encrypted_answer_is_shortened_rather_than_refused(house: House) -> None:
    bot = await house.bot()
    agent, room = await meeting(house, bot, encrypted=True)
    await bot.say(room, "long " * 14_000)
    content = await agent.hears(room, "long long")
    assert content["body"].endswith("…")
    assert content["m.mentions"] == {}
    to = Address("matrix", room)
    event = await bot.platform.send(to, Card("Titre", (Paragraph("é" * 30_000),)), key="k", again=False)
    await bot.platform.edit(to, event, Card("Titre", (Paragraph("è" * 30_000),)), key="k")


async def test_every_message_carries_a_marker_that_tells_nothing_of_its_key(house: House) -> None:
    bot = await house.bot()
    agent, room = await meeting(house, bot)
    event = await bot.say(room, "x", key="question Q-2026-00042")
    content = (await agent.waits_for(room, lambda e: e["event_id"] == event))["content"]
    assert len(content[MARKER]["key"]) == 32
    assert "2026" not in str(content)


async def test_requests_keep_their_distance_where_the_operator_asks_for_it(house: House) -> None:
    bot = await house.bot()
    _, room = await meeting(house, bot)
    bot.platform._home._pace = 0.2
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in range(4):
        await bot.say(room, f"n{number}")
    assert loop.time() - began >= 0.6


async def test_the_person_hears_what_is_said_in_answer(house: House) -> None:
    bot = await house.bot()
    agent, room = await meeting(house, bot, encrypted=True)
    await agent.whispers(room, "bonjour")
    await bot.gets(Message, text="bonjour")
    await bot.say(room, "**bonjour** à vous")
    assert (await agent.hears(room, "bonjour à vous"))["formatted_body"] == "<p><strong>bonjour</strong> à vous</p>"
