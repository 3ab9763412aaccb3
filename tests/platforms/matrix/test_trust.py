"""Judging foreign keys: the chain from a master key to a device, and the pin."""

import itertools
from typing import Any

import pytest

from bot.memory import REFUSED
from bot.platforms.matrix.guards import sound_devices, sound_one_time_keys
from bot.platforms.matrix.signing import SigningKey, canonical, is_signed
from bot.platforms.matrix.trust import Trust, drop_pin, read_identity
from tests.platforms.matrix.conftest import InMemory

USER = "@claire:a.fr"
CURVE = "WmVrZSBpcyBhIGN1cnZlIGtleSBvZiAzMiBieXRlcyE"


class Claire:
    """Somebody with an identity and devices; each can be spoilt."""

    def __init__(self) -> None:
        self.master, self.self_signing = SigningKey.generate(), SigningKey.generate()
        self.device_keys: dict[str, Any] = {}

    def device(
        self, device_id: str, /, *, signed: bool = True, curve25519: object = CURVE, **said: object
    ) -> dict[str, Any]:
        own = SigningKey.generate()
        device: dict[str, Any] = {
            "user_id": USER,
            "device_id": device_id,
            "algorithms": ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"],
            "keys": {f"ed25519:{device_id}": own.public, f"curve25519:{device_id}": curve25519},
            **said,
        }
        signatures = {f"ed25519:{device_id}": own.sign(device)}
        if signed:
            signatures[f"ed25519:{self.self_signing.public}"] = self.self_signing.sign(device)
        self.device_keys[device_id] = {**device, "signatures": {USER: signatures}}
        return self.device_keys[device_id]

    def answer(self) -> dict[str, Any]:
        def key(usage: str, public: str) -> dict[str, Any]:
            return {"user_id": USER, "usage": [usage], "keys": {f"ed25519:{public}": public}}

        bare = key("self_signing", self.self_signing.public)
        signed = {**bare, "signatures": {USER: {f"ed25519:{self.master.public}": self.master.sign(bare)}}}
        return {
            "device_keys": {USER: self.device_keys},
            "master_keys": {USER: key("master", self.master.public)},
            "self_signing_keys": {USER: signed},
        }

    def trusted(self, answer: dict[str, Any] | None = None) -> frozenset[str] | None:
        answer = answer or self.answer()
        identity = read_identity(USER, answer, sound_devices(USER, answer["device_keys"][USER]))
        return None if identity is None else identity.signed


def test_only_devices_signed_by_their_owner_are_vouched_for() -> None:
    claire = Claire()
    claire.device("SIGNED")
    claire.device("BARE", signed=False)
    assert claire.trusted() == {"SIGNED"}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda a: a["master_keys"].clear(),
        lambda a: a["self_signing_keys"].clear(),
        lambda a: a["self_signing_keys"][USER].pop("signatures"),
        lambda a: a["master_keys"][USER].update(usage=["user_signing"]),
        lambda a: a["master_keys"][USER].update(usage="master"),
        lambda a: a["master_keys"][USER].update(user_id="@paul:a.fr"),
        lambda a: a["master_keys"][USER]["keys"].update({"ed25519:AAAA": "AAAA"}),
        lambda a: a["master_keys"][USER].update(keys={"ed25519:x": SigningKey.generate().public}),
        lambda a: a["master_keys"][USER].update(
            keys={"ed25519:x": next(iter(a["master_keys"][USER]["keys"].values()))}
        ),
        lambda a: a["master_keys"][USER].update(keys=["ed25519"]),
        lambda a: a["master_keys"].update({USER: None}),
        lambda a: a.update(master_keys=[]),
        lambda a: a["self_signing_keys"][USER].update(keys={"ed25519:AAAA": "AAAA"}),
        lambda a: a["self_signing_keys"][USER]["signatures"].update({USER: "x"}),
    ],
    ids=itertools.count(),
)
def test_an_unsound_identity_vouches_for_nothing(spoil: Any) -> None:
    claire = Claire()
    claire.device("SIGNED")
    answer = claire.answer()
    spoil(answer)
    assert claire.trusted(answer) is None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d["keys"].update({"ed25519:D": "AAAA"}),
        lambda d: d["keys"].update({"curve25519:D": "AAAA"}),
        lambda d: d["keys"].pop("curve25519:D"),
        lambda d: d["keys"].update({"ed25519:D": SigningKey.generate().public}),
        lambda d: d["keys"].update({"ed25519:D": 3}),
        lambda d: d.update(keys=None),
        lambda d: d.update(user_id="@paul:a.fr"),
        lambda d: d.update(device_id="E"),
        lambda d: d.update(algorithms="m.olm"),
        lambda d: d.pop("signatures"),
        lambda d: d.update(signatures={USER: {"ed25519:D": "AAAA"}}),
        lambda d: d.update(signatures={USER: {"ed25519:D": "é"}}),
        lambda d: d.update(signatures=[]),
        lambda d: d.update(more="not signed"),
        lambda d: d.update(more="\ud800"),
    ],
    ids=itertools.count(),
)
def test_a_malformed_device_does_not_exist_and_harms_no_other(spoil: Any) -> None:
    claire = Claire()
    spoil(claire.device("D"))
    claire.device("OTHER")
    assert set(sound_devices(USER, claire.device_keys)) == {"OTHER"}
    assert claire.trusted() == {"OTHER"}


