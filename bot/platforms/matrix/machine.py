"""nio's Olm machine and its store, wrapped once: keys in, keys out, events opened.

Of nio only this part is used. Its client stores the sync token before anything is handled, retries by itself, ends on
one odd event and returns errors as objects; the requests are ours (`wire`, `keys`, `sync`).
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import structlog
import vodozemac
from nio.crypto import InboundGroupSession, Olm, OlmDevice
from nio.events.to_device import EncryptedToDeviceEvent, ToDeviceEvent
from nio.store import SqliteStore

from bot.errors import ConfigurationError
from bot.platforms.matrix import stores
from bot.platforms.matrix.session import Session
from bot.platforms.matrix.signing import at
from bot.platforms.matrix.wire import Json

log = structlog.get_logger(__name__)

MEGOLM = "m.megolm.v1.aes-sha2"


class KeyMissing(Exception):
    """The key of this event has not reached us, or only a later state of it."""


class Unreadable(Exception):
    """This event will never be readable: malformed, replayed, or said for another room."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A decrypted event. `device` is the one that demonstrably wrote it, None when nothing proves one."""

    type: str
    content: Json
    device: OlmDevice | None


class Machine(Olm):
    """The key store of one device. Everything in it happens at once, without awaiting."""

    def __init__(self, user_id: str, device_id: str, store: SqliteStore) -> None:
        super().__init__(user_id, device_id, store)
        self._encrypted_rooms: set[str] = set(store.load_encrypted_rooms())
        # The store has one place for a session, whoever sends it and for whatever room: its first holder keeps it.
        self._holders = {session.id: (session.room_id, session.sender_key) for session in self.inbound_group_store}

    def create_group_session(
        self, sender_key: str, sender_fp_key: str, room_id: str, session_id: str, session_key: str
    ) -> None:
        """Take a room key in, unless it is malformed or tells less than what we have.

        nio lets a malformed key end the sync, and lets anybody who was given a session replace its stored copy.
        """
        try:
            session = InboundGroupSession(session_key, sender_fp_key, sender_key, room_id)
        except ValueError as error:
            log.warning("matrix.room_key_malformed", error=type(error).__name__)
            return
        known = self.inbound_group_store.get(room_id, sender_key, session_id)
        if session.id != session_id or (known and known.first_known_index <= session.first_known_index):
            return
        self.inbound_group_store.add(session)
        if self._holders.setdefault(session_id, (room_id, sender_key)) == (room_id, sender_key):
            self.save_inbound_group_session(session)

    def find_session(self, room_id: str, session_id: str, sender: str = "") -> Any:
        """Return the inbound session of a room, that from a device of `sender` first; None when its key is not here.

        Events need not name the device's key any more (MSC3700).
        """
        found = [by_id[session_id] for by_id in self.inbound_group_store[room_id].values() if session_id in by_id]
        of_sender = (s for s in found if self.device_store.device_from_sender_key(sender, s.sender_key))
        return next(of_sender, found[0] if found else None)

    def take_to_device(self, events: Iterable[object]) -> None:
        """Handle the to-device events of one sync.

        Only what is encrypted for us counts: verification requests and key requests of others have no business here.
        """
        for raw in events:
            try:
                event = ToDeviceEvent.parse_event(cast("Json", raw))
                if isinstance(event, EncryptedToDeviceEvent):
                    self.handle_to_device_event(event)
            except Exception as error:
                log.warning("matrix.to_device_malformed", error=type(error).__name__)

    def open(self, room_id: str, event: Json) -> Opened:
        """Decrypt a room event (spec: m.megolm.v1.aes-sha2).

        Raises KeyMissing or Unreadable.
        """
        session, plaintext = self._decrypted(room_id, event)
        try:
            payload = json.loads(plaintext)
            kind, content = payload["type"], payload["content"]
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise Unreadable("not an event inside") from error
        if payload.get("room_id") != room_id or not isinstance(kind, str) or not isinstance(content, dict):
            raise Unreadable("said for another room")
        # The relation travels outside, in clear, for the server to see; what was encrypted wins.
        outside = at(event, "content", "m.relates_to")
        if isinstance(outside, dict) and "m.relates_to" not in content:
            content["m.relates_to"] = outside
        return Opened(kind, content, self._proven_writer(event["sender"], session))

    def _decrypted(self, room_id: str, event: Json) -> tuple[Any, str]:
        content = event["content"]
        session_id, ciphertext = content.get("session_id"), content.get("ciphertext")
        if content.get("algorithm") != MEGOLM or not isinstance(session_id, str) or not isinstance(ciphertext, str):
            raise Unreadable("not megolm")
        session = self.find_session(room_id, session_id, event["sender"])
        if session is None:
            raise KeyMissing(session_id)
        try:
            plaintext, index = session.decrypt(ciphertext)
        except vodozemac.MegolmDecryptionException as error:
            raise KeyMissing(session_id) from error
        except ValueError as error:
            raise Unreadable("malformed") from error
        seen = SimpleNamespace(
            sender_key=session.sender_key,
            session_id=session_id,
            event_id=event["event_id"],
            server_timestamp=event["origin_server_ts"],
        )
        if not self.message_index_ok(index, cast("Any", seen)):
            raise Unreadable("replayed")
        return session, plaintext

    def _proven_writer(self, sender: str, session: Any) -> OlmDevice | None:
        """Return the sender's trusted device whose two keys are those of the session, if there is one.

        A forwarded key proves nothing about who wrote (MSC4153 keeps to the same rule).
        """
        device = self.device_store.device_from_sender_key(sender, session.sender_key)
        if device is None or session.forwarding_chain or device.ed25519 != session.ed25519:
            return None
        return device if device.verified else None

    def seal(self, room_id: str, kind: str, content: Json) -> Json:
        """Encrypt an event with the room's present key, which has been shared (spec: m.megolm.v1.aes-sha2).

        nio writes every letter beyond ASCII as six bytes, which would leave French half the room it has.
        """
        session = self.outbound_group_sessions[room_id]
        payload = {"room_id": room_id, "type": kind, "content": content}
        return {
            "algorithm": MEGOLM,
            "sender_key": self.account.identity_keys["curve25519"],
            "ciphertext": session.encrypt(json.dumps(payload, ensure_ascii=False, separators=(",", ":"))),
            "session_id": session.id,
            "device_id": self.device_id,
        }

    def is_encrypted(self, room_id: str) -> bool:
        """Tell whether this room was ever seen encrypted. No state of the server's takes that back."""
        return room_id in self._encrypted_rooms

    def remember_encrypted(self, room_id: str) -> None:
        """Keep that this room is encrypted."""
        if room_id not in self._encrypted_rooms:
            self._encrypted_rooms.add(room_id)
            self.store.save_encrypted_rooms([room_id])

    # nio asks its database for each device of a room, four times; what is in memory is the same.

    def is_device_verified(self, device: OlmDevice) -> bool:
        """Tell whether a device is trusted."""
        return device.verified

    def is_device_blacklisted(self, device: OlmDevice) -> bool:
        """Tell whether a device is excluded."""
        return device.blacklisted

    def devices_of(self, user_id: str) -> list[OlmDevice]:
        """Return the present devices of a user."""
        return list(self.device_store.active_user_devices(user_id))


def open_machine(session: Session, folder: Path, store_key: str, epoch: int) -> Machine:
    """Open the key store of the session's device in this term, from that of the term before, or make it.

    Raises ConfigurationError when the key does not open it.
    """
    file = stores.of_term(folder, f"{session.user_id} {session.device_id}", epoch)
    try:
        store = SqliteStore(session.user_id, session.device_id, str(folder), store_key, file.name)
        return Machine(session.user_id, session.device_id, store)
    except (vodozemac.PickleException, vodozemac.LibolmPickleException) as error:
        message = f"matrix.store_key: does not open the key store {file}; expected the key with which it was made"
        raise ConfigurationError(message) from error
