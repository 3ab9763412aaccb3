"""The stub as a web application: the client API, the faults in front of it, and the knobs of the tests."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, Self

from aiohttp import web

from tests.servers.faults import Fault, Faults
from tests.servers.ledger import Ledger
from tests.servers.matrix_stub.accounts import AccountsApi
from tests.servers.matrix_stub.media import MediaApi
from tests.servers.matrix_stub.model import Homeserver, Json, MatrixError
from tests.servers.matrix_stub.requests import Handler, body
from tests.servers.matrix_stub.rooms import RoomsApi
from tests.servers.proxy import endpoint
from tests.servers.web import LoopbackServer, dropped

_API = "/_matrix/client/v3"
_VERSIONS = ["v1.1", "v1.2", "v1.3", "v1.4", "v1.5", "v1.6", "v1.7", "v1.8", "v1.9", "v1.10", "v1.11"]
_FAULT_FIELDS = {one.name for one in fields(Fault) if one.init}


class MatrixStub:
    """A homeserver in memory, on loopback; its rooms outlive every client, and end with the process.

    `ledger` holds what was accepted, once; `counts` all requests that came in, those refused by a fault too.
    `window` is the most events of a room that one sync carries, whatever a filter wishes: Synapse has 100.
    """

    def __init__(
        self,
        *,
        port: int | None = None,
        server_name: str = "stub.test",
        ledger: Path | None = None,
        window: int = 100,
    ) -> None:
        self.homeserver = Homeserver(server_name, window)
        self.ledger = Ledger(ledger)
        self.counts: Counter[str] = Counter()
        self.faults = Faults()
        self._server = LoopbackServer(self._application(), port)
        self.url = self._server.url
        self._outage: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._server.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._outage:
            self._outage.cancel()
        await self._server.__aexit__()
        self.ledger.close()

    def fault(self, pattern: str = "", **options: Any) -> Fault:
        """From now on requests matching `pattern` go wrong, as `Fault` explains; its `hits` tell how often."""
        rule = Fault(pattern, **options)
        self.faults.rules.append(rule)
        return rule

    def clear(self) -> None:
        """Forget all faults."""
        self.faults.rules.clear()

    async def cut(self) -> None:
        """The network is gone, until `restore`."""
        await self._server.cut()

    async def restore(self) -> None:
        """The network is back."""
        await self._server.restore()

    def revoke(self, user_id: str) -> None:
        """The tokens of a user are dead from now on."""
        tokens = self.homeserver.tokens
        for token in [token for token, device in tokens.items() if device.user == user_id]:
            del tokens[token]

    def _application(self) -> web.Application:
        app = web.Application(client_max_size=1024**3)
        handlers = [*RoomsApi(self.homeserver, self.ledger).routes(), *AccountsApi(self.homeserver).routes()]
        for method, path, handler in handlers:
            app.router.add_route(method, _API + path, self._guarded(handler))
        for method, path, handler in MediaApi(self.homeserver).routes():
            app.router.add_route(method, path, self._guarded(handler))
        app.router.add_get("/_matrix/client/versions", self._guarded(self._versions))
        app.router.add_post("/_stub/fault", self._add_fault)
        app.router.add_post("/_stub/clear", self._clear)
        app.router.add_post("/_stub/outage", self._begin_outage)
        app.router.add_post("/_stub/revoke", self._revoke)
        app.router.add_get("/_stub/counts", self._counts)
        app.router.add_route("*", "/{path:.*}", self._guarded(self._unknown))
        return app

    def _guarded(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Count, meet a fault or not, answer in JSON; errors too."""

        async def guard(request: web.Request) -> web.StreamResponse:
            self.counts[endpoint(request.method, request.raw_path)] += 1
            fault = self.faults.strike(f"{request.method} {request.raw_path}") if self.faults.rules else None
            if fault is not None:
                await asyncio.sleep(fault.delay)
                if fault.drop == "before":
                    return dropped(request)
                if fault.drop is None and fault.status is not None:
                    return web.json_response(fault.body(), status=fault.status)
            response = await _answered(handler, request)
            return dropped(request) if fault is not None and fault.drop == "after" else response

        return guard

    async def _versions(self, _request: web.Request) -> Json:
        return {"versions": _VERSIONS, "unstable_features": {}}

    async def _unknown(self, request: web.Request) -> Json:
        raise MatrixError(404, "M_UNRECOGNIZED", f"the stub has no {request.method} {request.path}")

    async def _add_fault(self, request: web.Request) -> web.Response:
        wish = await body(request)
        self.faults.rules.append(Fault(**{name: value for name, value in wish.items() if name in _FAULT_FIELDS}))
        return web.json_response({})

    async def _clear(self, _request: web.Request) -> web.Response:
        self.clear()
        return web.json_response({})

    async def _begin_outage(self, request: web.Request) -> web.Response:
        seconds: float = (await body(request))["seconds"]

        async def outage() -> None:
            await asyncio.sleep(0.02)  # Let this answer go out first.
            await self.cut()
            await asyncio.sleep(seconds)
            await self.restore()

        self._outage = asyncio.create_task(outage())
        return web.json_response({})

    async def _revoke(self, request: web.Request) -> web.Response:
        self.revoke((await body(request))["user_id"])
        return web.json_response({})

    async def _counts(self, _request: web.Request) -> web.Response:
        return web.json_response(self.counts)


async def _answered(handler: Handler, request: web.Request) -> web.StreamResponse:
    try:
        answer = await handler(request)
    except MatrixError as error:
        return web.json_response(error.body, status=error.status)
    if isinstance(answer, web.StreamResponse):
        return answer
    return web.Response(body=json.dumps(answer).encode(), content_type="application/json")
