"""The faulty network: each fault does what it says, and the ledger knows what was accepted."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import nio
import pytest
import pytest_asyncio

from tests.servers.faults import Fault
from tests.servers.nio_client import TEXT, nio_client
from tests.servers.proxy import FaultyProxy
from tests.servers.synapse import Synapse


@pytest_asyncio.fixture
async def sender(proxy: FaultyProxy, synapse: Synapse) -> AsyncIterator[tuple[Any, str]]:
    """A nio client behind the faulty proxy, in a room of its own."""
    agent = await synapse.register(f"sender-{time.monotonic_ns()}", "secret")
    client = nio_client(proxy.url, agent.user_id)
    client.restore_login(agent.user_id, agent.device_id, agent.access_token)
    room = await client.room_create()
    assert isinstance(room, nio.RoomCreateResponse)
    yield client, room.room_id
    await client.close()


def test_every_third_and_only_twice() -> None:
    fault = Fault("send", every=3, times=2)
    assert [fault.strikes("PUT /send") for _ in range(12)] == [False, False, True] * 2 + [False] * 6
    assert not fault.strikes("GET /sync")
    assert fault.hits == 2


def test_chance_is_drawn_alike_each_time() -> None:
    def draws(seed: int) -> list[bool]:
        fault = Fault(chance=0.5, seed=seed)
        return [fault.strikes("GET /") for _ in range(50)]

    assert draws(1) == draws(1) != draws(2)


async def test_answers_for_the_server(sender: tuple[Any, str], proxy: FaultyProxy) -> None:
    client, room = sender
    proxy.fault("PUT .*/send/", status=429, retry_after_ms=1234, times=1)
    proxy.fault("PUT .*/send/", status=502, times=1)
    answers = [await client.room_send(room, "m.room.message", TEXT) for _ in range(3)]
    assert [type(answer) for answer in answers] == [nio.RoomSendError, nio.RoomSendError, nio.RoomSendResponse]
    assert answers[0].retry_after_ms == 1234
    assert [send.event_id for send in proxy.ledger] == [answers[2].event_id]
    assert proxy.counts["PUT send"] == 3


async def test_drops_before_and_after_acceptance(sender: tuple[Any, str], proxy: FaultyProxy) -> None:
    client, room = sender
    for drop in ("before", "after"):
        # Not `times=1`: aiohttp itself sends a PUT again, once, when a kept connection breaks.
        proxy.fault("PUT .*/send/", drop=drop)
        with pytest.raises(aiohttp.ClientError):
            await client.room_send(room, "m.room.message", TEXT, tx_id=drop)
        proxy.clear()
    assert {send.txn_id for send in proxy.ledger} == {"after"}
    repeated = await client.room_send(room, "m.room.message", TEXT, tx_id="after")
    assert list(proxy.ledger.events) == [repeated.event_id]


async def test_delays(sender: tuple[Any, str], proxy: FaultyProxy) -> None:
    client, _ = sender
    proxy.fault("whoami", delay=0.2)
    began = time.monotonic()
    assert isinstance(await client.whoami(), nio.WhoamiResponse)
    assert time.monotonic() - began >= 0.2


async def test_cuts_waiting_syncs_and_refuses_until_restored(sender: tuple[Any, str], proxy: FaultyProxy) -> None:
    client, room = sender
    await client.sync()
    waiting = asyncio.create_task(client.sync(timeout=30_000))
    await asyncio.sleep(0.1)
    await proxy.cut()
    with pytest.raises(aiohttp.ClientError):
        await waiting
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.whoami()
    await proxy.restore()
    assert isinstance(await client.room_send(room, "m.room.message", TEXT), nio.RoomSendResponse)
