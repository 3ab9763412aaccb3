"""The bot's own identity: three keys with which it signs its own device (spec: «Cross-signing»).

Strict clients neither send keys to nor show messages of a device that its owner has not signed (MSC4153), and nio has
no cross-signing. The seeds lie in one sealed file. They are written before they are uploaded, under another name until
the homeserver has them, so that an end at any moment heals at the next start.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import structlog

from bot.errors import ConfigurationError
from bot.platforms.matrix import private
from bot.platforms.matrix.signing import SigningKey, at, is_signed
from bot.platforms.matrix.wire import Homeserver, HomeserverError, Json

log = structlog.get_logger(__name__)

NAME = "identity"
_USAGES = ("master", "self_signing", "user_signing")


class IdentityMismatch(ConfigurationError):
    """The account has an identity whose private keys are not ours. It is never overwritten by itself."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The private keys of the account's identity."""

    user_id: str
    master: SigningKey
    self_signing: SigningKey
    user_signing: SigningKey

    @classmethod
    def generate(cls, user_id: str) -> "Identity":
        """Return a new identity. An old one can never come back: Synapse answers 500 to keys that it once had."""
        return cls(user_id, *(SigningKey.generate() for _ in _USAGES))

    def public(self) -> Json:
        """Return the body of `/keys/device_signing/upload`."""
        return {f"{usage}_key": self._key(usage) for usage in _USAGES}

    def _key(self, usage: str) -> Json:
        public = cast("SigningKey", getattr(self, usage)).public
        key = {"user_id": self.user_id, "usage": [usage], "keys": {f"ed25519:{public}": public}}
        if usage == "master":
            return key
        return {**key, "signatures": {self.user_id: {f"ed25519:{self.master.public}": self.master.sign(key)}}}


class IdentityFile:
    """Where the identity is kept, and the new one while it is on its way."""

    def __init__(self, folder: Path, user_id: str, key: str) -> None:
        self._file = folder / NAME
        self._new = folder / f"{NAME}.new"
        self._user_id = user_id
        self._key = key

    def current(self) -> Identity | None:
        """Return the identity that the homeserver once accepted."""
        return self._read(self._file)

    def coming(self) -> Identity | None:
        """Return the identity of which it is not known whether the homeserver has it."""
        return self._read(self._new)

    def prepare(self, identity: Identity) -> None:
        """Keep an identity that is about to be uploaded."""
        seeds = {usage: getattr(identity, usage).text for usage in _USAGES}
        private.write(self._new, {"user_id": identity.user_id, **seeds}, self._key)

    def settle(self) -> None:
        """Make the coming identity the current one."""
        private.rename(self._new, self._file)

    def forget_coming(self) -> None:
        """Drop a new identity that the homeserver never got."""
        self._new.unlink(missing_ok=True)

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """Wait until no other process changes the identity: `matrix reset-identity` works beside a running bot."""
        claim = private.Claim(self._file.with_name(f"{NAME}.in-use"))
        while not claim.take():  # noqa: ASYNC110 - what another process does rings no bell here
            await asyncio.sleep(0.05)
        try:
            yield
        finally:
            claim.release()

    def _read(self, file: Path) -> Identity | None:
        kept = private.read(file, self._key)
        if kept is None or kept["user_id"] != self._user_id:
            return None
        return Identity(self._user_id, *(SigningKey.from_text(kept[usage]) for usage in _USAGES))


async def own_keys(home: Homeserver, user_id: str) -> Json:
    """Return what the homeserver tells about our own account's keys."""
    return await home.post("keys", "query", body={"device_keys": {user_id: []}})


async def ensure(home: Homeserver, file: IdentityFile, user_id: str, device_id: str) -> list[str]:
    """Bring the account to have our identity and our device to be signed by it; return what had to be done.

    The device's keys must be uploaded already. Needs no password (MSC3967).
    Raises IdentityMismatch when the homeserver has somebody else's identity.
    """
    async with file.turn():
        answer = await own_keys(home, user_id)
        done: list[str] = []
        identity = _matching(file, user_id, answer)
        if identity is None:
            identity = file.coming() or file.current() or Identity.generate(user_id)
            file.prepare(identity)
            await _upload(home, identity, None)
            file.settle()
            done.append("keys")
        return [*done, *await _sign_device(home, identity, device_id, answer)]


