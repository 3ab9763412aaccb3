"""Small secrets on disk: sealed with the operator's key, readable by the bot's own user alone, replaced atomically."""

import fcntl
import hashlib
import json
import os
from base64 import b64decode, b64encode
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from Crypto.Cipher import AES

from bot.errors import ConfigurationError

_COMMENT = "sealed with matrix.store_key; deleting this file is not a repair, see the documentation"


def prepare_folder(folder: Path) -> None:
    """Make the folder, for its owner only."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)


def touch(file: Path) -> None:
    """Make the file, for its owner only, before somebody else makes it with other rights."""
    os.close(os.open(file, os.O_CREAT | os.O_WRONLY, 0o600))
    file.chmod(0o600)


def write(file: Path, value: dict[str, Any], key: str) -> None:
    """Seal `value` into `file`; after a crash the file holds the old value or the new one, never a part."""
    nonce = os.urandom(12)
    cipher = AES.new(_stretched(key), AES.MODE_GCM, nonce=nonce)
    sealed, tag = cipher.encrypt_and_digest(json.dumps(value).encode())
    parts = {"nonce": nonce, "tag": tag, "sealed": sealed}
    text = json.dumps({"comment": _COMMENT, **{name: b64encode(part).decode() for name, part in parts.items()}})
    beside = file.with_name(file.name + ".part")
    touch(beside)
    with beside.open("w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    rename(beside, file)


def read(file: Path, key: str) -> dict[str, Any] | None:
    """Return what `write` sealed, None when there is no such file.

    Raises ConfigurationError when the key does not open it.
    """
    try:
        text = file.read_text()
    except FileNotFoundError:
        return None
    try:
        parts = {name: b64decode(part) for name, part in json.loads(text).items() if name != "comment"}
        cipher = AES.new(_stretched(key), AES.MODE_GCM, nonce=parts["nonce"])
        return cast("dict[str, Any]", json.loads(cipher.decrypt_and_verify(parts["sealed"], parts["tag"])))
    except (ValueError, KeyError, AttributeError) as error:
        message = f"matrix.store_key: does not open {file}; expected the key with which it was written"
        raise ConfigurationError(message) from error


def rename(source: Path, target: Path) -> None:
    """Replace `target`, and be sure that the folder remembers it."""
    source.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class Claim:
    """A right that one process has at a time, shown by a file; the system takes it back when the process ends."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._handle: int | None = None

    def take(self) -> bool:
        """Try once; return whether it is ours."""
        if self._handle is not None:
            return True
        handle = os.open(self._file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._handle = handle
        return True

    def release(self) -> None:
        """Give it back."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


@lru_cache(maxsize=4)
def _stretched(key: str) -> bytes:
    """Make guessing a weak key slow. One salt for all: it need not be kept, and each installation has its own key."""
    return hashlib.scrypt(key.encode(), salt=b"fr.passerelle.matrix", n=2**14, r=8, p=1, maxmem=2**26, dklen=32)
