"""People on the stub: the same verbs as the strict client's, in plain rooms."""

import asyncio
import contextlib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self
from urllib.parse import quote

import aiohttp

from tests.servers.story import Participant, RoomEvent
from tests.servers.strict_client.process import ClientError

_API = "/_matrix/client/v3"


class StubUser(Participant):
    """One user with a running sync; `async with StubUser(stub.url, "agent") as agent`."""

    def __init__(self, url: str, localpart: str) -> None:
        super().__init__()
        self.user_id = self.access_token = self.device_id = ""
        self._url = url
        self._localpart = localpart
        self._txns = itertools.count(1)
        self._http: aiohttp.ClientSession | None = None
        self._syncing: asyncio.Task[None] | None = None
        self._memberships: dict[str, str] = {}
        self._seen: dict[str, dict[str, RoomEvent]] = {}

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=60)
        self._http = aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0))
        wish = {"type": "m.login.password", "identifier": {"type": "m.id.user", "user": self._localpart}}
        granted = await self.call("POST", "/login", {**wish, "password": "any"})
        self.user_id, self.device_id = granted["user_id"], granted["device_id"]
        self.access_token = granted["access_token"]
        self._syncing = asyncio.create_task(self._sync(await self._sync_once(None)))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._syncing:
            self._syncing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._syncing
        if self._http:
            await self._http.close()

    async def call(self, method: str, path: str, content: Mapping[str, Any] | None = None, **query: str) -> Any:
        """One request to the client API."""
        if self._http is None:
            msg = "not logged in"
            raise RuntimeError(msg)
        headers = {"Authorization": f"Bearer {self.access_token}"}
        url = self._url + _API + path
        async with self._http.request(method, url, json=content, params=query, headers=headers) as response:
            answer = await response.json()
        if response.status != 200:
            raise ClientError(answer["errcode"], answer["error"])
        return answer

    async def create_room(self, name: str = "", *, invite: Sequence[str] = (), public: bool = False) -> str:
        """Make a room; return its id."""
        preset = "public_chat" if public else "private_chat"
        room: str = (await self.call("POST", "/createRoom", {"name": name, "invite": [*invite], "preset": preset}))[
            "room_id"
        ]
        await self.expect_membership(room, "join")
        return room

    async def join(self, room: str) -> str:
        """Accept an invitation, or enter a public room."""
        await self.call("POST", f"/join/{quote(room)}", {})
        await self.expect_membership(room, "join")
        return room

    async def leave(self, room: str) -> None:
        """Leave a room or decline an invitation."""
        await self.call("POST", f"/rooms/{quote(room)}/leave", {})

    async def invite(self, room: str, user: str) -> None:
        """Invite somebody."""
        await self.call("POST", f"/rooms/{quote(room)}/invite", {"user_id": user})

    async def kick(self, room: str, user: str, reason: str = "") -> None:
        """Put somebody out; they may be invited again."""
        await self.call("POST", f"/rooms/{quote(room)}/kick", {"user_id": user, "reason": reason})

    async def rooms(self) -> dict[str, str]:
        return dict(self._memberships)

    async def events(self, room: str, *, last: int = 500) -> list[RoomEvent]:
        return list(self._seen.get(room, {}).values())[-last:]

    async def send(self, room: str, event_type: str, content: Mapping[str, Any], *, txn: str | None = None) -> str:
        path = f"/rooms/{quote(room)}/send/{quote(event_type)}/{quote(txn or f'u{next(self._txns)}')}"
        event_id: str = (await self.call("PUT", path, content))["event_id"]
        return event_id

    async def redact(self, event: RoomEvent, reason: str = "") -> str:
        path = f"/rooms/{quote(event.room)}/redact/{quote(event.id)}/u{next(self._txns)}"
        event_id: str = (await self.call("PUT", path, {"reason": reason} if reason else {}))["event_id"]
        return event_id

    async def _sync(self, since: str) -> None:
        while True:
            try:
                since = await self._sync_once(since)
            except (aiohttp.ClientError, ClientError, TimeoutError):
                await asyncio.sleep(0.05)  # The faults are meant for the bot; people just look again.

    async def _sync_once(self, since: str | None) -> str:
        query = {"filter": '{"room":{"timeline":{"limit":100}}}', "timeout": "30000"}
        answer = await self.call("GET", "/sync", None, **query, **({"since": since} if since else {}))
        for section, membership in (("join", "join"), ("invite", "invite"), ("leave", "leave")):
            for room, news in answer["rooms"].get(section, {}).items():
                self._memberships[room] = membership
                if section != "invite":
                    await self._take(room, news["timeline"], since)
        self.notice_change()
        token: str = answer["next_batch"]
        return token

    async def _take(self, room: str, timeline: dict[str, Any], since: str | None) -> None:
        events = timeline["events"]
        if timeline["limited"] and since is not None:
            gap: list[dict[str, Any]] = []
            start: str | None = timeline["prev_batch"]
            while start is not None:
                page = await self.call(
                    "GET", f"/rooms/{quote(room)}/messages", None, dir="b", limit="1000", to=since, **{"from": start}
                )
                gap += page["chunk"]
                start = page.get("end")
            events = [*reversed(gap), *events]
        for event in events:
            _apply(self._seen.setdefault(room, {}), event)


def _apply(seen: dict[str, RoomEvent], raw: dict[str, Any]) -> None:
    """Let one event of the server change what the reader sees."""
    content, relation = raw["content"], raw["content"].get("m.relates_to", {})
    event = RoomEvent(
        raw["event_id"],
        raw["room_id"],
        raw["sender"],
        raw["type"],
        content.get("body", ""),
        content.get("formatted_body"),
        content,
        raw.get("state_key"),
        raw["origin_server_ts"],
        reply_to=relation.get("m.in_reply_to", {}).get("event_id"),
        thread=relation.get("event_id") if relation.get("rel_type") == "m.thread" else None,
        replaces=relation.get("event_id") if relation.get("rel_type") == "m.replace" else None,
        redacted="redacted_because" in raw["unsigned"],
    )
    seen[event.id] = event
    target = seen.get(raw.get("redacts") or relation.get("event_id", ""))
    if target is None:
        return
    if event.type == "m.room.redaction":
        seen[target.id] = replace(target, body="", html=None, content={}, redacted=True, reactions={})
        _withdraw(seen, target)
    elif event.replaces and event.sender == target.sender:
        new = content["m.new_content"]
        seen[target.id] = replace(target, body=new["body"], html=new.get("formatted_body"), content=new, edited=True)
    elif event.type == "m.reaction":
        given = {**target.reactions}
        given[relation["key"]] = [*given.get(relation["key"], []), event.sender]
        seen[target.id] = replace(target, reactions=given)


def _withdraw(seen: dict[str, RoomEvent], reaction: RoomEvent) -> None:
    """A reaction was taken off: the message it stood under no longer shows it."""
    relation = reaction.content.get("m.relates_to", {})
    target = seen.get(relation.get("event_id", ""))
    if reaction.type != "m.reaction" or target is None:
        return
    left = [sender for sender in target.reactions.get(relation["key"], []) if sender != reaction.sender]
    given = {key: senders for key, senders in {**target.reactions, relation["key"]: left}.items() if senders}
    seen[target.id] = replace(target, reactions=given)