async def reset(home: Homeserver, file: IdentityFile, user_id: str, device_id: str, password: str) -> list[str]:
    """Replace the account's identity by a new one, with the account's password; return what was done.

    Everybody who verified the bot has to do it again. On an error the old identity stays as it was.
    Raises ConfigurationError when the homeserver refuses.
    """
    identity = Identity.generate(user_id)
    async with file.turn():
        file.prepare(identity)
        try:
            await _upload(home, identity, password)
        except (ConfigurationError, HomeserverError) as error:
            if isinstance(error, ConfigurationError) or not error.passing:
                file.forget_coming()
            raise
        file.settle()
        answer = await own_keys(home, user_id)
        return ["keys", *await _sign_device(home, identity, device_id, answer)]


def _matching(file: IdentityFile, user_id: str, answer: Json) -> Identity | None:
    """Return our identity if it is the homeserver's, None if the homeserver has none at all."""
    there = {usage: _public(answer, usage, user_id) for usage in _USAGES[:2]}
    if there["master"] is None:
        return None
    current, coming = file.current(), file.coming()
    for candidate in (current, coming):
        if candidate is None:
            continue
        if there == {usage: getattr(candidate, usage).public for usage in there}:
            if candidate is coming:
                file.settle()
            else:
                file.forget_coming()
            return candidate
    message = (
        f"matrix: {user_id} has a cross-signing identity whose keys are not in the data folder; restore them from a "
        "backup, or replace the identity with «passerelle matrix reset-identity»"
    )
    raise IdentityMismatch(message)


def _public(answer: Json, usage: str, user_id: str) -> str | None:
    keys = at(answer, f"{usage}_keys", user_id, "keys")
    values = list(keys.values()) if isinstance(keys, dict) else []
    return values[0] if values and isinstance(values[0], str) else None


async def _upload(home: Homeserver, identity: Identity, password: str | None) -> None:
    """Upload the public keys, proving who we are only when asked (spec: «User-interactive authentication»)."""
    body = identity.public()
    try:
        await home.post("keys", "device_signing", "upload", body=body)
    except HomeserverError as error:
        if error.status != 401 or "flows" not in error.body:
            raise
        body = {**body, "auth": _proof(identity.user_id, password, error.body)}
    else:
        return
    try:
        await home.post("keys", "device_signing", "upload", body=body)
    except HomeserverError as error:
        if error.status != 401:
            raise
        message = f"matrix.password: not accepted for a new cross-signing identity of {identity.user_id}"
        raise ConfigurationError(message) from error


def _proof(user_id: str, password: str | None, challenge: Json) -> Json:
    stages = [flow.get("stages") for flow in challenge["flows"] if isinstance(flow, dict)]
    if ["m.login.password"] not in stages:
        address = next((url for part in challenge.get("params", {}).values() if (url := at(part, "url"))), "")
        message = f"matrix: the homeserver wants a person to approve the new identity: {address or stages}"
        raise ConfigurationError(message)
    if not password:
        message = f"matrix.password: empty; expected the password of {user_id}, which the homeserver asks for"
        raise ConfigurationError(message)
    identifier = {"type": "m.id.user", "user": user_id}
    return {
        "type": "m.login.password",
        "identifier": identifier,
        "password": password,
        "session": challenge.get("session"),
    }


async def _sign_device(home: Homeserver, identity: Identity, device_id: str, answer: Json) -> list[str]:
    """Sign our device, as the homeserver returned it, with the self-signing key, unless it is signed already."""
    user_id, key = identity.user_id, identity.self_signing
    device: Any = at(answer, "device_keys", user_id, device_id)
    if not isinstance(device, dict):
        message = f"matrix: the homeserver does not know the keys of our device {device_id}"
        raise ConfigurationError(message)
    if is_signed(device, user_id, key.public, key.public):
        return []
    bare = {name: part for name, part in device.items() if name not in {"signatures", "unsigned"}}
    signed = {**bare, "signatures": {user_id: {f"ed25519:{key.public}": key.sign(bare)}}}
    refusal = await home.post("keys", "signatures", "upload", body={user_id: {device_id: signed}})
    # A refused signature is an answer 200 with `failures`.
    if at(refusal, "failures", user_id):
        message = f"matrix: the homeserver refused the signature of our device: {refusal['failures'][user_id]}"
        raise ConfigurationError(message)
    log.info("matrix.device_signed", device=device_id)
    return ["signature"]
