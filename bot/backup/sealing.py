"""A sealed stream: AES-256-GCM in pieces, under a key stretched from the operator's own.

Each piece's nonce counts it and says whether it is the last, so that nothing can be cut off, left out, doubled or put
elsewhere (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015).
"""

import hashlib
import os
import zlib
from collections.abc import Iterator
from types import TracebackType
from typing import Any, BinaryIO, Self

from Crypto.Cipher import AES

from bot.errors import ConfigurationError

MAGIC = b"passerelle backup 1\n"
PIECE = 64 * 1024
TAG, SALT, PREFIX = 16, 16, 7
LEAST = 16  # characters of a key


class Sealer:
    """Compresses and seals lines into a file. What was written counts only once the block has ended well."""

    def __init__(self, file: BinaryIO, key: str) -> None:
        self._file = file
        self._head = MAGIC + os.urandom(SALT + PREFIX)
        self._key = _stretched(key, self._head)
        self._compress = zlib.compressobj(6)
        self._waiting = bytearray()
        self._count = 0
        file.write(self._head)
        self._seal(b"", last=False)  # tells a wrong key from a damaged file

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if kind is None:
            self._waiting += self._compress.flush()
            self._cut()
            self._seal(bytes(self._waiting), last=True)

    def write(self, line: str) -> None:
        """Add one line."""
        self._waiting += self._compress.compress(line.encode() + b"\n")
        self._cut()

    def _cut(self) -> None:
        while len(self._waiting) > PIECE:
            self._seal(bytes(self._waiting[:PIECE]), last=False)
            del self._waiting[:PIECE]

    def _seal(self, piece: bytes, *, last: bool) -> None:
        sealed, tag = _cipher(self._key, self._head, self._count, last=last).encrypt_and_digest(piece)
        self._file.write(sealed + tag)
        self._count += 1


def lines(file: BinaryIO, key: str) -> Iterator[str]:
    """Yield the lines that were sealed. What was yielded holds only once the end is reached.

    Raises ConfigurationError when this is no backup, the key does not open it, or it is damaged.
    """
    head = file.read(len(MAGIC) + SALT + PREFIX)
    if not head.startswith(MAGIC) or len(head) < len(MAGIC) + SALT + PREFIX:
        raise ConfigurationError("this file is no backup of Passerelle's, or of another format")
    decompress, rest = zlib.decompressobj(), b""
    for piece in _pieces(file, _stretched(key, head), head):
        *whole, rest = (rest + decompress.decompress(piece)).split(b"\n")
        for line in whole:
            yield line.decode()


def _pieces(file: BinaryIO, key: bytes, head: bytes) -> Iterator[bytes]:
    count, sealed = 0, file.read(TAG)
    while True:
        after = file.read(PIECE + TAG)
        cipher = _cipher(key, head, count, last=count > 0 and not after)
        try:
            yield cipher.decrypt_and_verify(sealed[:-TAG], sealed[-TAG:])
        except ValueError:
            why = "it is damaged or not complete" if count else "the key does not open it"
            raise ConfigurationError(f"the backup cannot be read: {why}") from None
        if not after and count:
            return
        count, sealed = count + 1, after


def _cipher(key: bytes, head: bytes, count: int, *, last: bool) -> Any:
    cipher = AES.new(key, AES.MODE_GCM, nonce=head[-PREFIX:] + count.to_bytes(4) + bytes([last]))
    cipher.update(head)
    return cipher


def _stretched(key: str, head: bytes) -> bytes:
    """Make guessing slow: 64 MB and about a third of a second for each try."""
    if len(key) < LEAST:
        raise ConfigurationError(
            f"backup.key: too short; expected {LEAST} characters or more, kept away from the backups"
        )
    salt = head[len(MAGIC) : len(MAGIC) + SALT]
    return hashlib.scrypt(key.encode(), salt=salt, n=2**16, r=8, p=1, maxmem=2**27, dklen=32)