@pytest.mark.parametrize("said", [{"user_id": "@paul:a.fr"}, {"device_id": "E"}, {"algorithms": "m.olm"}], ids=str)
def test_a_signature_makes_no_device_of_ours_of_anothers(said: dict[str, Any]) -> None:
    claire = Claire()
    claire.device("D", **said)
    assert sound_devices(USER, claire.device_keys) == {}


@pytest.mark.parametrize("curve25519", ["AAAA", "é", None, 3])
def test_a_signature_makes_no_key_of_what_is_none(curve25519: Any) -> None:
    claire = Claire()
    claire.device("D", curve25519=curve25519)
    assert sound_devices(USER, claire.device_keys) == {}
    own = SigningKey.generate()
    one = {"key": curve25519}
    signed = {**one, "signatures": {USER: {"ed25519:D": own.sign(one)}}}
    assert sound_one_time_keys(USER, "D", own.public, {"signed_curve25519:A": signed}) is None


@pytest.mark.parametrize("odd", [None, [], "x", {"D": None}, {"D": []}, {"D": {}}])
def test_an_answer_outside_every_schema_has_no_devices(odd: Any) -> None:
    assert sound_devices(USER, odd) == {}


def test_a_devices_unsigned_part_is_only_a_name() -> None:
    claire = Claire()
    claire.device("D")["unsigned"] = ["x"]
    assert sound_devices(USER, claire.device_keys)["D"]["unsigned"] == {"device_display_name": ""}


@pytest.mark.parametrize("spoil", [{"key": "AAAA"}, {"key": 3}, {"signatures": None}, {"key": CURVE[::-1]}])
def test_a_malformed_one_time_key_is_no_key(spoil: Any) -> None:
    own = SigningKey.generate()
    key = {"key": CURVE}
    signed = {**key, "signatures": {USER: {"ed25519:D": own.sign(key)}}}
    assert sound_one_time_keys(USER, "D", own.public, {"signed_curve25519:A": signed})
    assert sound_one_time_keys(USER, "D", own.public, {"signed_curve25519:A": {**signed, **spoil}}) is None
    assert sound_one_time_keys(USER, "D", own.public, {"curve25519:A": CURVE}) is None
    assert sound_one_time_keys(USER, "D", own.public, [signed]) is None


def test_a_signature_of_another_key_counts_for_nothing() -> None:
    key, other = SigningKey.generate(), SigningKey.generate()
    value = {"a": 1, "unsigned": {"b": 2}}
    signed = {**value, "signatures": {USER: {"ed25519:K": key.sign(value)}}}
    assert is_signed(signed, USER, "K", key.public)
    assert is_signed({**signed, "unsigned": {}}, USER, "K", key.public)
    assert not is_signed(signed, USER, "K", other.public)
    assert not is_signed({**signed, "a": 2}, USER, "K", key.public)


def test_what_is_signed_is_the_canonical_form_whatever_the_letters() -> None:
    value = {"name": "Préfecture", "a": {"c": 1, "b": True}, "signatures": {"x": {}}, "unsigned": {"age": 1}}
    assert canonical(value) == '{"a":{"b":true,"c":1},"name":"Préfecture"}'.encode()


def test_a_key_comes_back_from_its_seed() -> None:
    key = SigningKey.generate()
    assert SigningKey.from_text(key.text).public == key.public


async def judged(trust: Trust, claire: Claire) -> frozenset[str]:
    answer = claire.answer()
    return await trust.judge(USER, answer, sound_devices(USER, answer["device_keys"][USER]))


async def test_the_first_identity_is_pinned_and_a_reset_blocks_until_an_operator_agrees(memory: InMemory) -> None:
    trust = Trust(memory, "cross_signed", "block")
    before, after = Claire(), Claire()
    before.device("D")
    after.device("D")
    assert await judged(trust, before) == {"D"}
    assert await judged(trust, after) == frozenset()
    assert trust.blocks(USER)
    assert await memory.get(f"{REFUSED}{USER}") is not None  # administrators are told
    again = Trust(memory, "cross_signed", "block")  # after a restart
    assert await judged(again, before) == {"D"}  # the pin is the old one still
    assert await memory.get(f"{REFUSED}{USER}") is None
    assert await judged(trust, before) == {"D"}
    assert await judged(trust, after) == frozenset()
    assert await trust.released(frozenset({USER})) == set()
    await drop_pin(memory, USER)
    assert await memory.get(f"{REFUSED}{USER}") is None
    assert await trust.released(frozenset({USER})) == {USER}
    assert await judged(trust, after) == {"D"}
    assert not trust.blocks(USER)
    assert await judged(trust, before) == frozenset()


async def test_accept_goes_on_after_a_reset(memory: InMemory) -> None:
    trust = Trust(memory, "cross_signed", "accept")
    before, after = Claire(), Claire()
    before.device("D")
    after.device("D")
    assert await judged(trust, before) == await judged(trust, after) == {"D"}


async def test_pins_outlive_the_process(memory: InMemory) -> None:
    before, after = Claire(), Claire()
    after.device("D")
    await judged(Trust(memory, "cross_signed", "block"), before)
    assert await judged(Trust(memory, "cross_signed", "block"), after) == frozenset()


async def test_nobody_without_an_identity_is_trusted_and_all_means_all(memory: InMemory) -> None:
    claire = Claire()
    claire.device("BARE", signed=False)
    answer = {**claire.answer(), "master_keys": {}}
    devices = sound_devices(USER, claire.device_keys)
    assert await Trust(memory, "cross_signed", "accept").judge(USER, answer, devices) == frozenset()
    assert await Trust(memory, "all", "block").judge(USER, answer, devices) == {"BARE"}
