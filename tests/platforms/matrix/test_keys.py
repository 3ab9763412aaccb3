"""The key machinery without a network: what any homeserver or member may answer, and what arrives late or twice."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.platforms.matrix import private
from bot.platforms.matrix.keys import Keys, KeyStoreLost
from bot.platforms.matrix.machine import KeyMissing, Machine, Unreadable, open_machine
from bot.platforms.matrix.session import Session
from bot.platforms.matrix.trust import Trust
from bot.platforms.matrix.wire import HomeserverError, Unreachable
from tests.platforms.matrix.conftest import InMemory

BOT, CLAIRE, PAUL = "@passerelle:a.fr", "@claire:a.fr", "@paul:b.fr"


class FakeHome:
    """Answers key requests from a dictionary and carries to-device messages nowhere."""

    def __init__(self) -> None:
        self.devices: Any = {}
        self.one_time_keys: Any = {}
        self.failures: Any = {}
        self.asked: list[tuple[str, ...]] = []
        self.bodies: list[Any] = []
        self.sent: list[tuple[str, Any]] = []
        self.while_asked: Any = lambda: None
        self.error: Exception | None = None

    async def post(self, *path: str, body: Any, **more: Any) -> Any:
        self.asked.append(path)
        self.bodies.append(body)
        await asyncio.sleep(0)
        self.while_asked()
        if self.error is not None:
            raise self.error
        if path == ("keys", "query"):
            return {"device_keys": self.devices, "failures": self.failures}
        if path == ("keys", "claim"):
            return {"one_time_keys": self.one_time_keys}
        return {"one_time_key_counts": {"signed_curve25519": 50}}

    async def put(self, *path: str, body: Any) -> Any:
        self.sent.append((path[1], body["messages"]))
        return {}


def opened(folder: Path, user: str, device: str) -> Machine:
    private.prepare_folder(folder)
    return open_machine(Session(user, device, "t"), folder, "key", 0)


@pytest.fixture
def home() -> FakeHome:
    return FakeHome()


class Pair:
    """The bot's machine, and Claire's, known to each other."""

    def __init__(self, folder: Path, home: FakeHome, memory: InMemory) -> None:
        self.bot, self.claire = opened(folder, BOT, "BOT"), opened(folder, CLAIRE, "PHONE")
        self.home = home
        self.keys = Keys(home, self.bot, Trust(memory, "all", "block"))  # pyright: ignore[reportArgumentType]
        self.theirs = Keys(FakeHome(), self.claire, Trust(InMemory(), "all", "block"))  # pyright: ignore[reportArgumentType]
        uploads = {user: self.upload(machine) for user, machine in ((BOT, self.bot), (CLAIRE, self.claire))}
        for fake in (home, self.theirs._home):
            known: Any = fake
            known.devices = {
                user: {body["device_keys"]["device_id"]: body["device_keys"]} for user, body in uploads.items()
            }
            known.one_time_keys = {
                user: {body["device_keys"]["device_id"]: dict([next(iter(body["one_time_keys"].items()))])}
                for user, body in uploads.items()
            }

    def upload(self, machine: Machine) -> Any:
        body = machine.share_keys()
        machine.account.shared = True
        machine.mark_keys_as_published()
        return body

    async def claire_says(self, text: str, event_id: str, room: str = "!r", at: int = 1) -> dict[str, Any]:
        """An encrypted event; its room key lies with what Claire's machine sent."""
        content = await self.theirs.encrypt(
            room, frozenset({BOT, CLAIRE}), "m.room.message", {"msgtype": "m.text", "body": text}
        )
        return {"event_id": event_id, "sender": CLAIRE, "origin_server_ts": at, "content": content}

    def deliver(self) -> list[Any]:
        """Hand what Claire's machine sent to the bot's; return it."""
        fake: Any = self.theirs._home
        events = [
            {"type": kind, "sender": CLAIRE, "content": messages[BOT]["BOT"]}
            for kind, messages in fake.sent
            if BOT in messages
        ]
        fake.sent.clear()
        self.bot.take_to_device(events)
        return events


@pytest_asyncio.fixture
async def pair(tmp_path: Path, home: FakeHome, memory: InMemory) -> AsyncIterator[Pair]:
    made = Pair(tmp_path / "store", home, memory)
    await made.keys.know([CLAIRE])
    home.asked.clear()
    yield made
    for machine in (made.bot, made.claire):
        machine.store.database.close()


async def test_an_event_is_opened_and_its_writer_proven(pair: Pair) -> None:
    event = await pair.claire_says("bonjour", "$1")
    with pytest.raises(KeyMissing):
        pair.bot.open("!r", event)
    pair.deliver()
    opened_event = pair.bot.open("!r", event)
    assert (opened_event.type, opened_event.content["body"]) == ("m.room.message", "bonjour")
    assert opened_event.device is not None
    assert opened_event.device.id == "PHONE"


