"""Whose devices are sent to and obeyed: those that their owner has signed, under a master key seen before.

The first master key seen of a user is pinned. A changed one means that they reset their identity, or that somebody
with power over their server did; `identity_reset` says whether the bot goes on or waits for an operator.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import structlog

from bot.memory import REFUSED
from bot.platforms import Memory
from bot.platforms.matrix.signing import at, is_ed25519, is_signed
from bot.platforms.matrix.wire import Json

log = structlog.get_logger(__name__)

Policy = Literal["cross_signed", "all"]
OnReset = Literal["block", "accept"]


@dataclass(frozen=True, slots=True)
class Published:
    """A sound identity as a user's homeserver tells it: the master key and the devices it vouches for."""

    master: str
    signed: frozenset[str]


def read_identity(user_id: str, answer: Json, devices: Mapping[str, Json]) -> Published | None:
    """Judge the keys of one user in a key query: master -> self-signing -> devices; None without a sound identity.

    `devices` have been through `guards.sound_devices`.
    """
    master = _key(user_id, "master", at(answer, "master_keys", user_id))
    ours = at(answer, "self_signing_keys", user_id)
    self_signing = _key(user_id, "self_signing", ours)
    if master is None or self_signing is None or not is_signed(ours, user_id, master, master):
        return None
    signed = (device_id for device_id, d in devices.items() if is_signed(d, user_id, self_signing, self_signing))
    return Published(master, frozenset(signed))


def _key(user_id: str, usage: str, value: object) -> str | None:
    """Return the one public key of a cross-signing key object that is what it should be."""
    keys, usages = at(value, "keys"), at(value, "usage")
    if at(value, "user_id") != user_id or not isinstance(usages, list) or usage not in usages:
        return None
    if not isinstance(keys, dict) or len(keys) != 1:
        return None
    ((name, public),) = keys.items()
    return public if name == f"ed25519:{public}" and is_ed25519(public) else None


class Trust:
    """Decides which of a user's devices are trusted, and remembers the pins."""

    def __init__(self, memory: Memory, policy: Policy, on_reset: OnReset) -> None:
        self._memory = memory
        self._policy = policy
        self._on_reset = on_reset
        self._blocked: set[str] = set()

    async def judge(self, user_id: str, answer: Json, devices: Mapping[str, Json]) -> frozenset[str]:
        """Return the ids of the devices to trust, pinning or comparing the master key."""
        if self._policy == "all":
            return frozenset(devices)
        published = read_identity(user_id, answer, devices)
        if published is None:
            return frozenset()
        pinned = await self._memory.get(_pin(user_id))
        if pinned == published.master:
            if user_id in self._blocked or await self._memory.get(_refused(user_id)) is not None:
                await self._memory.set({_refused(user_id): None})
            self._blocked.discard(user_id)
            return published.signed
        if pinned is not None:
            log.warning("matrix.identity_changed", user=user_id, policy=self._on_reset)
            if self._on_reset == "block":
                if user_id not in self._blocked:
                    await self._memory.set({_refused(user_id): published.master})
                self._blocked.add(user_id)
                return frozenset()
        await self._memory.set({_pin(user_id): published.master, _refused(user_id): None})
        self._blocked.discard(user_id)
        return published.signed

    def blocks(self, user_id: str) -> bool:
        """Tell whether this user's present identity is not the pinned one."""
        return user_id in self._blocked

    async def released(self, users: frozenset[str]) -> set[str]:
        """Return those of `users` who were blocked and whose pin an operator has dropped since: judge them anew."""
        return {user for user in users & self._blocked if await self._memory.get(_pin(user)) is None}


async def drop_pin(memory: Memory, user_id: str) -> None:
    """Trust whatever identity this user shows next, as if seen for the first time."""
    await memory.set({_pin(user_id): None, _refused(user_id): None})


def _refused(user_id: str) -> str:
    return f"{REFUSED}{user_id}"


def _pin(user_id: str) -> str:
    return f"pin:{user_id}"
