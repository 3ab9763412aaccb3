"""End-to-end encryption against a real homeserver: who gets keys, who is obeyed, what happens to late keys."""

import asyncio
from typing import Any

import pytest

from bot.message import Message, Reaction
from bot.platforms.matrix import keys, notices
from tests.platforms.matrix.conftest import Bot, House
from tests.platforms.matrix.person import Person


async def meeting(house: House, bot: Bot, *people: Person) -> str:
    first, *others = people
    room = await first.room(bot.user_id, *(p.user_id for p in others), encrypted=True)
    for person in others:
        await person.api("POST", "join", room, body={})
    await bot.joined(room)
    return room


async def is_deaf(person: Person, room: str, event: str) -> bool:
    """Whether this device cannot read an event that is there."""
    return event not in await person.reads(room)


def machine(bot: Bot) -> Any:
    assert bot.platform._connected is not None
    return bot.platform._connected.machine


async def test_only_owner_signed_devices_are_sent_to_and_obeyed(house: House) -> None:
    bot, agent = await house.bot(), await house.person(encrypts=True)
    unsigned = await house.second_device(agent)  # as the server's administrator could add one
    room = await meeting(house, bot, agent)
    event = await bot.say(room, "pour les signés")
    assert (await agent.hears(room, "pour les signés"))["body"]
    assert await is_deaf(unsigned, room, event)
    await unsigned.whispers(room, "!clore")
    await agent.whispers(room, "fin")
    await bot.gets(Message, text="fin")
    assert bot.texts() == ["fin"]
    unsigned.folder = agent.folder  # where the identity is: sign the second device too
    await unsigned.sign()
    await unsigned.whispers(room, "!clore vraiment")
    await bot.gets(Message, text="!clore vraiment")
    await bot.say(room, "à toutes")
    assert await unsigned.hears(room, "à toutes")


async def test_the_excluded_are_told_why(house: House) -> None:
    bot, agent = await house.bot(), await house.person(encrypts=True)
    unsigned = await house.second_device(agent)
    withheld: list[Any] = []
    unsigned._nio.add_to_device_callback(lambda event: withheld.append(event.source), None)
    room = await meeting(house, bot, agent)
    await bot.say(room, "x")
    async with asyncio.timeout(5):
        while not any(event["type"] == "m.room_key.withheld" for event in withheld):
            await unsigned.sync()
    (content,) = (event["content"] for event in withheld if event["type"] == "m.room_key.withheld")
    session = machine(bot).outbound_group_sessions[room]
    assert (content["room_id"], content["session_id"]) == (room, session.id)
    assert (content["code"], content["algorithm"]) == ("m.unverified", "m.megolm.v1.aes-sha2")


async def test_who_speaks_to_the_bot_from_an_unsigned_device_is_told_once_a_day(house: House) -> None:
    bot, agent = await house.bot(), await house.person(encrypts=True, sign=False)
    room = await meeting(house, bot, agent)
    for _ in range(2):
        await agent.whispers(room, "bonjour")
    told = await agent.waits_for(room, lambda e: e["content"].get("body") == notices.UNSIGNED["fr"])
    assert (told["type"], told["content"]["msgtype"]) == ("m.room.message", "m.notice")  # nobody there could decrypt it
    await agent.sign()
    await agent.whispers(room, "signé")
    await bot.gets(Message, text="signé")
    notes = [e for e in await agent.events(room) if e["content"].get("body") == notices.UNSIGNED["fr"]]
    assert len(notes) == 1
    assert bot.texts() == ["signé"]


async def test_in_a_room_of_many_only_who_speaks_to_the_bot_is_told(house: House) -> None:
    bot, other = await house.bot(language="en"), await house.person()
    agent = await house.person(encrypts=True, sign=False)
    room = await meeting(house, bot, agent, other)
    await agent.whispers(room, "entre nous")
    await agent.whispers(room, "!question x")
    await agent.waits_for(room, lambda e: e["content"].get("body") == notices.UNSIGNED["en"])
    entre_nous = [e for e in await agent.events(room) if e["sender"] == bot.user_id and "body" in e["content"]]
    assert len(entre_nous) == 1