async def test_a_replayed_event_is_refused(pair: Pair) -> None:
    event = await pair.claire_says("!clore", "$1")
    pair.deliver()
    pair.bot.open("!r", event)
    pair.bot.open("!r", event)  # the same event again is the same event
    with pytest.raises(Unreadable, match="replayed"):
        pair.bot.open("!r", {**event, "event_id": "$2"})


async def test_an_event_of_another_room_is_refused(pair: Pair) -> None:
    event = await pair.claire_says("!clore", "$1", room="!other")
    pair.deliver()
    with pytest.raises(KeyMissing):
        pair.bot.open("!r", event)
    here = await pair.claire_says("x", "$2")
    pair.deliver()
    payload = {"room_id": "!other", "type": "m.room.message", "content": {"body": "!clore"}}
    here["content"]["ciphertext"] = pair.claire.outbound_group_sessions["!r"].encrypt(json.dumps(payload))
    with pytest.raises(Unreadable, match="another room"):
        pair.bot.open("!r", here)


async def test_somebody_elses_name_on_an_event_proves_nothing(pair: Pair) -> None:
    event = await pair.claire_says("!clore", "$1")
    pair.deliver()
    assert pair.bot.open("!r", {**event, "sender": PAUL}).device is None


async def test_an_unverified_or_forwarded_writer_is_no_proof(pair: Pair) -> None:
    event = await pair.claire_says("!clore", "$1")
    pair.deliver()
    session = pair.bot.find_session("!r", event["content"]["session_id"])
    session.forwarding_chain = ["x"]
    assert pair.bot.open("!r", event).device is None
    session.forwarding_chain = []
    assert pair.bot.open("!r", event).device is not None
    [device] = pair.bot.devices_of(CLAIRE)
    pair.bot.blacklist_device(device)
    assert pair.bot.open("!r", event).device is None
    pair.bot.verify_device(device)
    session.ed25519 = pair.bot.account.identity_keys["ed25519"]
    assert pair.bot.open("!r", event).device is None


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"algorithm": "m.megolm.v1.aes-sha2"},
        {"algorithm": "m.megolm.v1.aes-sha2", "session_id": [], "ciphertext": "x"},
    ],
    ids=["empty", "bare", "odd"],
)
async def test_what_is_no_encrypted_event_is_unreadable(pair: Pair, content: Any) -> None:
    with pytest.raises(Unreadable):
        pair.bot.open("!r", {"event_id": "$1", "sender": CLAIRE, "origin_server_ts": 1, "content": content})
    event = await pair.claire_says("x", "$1")
    pair.deliver()
    with pytest.raises(Unreadable):
        pair.bot.open("!r", {**event, "content": {**event["content"], "ciphertext": "AAAA"}})


async def test_nobody_who_was_given_a_room_key_can_replace_ours(pair: Pair, tmp_path: Path) -> None:
    first = await pair.claire_says("un", "$1")
    pair.deliver()
    second = await pair.claire_says("deux", "$2")
    session_id = first["content"]["session_id"]
    ours = pair.bot.find_session("!r", session_id)
    later = pair.claire.outbound_group_sessions["!r"].session_key
    for sender_key, room in ((ours.sender_key, "!r"), ("another", "!r"), ("another", "!other")):
        pair.bot.create_group_session(sender_key, "fingerprint", room, session_id, later)
    pair.bot.store.database.close()
    again = opened(tmp_path / "store", BOT, "BOT")
    for machine in (pair.bot, again):
        for event, text in ((first, "un"), (second, "deux")):
            read = machine.open("!r", event)
            assert read.content["body"] == text
            assert read.device is not None or machine is again
    again.store.database.close()
    pair.bot.store.database.connect(reuse_if_open=True)


@pytest.mark.parametrize("key", ["AAAA", "", "é"])
async def test_a_malformed_room_key_stops_nothing(pair: Pair, key: str) -> None:
    pair.bot.create_group_session("sender", "fingerprint", "!r", "id", key)
    assert pair.bot.find_session("!r", "id") is None


