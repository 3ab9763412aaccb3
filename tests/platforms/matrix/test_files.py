"""Files in Matrix rooms: encrypted where the room is, once under a key, and never taken for what they are not."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from nio.crypto.attachments import decrypt_attachment, encrypt_attachment

from bot.errors import OutcomeUnknown, Refused, SendError
from bot.files import Upload
from bot.message import Address, Message
from bot.message import User as Account
from bot.platforms import DirectRooms, Files
from tests.platforms.matrix.conftest import Bot, House
from tests.platforms.matrix.person import Person
from tests.platforms.matrix.test_sending import meeting, said
from tests.servers.proxy import FaultyProxy

CONTENT = bytes(range(256)) * 2048


def upload(name: str = "bilan.png", content: bytes = CONTENT) -> Upload:
    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(content), 100_000):
            yield content[at : at + 100_000]

    return Upload(name, len(content), pieces)


async def lying(person: Person, address: str) -> bytes:
    """What lies on the server, as any member's client fetches it."""
    server, media = address.removeprefix("mxc://").split("/")
    async with person._http.get(f"{person.url}/_matrix/client/v1/media/download/{server}/{media}") as response:
        assert response.status == 200
        return await response.read()


async def put(person: Person, content: bytes) -> str:
    async with person._http.post(f"{person.url}/_matrix/media/v3/upload", data=content) as response:
        return (await response.json())["content_uri"]


async def fetched(bot: Bot, source: str) -> bytes:
    return b"".join([piece async for piece in bot.platform.fetch(source)])


async def test_a_file_of_ours_in_a_plain_room(house: House) -> None:
    bot = await house.bot()
    agent, room = await meeting(house, bot)
    assert isinstance(bot.platform, Files)
    first = await bot.platform.send_file(Address("matrix", room), upload(), key="k", again=False)
    assert await bot.platform.send_file(Address("matrix", room), upload(), key="k", again=True) == first
    assert await said(agent, room, bot) == [first]
    content = (await agent.events(room))[-1]["content"]
    assert (content["msgtype"], content["filename"], content["info"]["mimetype"]) == (
        "m.image",
        "bilan.png",
        "image/png",
    )
    assert await lying(agent, content["url"]) == CONTENT
    await bot.platform.delete_file(Address("matrix", room), first, key="d")
    assert (await agent.events(room))[-1]["type"] == "m.room.redaction"


async def test_a_file_of_ours_in_an_encrypted_room_and_for_one_person(house: House) -> None:
    bot = await house.bot()
    agent, room = await meeting(house, bot, encrypted=True)
    await bot.platform.send_file(Address("matrix", room), upload("liste.pdf"), key="k", again=False)
    content = await agent.hears(room, "liste.pdf")
    assert "url" not in content
    file = content["file"]
    stored = await lying(agent, file["url"])
    assert stored != CONTENT
    assert decrypt_attachment(stored, file["key"]["k"], file["hashes"]["sha256"], file["iv"]) == CONTENT

    alone = Address("matrix", room, audience=Account("matrix", agent.user_id))
    assert isinstance(bot.platform, DirectRooms)
    direct = await bot.platform.direct_room(alone)
    assert direct != room
    await agent.api("POST", "join", direct, body={})
    await bot.platform.send_file(alone, upload("pour-vous.ics"), key="l", again=False)
    assert await agent.hears(direct, "pour-vous.ics")


@pytest.mark.parametrize("step", [r"POST .*/upload", r"PUT .*/send/"])
async def test_whatever_breaks_it_is_said_once(house: House, proxy: FaultyProxy, step: str) -> None:
    bot = await house.bot(homeserver=proxy.url)
    agent, room = await meeting(house, bot, encrypted=True)
    proxy.fault(step, drop="after", times=2)  # the library repeats once what is safe to repeat
    with pytest.raises(SendError) as caught:
        await bot.platform.send_file(Address("matrix", room), upload(), key="k", again=False)
    assert isinstance(caught.value, OutcomeUnknown) == step.startswith("PUT")
    proxy.clear()
    first = await bot.platform.send_file(Address("matrix", room), upload(), key="k", again=True)
    assert await said(agent, room, bot) == [first]


async def test_what_people_attach_is_fetched_plain_and_encrypted(house: House) -> None:
    bot = await house.bot()
    agent, room = await meeting(house, bot, encrypted=True)
    sealed, keys = encrypt_attachment(CONTENT)
    file = {**keys, "url": await put(agent, sealed)}
    await agent.put_encrypted(room, {"msgtype": "m.file", "body": "acte.pdf", "file": file})
    message = await bot.gets(Message)
    (attachment,) = message.files
    assert (attachment.name, message.text) == ("acte.pdf", "")
    assert await fetched(bot, attachment.source) == CONTENT
    assert "k" not in repr(attachment).replace("mxc", "").split("source")[-1] or "source" not in repr(attachment)
    plain = await put(agent, CONTENT)
    assert await fetched(bot, plain) == CONTENT


@pytest.mark.parametrize(
    "change",
    [
        {"hashes": {"sha256": "AAAA"}},
        {"iv": "AAAAAAAAAAAAAAAAAAAAAA"},
        {"key": {"k": "A" * 43}},
        {"key": {"k": "kurz"}},
        {"iv": 5},
        {"url": "mxc://ailleurs/../x"},
        {"url": "https://espion.example/x"},
    ],
    ids=["hash", "vector", "key", "no key", "no vector", "path", "elsewhere"],
)
async def test_what_is_not_what_was_sent_is_refused_or_not_it(house: House, change: dict[str, Any]) -> None:
    bot = await house.bot()
    agent = await house.person()
    sealed, keys = encrypt_attachment(CONTENT)
    file = {**keys, "url": await put(agent, sealed), **change}
    try:
        assert await fetched(bot, json.dumps(file)) != CONTENT
    except Refused:
        return
    assert "hashes" not in change, "the server's bytes are compared with what was sent"


async def test_a_file_that_is_gone(house: House) -> None:
    bot = await house.bot()
    server = bot.user_id.partition(":")[2]
    with pytest.raises(Refused):
        await fetched(bot, f"mxc://{server}/nichtda")