@pytest.mark.parametrize("policy", ["block", "accept"])
async def test_a_user_who_resets_their_identity(house: House, policy: str) -> None:
    bot, agent = await house.bot(identity_reset=policy), await house.person(encrypts=True)
    room = await meeting(house, bot, agent)
    await agent.whispers(room, "avant")
    await bot.gets(Message, text="avant")
    await bot.say(room, "entendu")
    assert await agent.hears(room, "entendu")  # this device holds the present key
    await agent.resets_identity()
    await agent.whispers(room, "après")
    if policy == "accept":
        await bot.gets(Message, text="après")
        return
    await agent.waits_for(room, lambda e: e["content"].get("body") == notices.RESET["fr"])
    event = await bot.say(room, "secret")
    assert await is_deaf(agent, room, event)
    await bot.platform.trust(agent.user_id)  # what an operator does, perhaps in another process
    await bot.say(room, "de nouveau")
    assert await agent.hears(room, "de nouveau")
    await agent.whispers(room, "moi aussi")
    await bot.gets(Message, text="moi aussi")
    assert bot.texts() == ["avant", "moi aussi"]


async def test_a_user_without_an_identity_gets_nothing_unless_all_are_trusted(house: House) -> None:
    strict, lax = await house.bot(), await house.bot(trust="all")
    agent = await house.person(encrypts=True, sign=False)
    closed = await meeting(house, strict, agent)
    assert await is_deaf(agent, closed, await strict.say(closed, "secret"))
    opened = await meeting(house, lax, agent)
    await lax.say(opened, "ouvert")
    assert await agent.hears(opened, "ouvert")
    await agent.whispers(opened, "obéi")
    await lax.gets(Message, text="obéi")


async def test_an_event_from_before_the_key_query_is_proven_by_asking_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot, agent = await house.bot(), await house.person(encrypts=True)
    room = await meeting(house, bot, agent)
    assert bot.platform._connected is not None
    mine = bot.platform._connected.keys
    monkeypatch.setattr(keys, "AGAIN_REST", 0.0)
    # As if the first answer had come without this device, and no change had been announced.
    mine._known.add(agent.user_id)
    mine._changed.clear()
    monkeypatch.setattr(mine, "take_news", lambda answer: None)
    assert not machine(bot).devices_of(agent.user_id)
    await agent.whispers(room, "tôt")
    await bot.gets(Message, text="tôt")


@pytest.mark.parametrize("reactions", ["all", "harmless"])
async def test_what_is_said_in_clear_in_an_encrypted_room_is_not_obeyed(house: House, reactions: str) -> None:
    bot, agent = await house.bot(reactions=reactions), await house.person(encrypts=True)
    room = await meeting(house, bot, agent)
    await agent.say(room, "en clair")
    event = await agent.whispers(room, "chiffré")
    value = await bot.gets(Message, text="chiffré")
    assert value.encrypted
    assert bot.texts() == ["chiffré"]
    await agent.put(room, {"m.relates_to": {"rel_type": "m.annotation", "event_id": event, "key": "1️⃣"}}, "m.reaction")
    forged = await bot.gets(Reaction)
    assert forged.encrypted  # of the room, since no client encrypts reactions
    assert forged.proven == (reactions == "all")
    await agent.whispers(room, "📨", **{"m.relates_to": {"m.in_reply_to": {"event_id": event}}})
    meant = await bot.gets(Reaction, emoji="📨")
    assert meant.proven
    assert meant.on is not None
    assert meant.on.text == "chiffré"


async def test_relations_outside_the_encryption_are_understood(house: House) -> None:
    bot, agent = await house.bot(), await house.person(encrypts=True)
    room = await meeting(house, bot, agent)
    root = await bot.say(room, "carte")
    await agent.hears(room, "carte")
    relation = {"rel_type": "m.thread", "event_id": root}
    await agent.put_encrypted(room, {"msgtype": "m.text", "body": "1", "m.relates_to": relation})
    assert (await bot.gets(Message, text="1")).to.thread == root