async def test_hostile_to_device_events_stop_nothing(pair: Pair) -> None:
    own = pair.bot.account.identity_keys["curve25519"]
    olm = {"algorithm": "m.olm.v1.curve25519-aes-sha2", "sender_key": "x"}
    hostile: list[Any] = [
        None,
        3,
        {},
        {"type": "m.room.encrypted"},
        {
            "type": "m.room.encrypted",
            "sender": CLAIRE,
            "content": {**olm, "ciphertext": {own: {"type": 0, "body": "AAAA"}}},
        },
        {
            "type": "m.room.encrypted",
            "sender": CLAIRE,
            "content": {**olm, "ciphertext": {own: {"type": 1, "body": "é"}}},
        },
        {"type": "m.room_key_request", "sender": CLAIRE, "content": {"action": "request", "body": 3}},
        {"type": "m.key.verification.start", "sender": CLAIRE, "content": {"from_device": []}},
    ]
    event = await pair.claire_says("après tout", "$1")
    pair.bot.take_to_device(hostile)
    pair.deliver()
    assert pair.bot.open("!r", event).content["body"] == "après tout"


async def test_one_users_odd_answer_harms_nobody_elses(pair: Pair, home: FakeHome) -> None:
    home.devices = {**home.devices, PAUL: ["not", "an", "object"], "@x:b.fr": {"D": {"keys": 3}}}
    await pair.keys.know([PAUL, "@x:b.fr", CLAIRE])
    assert not pair.bot.devices_of(PAUL)
    assert [device.id for device in pair.bot.devices_of(CLAIRE)] == ["PHONE"]
    assert not pair.keys._changed


async def test_concurrent_queries_are_one(pair: Pair, home: FakeHome) -> None:
    await asyncio.gather(*(pair.keys.know([PAUL]) for _ in range(5)))
    assert home.asked.count(("keys", "query")) == 1


async def test_a_change_that_arrives_during_a_query_is_asked_for_again(pair: Pair, home: FakeHome) -> None:
    news = {"device_lists": {"changed": [CLAIRE], "left": []}}
    pair.keys.take_news(news)
    home.while_asked = lambda: pair.keys.take_news(news) if len(home.asked) == 1 else None
    await pair.keys.know([CLAIRE])
    await pair.keys.know([CLAIRE])
    await pair.keys.know([CLAIRE])
    assert home.asked.count(("keys", "query")) == 2


async def test_a_query_that_failed_is_made_again(pair: Pair, home: FakeHome) -> None:
    pair.keys.take_news({"device_lists": {"changed": [CLAIRE]}})
    home.error = Unreachable("gone", sent=True)
    with pytest.raises(Unreachable):
        await pair.keys.know([CLAIRE])
    home.error = None
    for _ in range(2):
        await pair.keys.know([CLAIRE])
    assert home.asked.count(("keys", "query")) == 2


