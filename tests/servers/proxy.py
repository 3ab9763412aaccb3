"""A small reverse proxy that makes the network between a client and a homeserver go wrong on demand.

async with FaultyProxy(homeserver.url) as proxy:
    proxy.fault(r"PUT .*/send/", drop="after", every=3)
    ...
    proxy.clear()
"""

import asyncio
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, Literal, Self

import aiohttp
from aiohttp import web
from yarl import URL

from tests.servers.faults import Fault, Faults
from tests.servers.ledger import Ledger, Send, parse_send
from tests.servers.web import LoopbackServer, dropped

# What belongs to one connection, and what the other side's library computes itself.
_NOT_FORWARDED = {"connection", "keep-alive", "transfer-encoding", "content-length", "host", "upgrade", "te", "trailer"}
_FOLLOWED_BY_IDS = {"send", "redact", "state", "join", "sendToDevice", "profile"}


class FaultyProxy:
    """Forwards everything to `upstream` except what its faults take; lives in the loop that entered it.

    `ledger` holds every send the server accepted, also those whose answer the client never got.
    `counts` counts requests that arrived here, by `METHOD endpoint` with the room and transaction left out.
    """

    def __init__(self, upstream: str, *, port: int | None = None, ledger: Path | None = None) -> None:
        app = web.Application(client_max_size=1024**3)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._server = LoopbackServer(app, port)
        self.upstream = upstream
        self.url = self._server.url
        self.ledger = Ledger(ledger)
        self.counts: Counter[str] = Counter()
        self._faults = Faults()
        self._client: aiohttp.ClientSession | None = None
        self._forwarding: set[asyncio.Task[web.Response]] = set()

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit=0)
        timeout = aiohttp.ClientTimeout(total=None)
        self._client = aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False)
        await self._server.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.__aexit__()
        for forwarding in self._forwarding:
            forwarding.cancel()
        await asyncio.gather(*self._forwarding, return_exceptions=True)
        if self._client:
            await self._client.close()
        self.ledger.close()

    def fault(
        self,
        pattern: str = "",
        *,
        status: int | None = None,
        retry_after_ms: int | None = None,
        drop: Literal["before", "after"] | None = None,
        delay: float = 0,
        every: int = 1,
        chance: float = 1,
        times: int | None = None,
    ) -> Fault:
        """From now on requests matching `pattern` go wrong, as `Fault` explains; its `hits` tell how often."""
        rule = Fault(pattern, status, retry_after_ms, drop, delay, every, chance, times)
        self._faults.rules.append(rule)
        return rule

    def clear(self) -> None:
        """Forget all faults."""
        self._faults.rules.clear()

    async def cut(self) -> None:
        """The network is gone: break every connection and refuse new ones."""
        await self._server.cut()

    async def restore(self) -> None:
        """The network is back."""
        await self._server.restore()

    def break_connections(self) -> None:
        """Break every open connection once; new ones are welcome."""
        self._server.break_connections()

    async def _handle(self, request: web.Request) -> web.Response:
        path = request.raw_path
        self.counts[endpoint(request.method, path)] += 1
        fault = self._faults.strike(f"{request.method} {path}")
        if fault is not None:
            await asyncio.sleep(fault.delay)
            if fault.drop == "before":
                return dropped(request)
            if fault.drop is None and fault.status is not None:
                return web.json_response(fault.body(), status=fault.status)
        # A client that goes away does not stop the server, nor our noting what it accepts.
        forwarding = asyncio.create_task(self._forward(request, await request.read()))
        self._forwarding.add(forwarding)
        forwarding.add_done_callback(self._forwarding.discard)
        try:
            response = await asyncio.shield(forwarding)
        except aiohttp.ClientError:
            return dropped(request)  # The server itself is away: pass that on as it is.
        return dropped(request) if fault is not None and fault.drop == "after" else response

    async def _forward(self, request: web.Request, body: bytes) -> web.Response:
        if self._client is None:
            raise aiohttp.ClientConnectionError
        headers = [(name, value) for name, value in request.headers.items() if name.lower() not in _NOT_FORWARDED]
        url = self.upstream + request.raw_path
        async with self._client.request(request.method, URL(url, encoded=True), data=body, headers=headers) as answer:
            payload = await answer.read()
            if answer.status == 200:
                self._note(request, body, payload)
            kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in _NOT_FORWARDED]
            response = web.Response(status=answer.status, body=payload)
            response.headers.extend(kept)
            return response

    def _note(self, request: web.Request, body: bytes, payload: bytes) -> None:
        parts = parse_send(request.raw_path) if request.method == "PUT" else None
        if parts is not None:
            room, event_type, txn_id = parts
            content: dict[str, Any] = json.loads(body)
            self.ledger.record(Send(room, event_type, txn_id, json.loads(payload)["event_id"], content))


def endpoint(method: str, path: str) -> str:
    """`PUT send`, `GET sync`, `POST keys/claim`: the fixed words of a client API path, without ids."""
    words = path.partition("?")[0].partition("/_matrix/client/")[2].split("/")[1:]
    fixed = [word for word in words if re.fullmatch("[A-Za-z_]+", word) and word != "rooms"]
    known = 1 if fixed[:1] and fixed[0] in _FOLLOWED_BY_IDS else 2
    return f"{method} {'/'.join(fixed[:known])}" if fixed else f"{method} {path}"