async def test_newcomers_read_what_is_said_from_their_coming_and_leavers_nothing_more(house: House) -> None:
    bot, agent = await house.bot(), await house.person(encrypts=True)
    newcomer = await house.person(encrypts=True)
    room = await meeting(house, bot, agent)
    await bot.say(room, "avant")
    await agent.hears(room, "avant")
    first = machine(bot).outbound_group_sessions[room].id
    await agent.api("POST", "rooms", room, "invite", body={"user_id": newcomer.user_id})
    await newcomer.api("POST", "join", room, body={})
    await agent.whispers(room, "il est là")
    await bot.gets(Message, text="il est là")
    await bot.say(room, "bienvenue")
    assert await newcomer.hears(room, "bienvenue")
    second = machine(bot).outbound_group_sessions[room].id
    await newcomer.api("POST", "rooms", room, "leave", body={})
    await agent.whispers(room, "parti")
    await bot.gets(Message, text="parti")
    await bot.say(room, "entre nous")
    assert len({first, second, machine(bot).outbound_group_sessions[room].id}) == 3
    devices = {user for user, _ in machine(bot).outbound_group_sessions[room].users_shared_with}
    assert devices == {agent.user_id}


async def test_a_device_that_comes_later_gets_the_next_message(house: House) -> None:
    bot, agent = await house.bot(), await house.person(encrypts=True)
    room = await meeting(house, bot, agent)
    await bot.say(room, "avant")
    second = await house.second_device(agent)
    second.folder = agent.folder
    await second.sign()
    await second.whispers(room, "me voilà")
    await bot.gets(Message, text="me voilà")
    await bot.say(room, "après")
    assert await second.hears(room, "après")


async def test_a_device_that_is_gone_reads_nothing_more(house: House) -> None:
    bot, agent = await house.bot(), await house.person(encrypts=True)
    second = await house.second_device(agent)
    second.folder = agent.folder
    await second.sign()
    room = await meeting(house, bot, agent)
    await bot.say(room, "avant")
    first = machine(bot).outbound_group_sessions[room]
    assert len(first.users_shared_with) == 2
    await second.api("POST", "logout", body={})
    await agent.whispers(room, "perdu")
    await bot.gets(Message, text="perdu")
    await bot.say(room, "après")
    assert machine(bot).outbound_group_sessions[room].id != first.id
    assert len(machine(bot).outbound_group_sessions[room].users_shared_with) == 1


async def test_a_message_whose_key_comes_late_is_read_when_it_comes(house: House) -> None:
    bot, agent = await house.bot(patience=60), await house.person(encrypts=True)
    room = await meeting(house, bot, agent)
    late: list[Any] = []
    take = machine(bot).take_to_device
    machine(bot).take_to_device = late.extend
    await agent.whispers(room, "tard")
    async with asyncio.timeout(5):
        while "parked" not in bot.memory.values:
            await asyncio.sleep(0.01)
    await bot.stop()  # it waits over a restart
    bot = await house.restarted(bot, patience=60)
    machine(bot).take_to_device = take
    take_now = type(machine(bot)).take_to_device
    take_now(machine(bot), late)
    machine(bot).take_to_device = lambda events: take_now(machine(bot), events)
    await agent.whispers(room, "ensuite")
    await bot.gets(Message, text="tard")
    await bot.gets(Message, text="ensuite")
    assert bot.texts() == ["tard", "ensuite"]
    async with asyncio.timeout(5):
        while "parked" in bot.memory.values:
            await asyncio.sleep(0.01)


async def test_a_room_is_told_once_that_a_message_stays_unreadable(house: House) -> None:
    bot, agent = await house.bot(patience=0.3), await house.person(encrypts=True)
    room = await meeting(house, bot, agent)
    machine(bot).take_to_device = lambda events: None
    for text in ("un", "deux"):
        await agent.whispers(room, text)
    heard = await agent.hears(room, notices.UNREADABLE["fr"])
    assert heard["msgtype"] == "m.notice"
    await asyncio.sleep(0.5)
    read = (await agent.reads(room)).values()
    assert [content["body"] for content in read].count(notices.UNREADABLE["fr"]) == 1


