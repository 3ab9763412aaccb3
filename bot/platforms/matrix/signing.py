"""Signed JSON (spec: «Signing JSON»), with Ed25519 keys as unpadded base64."""

import json
from base64 import b64decode, b64encode
from typing import Any, cast

import vodozemac
from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa

from bot.platforms.matrix.wire import Json


def canonical(value: Json) -> bytes:
    """Return what is signed of an object: its canonical JSON, without `signatures` and `unsigned`."""
    signed = {name: part for name, part in value.items() if name not in {"signatures", "unsigned"}}
    return json.dumps(signed, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def unpadded(data: bytes) -> str:
    """Return unpadded base64."""
    return b64encode(data).decode().rstrip("=")


class SigningKey:
    """A private Ed25519 key. vodozemac has none in Python, pycryptodome does."""

    def __init__(self, seed: bytes) -> None:
        self.seed = seed
        self._key = ECC.construct(curve="Ed25519", seed=seed)
        self.public = unpadded(self._key.public_key().export_key(format="raw"))

    @classmethod
    def generate(cls) -> "SigningKey":
        """Return a new key."""
        return cls(ECC.generate(curve="Ed25519").seed)

    @classmethod
    def from_text(cls, seed: str) -> "SigningKey":
        """Return the key whose seed `text` gave."""
        return cls(b64decode(seed + "="))

    @property
    def text(self) -> str:
        """The seed, in the form in which secret storage keeps it."""
        return unpadded(self.seed)

    def sign(self, value: Json) -> str:
        """Return the signature of an object."""
        return unpadded(eddsa.new(self._key, "rfc8032").sign(canonical(value)))


def is_signed(value: Json, user_id: str, key_name: str, public: str) -> bool:
    """Tell whether an object carries a good signature of `public`, under `key_name` of `user_id`. Never raises."""
    signature = at(value, "signatures", user_id, f"ed25519:{key_name}")
    if not isinstance(signature, str):
        return False
    try:
        key = vodozemac.Ed25519PublicKey.from_base64(public)
        key.verify_signature(canonical(value), vodozemac.Ed25519Signature.from_base64(signature))
    except (ValueError, TypeError, RecursionError):  # vodozemac's errors are ValueErrors; so are lone surrogates
        return False
    return True


def is_ed25519(key: object) -> bool:
    """Tell whether this is a usable Ed25519 public key."""
    try:
        vodozemac.Ed25519PublicKey.from_base64(cast("str", key))
    except (ValueError, TypeError):
        return False
    return True


def is_curve25519(key: object) -> bool:
    """Tell whether this is a usable Curve25519 public key."""
    try:
        vodozemac.Curve25519PublicKey.from_base64(cast("str", key))
    except (ValueError, TypeError):
        return False
    return True


def at(value: object, *path: str) -> Any:
    """Return what lies at a path in foreign JSON, None where it is not an object or has no such name."""
    for name in path:
        if not isinstance(value, dict):
            return None
        value = cast("Json", value).get(name)
    return value
