"""A web application on a loopback port whose network can be cut and brought back."""

from typing import Self

from aiohttp import web

from tests.servers.processes import LOOPBACK, free_port


class LoopbackServer:
    """Serves `app` in the loop that entered it, always on the same port."""

    def __init__(self, app: web.Application, port: int | None = None) -> None:
        self.port = port or free_port()
        self.url = f"http://{LOOPBACK}:{self.port}"
        # Long polls must end with their connection; bodies pass through as they came.
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=0, handler_cancellation=True, auto_decompress=False
        )
        self._site: web.TCPSite | None = None

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await self.restore()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cut()
        await self._runner.cleanup()

    async def cut(self) -> None:
        """The network is gone: break every connection and refuse new ones."""
        if self._site:
            await self._site.stop()
            self._site = None
        self.break_connections()

    async def restore(self) -> None:
        """The network is back."""
        if self._site is None:
            self._site = web.TCPSite(self._runner, LOOPBACK, self.port, reuse_address=True, backlog=1024)
            await self._site.start()

    def break_connections(self) -> None:
        """Break every open connection once, as a restarted router would; new ones are welcome."""
        server = self._runner.server
        for connection in list(server.connections) if server else []:
            if connection.transport is not None:
                connection.transport.abort()


def dropped(request: web.Request) -> web.Response:
    """Break the connection of this request: the client learns nothing."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=499)
