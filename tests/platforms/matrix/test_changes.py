"""Coming, going, and rooms that change, against a real homeserver whose rooms are of version 12."""

import asyncio

from bot.message import Message, RoomChange
from tests.platforms.matrix.conftest import House
from tests.servers.synapse import Synapse


async def test_an_invitation_names_its_author_and_an_entry_says_whether_the_room_is_encrypted(house: House) -> None:
    bot, agent = await house.bot(), await house.person()
    room = await agent.room(bot.user_id, encrypted=True)
    assert ":" not in room  # version 12: a room's id names no server
    invited = await bot.gets(RoomChange, change="invited")
    assert (invited.author.id, invited.author.insider, invited.to.room) == (agent.user_id, True, room)
    joined = await bot.gets(RoomChange, change="joined")
    assert (joined.author.id, joined.encrypted) == (bot.user_id, True)
    assert (await bot.gets(RoomChange, change="encrypted")).to.room == room
    assert await bot.platform.encrypted(room)
    assert await bot.platform.power(room, agent.user_id) == float("inf")


async def test_a_second_invitation_is_another_event(house: House) -> None:
    bot, agent = await house.bot(), await house.person()
    room = await agent.room(bot.user_id)
    await bot.joined(room)
    await agent.api("POST", "rooms", room, "kick", body={"user_id": bot.user_id})
    removed = await bot.gets(RoomChange, change="removed")
    assert (removed.author.id, removed.to.room) == (agent.user_id, room)
    await agent.api("POST", "rooms", room, "invite", body={"user_id": bot.user_id})
    async with asyncio.timeout(5):
        while len([v for v in bot.inbox if isinstance(v, RoomChange) and v.change == "joined"]) < 2:
            await asyncio.sleep(0.01)
    ids = [value.id for value in bot.inbox]
    assert len(ids) == len(set(ids))
    await agent.say(room, "encore")
    await bot.gets(Message, text="encore")


async def test_an_invitation_comes_again_under_the_same_id_until_it_is_committed(house: House) -> None:
    bot, agent = await house.bot(), await house.person()
    before = dict(bot.memory.values)
    bot.joins = False
    await agent.room(bot.user_id)
    first = await bot.gets(RoomChange, change="invited")
    await bot.stop()
    bot.memory.values = before
    again = await house.restarted(bot)
    assert (await again.gets(RoomChange, change="invited")).id == first.id


async def test_encryption_that_is_switched_on_later_is_told(house: House) -> None:
    bot, agent = await house.bot(), await house.person()
    room = await agent.room(bot.user_id)
    await bot.joined(room)
    assert not await bot.platform.encrypted(room)
    event = await agent.state(room, "m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"})
    changed = await bot.gets(RoomChange, change="encrypted")
    assert changed.id == event
    assert await bot.platform.encrypted(room)
    sent = await bot.say(room, "chut")
    assert (await agent.waits_for(room, lambda e: e["event_id"] == sent))["type"] == "m.room.encrypted"


async def test_a_room_that_everybody_else_left_is_told(house: House) -> None:
    bot, agent = await house.bot(), await house.person()
    room = await agent.room(bot.user_id)
    await bot.joined(room)
    await agent.api("POST", "rooms", room, "leave", body={})
    assert (await bot.gets(RoomChange, change="emptied")).to.room == room


async def test_an_upgraded_room_is_followed(house: House) -> None:
    bot, agent = await house.bot(), await house.person()
    room = await agent.room(bot.user_id, room_version="10", preset="public_chat")
    await bot.joined(room)
    answer = await agent.api("POST", "rooms", room, "upgrade", body={"new_version": "12"})
    upgraded = await bot.gets(RoomChange, change="upgraded")
    successor = answer["replacement_room"]
    assert (upgraded.to.room, upgraded.successor, upgraded.author.id) == (room, successor, agent.user_id)
    await bot.joined(successor)
    await agent.say(successor, "ici")
    await bot.gets(Message, text="ici")


async def test_a_closed_successor_is_followed_on_invitation_and_a_false_one_is_none(house: House) -> None:
    bot, agent = await house.bot(), await house.person()
    room = await agent.room(bot.user_id)
    await bot.joined(room)
    elsewhere = await agent.room(bot.user_id)  # says nothing of where it comes from
    await bot.joined(elsewhere)
    false = await agent.room()
    await agent.state(elsewhere, "m.room.tombstone", {"body": "", "replacement_room": false})
    await agent.api("POST", "rooms", false, "invite", body={"user_id": bot.user_id})
    await bot.joined(false)
    successor = (await agent.api("POST", "rooms", room, "upgrade", body={"new_version": "12"}))["replacement_room"]
    await agent.api("POST", "rooms", successor, "invite", body={"user_id": bot.user_id})
    upgraded = await bot.gets(RoomChange, change="upgraded")
    assert (upgraded.to.room, upgraded.successor) == (room, successor)
    assert [v.successor for v in bot.inbox if isinstance(v, RoomChange) and v.change == "upgraded"] == [successor]


async def test_the_room_of_two_is_direct_and_of_three_not(house: House, synapse: Synapse) -> None:
    bot, agent, other = await house.bot(), await house.person(), await house.person()
    room = await agent.room(bot.user_id)
    await bot.joined(room)
    await agent.say(room, "à deux")
    assert (await bot.gets(Message, text="à deux")).to.surface == "direct"
    await agent.api("POST", "rooms", room, "invite", body={"user_id": other.user_id})
    await agent.say(room, "à trois")
    assert (await bot.gets(Message, text="à trois")).to.surface == "room"


async def test_what_was_said_before_we_had_to_go_is_heard(house: House) -> None:
    bot, agent = await house.bot(), await house.person()
    room = await agent.room(bot.user_id)
    await bot.joined(room)
    await agent.say(room, "un")
    await bot.gets(Message, text="un")
    await bot.stop()
    await agent.say(room, "dernier mot")
    await agent.api("POST", "rooms", room, "kick", body={"user_id": bot.user_id})
    again = await house.restarted(bot)
    await again.gets(RoomChange, change="removed")
    assert [it for it in again.texts() if it != "un"] == ["dernier mot"]  # a batch not yet noted may be offered again
    other = await agent.room(bot.user_id)
    await again.joined(other)
    await agent.say(other, "ailleurs")
    await again.gets(Message, text="ailleurs")


async def test_an_invitation_taken_back_is_told(house: House) -> None:
    bot, agent = await house.bot(), await house.person()
    bot.joins = False
    room = await agent.room(bot.user_id)
    await bot.gets(RoomChange, change="invited")
    await agent.api("POST", "rooms", room, "kick", body={"user_id": bot.user_id})
    assert (await bot.gets(RoomChange, change="removed")).to.room == room