async def test_one_time_keys_are_filled_up_from_nothing(house: House) -> None:
    bot, agent = await house.bot(), await house.person()
    body = {"one_time_keys": {bot.user_id: {machine(bot).device_id: "signed_curve25519"}}}
    for _ in range(50):
        assert (await agent.api("POST", "keys", "claim", body=body))["one_time_keys"]
    assert not (await agent.api("POST", "keys", "claim", body=body))["one_time_keys"]
    await agent.room(bot.user_id)  # news, with which the count comes
    async with asyncio.timeout(5):
        while not (await agent.api("POST", "keys", "claim", body=body))["one_time_keys"]:
            await asyncio.sleep(0.05)


async def malformed(house: House, **keys: str) -> Person:
    """Somebody with a signed device and one more whose keys are no keys; Synapse takes them."""
    villain = await house.person(encrypts=True)
    answer = await villain.api(
        "POST",
        "login",
        body={
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": villain.user_id},
            "password": villain.account.password,
        },
    )
    device = answer["device_id"]
    bare = {f"{kind}:{device}": key for kind, key in {"ed25519": "AAAA", "curve25519": "AAAA", **keys}.items()}
    token, villain._http.headers["Authorization"] = (
        villain._http.headers["Authorization"],
        f"Bearer {answer['access_token']}",
    )
    await villain.api(
        "POST",
        "keys",
        "upload",
        body={
            "device_keys": {
                "user_id": villain.user_id,
                "device_id": device,
                "algorithms": ["m.megolm.v1.aes-sha2"],
                "keys": bare,
                "signatures": {villain.user_id: {f"ed25519:{device}": "AAAA"}},
            }
        },
    )
    villain._http.headers["Authorization"] = token
    return villain


async def test_a_malformed_device_key_of_a_member_stops_nothing(house: House) -> None:
    bot, villain = await house.bot(), await malformed(house)
    room = await meeting(house, bot, villain)
    await villain.whispers(room, "un")
    await bot.gets(Message, text="un")
    await bot.say(room, "deux")
    assert await villain.hears(room, "deux")
    bot = await house.restarted(bot)
    await villain.whispers(room, "trois")
    await bot.gets(Message, text="trois")


async def test_a_malformed_one_time_key_of_a_member_mutes_nobody(house: House) -> None:
    bot, villain = await house.bot(trust="all"), await house.person()
    agent = await house.person(encrypts=True)
    from bot.platforms.matrix.signing import SigningKey

    own, device = SigningKey.generate(), villain.account.device_id
    signed: dict[str, Any] = {
        "user_id": villain.user_id,
        "device_id": device,
        "algorithms": ["m.megolm.v1.aes-sha2"],
        "keys": {f"ed25519:{device}": own.public, f"curve25519:{device}": SigningKey.generate().public},
    }
    one = {"key": "AAAA"}
    await villain.api(
        "POST",
        "keys",
        "upload",
        body={
            "device_keys": {**signed, "signatures": {villain.user_id: {f"ed25519:{device}": own.sign(signed)}}},
            "one_time_keys": {
                "signed_curve25519:A": {**one, "signatures": {villain.user_id: {f"ed25519:{device}": own.sign(one)}}}
            },
        },
    )
    room = await meeting(house, bot, agent, villain)
    for text in ("un", "deux"):
        await bot.say(room, text)
        assert await agent.hears(room, text)


async def test_the_keys_of_a_room_are_not_claimed_for_excluded_devices(house: House) -> None:
    bot, agent = await house.bot(), await house.person(encrypts=True)
    unsigned = await house.second_device(agent)
    room = await meeting(house, bot, agent)
    await bot.say(room, "x")
    trusted = machine(bot).device_store[agent.user_id][agent.account.device_id]
    excluded = machine(bot).device_store[agent.user_id][unsigned.account.device_id]
    assert machine(bot).session_store.get(trusted.curve25519) is not None
    assert machine(bot).session_store.get(excluded.curve25519) is None


async def test_concurrent_sends_share_one_key(house: House) -> None:
    bot, agent = await house.bot(), await house.person(encrypts=True)
    room = await meeting(house, bot, agent)
    await asyncio.gather(*(bot.say(room, f"n{number}") for number in range(5)))
    for number in range(5):
        assert await agent.hears(room, f"n{number}")
    sessions = {e["content"]["session_id"] for e in await agent.events(room) if e["type"] == "m.room.encrypted"}
    assert len(sessions) == 1
