"""A person on Matrix for these tests: bare requests, and matrix-nio as it is for what is encrypted."""

import asyncio
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import nio
import nio.store
import yarl

from bot.platforms.matrix import crosssigning, private
from bot.platforms.matrix.wire import Homeserver
from tests.servers.synapse import Account, Synapse


class Person:
    """One user on one device. Nothing is encrypted before `encrypts()`."""

    def __init__(self, url: str, account: Account, folder: Path) -> None:
        self.url = url
        self.account = account
        self.user_id = account.user_id
        self.folder = folder / f"person-{secrets.token_hex(4)}"
        self._http = aiohttp.ClientSession(headers={"Authorization": f"Bearer {account.access_token}"})
        self._nio: Any = None

    @classmethod
    async def register(cls, homeserver: Synapse, folder: Path, name: str = "agent") -> "Person":
        account = await homeserver.register(f"{name}-{secrets.token_hex(4)}", "secret")
        return cls(homeserver.url, account, folder)

    async def close(self) -> None:
        await self._http.close()
        if self._nio is not None:
            await self._nio.close()
            self._nio.store.database.close()

    # --- bare requests

    async def api(self, method: str, *path: str, body: Any = None, query: Mapping[str, str] | None = None) -> Any:
        address = f"{self.url}/_matrix/client/v3/" + "/".join(quote(part, safe="") for part in path)
        target = yarl.URL(address, encoded=True)
        if query:
            target = target.with_query(query)
        async with self._http.request(method, target, json=body) as response:
            answer = await response.json()
            assert response.status == 200, (path, answer)
            return answer

    async def room(self, *invited: str, encrypted: bool = False, **more: Any) -> str:
        state = [{"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}]
        body = {"invite": list(invited), "preset": "private_chat", "initial_state": state if encrypted else [], **more}
        return (await self.api("POST", "createRoom", body=body))["room_id"]

    async def put(self, room: str, content: Any, kind: str = "m.room.message") -> str:
        return (await self.api("PUT", "rooms", room, "send", kind, secrets.token_hex(8), body=content))["event_id"]

    async def state(self, room: str, kind: str, content: Any, key: str = "") -> str:
        return (await self.api("PUT", "rooms", room, "state", kind, key, body=content))["event_id"]

    async def say(self, room: str, text: str, **more: Any) -> str:
        return await self.put(room, {"msgtype": "m.text", "body": text, **more})

    async def events(self, room: str, limit: int = 50) -> list[dict[str, Any]]:
        """The room's newest events as the server has them, oldest first."""
        page = await self.api("GET", "rooms", room, "messages", query={"dir": "b", "limit": str(limit)})
        return page["chunk"][::-1]

    async def waits_for(self, room: str, wanted: Any, seconds: float = 10) -> dict[str, Any]:
        """The first event of the room that `wanted` says yes to."""
        async with asyncio.timeout(seconds):
            while True:
                for event in await self.events(room):
                    if wanted(event):
                        return event
                await asyncio.sleep(0.03)

    # --- encryption, by matrix-nio

    async def encrypts(self, *, sign: bool = True) -> "Person":
        """Have keys, and an identity that signs this device."""
        self.folder.mkdir()
        config = nio.AsyncClientConfig(
            max_limit_exceeded=0, max_timeouts=0, store=nio.store.SqliteMemoryStore, pickle_key="t"
        )
        self._nio = nio.AsyncClient(self.url, self.user_id, store_path=str(self.folder), config=config)
        self._nio.restore_login(self.user_id, self.account.device_id, self.account.access_token)
        self._nio.olm.verify_json = _tolerant(self._nio.olm.verify_json)
        await self._nio.keys_upload()
        if sign:
            await self.sign()
        await self._nio.sync(full_state=True)
        return self

    async def sign(self) -> None:
        """Make an identity and sign this device, or sign it with the identity made before."""
        home = Homeserver(self.url)
        home.token = self.account.access_token
        private.prepare_folder(self.folder)
        file = crosssigning.IdentityFile(self.folder, self.user_id, "t")
        await crosssigning.ensure(home, file, self.user_id, self.account.device_id)
        await home.close()

    async def resets_identity(self) -> None:
        home = Homeserver(self.url)
        home.token = self.account.access_token
        file = crosssigning.IdentityFile(self.folder, self.user_id, "t")
        await crosssigning.reset(home, file, self.user_id, self.account.device_id, self.account.password)
        await home.close()

    async def second_device(self, folder: Path) -> "Person":
        """Log in once more; the new device has keys and is not signed."""
        body = {
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": self.user_id},
            "password": self.account.password,
        }
        answer = await self.api("POST", "login", body=body)
        account = Account(self.user_id, self.account.password, answer["access_token"], answer["device_id"])
        return await Person(self.url, account, folder).encrypts(sign=False)

    async def sync(self) -> None:
        await self._nio.sync(timeout=0, full_state=False)
        if self._nio.should_upload_keys:
            await self._nio.keys_upload()
        if self._nio.should_query_keys:
            await self._nio.keys_query()
        await self._nio.send_to_device_messages()

    async def whispers(self, room: str, text: str, **more: Any) -> str:
        """Say something encrypted; return its event id."""
        return await self.put_encrypted(room, {"msgtype": "m.text", "body": text, **more})

    async def put_encrypted(self, room: str, content: Any, kind: str = "m.room.message") -> str:
        await self.sync()
        answer = await self._nio.room_send(room, kind, content, ignore_unverified_devices=True)
        return answer.event_id

    async def reads(self, room: str) -> dict[str, Any]:
        """The room's newest messages that this device can read, content by event id."""
        await self.sync()
        page = await self._nio.room_messages(room, start="", direction=nio.MessageDirection.back, limit=50)
        return {
            event.event_id: event.source["content"]
            for event in reversed(page.chunk)
            if isinstance(event, nio.RoomMessage)
        }

    async def hears(self, room: str, text: str, seconds: float = 10) -> dict[str, Any]:
        """Wait until this device reads a message with `text` in it."""
        async with asyncio.timeout(seconds):
            while True:
                for content in (await self.reads(room)).values():
                    if text in content.get("body", ""):
                        return content
                await asyncio.sleep(0.05)


def _tolerant(verify: Any) -> Any:
    """Without this, one malformed key ends nio: that is what the bot is guarded against, not this person."""

    def verify_json(*arguments: Any) -> bool:
        try:
            return bool(verify(*arguments))
        except ValueError:
            return False

    return verify_json
