"""Socket Mode: tickets, connections, envelopes and their acknowledgements.

Source: "Using Socket Mode": a URL is used once, ``hello`` comes first, every envelope is acknowledged by its id, an app
may have ten connections and any of them may get an envelope, ``disconnect`` announces a connection's end.
"""

import asyncio
import json
import time
import uuid
from collections.abc import Callable
from contextlib import suppress

from aiohttp import WSMsgType, web

from .delivery import Ack, Envelope
from .ledger import Ledger
from .settings import Settings
from .wire import Payload
from .workspace import Workspace

Pending = dict[str, asyncio.Future[Ack]]


class Connection:
    """One open socket."""

    def __init__(self, name: str, socket: web.WebSocketResponse, request: web.BaseRequest) -> None:
        self.name = name
        self.socket = socket
        self.request = request
        self.frozen = False
        """A frozen connection neither sends nor answers pings: a dead network path."""
        self.leaving = False
        self.pending: Pending = {}

    @property
    def open(self) -> bool:
        """May an envelope be given to it?"""
        return not self.socket.closed and not self.leaving

    async def tell(self, message: Payload) -> None:
        """Send one JSON message, unless frozen."""
        if not self.frozen:
            await self.socket.send_str(json.dumps(message, ensure_ascii=False, separators=(",", ":")))

    def drop(self) -> None:
        """Break the TCP connection without a closing handshake."""
        if self.request.transport is not None:
            self.request.transport.abort()


