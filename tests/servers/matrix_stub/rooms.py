"""Rooms over HTTP: making them, who is in them, sending, reading."""

import json

from aiohttp import web

from tests.servers.ledger import Ledger, Send
from tests.servers.matrix_stub import syncing
from tests.servers.matrix_stub.model import Device, Event, Homeserver, Json, MatrixError, Room, forbidden, read_token
from tests.servers.matrix_stub.requests import Handler, body, device_of, once

_PRIVATE_PRESETS = {"private_chat", "trusted_private_chat"}


class RoomsApi:
    """The handlers, on one homeserver's memory; what is accepted goes to the ledger before the answer."""

    def __init__(self, server: Homeserver, ledger: Ledger) -> None:
        self._server = server
        self._ledger = ledger

    def routes(self) -> list[tuple[str, str, Handler]]:
        """Method, path below `/_matrix/client/v3`, handler."""
        room = "/rooms/{room}"
        return [
            ("PUT", f"{room}/send/{{type}}/{{txn}}", self.send),
            ("GET", "/sync", self.sync),
            ("GET", f"{room}/messages", self.messages),
            ("PUT", f"{room}/redact/{{event}}/{{txn}}", self.redact),
            ("PUT", f"{room}/state/{{type}}", self.set_state),
            ("PUT", f"{room}/state/{{type}}/{{key:.*}}", self.set_state),
            ("GET", f"{room}/state", self.state),
            ("GET", f"{room}/state/{{type}}", self.one_state),
            ("GET", f"{room}/state/{{type}}/{{key:.*}}", self.one_state),
            ("GET", f"{room}/event/{{event}}", self.event),
            ("GET", f"{room}/members", self.members),
            ("GET", f"{room}/joined_members", self.joined_members),
            ("POST", f"{room}/join", self.join),
            ("POST", "/join/{room}", self.join),
            ("POST", f"{room}/{{verb:leave|invite|kick|ban|unban}}", self.change_membership),
            ("POST", f"{room}/forget", self.nothing),
            ("PUT", f"{room}/typing/{{user}}", self.nothing),
            ("POST", f"{room}/receipt/{{kind}}/{{event}}", self.nothing),
            ("POST", f"{room}/read_markers", self.nothing),
            ("GET", "/joined_rooms", self.joined_rooms),
            ("POST", "/createRoom", self.create),
        ]

    async def send(self, request: web.Request) -> Json:
        """Once per device and transaction id; a repeat gets the first answer."""
        device, room = self._inside(request)

        content = await body(request)

        def act() -> Json:
            event = self._server.append(room, device.user, request.match_info["type"], content)
            self._note(event, request.match_info["txn"])
            return {"event_id": event.id}

        return once(device, request.path, act)

    async def redact(self, request: web.Request) -> Json:
        """Once per device and transaction id, like a send."""
        device, room = self._inside(request)

        content = await body(request)

        def act() -> Json:
            event = self._server.redact(room, device.user, request.match_info["event"], content)
            self._note(event, request.match_info["txn"])
            return {"event_id": event.id}

        return once(device, request.path, act)

    async def set_state(self, request: web.Request) -> Json:
        """A new piece of state; rights are not looked at."""
        device, room = self._inside(request)
        kind, key = request.match_info["type"], request.match_info.get("key", "")
        event = self._server.append(room, device.user, kind, await body(request), state_key=key)
        return {"event_id": event.id}

    async def sync(self, request: web.Request) -> Json:
        """Wait for news, at most as long as the client wants and a minute."""
        device, query = device_of(request, self._server), request.query
        given = query.get("filter", "{}")
        chosen: Json = json.loads(given) if given[:1] == "{" else self._server.filters.get(given, {})
        since = read_token(query.get("since"))
        if since is not None and since > self._server.head:
            raise MatrixError(400, "M_UNKNOWN", "token of another server")
        seconds = min(int(query.get("timeout", "0")), 60_000) / 1000
        return await syncing.sync(
            self._server, device, since, syncing.read_filter(chosen, most=self._server.window), seconds
        )

    async def messages(self, request: web.Request) -> Json:
        """One page of history."""
        _, room = self._inside(request)
        query = request.query
        start, stop = read_token(query.get("from")), read_token(query.get("to"))
        limit = max(1, min(int(query.get("limit", "10")), 1000))
        given = syncing.read_filter(json.loads(query.get("filter", "{}")), most=1000)
        return syncing.messages(room, start, stop, limit, back=query.get("dir", "b") == "b", given=given)

    async def state(self, request: web.Request) -> list[Json]:
        """All of the current state."""
        return syncing.state_of(self._inside(request)[1])

    async def one_state(self, request: web.Request) -> Json:
        """One piece of the current state."""
        _, room = self._inside(request)
        event = room.state.get((request.match_info["type"], request.match_info.get("key", "")))
        if event is None:
            raise MatrixError(404, "M_NOT_FOUND", "Event not found.")
        return event.content

    async def event(self, request: web.Request) -> Json:
        """One event."""
        event = self._inside(request)[1].by_id.get(request.match_info["event"])
        if event is None:
            raise MatrixError(404, "M_NOT_FOUND", "Event not found.")
        return event.as_json()

    async def members(self, request: web.Request) -> Json:
        """The membership events."""
        _, room = self._inside(request)
        return {"chunk": [event.as_json() for (kind, _), event in room.state.items() if kind == "m.room.member"]}

    async def joined_members(self, request: web.Request) -> Json:
        """Those who are in."""
        _, room = self._inside(request)
        names = {user: self._server.users[user].name for user in room.joined}
        return {"joined": {user: {"display_name": name} for user, name in names.items()}}

    async def joined_rooms(self, request: web.Request) -> Json:
        """The rooms of the asking user."""
        user = self._server.users[device_of(request, self._server).user]
        return {"joined_rooms": [room.id for room in user.rooms.values() if user.id in room.joined]}

    async def create(self, request: web.Request) -> Json:
        """A room with the events a real server puts at its start."""
        device, wish = device_of(request, self._server), await body(request)
        room = self._server.new_room()
        private = wish.get("preset", "private_chat") in _PRIVATE_PRESETS and wish.get("visibility") != "public"
        creation = {**wish.get("creation_content", {}), "room_version": wish.get("room_version", "12")}
        start: list[tuple[str, str, Json]] = [
            ("m.room.create", "", creation),
            ("m.room.member", device.user, self._member(device.user, "join")),
            ("m.room.power_levels", "", {"users": {}, **wish.get("power_level_content_override", {})}),
            ("m.room.join_rules", "", {"join_rule": "invite" if private else "public"}),
            ("m.room.history_visibility", "", {"history_visibility": "shared"}),
        ]
        start += [(one["type"], one.get("state_key", ""), one["content"]) for one in wish.get("initial_state", [])]
        start += [(f"m.room.{what}", "", {what: wish[what]}) for what in ("name", "topic") if wish.get(what)]
        start += [("m.room.member", user, self._member(user, "invite")) for user in wish.get("invite", [])]
        for kind, key, content in start:
            self._server.append(room, device.user, kind, content, state_key=key)
        return {"room_id": room.id}

    async def join(self, request: web.Request) -> Json:
        """Come in, with an invitation or where the door is open; a second time changes nothing."""
        device = device_of(request, self._server)
        room = self._server.room(request.match_info["room"])
        rules = room.state["m.room.join_rules", ""].content["join_rule"]
        membership = room.membership(device.user)
        if membership == "ban" or (membership == "leave" and rules != "public"):
            raise forbidden("You are not invited to this room.")
        if membership != "join":
            content = self._member(device.user, "join")
            self._server.append(room, device.user, "m.room.member", content, state_key=device.user)
        return {"room_id": room.id}

    async def change_membership(self, request: web.Request) -> Json:
        """Leave, invite, kick, ban, unban; power levels are not looked at."""
        device, wish, verb = device_of(request, self._server), await body(request), request.match_info["verb"]
        room = self._server.room(request.match_info["room"])
        target: str = device.user if verb == "leave" else wish["user_id"]
        if verb != "leave" and device.user not in room.joined:
            raise forbidden(f"User {device.user} not in room {room.id}")
        if verb == "invite" and room.membership(target) in {"join", "ban"}:
            raise forbidden(f"{target} is already in the room or banned.")
        membership = {"invite": "invite", "ban": "ban"}.get(verb, "leave")
        content = self._member(target, membership)
        if wish.get("reason"):
            content["reason"] = wish["reason"]
        self._server.append(room, device.user, "m.room.member", content, state_key=target)
        return {}

    async def nothing(self, request: web.Request) -> Json:
        """What the stub takes without effect: typing, receipts, forgetting."""
        device_of(request, self._server)
        return {}

    def _inside(self, request: web.Request) -> tuple[Device, Room]:
        device = device_of(request, self._server)
        room = self._server.room(request.match_info["room"])
        if device.user not in room.joined:
            raise forbidden(f"User {device.user} not in room {room.id}")
        return device, room

    def _member(self, user_id: str, membership: str) -> Json:
        return {"membership": membership, "displayname": self._server.user(user_id).name}

    def _note(self, event: Event, txn_id: str) -> None:
        self._ledger.record(Send(event.room, event.type, txn_id, event.id, event.content, event.sender))
