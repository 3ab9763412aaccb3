"""Accounts over HTTP: logging in, filters, profiles, files, and the keys of end-to-end encryption."""

import json
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from tests.servers.matrix_stub.model import Device, Homeserver, Json, MatrixError
from tests.servers.matrix_stub.requests import Handler, body, device_of, once

_SIGNING_KEYS = ("master_key", "self_signing_key", "user_signing_key")


class AccountsApi:
    """The handlers, on one homeserver's memory. Any password is right."""

    def __init__(self, server: Homeserver) -> None:
        self._server = server

    def routes(self) -> list[tuple[str, str, Handler]]:
        """Method, path below `/_matrix/client/v3`, handler."""
        return [
            ("GET", "/login", self.flows),
            ("POST", "/login", self.login),
            ("POST", "/logout", self.logout),
            ("GET", "/account/whoami", self.whoami),
            ("POST", "/user/{user}/filter", self.make_filter),
            ("GET", "/user/{user}/filter/{filter}", self.get_filter),
            ("GET", "/profile/{user}", self.profile),
            ("GET", "/profile/{user}/displayname", self.profile),
            ("PUT", "/profile/{user}/displayname", self.set_name),
            ("PUT", "/presence/{user}/status", self.nothing),
            ("GET", "/devices", self.devices),
            ("GET", "/capabilities", self.capabilities),
            ("GET", "/pushrules/", self.push_rules),
            ("GET", "/user/{user}/account_data/{type}", self.absent),
            ("PUT", "/user/{user}/account_data/{type}", self.nothing),
            ("GET", "/room_keys/version", self.absent),
            ("POST", "/keys/upload", self.upload_keys),
            ("POST", "/keys/query", self.query_keys),
            ("POST", "/keys/claim", self.claim_keys),
            ("POST", "/keys/device_signing/upload", self.upload_signing_keys),
            ("POST", "/keys/signatures/upload", self.upload_signatures),
            ("PUT", "/sendToDevice/{type}/{txn}", self.send_to_device),
        ]

    async def flows(self, _request: web.Request) -> Json:
        """How to log in."""
        return {"flows": [{"type": "m.login.password"}]}

    async def login(self, request: web.Request) -> Json:
        """Log in, as whoever is named."""
        wish = await body(request)
        name = wish.get("identifier", {}).get("user") or wish.get("user")
        if not name:
            raise MatrixError(400, "M_MISSING_PARAM", "no user")
        device = self._server.login(name, wish.get("device_id"))
        return {"user_id": device.user, "access_token": device.token, "device_id": device.id}

    async def logout(self, request: web.Request) -> Json:
        """End the device."""
        device = device_of(request, self._server)
        self._server.tokens.pop(device.token)
        self._server.users[device.user].devices.pop(device.id)
        return {}

    async def whoami(self, request: web.Request) -> Json:
        """Whose token this is."""
        device = device_of(request, self._server)
        return {"user_id": device.user, "device_id": device.id, "is_guest": False}

    async def make_filter(self, request: web.Request) -> Json:
        """Keep a filter; the same one has the same id."""
        device_of(request, self._server)
        wish = await body(request)
        known = {json.dumps(kept, sort_keys=True): name for name, kept in self._server.filters.items()}
        name = known.get(json.dumps(wish, sort_keys=True), str(len(known)))
        self._server.filters[name] = wish
        return {"filter_id": name}

    async def get_filter(self, request: web.Request) -> Json:
        """A kept filter."""
        device_of(request, self._server)
        try:
            return self._server.filters[request.match_info["filter"]]
        except KeyError:
            raise MatrixError(404, "M_NOT_FOUND", "No such filter") from None

    async def profile(self, request: web.Request) -> Json:
        """The display name; a user nobody has heard of has none."""
        user = self._server.users.get(request.match_info["user"])
        if user is None:
            raise MatrixError(404, "M_NOT_FOUND", "Profile not found")
        return {"displayname": user.name}

    async def set_name(self, request: web.Request) -> Json:
        """Change the display name, here and in the rooms."""
        user = self._server.users[device_of(request, self._server).user]
        user.name = (await body(request))["displayname"]
        for room in user.rooms.values():
            if user.id in room.joined:
                content = {"membership": "join", "displayname": user.name}
                self._server.append(room, user.id, "m.room.member", content, state_key=user.id)
        return {}

    async def nothing(self, request: web.Request) -> Json:
        """What the stub takes without effect."""
        device_of(request, self._server)
        return {}

    async def absent(self, request: web.Request) -> Json:
        """What the stub never has: account data, a backup of keys."""
        device_of(request, self._server)
        raise MatrixError(404, "M_NOT_FOUND", "Not found")

    async def capabilities(self, request: web.Request) -> Json:
        """What clients may do: the default."""
        device_of(request, self._server)
        return {"capabilities": {}}

    async def push_rules(self, request: web.Request) -> Json:
        """Nothing rings."""
        device_of(request, self._server)
        return {"global": {}}

    async def devices(self, request: web.Request) -> Json:
        """The user's devices."""
        user = self._server.users[device_of(request, self._server).user]
        return {"devices": [{"device_id": name} for name in user.devices]}

    async def upload_keys(self, request: web.Request) -> Json:
        """Keep a device's keys."""
        device, wish = device_of(request, self._server), await body(request)
        if wish.get("device_keys"):
            device.keys = wish["device_keys"]
            self._server.keys_changed(device.user)
        device.one_time_keys.update(wish.get("one_time_keys", {}))
        return {"one_time_key_counts": {"signed_curve25519": len(device.one_time_keys)}}

    async def query_keys(self, request: web.Request) -> Json:
        """The keys of users' devices, and their identities."""
        asking, wish = device_of(request, self._server), await body(request)
        answer: Json = {"device_keys": {}, "failures": {}}
        for user_id, wanted in wish["device_keys"].items():
            user = self._server.user(user_id)
            answer["device_keys"][user_id] = {
                name: device.keys for name, device in user.devices.items() if device.keys and name in (wanted or [name])
            }
            for kind, key in user.signing_keys.items():
                if kind != "user_signing_key" or user_id == asking.user:
                    answer.setdefault(f"{kind}s", {})[user_id] = key
        return answer

    async def claim_keys(self, request: web.Request) -> Json:
        """Give one-time keys away, each once."""
        device_of(request, self._server)
        wish = await body(request)
        given: dict[str, Json] = {}
        for user_id, wanted in wish["one_time_keys"].items():
            for name in wanted:
                device = self._server.user(user_id).devices.get(name)
                if device is not None and device.one_time_keys:
                    key = next(iter(device.one_time_keys))
                    given.setdefault(user_id, {})[name] = {key: device.one_time_keys.pop(key)}
        return {"one_time_keys": given, "failures": {}}

    async def upload_signing_keys(self, request: web.Request) -> Json:
        """Keep a user's identity; no second factor is asked for."""
        device, wish = device_of(request, self._server), await body(request)
        self._server.users[device.user].signing_keys.update(
            {kind: wish[kind] for kind in _SIGNING_KEYS if kind in wish}
        )
        self._server.keys_changed(device.user)
        return {}

    async def upload_signatures(self, request: web.Request) -> Json:
        """Add signatures to devices and identities; they are not checked."""
        device_of(request, self._server)
        for user_id, objects in (await body(request)).items():
            for name, signed in objects.items():
                for target in self._signed(user_id, name):
                    for signer, signatures in signed.get("signatures", {}).items():
                        target.setdefault("signatures", {}).setdefault(signer, {}).update(signatures)
            self._server.keys_changed(user_id)
        return {"failures": {}}

    async def send_to_device(self, request: web.Request) -> Json:
        """Deliver to inboxes, once per transaction id."""
        device, wish = device_of(request, self._server), await body(request)

        def act() -> Json:
            for user_id, contents in wish["messages"].items():
                for name, content in contents.items():
                    for target in self._targets(user_id, name):
                        self._server.to_device(device.user, request.match_info["type"], target, content)
            return {}

        return once(device, request.path, act)

    def _targets(self, user_id: str, name: str) -> list[Device]:
        devices = self._server.user(user_id).devices
        return list(devices.values()) if name == "*" else [devices[name]] if name in devices else []

    def _signed(self, user_id: str, name: str) -> Iterator[dict[str, Any]]:
        user = self._server.user(user_id)
        if name in user.devices and user.devices[name].keys:
            yield user.devices[name].keys or {}
        yield from (key for key in user.signing_keys.values() if f"ed25519:{name}" in key["keys"])