class SocketMode:
    """All Socket Mode connections of the app."""

    def __init__(self, workspace: Workspace, ledger: Ledger, settings: Callable[[], Settings]) -> None:
        self._workspace = workspace
        self._ledger = ledger
        self._settings = settings
        self.connections: list[Connection] = []
        self._tickets: set[str] = set()
        self._turn = 0
        self._sent: dict[str, float] = {}
        self._arrived = asyncio.Event()

    def ticket(self) -> str:
        """A ticket for one connection, as in the URL of ``apps.connections.open``."""
        ticket = self._workspace.ids.new("ticket-")
        self._tickets.add(ticket)
        return ticket

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """One connection from its first to its last byte."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            self._ledger.add("refused", method="wss", error="invalid_ticket", messages=[])
            return web.Response(status=403, text="invalid ticket")
        self._tickets.discard(ticket)
        heartbeat = self._settings().heartbeat
        socket = web.WebSocketResponse(autoping=False, heartbeat=None, compress=False, timeout=0.5)
        await socket.prepare(request)
        connection = Connection(self._workspace.ids.new("link-"), socket, request)
        if len([each for each in self.connections if each.open]) >= self._settings().max_connections:
            await connection.tell(self._goodbye("too_many_websockets"))
            await socket.close()
            return socket
        self.connections.append(connection)
        self._ledger.add("connected", connection=connection.name, connections=len(self.connections))
        pinger = asyncio.create_task(self._ping(connection, heartbeat)) if heartbeat else None
        try:
            await connection.tell(self._hello())
            self._arrived.set()
            await self._listen(connection)
        except (ConnectionError, RuntimeError):
            pass  # the other side is gone; what was pending is told below
        finally:
            if pinger:
                pinger.cancel()
            self._gone(connection)
        return socket

    def _hello(self) -> Payload:
        return {
            "type": "hello",
            "num_connections": len(self.connections),
            "debug_info": {
                "host": "applink-fake",
                "build_number": 1,
                "approximate_connection_time": self._settings().approximate_connection_time,
            },
            "connection_info": {"app_id": self._workspace.bot.app_id},
        }

    @staticmethod
    def _goodbye(reason: str) -> Payload:
        return {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-fake"}}

    async def _ping(self, connection: Connection, interval: float) -> None:
        with suppress(ConnectionError, RuntimeError):
            while not connection.socket.closed:
                await asyncio.sleep(interval)
                if not connection.frozen:
                    await connection.socket.ping(b"Ping from applink-fake")

    async def _listen(self, connection: Connection) -> None:
        async for message in connection.socket:
            if message.type is WSMsgType.PING and not connection.frozen:
                await connection.socket.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                self._answer(connection, str(message.data))

    def _answer(self, connection: Connection, text: str) -> None:
        try:
            answer: Payload = json.loads(text)
        except ValueError:
            self._ledger.add("refused", method="wss", error="invalid_json", messages=[text[:200]])
            return
        envelope_id = str(answer.get("envelope_id", ""))
        sent = self._sent.get(envelope_id, 0.0)
        latency = time.monotonic() - sent
        future = connection.pending.pop(envelope_id, None)
        if future is not None and not future.done():
            future.set_result(Ack(ok=True, payload=answer.get("payload"), latency=latency))
        elif envelope_id in self._sent:
            self._ledger.add("late_ack", envelope_id=envelope_id, latency=latency)
        else:
            self._ledger.add("refused", method="wss", error="unknown_envelope", messages=[text[:200]])

    def _gone(self, connection: Connection) -> None:
        self.connections.remove(connection)
        if not any(each.open for each in self.connections):
            self._arrived.clear()
        for future in connection.pending.values():
            if not future.done():
                future.set_result(Ack(ok=False, reason="connection_lost"))
        connection.pending.clear()
        self._ledger.add("disconnected", connection=connection.name, connections=len(self.connections))

    def _next(self) -> Connection | None:
        candidates = [each for each in self.connections if each.open]
        if not candidates:
            self._arrived.clear()
            return None
        self._turn += 1
        return candidates[self._turn % len(candidates)]

    async def ready(self, timeout: float) -> bool:
        """Wait for a connection."""
        deadline = time.monotonic() + timeout
        while not any(each.open for each in self.connections):
            self._arrived.clear()
            try:
                async with asyncio.timeout(max(deadline - time.monotonic(), 0.0)):
                    await self._arrived.wait()
            except TimeoutError:
                return False
        return True

    async def send(self, envelope: Envelope, attempt: int, reason: str) -> Ack:
        """Give an envelope to one of the connections and wait for its acknowledgement."""
        connection = self._next()
        if connection is None:
            return Ack(ok=False, reason="no_connection")
        # Slack does not say whether a redelivery keeps its envelope id; here it never does, so that event_id decides.
        envelope_id = envelope.id if attempt == 0 else str(uuid.uuid4())
        message: Payload = {
            "envelope_id": envelope_id,
            "payload": envelope.payload,
            "type": envelope.type,
            "accepts_response_payload": envelope.type != "events_api",
        }
        if envelope.type == "events_api":
            message |= {"retry_attempt": attempt, "retry_reason": reason}
        future: asyncio.Future[Ack] = asyncio.get_running_loop().create_future()
        connection.pending[envelope_id] = future
        self._sent[envelope_id] = time.monotonic()
        try:
            await connection.tell(message)
            return await asyncio.wait_for(future, self._settings().ack_timeout)
        except TimeoutError:
            return Ack(ok=False, reason="timeout", latency=self._settings().ack_timeout)
        except (ConnectionError, RuntimeError):
            return Ack(ok=False, reason="connection_lost")
        finally:
            connection.pending.pop(envelope_id, None)

    async def disconnect(self, reason: str, *, close_after: float = 0.0) -> int:
        """Announce the end of every connection (``warning``: in about ten seconds, ``refresh_requested``: now)."""
        leaving = [each for each in self.connections if each.open]
        for connection in leaving:
            await connection.tell(self._goodbye(reason))
            if reason != "warning":
                connection.leaving = True
        if close_after:
            await asyncio.sleep(close_after)
            for connection in leaving:
                await connection.socket.close()
        return len(leaving)

    def drop(self) -> int:
        """Break all connections abruptly."""
        for connection in list(self.connections):
            connection.drop()
        return len(self.connections)

    def freeze(self, *, frozen: bool = True) -> int:
        """Let all connections die silently: nothing is sent, no ping is answered."""
        for connection in self.connections:
            connection.frozen = frozen
        return len(self.connections)

    async def close(self) -> None:
        """Close all connections."""
        for connection in list(self.connections):
            await connection.socket.close(drain=False)
            connection.drop()
