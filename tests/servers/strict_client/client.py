"""Strict clients for stories:

async with StrictClients(tmp_path / "strict.log") as strict:
    agent = await strict.login(homeserver.url, "agent", "secret")
    room = await agent.create_room(invite=[bot_id])
    question = await agent.say(room, "Bonjour")
    await agent.expect(room, "Merci")
"""

import base64
import itertools
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.servers.story import Participant, RoomEvent
from tests.servers.strict_client.process import NodeProcess
from tests.servers.synapse import Synapse


@dataclass(frozen=True, slots=True)
class Trust:
    """What a client holds of another user's identity."""

    known: bool
    verified: bool
    needs_approval: bool


@dataclass(frozen=True, slots=True)
class Device:
    """What a client holds of a device."""

    signed_by_owner: bool
    verified: bool


class StrictClients:
    """The process that runs them; each `login` is a new device with its own keys, all in memory."""

    def __init__(self, log: Path) -> None:
        self._clients: dict[int, StrictClient] = {}
        self._numbers = itertools.count(1)
        self._node = NodeProcess(log, self._tell)

    async def __aenter__(self) -> Self:
        await self._node.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._node.stop()

    async def login(
        self,
        url: str,
        user: str,
        password: str,
        *,
        cross_sign: bool = True,
        only_signed: bool = True,
        device: str | None = None,
    ) -> "StrictClient":
        """Log in on a new device and sync once.

        `cross_sign` makes the identity and signs the device, as every Element does. A second device of the same user
        cannot sign itself, its keys lie in the first: pass False. `only_signed` refuses unsigned devices of others.
        """
        number = next(self._numbers)
        client = self._clients[number] = StrictClient(self._node, number)
        options = {"crossSign": cross_sign, "onlySigned": only_signed, "device": device}
        granted = await self._node.ask(number, "login", url=url, user=user, password=password, **options)
        client.user_id, client.device_id = granted["user_id"], granted["device_id"]
        client.access_token = granted["access_token"]
        return client

    async def newcomer(self, homeserver: Synapse, role: str = "agent", **options: Any) -> "StrictClient":
        """Register somebody new with this role, whose name no other test has, and log in."""
        account = await homeserver.register(f"{role}-{secrets.token_hex(3)}", "secret")
        return await self.login(homeserver.url, account.user_id, account.password, **options)

    def _tell(self, session: int, _room: str) -> None:
        if session in self._clients:
            self._clients[session].notice_change()


class StrictClient(Participant):
    """One device of one user. What it shows is what a person with a current Element would see."""

    def __init__(self, node: NodeProcess, session: int) -> None:
        super().__init__()
        self.user_id = self.device_id = self.access_token = ""
        self._node = node
        self._session = session

    async def ask(self, action: str, **arguments: Any) -> Any:
        """Any action of the Node side, for what has no method here."""
        return await self._node.ask(self._session, action, **arguments)

    async def create_room(
        self,
        name: str = "",
        *,
        encrypted: bool = True,
        invite: Sequence[str] = (),
        direct: bool = False,
        public: bool = False,
        version: str | None = None,
    ) -> str:
        """Make a room; return its id."""
        visibility = "public" if public else "private"
        options = {"topic": "", "direct": direct, "version": version, "visibility": visibility}
        room: str = await self.ask("create", name=name, encrypted=encrypted, invite=list(invite), **options)
        return room

    async def join(self, room: str) -> str:
        """Accept an invitation, or enter a public room."""
        joined: str = await self.ask("join", room=room)
        return joined

    async def leave(self, room: str) -> None:
        """Leave a room or decline an invitation."""
        await self.ask("leave", room=room)

    async def invite(self, room: str, user: str) -> None:
        """Invite somebody."""
        await self.ask("invite", room=room, user=user)

    async def kick(self, room: str, user: str, reason: str = "") -> None:
        """Put somebody out; they may be invited again."""
        await self.ask("kick", room=room, user=user, reason=reason)

    async def ban(self, room: str, user: str, reason: str = "") -> None:
        """Put somebody out for good."""
        await self.ask("ban", room=room, user=user, reason=reason)

    async def upgrade(self, room: str, version: str) -> str:
        """Replace the room by one of another version; return the new room's id."""
        replacement: str = await self.ask("upgrade", room=room, version=version)
        return replacement

    async def rooms(self) -> dict[str, str]:
        known: dict[str, str] = await self.ask("rooms")
        return known

    async def members(self, room: str) -> dict[str, str]:
        """Users of a room, as this client knows them, with their membership."""
        known: dict[str, str] = await self.ask("members", room=room)
        return known

    async def events(self, room: str, *, last: int = 500) -> list[RoomEvent]:
        return [RoomEvent(**event) for event in await self.ask("events", room=room, last=last)]

    async def send(self, room: str, event_type: str, content: Mapping[str, Any], *, txn: str | None = None) -> str:
        event_id: str = await self.ask("send", room=room, type=event_type, content=dict(content), txn=txn)
        return event_id

    async def redact(self, event: RoomEvent, reason: str = "") -> str:
        event_id: str = await self.ask("redact", room=event.room, event=event.id, reason=reason)
        return event_id

    async def read(self, event: RoomEvent) -> None:
        """Send a read receipt for an event that was seen."""
        await self.ask("read", room=event.room, event=event.id)

    async def send_file(
        self,
        room: str,
        name: str,
        data: bytes,
        mimetype: str = "application/pdf",
        *,
        caption: str = "",
        reply_to: RoomEvent | None = None,
    ) -> RoomEvent:
        """Send a file, encrypted where the room is; `caption` is what is said with it."""
        encoded = base64.b64encode(data).decode()
        more: dict[str, Any] = {"body": caption} if caption else {}
        if reply_to is not None:
            more["m.relates_to"] = {"m.in_reply_to": {"event_id": reply_to.id}}
        event_id: str = await self.ask("send_file", room=room, name=name, mimetype=mimetype, base64=encoded, more=more)
        return RoomEvent(event_id, room, self.user_id, body=caption or name)

    async def download(self, event: RoomEvent) -> bytes:
        """The content of a file that was seen, decrypted and checked."""
        return base64.b64decode(await self.ask("download", room=event.room, event=event.id))

    async def devices(self, user: str) -> dict[str, Device]:
        """The devices of a user, asked for anew, and how far they are to be trusted."""
        return {name: Device(**known) for name, known in (await self.ask("devices", user=user)).items()}

    async def trust(self, user: str) -> Trust:
        """What is held of a user's identity, asked for anew."""
        return Trust(**await self.ask("trust", user=user))

    async def cross_sign(self) -> None:
        """Make the identity now, and sign this device."""
        await self.ask("cross_sign")

    async def reset_identity(self) -> None:
        """Throw the identity away and make a new one, with the password."""
        await self.ask("reset_identity")

    async def isolate(self, *, only_signed: bool) -> None:
        """Refuse unsigned devices (as Element does now), or show them with a red shield (as it did)."""
        await self.ask("isolate", onlySigned=only_signed)

    async def retry(self, room: str) -> None:
        """Try again what could not be decrypted, as a reload does."""
        await self.ask("retry", room=room)

    async def stop(self) -> None:
        """Go offline; the device and its keys are gone."""
        await self.ask("stop")
