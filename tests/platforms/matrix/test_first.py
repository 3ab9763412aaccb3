from bot.message import Message, RoomChange
from tests.platforms.matrix.conftest import House


async def test_plain(house: House) -> None:
    bot = await house.bot()
    agent = await house.person()
    room = await agent.room(bot.user_id)
    await bot.joined(room)
    event = await agent.say(room, f"{bot.user_id}: bonjour *toi*")
    got = await bot.gets(Message, id=event)
    assert got.text == r"bonjour \*toi\*"
    sent = await bot.say(room, "salut **gras**", key="k")
    assert sent == await bot.say(room, "salut", key="k")
    said = await agent.waits_for(room, lambda e: e["event_id"] == sent)
    print(said)


async def test_encrypted(house: House) -> None:
    bot = await house.bot()
    agent = await house.person(encrypts=True)
    room = await agent.room(bot.user_id, encrypted=True)
    await bot.joined(room)
    event = await agent.whispers(room, "secret")
    got = await bot.gets(Message, id=event)
    assert got.text == "secret" and got.encrypted
    sent = await bot.say(room, "ouvert", key="k")
    assert (await agent.hears(room, "ouvert"))
    assert sent == await bot.say(room, "ouvert", key="k")
    print(bot.inbox, bot.reports)