async def test_a_server_that_does_not_answer_is_left_in_peace_for_a_while(
    pair: Pair, home: FakeHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.failures = {"b.fr": {}}
    for _ in range(3):
        await pair.keys.know([PAUL])
    assert home.asked.count(("keys", "query")) == 1
    assert pair.keys.waits_for(PAUL)
    pair.keys._rest[PAUL] = 0.0
    home.failures = {}
    await pair.keys.know([PAUL])
    assert not pair.keys.waits_for(PAUL)


async def test_a_device_missing_from_one_answer_comes_back(pair: Pair, home: FakeHome) -> None:
    there = home.devices
    news = {"device_lists": {"changed": [CLAIRE]}}
    home.devices = {CLAIRE: {}}
    pair.keys.take_news(news)
    await pair.keys.know([CLAIRE])
    assert not pair.bot.devices_of(CLAIRE)
    home.devices = there
    pair.keys.take_news(news)
    await pair.keys.know([CLAIRE])
    (device,) = pair.bot.devices_of(CLAIRE)
    assert device.verified


async def test_a_device_with_changed_keys_is_not_trusted(pair: Pair, home: FakeHome, tmp_path: Path) -> None:
    impostor = opened(tmp_path / "impostor", CLAIRE, "PHONE")
    home.devices = {CLAIRE: {"PHONE": impostor.share_keys()["device_keys"]}}
    pair.keys.take_news({"device_lists": {"changed": [CLAIRE]}})
    await pair.keys.know([CLAIRE])
    (device,) = pair.bot.devices_of(CLAIRE)
    assert not device.verified
    assert device.ed25519 == pair.claire.account.identity_keys["ed25519"]
    impostor.store.database.close()


async def test_a_count_of_nothing_fills_the_keys_up_again(pair: Pair, home: FakeHome) -> None:
    pair.keys.take_news({"device_one_time_keys_count": {"signed_curve25519": 50}})
    await pair.keys.settle()
    assert ("keys", "upload") not in home.asked
    for counts in ({"signed_curve25519": 0}, {}):
        home.asked.clear()
        pair.keys.take_news({"device_one_time_keys_count": counts})
        await pair.keys.settle()
        assert home.asked == [("keys", "upload")]
        assert len(home.bodies[-1]["one_time_keys"]) == 50


async def test_a_one_time_key_that_exists_already_means_an_old_copy_of_the_store(pair: Pair, home: FakeHome) -> None:
    pair.keys.take_news({"device_one_time_keys_count": {"signed_curve25519": 0}})
    home.error = HomeserverError(400, {"errcode": "M_UNKNOWN", "error": "One time key x already exists."})
    with pytest.raises(KeyStoreLost):
        await pair.keys.settle()
    home.error = HomeserverError(400, {"errcode": "M_BAD_JSON", "error": "odd"})
    with pytest.raises(HomeserverError):
        await pair.keys.settle()


async def test_other_keys_under_our_device_id_mean_a_lost_store(pair: Pair, home: FakeHome) -> None:
    home.devices = {BOT: {"BOT": {"keys": {"ed25519:BOT": "x", "curve25519:BOT": "y"}}}}
    with pytest.raises(KeyStoreLost):
        await pair.keys.upload_first()
    assert ("keys", "upload") not in home.asked
    home.devices = {}
    await pair.keys.upload_first()  # a homeserver that knows none gets ours
    assert "device_keys" in home.bodies[-1]


async def test_a_malformed_one_time_key_opens_no_session_and_blocks_nothing(pair: Pair, home: FakeHome) -> None:
    home.one_time_keys = {CLAIRE: {"PHONE": {"signed_curve25519:A": {"key": "AAAA", "signatures": {}}}}}
    members = frozenset({BOT, CLAIRE})
    for _ in range(2):
        assert await pair.keys.encrypt("!r", members, "m.room.message", {"body": "x"})
    assert home.asked.count(("keys", "claim")) == 1
    assert not home.sent


async def test_a_trusted_device_that_had_no_keys_gets_the_next_message_later(
    pair: Pair, home: FakeHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_time_keys, home.one_time_keys = home.one_time_keys, {}
    members = frozenset({BOT, CLAIRE})
    await pair.keys.encrypt("!r", members, "m.room.message", {"body": "x"})
    assert not home.sent
    home.one_time_keys = one_time_keys
    await pair.keys.encrypt("!r", members, "m.room.message", {"body": "x"})
    assert not home.sent
    pair.keys._rest = dict.fromkeys(pair.keys._rest, 0.0)
    await pair.keys.encrypt("!r", members, "m.room.message", {"body": "x"})
    assert [kind for kind, _ in home.sent] == ["m.room.encrypted"]


async def test_a_broken_olm_session_is_replaced_by_a_new_one(pair: Pair, home: FakeHome) -> None:
    (device,) = pair.bot.devices_of(CLAIRE)
    pair.bot.wedged_devices.append(device)
    await pair.keys.settle()
    assert pair.bot.session_store.get(device.curve25519) is not None
    assert [kind for kind, _ in home.sent] == ["m.room.encrypted"]  # so that the other side uses it too
    await pair.keys.settle()
    assert len(home.sent) == 1


async def test_a_failed_sharing_leaves_nothing_behind(pair: Pair, home: FakeHome) -> None:
    members = frozenset({BOT, CLAIRE})
    put = home.put

    async def broken(*path: str, body: Any) -> Any:
        raise Unreachable("gone", sent=True)

    home.put = broken
    with pytest.raises(Unreachable):
        await pair.keys.encrypt("!r", members, "m.room.message", {"body": "x"})
    home.put = put
    assert await pair.keys.encrypt("!r", members, "m.room.message", {"body": "x"})
    assert [kind for kind, _ in home.sent] == ["m.room.encrypted"]


async def test_letters_beyond_ascii_take_their_own_room_and_no_more(pair: Pair) -> None:
    plain = await pair.keys.encrypt("!r", frozenset({BOT}), "m.room.message", {"body": "e" * 9000})
    accents = await pair.keys.encrypt("!r", frozenset({BOT}), "m.room.message", {"body": "é" * 9000})
    assert len(accents["ciphertext"]) < 2.1 * len(plain["ciphertext"])


async def test_the_key_is_changed_when_somebody_comes_or_goes_even_while_it_is_on_its_way(
    pair: Pair, home: FakeHome
) -> None:
    members = frozenset({BOT, CLAIRE})
    put = home.put

    async def meanwhile(*path: str, body: Any) -> Any:
        pair.keys.forget_session("!r")
        home.put = put
        return await put(*path, body=body)

    home.put = meanwhile
    first = await pair.keys.encrypt("!r", members, "m.room.message", {"body": "x"})
    second = await pair.keys.encrypt("!r", members, "m.room.message", {"body": "x"})
    third = await pair.keys.encrypt("!r", members, "m.room.message", {"body": "x"})
    assert first["session_id"] != second["session_id"] == third["session_id"]
