"""The HTTP side: one low-level aiohttp server, a table of prefixes, no framework in the way of 3,000 calls a second."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import cast
from urllib.parse import unquote

from aiohttp import web

from . import api_chat, api_conversations, api_people, api_rest
from .bodies import arguments, dumped, error_response, method_named, uploaded
from .core import Core
from .faults import Fault
from .methods import Method, authorize, check_arguments
from .responses import respond
from .wire import ApiError, Args, Payload

LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Slack</title></head><body>Sign in to your workspace</body></html>"
HANDLERS = (api_chat, api_conversations, api_people, api_rest)
"""Imported for what they register."""
Answer = Callable[[Payload], Awaitable[Payload]]


class Server:
    """Answers the Web API, uploads and downloads, response URLs, the socket, and (when given) ``/_test/``."""

    def __init__(self, core: Core, control: Answer | None = None) -> None:
        self.core = core
        self._control = control
        self._runner: web.ServerRunner | None = None
        self.port = 0

    async def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1."""
        # A caller that gives up cancels what it waited for, as a broken connection to Slack would.
        server = web.Server(self._handle, handler_cancellation=True, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port, backlog=1024)
        await site.start()
        address = cast("list[tuple[str, int]]", self._runner.addresses)[0]
        self.port = address[1]
        self.core.listening(f"http://127.0.0.1:{self.port}")

    async def stop(self) -> None:
        """Stop listening and break what is open."""
        await self.core.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path
        if path.startswith("/_test/"):
            return await self._test(request)
        if path.startswith("/api/"):
            return await self._api(request, path[5:])
        if self.core.faults.outage:
            return await self._struck(request, Fault("*", self.core.faults.outage, status=503))
        if path.startswith("/link/"):
            return await self.core.socket.serve(request)
        if path.startswith("/upload/v1/"):
            return await self._guarded(request, "upload", lambda: self._upload(request, path.rsplit("/", 1)[1]))
        if path.startswith("/files-pri/"):
            return await self._guarded(request, "download", lambda: self._download(request, path))
        if path.startswith("/response/"):
            return await self._respond(request, path.rsplit("/", 1)[1])
        return web.Response(status=404, text="not found")

    async def _api(self, request: web.BaseRequest, name: str) -> web.StreamResponse:
        core = self.core
        try:
            values, token = await arguments(request)
        except ValueError:
            return error_response(ApiError("invalid_json"))
        core.ledger.calls[name] += 1
        fault = core.faults.strike(name, values)
        if fault is not None:
            core.ledger.add("fault", method=name, fault=fault.kind, after=fault.after, channel=values.get("channel"))
            if not fault.after:
                early = await self._fault(request, fault)
                if early is not None:
                    return early
        if core.settings.latency:
            await asyncio.sleep(core.settings.latency)
        response = self._answered(name, values, token)
        if fault is not None and fault.after:
            return await self._fault(request, fault) or response
        return response

    def _answered(self, name: str, values: Payload, token: str) -> web.Response:
        """The answer of a method; nothing in here waits, so that a call is accepted whole or not at all."""
        core = self.core
        try:
            found = method_named(name)
            body = self._called(found, values, token)
            return web.Response(
                text=dumped({"ok": True, **body}), content_type="application/json", headers=self._headers(found)
            )
        except ApiError as error:
            limited = error.error == "ratelimited"
            facts: Payload = (
                {"retry_after": error.retry_after} if limited else {"error": error.error, "messages": error.messages}
            )
            core.ledger.add("limited" if limited else "refused", method=name, channel=values.get("channel"), **facts)
            return error_response(error)

    def _called(self, found: Method, values: Payload, token: str) -> Payload:
        core = self.core
        authorize(core, found, token)
        core.limits.check(found.name, found.per_minute, str(values.get("channel", "")), core.settings)
        args = Args(values)
        check_arguments(found, args)
        return found.handler(core, args)

    def _headers(self, found: Method) -> dict[str, str]:
        if found.name != "auth.test":
            return {}
        return {"x-oauth-scopes": ",".join(sorted(self.core.scopes))}

    async def _fault(self, request: web.BaseRequest, fault: Fault) -> web.StreamResponse | None:
        if fault.kind == "slow":
            await asyncio.sleep(fault.delay)
            return None
        return await self._struck(request, fault)

    @staticmethod
    async def _struck(request: web.BaseRequest, fault: Fault) -> web.StreamResponse:
        if fault.kind == "limited":
            return error_response(ApiError("ratelimited", status=429, retry_after=fault.retry_after))
        if fault.kind == "refuse":
            return error_response(ApiError(fault.word))
        if fault.kind == "html":
            return web.Response(text=LOGIN_PAGE, content_type="text/html")
        if fault.kind == "error":
            return web.Response(status=fault.status, text="upstream connect error", content_type="text/plain")
        if fault.kind == "hang":
            await asyncio.sleep(fault.delay)
        if request.transport is not None:
            request.transport.abort()
        # The connection is gone; this answer goes nowhere.
        return web.Response(status=500)

    async def _guarded(
        self, request: web.BaseRequest, name: str, work: Callable[[], Awaitable[web.Response]]
    ) -> web.StreamResponse:
        """``upload`` and ``download`` fail as methods do."""
        fault = self.core.faults.strike(name, {})
        if fault is None:
            return await work()
        self.core.ledger.add("fault", method=name, fault=fault.kind, after=fault.after, channel=None)
        if not fault.after:
            return await self._fault(request, fault) or await work()
        response = await work()
        return await self._fault(request, fault) or response

    async def _upload(self, request: web.BaseRequest, key: str) -> web.Response:
        try:
            stored = self.core.files.receive(key, await uploaded(request))
        except ApiError as error:
            self.core.ledger.add("refused", method="upload", error=error.error, messages=[])
            return web.Response(status=error.status, text=error.error)
        return web.Response(text=f"OK - {stored.length}")

    async def _download(self, request: web.BaseRequest, path: str) -> web.Response:
        """A private file; without a right token Slack answers 200 and its login page."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        if token != self.core.bot_token or self.core.revoked or "files:read" not in self.core.scopes:
            self.core.ledger.add("refused", method="download", error="login_page", messages=[path])
            return web.Response(text=LOGIN_PAGE, content_type="text/html")
        try:
            stored = self.core.files.get(unquote(path).split("/")[2].split("-", 1)[1])
        except ApiError:
            return web.Response(status=404)
        described = self.core.files.to_slack(stored)
        return web.Response(body=stored.content or b"", content_type=str(described["mimetype"]))

    async def _respond(self, request: web.BaseRequest, key: str) -> web.Response:
        try:
            respond(self.core, key, cast("Payload", json.loads(await request.text())))
        except ApiError as error:
            self.core.ledger.add("refused", method="response_url", error=error.error, messages=error.messages)
            return web.Response(status=404, text=error.error)
        return web.Response(text="ok")

    async def _test(self, request: web.BaseRequest) -> web.Response:
        if self._control is None:
            return web.Response(status=404)
        name = request.path.removeprefix("/_test/")
        asked = cast("Payload", json.loads(await request.text() or "{}"))
        try:
            return web.Response(
                text=dumped(await self._control({"op": name, "args": asked})), content_type="application/json"
            )
        except ApiError as error:
            return web.Response(
                status=409,
                text=dumped({"error": error.error, "messages": error.messages}),
                content_type="application/json",
            )
        except (TypeError, ValueError, LookupError) as error:
            return web.Response(
                status=400, text=dumped({"error": f"{type(error).__name__}: {error}"}), content_type="application/json"
            )
