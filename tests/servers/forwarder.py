"""A cable between a client and a server: what it carries can be held up, and goes on as if nothing had been."""

import asyncio
import contextlib
from typing import Self

from tests.servers.processes import LOOPBACK, free_port


class Forwarder:
    """Carries bytes from a loopback port of its own to another; lives in the loop that entered it.

    While it is cut nothing arrives and nobody is told, as when a host loses its network: no connection is refused, none
    ends.
    """

    def __init__(self, to: int) -> None:
        self.port = free_port()
        self._to = to
        self._whole = asyncio.Event()
        self._whole.set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, LOOPBACK, self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Let nothing through."""
        self._whole.clear()

    def mend(self) -> None:
        """Let everything through, what waited first."""
        self._whole.set()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            there, away = await asyncio.open_connection(LOOPBACK, self._to)
        except OSError:
            writer.close()
            return
        try:
            await asyncio.gather(self._carry(reader, away), self._carry(there, writer))
        finally:
            for end in (writer, away):
                end.transport.abort()

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await source.read(65536):
                await self._whole.wait()
                target.write(piece)
                await target.drain()
        target.close()
