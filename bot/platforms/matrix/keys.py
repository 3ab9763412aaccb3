"""Keys on their way: our own up, those of others down, room keys out to the trusted devices of a room.

nio's machine is not safe against two of these at once, so one lock holds them all.
"""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

import structlog
from nio.crypto import OlmDevice
from nio.responses import KeysClaimResponse, KeysQueryResponse, KeysUploadResponse, ToDeviceResponse

from bot.platforms.matrix.guards import sound_devices, sound_one_time_keys
from bot.platforms.matrix.machine import MEGOLM, Machine
from bot.platforms.matrix.signing import at
from bot.platforms.matrix.trust import Trust
from bot.platforms.matrix.wire import Homeserver, HomeserverError, Json

log = structlog.get_logger(__name__)

REMOTE_MS = 5_000  # what the homeserver may wait for another one
SERVER_REST = 60.0  # seconds before a server that did not answer is asked again
DEVICE_REST = 60.0  # seconds before a device without one-time keys is tried again
AGAIN_REST = 0.5  # seconds before a user is asked for again without being told to have changed
WITHHELD_AT_ONCE = 100


class KeyStoreLost(Exception):
    """The key store is not the one that the homeserver knows for this device: lost, or restored from an old copy."""


class Keys:
    """The keys of one device and of those it talks to."""

    def __init__(self, home: Homeserver, machine: Machine, trust: Trust) -> None:
        self._home = home
        self._machine = machine
        self._trust = trust
        self._lock = asyncio.Lock()
        self._known: set[str] = set()  # users whose devices we know, and are told about when they change
        self._changed: set[str] = set()
        self._stale: set[str] = set()  # rooms whose present key must not be used again
        self._asked: dict[str, float] = {}
        self._rest: dict[str, float] = {}  # users whose server did not answer, and devices without keys: until when
        self._shared_in: dict[str, frozenset[str]] = {}  # room -> who was in it when its present key was shared
        self.own_changed: Callable[[], None] = lambda: None

    # --- news from the sync

    def take_news(self, answer: Json) -> None:
        """Note whose devices changed and how many one-time keys are left (spec: «Extensions to /sync»)."""
        for user in _strings(at(answer, "device_lists", "changed")):
            self._changed.add(user)
            if user == self._machine.user_id:
                self.own_changed()
        for user in _strings(at(answer, "device_lists", "left")):
            self._known.discard(user)
            self._changed.discard(user)
        counts = answer.get("device_one_time_keys_count")
        if isinstance(counts, dict):
            # nio overlooks a count of 0, and then never fills up again.
            left = counts.get("signed_curve25519", 0)
            self._machine.uploaded_key_count = left if isinstance(left, int) else 0

    async def settle(self) -> None:
        """Do what the news ask for: fill up one-time keys, mend broken Olm sessions."""
        async with self._lock:
            await self._upload()
            await self._mend()

    # --- our own keys

    async def upload_first(self) -> None:
        """Make the homeserver know our device keys.

        Raises KeyStoreLost when it knows others under the same device id.
        """
        machine = self._machine
        async with self._lock:
            answer = await self._home.post("keys", "query", body={"device_keys": {machine.user_id: []}})
            there = at(answer, "device_keys", machine.user_id, machine.device_id, "keys")
            ours = {f"{kind}:{machine.device_id}": key for kind, key in machine.account.identity_keys.items()}
            if there is None:
                machine.account.shared = False
            elif there != ours:
                raise KeyStoreLost("the homeserver knows other keys for this device")
            await self._upload()

    async def _upload(self) -> None:
        machine = self._machine
        if not machine.should_upload_keys:
            return
        try:
            answer = await self._home.post("keys", "upload", body=machine.share_keys())
        except HomeserverError as error:
            # Synapse refuses a one-time key under an id that it has with other content: an old copy of the store.
            if error.status == 400 and "already exists" in str(error):
                raise KeyStoreLost(str(error)) from error
            raise
        count = at(answer, "one_time_key_counts", "signed_curve25519")
        machine.handle_response(KeysUploadResponse(0, count if isinstance(count, int) else 0))

    # --- the keys of others

    async def know(self, users: Iterable[str], *, again: bool = False) -> None:
        """Bring what we know of these users' devices up to date, and judge them.

        `again` asks even if nothing is said to have changed, for those who were not asked for just now.
        """
        async with self._lock:
            await self._know(frozenset(users), again=again)

    def blocks(self, user_id: str) -> bool:
        """Tell whether this user changed their identity, and an operator has not agreed."""
        return self._trust.blocks(user_id)

    def waits_for(self, user_id: str) -> bool:
        """Tell whether this user's server did not answer and will be asked again."""
        return user_id in self._rest

    async def _know(self, users: frozenset[str], *, again: bool = False) -> None:
        now = asyncio.get_running_loop().time()
        asked = {user for user in users if user in self._changed or user not in self._known}
        if again:
            asked |= {user for user in users if self._asked.get(user, -AGAIN_REST) + AGAIN_REST <= now}
        asked |= await self._trust.released(users)
        asked -= {user for user in asked if self._rest.get(user, 0) > now}
        if not asked:
            return
        # A change that arrives while the query is under way must be asked for again.
        self._changed -= asked
        try:
            answer = await self._home.post(
                "keys", "query", body={"device_keys": {user: [] for user in asked}, "timeout": REMOTE_MS}
            )
        except BaseException:
            self._changed |= asked
            raise
        for user in asked:
            self._asked[user] = now
            await self._take(user, answer, now)

    async def _take(self, user_id: str, answer: Json, now: float) -> None:
        """Take one user's part of the answer in; whatever is wrong with it concerns nobody else."""
        told = at(answer, "device_keys", user_id)
        if told is None and user_id.partition(":")[2] in (answer.get("failures") or {}):
            self._rest[user_id] = now + SERVER_REST
            self._changed.add(user_id)
            return
        self._rest.pop(user_id, None)
        self._known.add(user_id)
        devices = sound_devices(user_id, told)
        try:
            before = self._shape(user_id)
            with self._machine.store.database.atomic():
                self._machine.handle_response(KeysQueryResponse({user_id: devices}, {}))
                self._revive(user_id, devices)
            trusted = await self._trust.judge(user_id, answer, devices)
            with self._machine.store.database.atomic():
                self._mark(user_id, trusted, devices)
            if self._shape(user_id) != before:
                self._forget_sessions_with(user_id)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            log.warning("matrix.device_keys_malformed", user=user_id, error=type(error).__name__)
        await asyncio.sleep(0)

    def _revive(self, user_id: str, devices: dict[str, Json]) -> None:
        """Bring a device back that had vanished from one answer: nio holds it deleted for ever."""
        for device in self._machine.device_store[user_id].values():
            keys = at(devices.get(device.id), "keys")
            if device.deleted and keys and _same_keys(device, keys):
                device.deleted = False
                self._machine.store.save_device_keys(cast("Any", {user_id: {device.id: device}}))

    def _mark(self, user_id: str, trusted: frozenset[str], devices: dict[str, Json]) -> None:
        for device in self._machine.devices_of(user_id):
            if device.id in trusted and _same_keys(device, devices[device.id]["keys"]):
                trusts, mark = device.verified, self._machine.verify_device
            else:
                trusts, mark = device.blacklisted, self._machine.blacklist_device
            if not trusts:
                mark(device)

    def _shape(self, user_id: str) -> set[tuple[str, str, bool]]:
        return {(d.id, d.curve25519, d.verified) for d in self._machine.devices_of(user_id)}

    def _forget_sessions_with(self, user_id: str) -> None:
        """Use a new room key wherever this user is: who could read may no longer, who could not now may."""
        for room_id, members in list(self._shared_in.items()):
            if user_id in members:
                self.forget_session(room_id)

    # --- room keys

    def forget_session(self, room_id: str) -> None:
        """Use a new room key for what is said next, because somebody came or went."""
        self._stale.add(room_id)  # not at once: the key may be on its way to others

    async def encrypt(self, room_id: str, members: frozenset[str], kind: str, content: Json) -> Json:
        """Return the encrypted content of an event, its key shared with the members' trusted devices.

        Nothing has been said when this raises.
        """
        async with self._lock:
            await self._know(members)
            await self._share(room_id, members)
            return self._machine.seal(room_id, kind, content)

    async def _share(self, room_id: str, members: frozenset[str]) -> None:
        machine = self._machine
        devices = [d for user in members for d in machine.devices_of(user) if d.id != machine.device_id]
        trusted = [d for d in devices if d.verified]
        for device in devices:
            if not (device.verified or device.blacklisted):  # not judged yet: its server does not answer
                machine.blacklist_device(device)
        if room_id in self._stale or self._lacks(room_id, trusted):
            self._stale.discard(room_id)
            machine.outbound_group_sessions.pop(room_id, None)
        if not machine.should_share_group_session(room_id):
            return
        await self._claim([d for d in trusted if machine.session_store.get(d.curve25519) is None])
        self._shared_in[room_id] = members
        shares = machine.share_group_session_parallel(room_id, list(members))
        while (share := self._prepared(shares)) is not None:
            shared_with, body = share
            await self._to_devices("m.room.encrypted", body["messages"])
            machine.outbound_group_sessions[room_id].users_shared_with.update(shared_with)
        machine.outbound_group_sessions[room_id].shared = True
        await self._withhold(room_id, [d for d in devices if not d.verified])

    def _prepared(
        self, shares: Iterator[tuple[set[tuple[str, str]], Json]]
    ) -> tuple[set[tuple[str, str]], Json] | None:
        """Encrypt the key for the next few devices; nio writes a row for each, which is one write together."""
        with self._machine.store.database.atomic():
            return next(shares, None)

    def _lacks(self, room_id: str, trusted: list[OlmDevice]) -> bool:
        """Tell whether a trusted device went without the present key and it is time to try again."""
        session = self._machine.outbound_group_sessions.get(room_id)
        if session is None or not session.shared:
            return False
        now = asyncio.get_running_loop().time()
        return any(
            (d.user_id, d.id) not in session.users_shared_with and self._rest.get(d.curve25519, 0) <= now
            for d in trusted
        )

    async def _claim(self, devices: list[OlmDevice]) -> None:
        """Open Olm sessions with these devices, as far as they have one-time keys."""
        now = asyncio.get_running_loop().time()
        wanted: dict[str, dict[str, str]] = defaultdict(dict)
        for device in devices:
            if self._rest.get(device.curve25519, 0) <= now:
                wanted[device.user_id][device.id] = "signed_curve25519"
                self._rest[device.curve25519] = now + DEVICE_REST
        if not wanted:
            return
        answer = await self._home.post("keys", "claim", body={"one_time_keys": wanted, "timeout": REMOTE_MS})
        for device in devices:
            claimed = at(answer, "one_time_keys", device.user_id, device.id)
            key = sound_one_time_keys(device.user_id, device.id, device.ed25519, claimed)
            if key is not None and device.id in wanted[device.user_id]:
                self._machine.handle_response(KeysClaimResponse({device.user_id: {device.id: key}}, {}))
                self._rest.pop(device.curve25519, None)

    async def _withhold(self, room_id: str, devices: list[OlmDevice]) -> None:
        """Tell the excluded why they cannot read (spec: m.room_key.withheld); nio never does."""
        session = self._machine.outbound_group_sessions[room_id]
        content = {
            "algorithm": MEGOLM,
            "room_id": room_id,
            "session_id": session.id,
            "sender_key": self._machine.account.identity_keys["curve25519"],
            "code": "m.unverified",
            "reason": "This device is not signed by its owner.",
        }
        for start in range(0, len(devices), WITHHELD_AT_ONCE):
            messages: dict[str, dict[str, Json]] = defaultdict(dict)
            for device in devices[start : start + WITHHELD_AT_ONCE]:
                messages[device.user_id][device.id] = content
            try:
                await self._to_devices("m.room_key.withheld", messages)
            except HomeserverError as error:
                log.warning("matrix.withheld_not_told", error=str(error))

    # --- Olm

    async def _mend(self) -> None:
        """Open new Olm sessions where old ones broke, and send what nio's machine has prepared."""
        machine = self._machine
        await self._claim(list(machine.wedged_devices))
        machine.wedged_devices.clear()
        for message in list(machine.outgoing_to_device_messages):
            await self._to_devices(message.type, message.as_dict()["messages"])
            machine.handle_response(ToDeviceResponse(message))

    async def _to_devices(self, kind: str, messages: Json) -> None:
        await self._home.put("sendToDevice", kind, uuid.uuid4().hex, body={"messages": messages})


def _same_keys(device: OlmDevice, keys: Json) -> bool:
    return (
        keys.get(f"ed25519:{device.id}") == device.ed25519 and keys.get(f"curve25519:{device.id}") == device.curve25519
    )


def _strings(value: object) -> list[str]:
    return [part for part in value if isinstance(part, str)] if isinstance(value, list) else []
