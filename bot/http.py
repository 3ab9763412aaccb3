"""The one HTTP server: health for whoever watches, and what platforms receive by HTTP."""

import asyncio
import contextlib
import functools
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

import structlog
from aiohttp import web
from sqlalchemy.orm import Session

from bot import health
from bot.agenda import publishing
from bot.app import App
from bot.errors import ConfigurationError, Unavailable

log = structlog.get_logger()

FEEDS_AT_ONCE = 4


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
    server.add_routes([web.get("/metrics", functools.partial(_metrics, app))])
    server.add_routes([web.get("/calendar/{secret}.ics", _Calendars(app).answer)])
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


class _Calendars:
    """The private feeds. Whoever guesses gets the same answer as for one that was revoked, and few tries at once."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._made = asyncio.Semaphore(FEEDS_AT_ONCE)

    async def answer(self, request: web.Request) -> web.Response:
        """Send a feed, or nothing where it is as it was."""
        secret, now = request.match_info["secret"], self._app.clock()
        async with self._made:
            found = await asyncio.to_thread(self._app.database.reading, functools.partial(self._feed, secret, now))
        if found is None:
            return web.Response(status=404, headers=_PRIVATE)
        with contextlib.suppress(Unavailable):
            await self._app.database.run(lambda session: publishing.note_read(session, secret, now))
        headers = {**_PRIVATE, "ETag": found.etag}
        if found.etag in {tag.strip() for tag in request.headers.get("If-None-Match", "").split(",")}:
            return web.Response(status=304, headers=headers)
        return web.Response(body=found.content, content_type="text/calendar", charset="utf-8", headers=headers)

    def _feed(self, secret: str, now: datetime, session: Session) -> publishing.Feed | None:
        world = self._app.world
        shelf = publishing.Shelf(world.catalogues, world.rules, world.borders)
        return publishing.feed(session, secret, shelf, world.current.get(session), now)


_PRIVATE = {"Cache-Control": "private, no-cache", "X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer"}


async def _alive(_request: web.Request) -> web.Response:
    return web.json_response({"ok": True})


async def _ready(app: App, _request: web.Request) -> web.Response:
    ok, said = await health.ready(app)
    return web.json_response(said, status=200 if ok else 503)


async def _metrics(app: App, _request: web.Request) -> web.Response:
    headers = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
    return web.Response(text=await health.metrics(app), headers=headers)
