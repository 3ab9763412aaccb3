"""A client as strict as today's Element, cross-signed and refusing unsigned devices, talks with the bot."""

import asyncio

from bot.message import Edit, Message, Reaction, RoomChange, User
from bot.platforms.matrix import notices
from tests.platforms.matrix.conftest import House, card
from tests.servers.strict_client import StrictClients


async def test_both_directions_without_any_warning(house: House, strict: StrictClients) -> None:
    bot = await house.bot()
    agent = await strict.newcomer(house.homeserver)
    room = await agent.create_room(invite=[bot.user_id], encrypted=True)
    await bot.joined(room)
    await agent.say(room, "Bonjour **à tous**")
    heard = await bot.gets(Message)
    assert (heard.encrypted, heard.author.id) == (True, agent.user_id)
    event = await bot.say(room, "Merci")
    seen = await agent.expect(room, "Merci")
    assert (seen.id, seen.encrypted) == (event, True)
    (device,) = (await agent.devices(bot.user_id)).values()
    assert device.signed_by_owner
    trust = await agent.trust(bot.user_id)
    assert (trust.known, trust.needs_approval) == (True, False)

    # edits, reactions, threads and files, as this client sends them
    await agent.react(seen, "1️⃣")
    assert (await bot.gets(Reaction)).message_id == event
    question = await agent.say(room, "Question")
    await agent.edit(question, "Question corrigée")
    edit = await bot.gets(Edit)
    assert (edit.message_id, edit.text) == (question.id, "Question corrigée")
    await agent.send_file(room, "acte.pdf", b"%PDF")
    async with asyncio.timeout(5):
        while not any(isinstance(v, Message) and v.files for v in bot.inbox):
            await asyncio.sleep(0.02)
    (file,) = next(v.files for v in bot.inbox if isinstance(v, Message) and v.files)
    assert (file.name, file.size) == ("acte.pdf", 4)
    assert file.source.startswith("{")

    # what the bot changes and takes back
    await bot.platform.edit(heard.to, event, card("Merci beaucoup"), key="e")
    await agent.expect_edited(seen, "Merci beaucoup")
    await bot.platform.delete(heard.to, event, key="d")
    await agent.expect_redacted(seen)


async def test_a_direct_room_of_the_bots_own_is_read_on_arrival(house: House, strict: StrictClients) -> None:
    bot = await house.bot()
    agent = await strict.newcomer(house.homeserver)
    await bot.say("!anywhere", "pour vous seul", audience=User("matrix", agent.user_id))
    direct = bot.memory.values[f"direct:{agent.user_id}"]
    await agent.join(direct)
    async with asyncio.timeout(10):
        while not any(event.body == "pour vous seul" for event in await agent.events(direct)):
            await agent.retry(direct)  # this client does not try again by itself once it has asked for our keys
            await asyncio.sleep(0.1)
    await agent.say(direct, "reçu")
    value = await bot.gets(Message, text="reçu")
    assert value.to.surface == "direct"


async def test_an_unsigned_person_is_told_and_heard_once_signed(house: House, strict: StrictClients) -> None:
    bot = await house.bot()
    agent = await strict.newcomer(house.homeserver, cross_sign=False, only_signed=False)
    room = await agent.create_room(invite=[bot.user_id], encrypted=True)
    await bot.joined(room)
    await agent.say(room, "bonjour")
    await agent.expect(room, notices.UNSIGNED["fr"])
    assert not [v for v in bot.inbox if not isinstance(v, RoomChange)]
    await agent.cross_sign()
    await agent.say(room, "signé")
    await bot.gets(Message, text="signé")
