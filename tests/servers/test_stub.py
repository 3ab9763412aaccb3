"""The homeserver of ours: like the real one where it matters, fast, and failing on demand."""

import asyncio
import time
from pathlib import Path

import aiohttp
import pytest

from tests.servers.matrix_stub import MatrixStub, StubProcess, StubUser
from tests.servers.nio_client import TEXT, nio_client
from tests.servers.strict_client import ClientError, StrictClients


async def test_the_same_story_in_a_plain_room(stub: MatrixStub) -> None:
    async with StubUser(stub.url, "agent") as agent, StubUser(stub.url, "consulate") as consulate:
        room = await agent.create_room(invite=[consulate.user_id])
        await consulate.expect_membership(room)
        await consulate.join(room)
        said = await agent.say(room, "Bonjour")
        seen = await consulate.expect(room, "Bonjour")
        reaction = await consulate.react(seen, "1️⃣")
        await agent.expect_reaction(said, "1️⃣")
        await agent.edit(said, "Bonsoir")
        await consulate.expect_edited(seen, "Bonsoir")
        await consulate.say(room, "Dans le fil", thread=seen)
        assert (await agent.expect(room, "Dans le fil")).thread == said.id
        assert await agent.transcript(room) == "agent: Bonsoir [edited] {1️⃣ 1}\nconsulate: Dans le fil"
        await consulate.redact(reaction)
        await agent.redact(said)
        await consulate.expect_redacted(seen)
        await consulate.leave(room)
        with pytest.raises(ClientError, match="M_FORBIDDEN"):
            await consulate.say(room, "Encore là")
    assert [send.type for send in stub.ledger].count("m.room.redaction") == 2


async def test_cuts_timelines_and_pages_back_without_a_gap(stub: MatrixStub) -> None:
    client = nio_client(stub.url, "bot")
    await client.login("secret")
    async with StubUser(stub.url, "agent") as agent:
        room = await agent.create_room(invite=[client.user_id])
        await client.join(room)
        since = (await client.sync()).next_batch
        sent = [await agent.send(room, "m.room.message", TEXT) for _ in range(130)]
        synced = await client.sync(since=since, sync_filter={"room": {"timeline": {"limit": 500}}})
        timeline = synced.rooms.join[room].timeline
        assert (timeline.limited, len(timeline.events)) == (True, 100)
        page = await client.room_messages(room, timeline.prev_batch, end=since, limit=20)
        rest = await client.room_messages(room, page.end, end=since, limit=20)
    found = [*reversed([*page.chunk, *rest.chunk]), *timeline.events]
    assert [event.event_id for event in found] == sent
    assert rest.end is None
    await client.close()


async def test_encryption_works_there_too(stub: MatrixStub, strict: StrictClients) -> None:
    agent = await strict.login(stub.url, "agent", "any")
    consulate = await strict.login(stub.url, "consulate", "any")
    room = await agent.create_room(invite=[consulate.user_id])
    await consulate.join(room)
    await agent.say(room, "Bonjour")
    assert (await consulate.expect(room, "Bonjour")).encrypted
    assert (await agent.trust(consulate.user_id)).known


async def test_a_dead_token_is_named_so(stub: MatrixStub) -> None:
    client = nio_client(stub.url, "bot")
    await client.login("secret")
    stub.revoke(client.user_id)
    answer = await client.whoami()
    assert answer.status_code == "M_UNKNOWN_TOKEN"
    await client.close()


async def test_as_a_process_it_fails_on_demand_and_keeps_the_truth(tmp_path: Path) -> None:
    async with StubProcess(tmp_path) as stub, StubUser(stub.url, "agent") as agent:
        room = await agent.create_room()
        await stub.fault("PUT .*/send/", status=429, retry_after_ms=50, every=2)
        await agent.send(room, "m.room.message", TEXT)
        with pytest.raises(ClientError, match="M_LIMIT_EXCEEDED"):
            await agent.send(room, "m.room.message", TEXT)
        await stub.clear()
        await stub.fault("PUT .*/send/", drop="after")
        with pytest.raises(aiohttp.ClientError):
            await agent.send(room, "m.room.message", TEXT, txn="dropped")
        await stub.clear()
        again = await agent.send(room, "m.room.message", TEXT, txn="dropped")
        await stub.outage(0.2)
        await asyncio.sleep(0.1)
        with pytest.raises(aiohttp.ClientConnectionError):
            await agent.send(room, "m.room.message", TEXT)
        await asyncio.sleep(0.3)
        await agent.send(room, "m.room.message", TEXT)
        assert len(stub.ledger) == 3
        assert [send.event_id for send in stub.ledger if send.txn_id == "dropped"] == [again]
        # Two were sent before the faults; aiohttp itself repeats a PUT once when a kept connection breaks.
        assert (await stub.counts())["PUT send"] == 6


async def test_it_is_not_the_slow_part(tmp_path: Path) -> None:
    count = 1_000
    async with StubProcess(tmp_path) as stub, StubUser(stub.url, "agent") as agent:
        room = await agent.create_room()
        began = time.monotonic()
        for _ in range(count // 20):
            await asyncio.gather(*(agent.send(room, "m.room.message", TEXT) for _ in range(20)))
        rate = count / (time.monotonic() - began)
        assert len(stub.ledger) == count
    print(f"{rate:.0f} sends/s")
    assert rate > 300  # Alone on two cores 4,000; a busy machine must not fail the suite.
