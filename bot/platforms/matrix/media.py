"""Files of Matrix rooms: fetched by the authenticated way, uploaded, encrypted and decrypted slice by slice.

Spec: «Content repository» (v1.11 and later) and «Sending encrypted attachments», version 2: AES-CTR, 256 bits, with the
counter in the lower half of the vector, and a SHA-256 of what lies on the server.
"""

import hashlib
import json
import re
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from typing import Any, cast

from Crypto.Cipher import AES
from Crypto.Random import get_random_bytes

from bot.errors import NotSent, OutcomeUnknown, Refused
from bot.files import Upload
from bot.platforms.matrix.drawing import MARKER
from bot.platforms.matrix.sending import mapped
from bot.platforms.matrix.signing import at, unpadded
from bot.platforms.matrix.wire import Homeserver, Json

_ADDRESS = re.compile(r"mxc://([^/\s]+)/([\w-]+)", re.ASCII)
_KINDS = {"image": "m.image", "audio": "m.audio", "video": "m.video"}


class Media:
    """The files of one homeserver."""

    def __init__(self, home: Homeserver) -> None:
        self._home = home

    async def fetched(self, source: str) -> AsyncIterator[bytes]:
        """Yield a file's bytes; `source` is its address, or the `file` of an encrypted message as JSON.

        Raises a SendError; what was yielded of an encrypted file is only what its sender sent if nothing is raised.
        """
        opening = _Opening(cast("Json", json.loads(source))) if source.startswith("{") else None
        address = _ADDRESS.fullmatch(opening.address if opening else source)
        if address is None:
            raise Refused("the message names no file")
        async for piece in self._downloaded(*address.groups()):
            yield opening.decrypted(piece) if opening else piece
        if opening is not None and not opening.is_whole():
            raise Refused("the file is not the one that was sent")

    async def _downloaded(self, server: str, media: str) -> AsyncIterator[bytes]:
        try:
            async with mapped(sent=False):
                async for piece in self._home.download(server, media):
                    yield piece
        except OutcomeUnknown as error:  # the server failed after it had begun
            raise NotSent(str(error), outage=True) from error

    async def uploaded(self, file: Upload, txn: str, *, encrypted: bool) -> Json:
        """Upload a file and return the content of its message. Raises a SendError."""
        sealing = _Sealing() if encrypted else None
        kind = file.media_type
        async with mapped(sent=False):
            answer = await self._home.upload(
                sealing.encrypted(file.pieces()) if sealing else file.pieces(),
                size=file.size,
                media_type="application/octet-stream" if sealing else kind,
                name="" if sealing else file.name,
            )
        address = answer.get("content_uri")
        if not isinstance(address, str):
            raise NotSent("the homeserver named no file")
        content: Json = {
            "msgtype": _KINDS.get(kind.partition("/")[0], "m.file"),
            "body": file.name,
            "filename": file.name,
            "info": {"size": file.size, "mimetype": kind},
            "m.mentions": {},
            MARKER: {"key": txn},
        }
        return {**content, "file": sealing.described(address)} if sealing else {**content, "url": address}


class _Opening:
    """Decrypts a file as it arrives."""

    def __init__(self, file: Json) -> None:
        try:
            key, vector = _decoded(at(file, "key", "k")), _decoded(file.get("iv"))
            self._expected = _decoded(at(file, "hashes", "sha256"))
            self._cipher = AES.new(key, AES.MODE_CTR, nonce=vector[:8], initial_value=vector[8:])
            self.address = str(file.get("url"))
        except (ValueError, TypeError) as error:
            raise Refused("the file's key is no key") from error
        self._hash = hashlib.sha256()

    def decrypted(self, piece: bytes) -> bytes:
        self._hash.update(piece)
        return self._cipher.decrypt(piece)

    def is_whole(self) -> bool:
        return self._hash.digest() == self._expected


class _Sealing:
    """Encrypts a file under a key of its own."""

    def __init__(self) -> None:
        self._key, self._nonce = get_random_bytes(32), get_random_bytes(8)
        self._cipher = AES.new(self._key, AES.MODE_CTR, nonce=self._nonce, initial_value=bytes(8))
        self._hash = hashlib.sha256()

    async def encrypted(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for piece in pieces:
            sealed = self._cipher.encrypt(piece)
            self._hash.update(sealed)
            yield sealed

    def described(self, address: str) -> Json:
        """Return what the message says of the file (spec: EncryptedFile)."""
        key = urlsafe_b64encode(self._key).decode().rstrip("=")
        return {
            "v": "v2",
            "url": address,
            "key": {"kty": "oct", "alg": "A256CTR", "ext": True, "k": key, "key_ops": ["encrypt", "decrypt"]},
            "iv": unpadded(self._nonce + bytes(8)),
            "hashes": {"sha256": unpadded(self._hash.digest())},
        }


def _decoded(text: Any) -> bytes:
    """Read base64 of either alphabet, padded or not. Raises ValueError or TypeError."""
    padded = str(text) + "=" * (-len(str(text)) % 4)
    return urlsafe_b64decode(padded) if set(padded) & set("-_") else b64decode(padded)
