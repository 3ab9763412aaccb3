"""The real homeserver and the strict client, on which the promises about Matrix are tested, do what they promise."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import nio
import pytest
import pytest_asyncio

from tests.servers.matrix_stub import MatrixStub
from tests.servers.nio_client import TEXT, nio_client
from tests.servers.strict_client import ClientError, StrictClients
from tests.servers.synapse import Synapse


class TestTransactionIds:
    """The same transaction id from the same device is the same event, on the real server and on ours."""

    @pytest_asyncio.fixture(params=["synapse", "stub"])
    async def client(self, request: pytest.FixtureRequest, synapse: Synapse, stub: MatrixStub) -> AsyncIterator[Any]:
        name = f"txn-{time.monotonic_ns()}"
        if request.param == "synapse":
            await synapse.register(name, "secret")
        client = nio_client(synapse.url if request.param == "synapse" else stub.url, name)
        await client.login("secret")
        yield client
        await client.close()

    async def test_a_repeat_gets_the_first_event(self, client: Any) -> None:
        room = await client.room_create()
        sent = [
            await client.room_send(room.room_id, "m.room.message", TEXT, tx_id=txn) for txn in ("same", "same", "new")
        ]
        redacted = [await client.room_redact(room.room_id, sent[0].event_id, tx_id="gone") for _ in range(2)]
        assert sent[0].event_id == sent[1].event_id != sent[2].event_id
        assert redacted[0].event_id == redacted[1].event_id

    async def test_another_device_is_another_sender(self, client: Any) -> None:
        room = await client.room_create()
        first = await client.room_send(room.room_id, "m.room.message", TEXT, tx_id="same")
        other = nio_client(client.homeserver, client.user_id)
        await other.login("secret")
        second = await other.room_send(room.room_id, "m.room.message", TEXT, tx_id="same")
        await other.close()
        assert first.event_id != second.event_id

    async def test_copies_at_the_same_time_are_one_event(self, client: Any) -> None:
        room = await client.room_create()
        copies = [client.room_send(room.room_id, "m.room.message", TEXT, tx_id="same") for _ in range(5)]
        assert len({answer.event_id for answer in await asyncio.gather(*copies)}) == 1


class TestSynapse:
    async def test_rooms_outlive_restart_and_kill(self, tmp_path: Path) -> None:
        async with Synapse(tmp_path) as homeserver:
            agent = await homeserver.register("agent", "secret")
            client = nio_client(homeserver.url, agent.user_id)
            client.restore_login(agent.user_id, agent.device_id, agent.access_token)
            room = await client.room_create()
            first = await client.room_send(room.room_id, "m.room.message", TEXT, tx_id="same")
            await homeserver.kill()
            with pytest.raises(aiohttp.ClientConnectionError):
                await client.whoami()
            await homeserver.start()
            second = await client.room_send(room.room_id, "m.room.message", TEXT, tx_id="same")
            assert first.event_id == second.event_id
            await client.close()


class TestStrictClient:
    async def test_a_conversation_in_an_encrypted_room(self, synapse: Synapse, strict: StrictClients) -> None:
        agent, consulate = await strict.newcomer(synapse), await strict.newcomer(synapse, "consulate")
        room = await agent.create_room("Dossiers", invite=[consulate.user_id])
        await consulate.expect_membership(room)
        await consulate.join(room)
        said = await agent.say(room, "Bonjour", html="<b>Bonjour</b>")
        seen = await consulate.expect(room, "Bonjour")
        assert (seen.encrypted, seen.shield, seen.html) == (True, "none", "<b>Bonjour</b>")
        reply = await consulate.say(room, "Bonsoir", reply_to=seen)
        assert (await agent.expect(room, "Bonsoir")).reply_to == said.id
        await consulate.say(room, "Dans le fil", thread=seen)
        assert (await agent.expect(room, "Dans le fil")).thread == said.id
        reaction = await consulate.react(seen, "1️⃣")
        assert (await agent.expect_reaction(said, "1️⃣")).reactions == {"1️⃣": [consulate.user_id]}
        await agent.edit(said, "Bonjour à tous")
        await consulate.expect_edited(seen, "Bonjour à tous")
        assert "agent" in (text := await consulate.transcript(room))
        assert text.splitlines()[0].endswith("Bonjour à tous [edited] {1️⃣ 1}")
        await consulate.redact(reaction)
        await consulate.redact(reply)
        assert (await agent.expect_redacted(reply)).body == ""
        await agent.until(room, lambda event: event.id == said.id and not event.reactions)

    async def test_files_are_encrypted_on_the_way(self, synapse: Synapse, strict: StrictClients) -> None:
        agent, consulate = await strict.newcomer(synapse), await strict.newcomer(synapse, "consulate")
        for encrypted in (True, False):
            room = await agent.create_room(encrypted=encrypted, invite=[consulate.user_id])
            await consulate.join(room)
            await agent.send_file(room, "acte.pdf", b"%PDF-1.7")
            seen = await consulate.expect(room, "acte.pdf")
            assert ("file" in seen.content, "url" in seen.content) == (encrypted, not encrypted)
            assert await consulate.download(seen) == b"%PDF-1.7"

    async def test_refuses_unsigned_devices_as_element_does(
        self, synapse: Synapse, strict: StrictClients, tmp_path: Path
    ) -> None:
        agent = await strict.newcomer(synapse)
        bot = await synapse.register(f"bot-{time.monotonic_ns()}", "secret")
        client = nio_client(synapse.url, bot.user_id, tmp_path)
        client.restore_login(bot.user_id, bot.device_id, bot.access_token)
        await client.keys_upload()
        room = await agent.create_room(invite=[bot.user_id])
        await client.join(room)
        await client.sync(full_state=True)
        await client.keys_query()
        await client.room_send(room, "m.room.message", {**TEXT, "body": "from the bot"}, ignore_unverified_devices=True)
        assert (await agent.expect_unreadable(room)).failure == "UNSIGNED_SENDER_DEVICE"
        assert not (await agent.devices(bot.user_id))[bot.device_id].signed_by_owner
        await agent.say(room, "nobody reads this")
        assert await _next(client, room) == nio.MegolmEvent

        await agent.isolate(only_signed=False)
        await agent.retry(room)
        seen = await agent.expect(room, "from the bot")
        assert (seen.shield, seen.shield_reason) == ("red", "UNSIGNED_DEVICE")
        await agent.say(room, "everybody reads this")
        assert await _next(client, room) == nio.RoomMessageText
        await client.close()

    async def test_shows_what_became_of_people_rooms_and_identities(
        self, synapse: Synapse, strict: StrictClients
    ) -> None:
        agent, consulate = await strict.newcomer(synapse), await strict.newcomer(synapse, "consulate")
        room = await agent.create_room(invite=[consulate.user_id])
        await consulate.join(room)
        assert not (await agent.trust(consulate.user_id)).needs_approval
        await consulate.reset_identity()
        assert (await agent.trust(consulate.user_id)).needs_approval
        await agent.kick(room, consulate.user_id)
        await consulate.expect_membership(room, "leave")
        with pytest.raises(ClientError):
            await consulate.say(room, "Encore là")
        new = await agent.upgrade(room, "11")
        await agent.until(room, lambda event: event.type == "m.room.tombstone")
        assert new != room

    async def test_says_what_it_saw_instead(self, synapse: Synapse, strict: StrictClients) -> None:
        agent = await strict.newcomer(synapse)
        room = await agent.create_room()
        await agent.say(room, "Seul ici")
        await agent.expect(room, "Seul", sender=agent.user_id)
        with pytest.raises(AssertionError, match=r"agent-.*: Seul ici"):
            await agent.expect(room, "jamais", timeout=0.1)
        await agent.expect_nothing(room, "jamais", seconds=0.1)


async def _next(client: Any, room: str) -> type[nio.Event]:
    """The kind of the next message that reaches a nio client in a room."""
    while True:
        answer = await client.sync(timeout=5_000)
        joined = answer.rooms.join.get(room)
        for event in joined.timeline.events if joined else []:
            if isinstance(event, nio.MegolmEvent | nio.RoomMessageText) and event.sender != client.user_id:
                return type(event)
