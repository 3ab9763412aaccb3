"""Socket Mode: a connection that is noticed when it dies, replaced before it ends, and never hides a dead token."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, cast

import aiohttp
import structlog

from bot.errors import NotSent, SendError
from bot.platforms.slack.answers import Answer
from bot.platforms.slack.web import Web, call, proxy_for

PING = 2.0  # an abrupt end is noticed at the next ping only; Bolt's own 10 s cost 9.4 s of silence

_HELLO = 10.0
_LAST_WORDS = 3.0
_LONGEST_PAUSE = 30.0
_SETTLED = 10.0  # seconds after which a connection counts as a good one

log = structlog.get_logger()

Take: TypeAlias = Callable[[dict[str, Any]], Awaitable[Answer]]
"""Have a payload kept; status 200 means that it is, and may be acknowledged."""


class Connection:
    """One open socket. `leaving` is set when another one should take over, or must."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, take: Take) -> None:
        self._socket = socket
        self._take = take
        self._under_way: set[asyncio.Task[None]] = set()
        self.leaving = asyncio.Event()
        self.open = True
        self._reader = asyncio.create_task(self._read())

    async def close(self, *, wait: float = _LAST_WORDS) -> None:
        """Let what is under way be acknowledged, then close."""
        if self._under_way and wait:
            await asyncio.wait(set(self._under_way), timeout=wait)
        for task in (*self._under_way, self._reader):
            task.cancel()
        await asyncio.gather(*self._under_way, self._reader, return_exceptions=True)
        await self._socket.close()

    async def _read(self) -> None:
        try:
            async for message in self._socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._heard(json.loads(message.data))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            log.warning("slack_socket_broken", reason=str(error) or type(error).__name__)
        finally:
            self.open = False
            self.leaving.set()

    def _heard(self, message: dict[str, Any]) -> None:
        envelope, payload = message.get("envelope_id"), message.get("payload")
        if message.get("type") == "disconnect":
            self.leaving.set()
        elif isinstance(envelope, str) and isinstance(payload, dict):
            # One task each: the lanes of the gateway put them in order where it matters.
            task = asyncio.create_task(self._handle(envelope, cast("dict[str, Any]", payload)))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _handle(self, envelope: str, payload: dict[str, Any]) -> None:
        answer = await self._take(payload)
        if answer.status != 200:
            return  # not kept: Slack must send it again
        said = {"envelope_id": envelope} | ({"payload": answer.body} if answer.body else {})
        try:
            await self._socket.send_json(said)
        except (aiohttp.ClientError, OSError) as error:
            log.info("slack_acknowledgement_lost", reason=str(error) or type(error).__name__)


class SocketMode:
    """Keeps one connection open, and tells when there was none for a while."""

    def __init__(
        self,
        web: Web,
        take: Take,
        app_token: str,
        *,
        connected: Callable[[bool], None],
        lost: Callable[[str], None],
        dead: Callable[[SendError], Exception | None],
        pace: float = 1.0,
    ) -> None:
        self._web = web
        self._take = take
        self._token = app_token
        self._connected = connected
        self._lost = lost
        self._dead = dead
        self._pace = pace
        self._retiring: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Listen until cancelled. Raises what `dead` makes of a token that Slack does not accept."""
        current: Connection | None = None
        broken = 0  # connections in a row that broke at once
        loop = asyncio.get_running_loop()
        try:
            while True:
                await asyncio.sleep(min(2.0 ** (broken - 2), _LONGEST_PAUSE) * self._pace if broken > 1 else 0)
                fresh = await self._connect_at_last(current)
                self._connected(current is None or not current.open)
                if current is not None:
                    self._retire(current)
                current = fresh
                began = loop.time()
                await current.leaving.wait()
                if not current.open:
                    self._lost("the connection broke")
                    broken = broken + 1 if loop.time() - began < _SETTLED else 0
        finally:
            await asyncio.gather(*self._retiring, return_exceptions=True)
            if current is not None:
                await current.close(wait=0)

    async def _connect_at_last(self, current: Connection | None) -> Connection:
        pause = 0.5
        while True:
            try:
                return await self._connect()
            except (SendError, aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
                if isinstance(error, SendError) and (end := self._dead(error)):
                    raise end from error
                if current is None or not current.open:
                    self._lost(str(error) or type(error).__name__)
                asked = error.retry_after if isinstance(error, NotSent) else None
                pause = min(pause * 2, _LONGEST_PAUSE)
                jitter = random.uniform(0.5, 1.0)  # noqa: S311 (many bots must not come back in step; no secret)
                await asyncio.sleep(max(asked or 0.0, pause * jitter * self._pace))

    async def _connect(self) -> Connection:
        answer = await call(self._web.client.apps_connections_open, app_token=self._token)
        url = str(answer["url"])
        socket = await self._web.session.ws_connect(url, heartbeat=PING, proxy=proxy_for(url), max_msg_size=0)
        try:
            hello = await socket.receive_json(timeout=_HELLO)
        except BaseException:
            await socket.close()
            raise
        if hello.get("type") != "hello":
            await socket.close()
            raise ConnectionAbortedError(f"Slack says {hello.get('reason') or hello.get('type')} instead of hello")
        return Connection(socket, self._take)

    def _retire(self, connection: Connection) -> None:
        task = asyncio.create_task(connection.close())
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)
