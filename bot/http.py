"""The one HTTP server: health for whoever watches, and what platforms receive by HTTP."""

import contextlib
import functools
from collections.abc import AsyncGenerator, Sequence
from typing import Protocol, runtime_checkable

import structlog
from aiohttp import web
from sqlalchemy import text

from bot.app import App
from bot.errors import ConfigurationError, Unavailable

log = structlog.get_logger()


@runtime_checkable
class Serves(Protocol):
    """A platform that receives by HTTP."""

    def routes(self) -> Sequence[web.RouteDef]:
        """Return where it wants to be asked."""
        ...


@contextlib.asynccontextmanager
async def serving(app: App) -> AsyncGenerator[None]:
    """Listen for as long as the block lasts. A port that is taken is told in the log, unless a platform needs it."""
    server = web.Application(client_max_size=1024**2)
    server.add_routes([web.get("/healthz", _alive), web.get("/readyz", functools.partial(_ready, app))])
    needed = [route for p in app.platforms.values() if isinstance(p, Serves) for route in p.routes()]
    server.add_routes(needed)
    runner = web.AppRunner(server, access_log=None)
    await runner.setup()
    where = app.settings.http
    try:
        await web.TCPSite(runner, where.host, where.port).start()
    except OSError as error:
        log.warning("http_not_listening", host=where.host, port=where.port, reason=error.strerror)
        if needed:
            await runner.cleanup()
            message = f"http.port: {where.port} on {where.host} cannot be listened on: {error.strerror}"
            raise ConfigurationError(message) from None
    try:
        yield
    finally:
        await runner.cleanup()


async def _alive(_request: web.Request) -> web.Response:
    return web.json_response({"ok": True})


async def _ready(app: App, _request: web.Request) -> web.Response:
    """Say whether the database answers and which platforms are connected; 503 while any is not."""
    try:
        await app.database.run(lambda session: session.execute(text("SELECT 1")))
        database = "ok"
    except Unavailable as error:
        database = next(iter(str(error).splitlines()), "unavailable")
    platforms = {name: "ok" if state.ok else state.reason for name, state in app.states.items()}
    ready = database == "ok" and all(state.ok for state in app.states.values())
    return web.json_response({"ok": ready, "database": database, **platforms}, status=200 if ready else 503)
