"""The servers that other tests stand on do what they promise."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import nio
import psycopg
import pytest
import pytest_asyncio
import sqlalchemy as sa

from tests.servers.faults import Fault
from tests.servers.matrix_stub import MatrixStub, StubProcess, StubUser
from tests.servers.postgres import Postgres
from tests.servers.proxy import FaultyProxy
from tests.servers.strict_client import ClientError, StrictClients
from tests.servers.synapse import Synapse

pytest_plugins = ["tests.servers.fixtures"]
# One worker starts the shared servers once for all of these.
pytestmark = pytest.mark.xdist_group("servers")

TEXT = {"msgtype": "m.text", "body": "Bonjour"}


def _nio(url: str, user: str, store: Path | None = None) -> nio.AsyncClient:
    """A plain nio client, or one with keys; it never repeats a request by itself."""
    config = nio.AsyncClientConfig(
        max_limit_exceeded=0, max_timeouts=0, encryption_enabled=store is not None, pickle_key="test"
    )
    return nio.AsyncClient(url, user, store_path=str(store) if store else "", config=config)


@pytest_asyncio.fixture
async def sender(proxy: FaultyProxy, synapse: Synapse) -> AsyncIterator[tuple[nio.AsyncClient, str]]:
    """A nio client behind the faulty proxy, in a room of its own."""
    agent = await synapse.register(f"sender-{time.monotonic_ns()}", "secret")
    client = _nio(proxy.url, agent.user_id)
    client.restore_login(agent.user_id, agent.device_id, agent.access_token)
    room = await client.room_create()
    assert isinstance(room, nio.RoomCreateResponse)
    yield client, room.room_id
    await client.close()


class TestPostgres:
    def test_databases_are_fresh_and_templates_are_copied(self, postgres: Postgres) -> None:
        def build(url: str) -> None:
            with psycopg.connect(url.replace("+psycopg", "")) as connection:
                connection.execute("CREATE TABLE question (text text)")

        template = postgres.make_template(build, name="with_question")
        first, second = postgres.create_database(template), postgres.create_database(template)
        with psycopg.connect(first.replace("+psycopg", "")) as connection:
            connection.execute("INSERT INTO question VALUES ('one')")
        with psycopg.connect(second.replace("+psycopg", "")) as connection:
            assert connection.execute("SELECT count(*) FROM question").fetchone() == (0,)
        postgres.drop_database(first)
        with pytest.raises(psycopg.OperationalError, match="does not exist"):
            psycopg.connect(first.replace("+psycopg", ""))

    @pytest.mark.parametrize("how", ["restart", "kill"])
    async def test_what_was_committed_outlives_a_restart_and_a_crash(self, postgres: Postgres, how: str) -> None:
        engine = sa.create_engine(postgres.create_database())
        with engine.begin() as connection:
            connection.execute(sa.text("CREATE TABLE kept AS SELECT 42 AS answer"))
        with engine.connect() as open_over_it:
            open_over_it.execute(sa.text("SELECT 1"))
            if how == "restart":
                await postgres.restart()
            else:
                await postgres.kill()
                await postgres.start()
            with pytest.raises(sa.exc.OperationalError):
                open_over_it.execute(sa.text("SELECT 1"))
        engine.dispose()
        with engine.connect() as connection:
            assert connection.execute(sa.text("SELECT answer FROM kept")).scalar() == 42
        engine.dispose()

    def test_connections_can_be_broken(self, postgres: Postgres) -> None:
        url = postgres.create_database()
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("SELECT 1")
            assert postgres.kill_connections(url) == 1
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")


class TestTransactionIds:
    """The same transaction id from the same device is the same event, on the real server and on ours."""

    @pytest_asyncio.fixture(params=["synapse", "stub"])
    async def client(
        self, request: pytest.FixtureRequest, synapse: Synapse, stub: MatrixStub
    ) -> AsyncIterator[nio.AsyncClient]:
        name = f"txn-{time.monotonic_ns()}"
        if request.param == "synapse":
            await synapse.register(name, "secret")
        client = _nio(synapse.url if request.param == "synapse" else stub.url, name)
        await client.login("secret")
        yield client
        await client.close()

    async def test_a_repeat_gets_the_first_event(self, client: nio.AsyncClient) -> None:
        room = await client.room_create()
        sent = [
            await client.room_send(room.room_id, "m.room.message", TEXT, tx_id=txn) for txn in ("same", "same", "new")
        ]
        redacted = [await client.room_redact(room.room_id, sent[0].event_id, tx_id="gone") for _ in range(2)]
        assert sent[0].event_id == sent[1].event_id != sent[2].event_id
        assert redacted[0].event_id == redacted[1].event_id

    async def test_another_device_is_another_sender(self, client: nio.AsyncClient) -> None:
        room = await client.room_create()
        first = await client.room_send(room.room_id, "m.room.message", TEXT, tx_id="same")
        other = _nio(client.homeserver, client.user_id)
        await other.login("secret")
        second = await other.room_send(room.room_id, "m.room.message", TEXT, tx_id="same")
        await other.close()
        assert first.event_id != second.event_id

    async def test_copies_at_the_same_time_are_one_event(self, client: nio.AsyncClient) -> None:
        room = await client.room_create()
        copies = [client.room_send(room.room_id, "m.room.message", TEXT, tx_id="same") for _ in range(5)]
        assert len({answer.event_id for answer in await asyncio.gather(*copies)}) == 1


class TestFaults:
    def test_every_third_and_only_twice(self) -> None:
        fault = Fault("send", every=3, times=2)
        assert [fault.strikes("PUT /send") for _ in range(12)] == [False, False, True] * 2 + [False] * 6
        assert not fault.strikes("GET /sync")
        assert fault.hits == 2

    def test_chance_is_drawn_alike_each_time(self) -> None:
        def draws(seed: int) -> list[bool]:
            fault = Fault(chance=0.5, seed=seed)
            return [fault.strikes("GET /") for _ in range(50)]

        assert draws(1) == draws(1) != draws(2)


class TestProxy:
    async def test_answers_for_the_server(self, sender: tuple[nio.AsyncClient, str], proxy: FaultyProxy) -> None:
        client, room = sender
        proxy.fault("PUT .*/send/", status=429, retry_after_ms=1234, times=1)
        proxy.fault("PUT .*/send/", status=502, times=1)
        answers = [await client.room_send(room, "m.room.message", TEXT) for _ in range(3)]
        assert [type(answer) for answer in answers] == [nio.RoomSendError, nio.RoomSendError, nio.RoomSendResponse]
        assert answers[0].retry_after_ms == 1234
        assert [send.event_id for send in proxy.ledger] == [answers[2].event_id]
        assert proxy.counts["PUT send"] == 3

    async def test_drops_before_and_after_acceptance(
        self, sender: tuple[nio.AsyncClient, str], proxy: FaultyProxy
    ) -> None:
        client, room = sender
        for drop in ("before", "after"):
            proxy.fault("PUT .*/send/", drop=drop, times=1)
            with pytest.raises(aiohttp.ClientError):
                await client.room_send(room, "m.room.message", TEXT, tx_id=drop)
        assert [send.txn_id for send in proxy.ledger] == ["after"]
        repeated = await client.room_send(room, "m.room.message", TEXT, tx_id="after")
        assert list(proxy.ledger.events) == [repeated.event_id]

    async def test_delays(self, sender: tuple[nio.AsyncClient, str], proxy: FaultyProxy) -> None:
        client, _ = sender
        proxy.fault("whoami", delay=0.2)
        began = time.monotonic()
        assert isinstance(await client.whoami(), nio.WhoamiResponse)
        assert time.monotonic() - began >= 0.2

    async def test_cuts_waiting_syncs_and_refuses_until_restored(
        self, sender: tuple[nio.AsyncClient, str], proxy: FaultyProxy
    ) -> None:
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


class TestSynapse:
    async def test_rooms_outlive_restart_and_kill(self, tmp_path: Path) -> None:
        async with Synapse(tmp_path) as homeserver:
            agent = await homeserver.register("agent", "secret")
            client = _nio(homeserver.url, agent.user_id)
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
        client = _nio(synapse.url, bot.user_id, tmp_path)
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
        room = await agent.create_room(encrypted=False, invite=[consulate.user_id])
        await consulate.join(room)
        assert not (await agent.trust(consulate.user_id)).needs_approval
        await consulate.reset_identity()
        assert (await agent.trust(consulate.user_id)).needs_approval
        await agent.kick(room, consulate.user_id)
        await consulate.expect_membership(room, "leave")
        with pytest.raises(ClientError) as refused:
            await consulate.say(room, "Encore là")
        assert refused.value.code == "M_FORBIDDEN"
        new = await agent.upgrade(room, "11")
        await agent.until(room, lambda event: event.type == "m.room.tombstone")
        assert new != room

    async def test_says_what_it_saw_instead(self, synapse: Synapse, strict: StrictClients) -> None:
        agent = await strict.newcomer(synapse)
        room = await agent.create_room()
        await agent.say(room, "Seul ici")
        await agent.expect(room, "Seul", sender=agent.user_id)
        with pytest.raises(AssertionError, match="agent-.*: Seul ici"):
            await agent.expect(room, "jamais", timeout=0.1)
        await agent.expect_nothing(room, "jamais", seconds=0.1)


class TestStub:
    async def test_the_same_story_in_a_plain_room(self, stub: MatrixStub) -> None:
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

    async def test_cuts_timelines_and_pages_back_without_a_gap(self, stub: MatrixStub) -> None:
        client = _nio(stub.url, "bot")
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

    async def test_encryption_works_there_too(self, stub: MatrixStub, strict: StrictClients) -> None:
        agent = await strict.login(stub.url, "agent", "any")
        consulate = await strict.login(stub.url, "consulate", "any")
        room = await agent.create_room(invite=[consulate.user_id])
        await consulate.join(room)
        await agent.say(room, "Bonjour")
        assert (await consulate.expect(room, "Bonjour")).encrypted
        assert (await agent.trust(consulate.user_id)).known

    async def test_a_dead_token_is_named_so(self, stub: MatrixStub) -> None:
        client = _nio(stub.url, "bot")
        await client.login("secret")
        stub.revoke(client.user_id)
        answer = await client.whoami()
        assert answer.status_code == "M_UNKNOWN_TOKEN"
        await client.close()

    async def test_as_a_process_it_fails_on_demand_and_keeps_the_truth(self, tmp_path: Path) -> None:
        async with StubProcess(tmp_path) as stub, StubUser(stub.url, "agent") as agent:
            room = await agent.create_room()
            await stub.fault("PUT .*/send/", status=429, retry_after_ms=50, every=2)
            await agent.send(room, "m.room.message", TEXT)
            with pytest.raises(ClientError, match="M_LIMIT_EXCEEDED"):
                await agent.send(room, "m.room.message", TEXT)
            await stub.clear()
            await stub.fault("PUT .*/send/", drop="after", times=1)
            with pytest.raises(aiohttp.ClientError):
                await agent.send(room, "m.room.message", TEXT, txn="dropped")
            again = await agent.send(room, "m.room.message", TEXT, txn="dropped")
            await stub.outage(0.2)
            await asyncio.sleep(0.1)
            with pytest.raises(aiohttp.ClientConnectionError):
                await agent.send(room, "m.room.message", TEXT)
            await asyncio.sleep(0.3)
            await agent.send(room, "m.room.message", TEXT)
            assert len(stub.ledger) == 3
            assert [send.event_id for send in stub.ledger if send.txn_id == "dropped"] == [again]
            assert (await stub.counts())["PUT send"] == 5

    async def test_it_is_not_the_slow_part(self, tmp_path: Path) -> None:
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


async def _next(client: nio.AsyncClient, room: str) -> type[nio.Event]:
    """The kind of the next message that reaches a nio client in a room."""
    while True:
        answer = await client.sync(timeout=5_000)
        joined = answer.rooms.join.get(room)
        for event in joined.timeline.events if joined else []:
            if isinstance(event, nio.MegolmEvent | nio.RoomMessageText) and event.sender != client.user_id:
                return type(event)
