"""Requests that look once more whether they may leave, when their bytes are about to."""

from typing import Any

import aiohttp

from bot import fence
from bot.errors import NotSent


class FencedRequest(aiohttp.ClientRequest):
    """A request of a session made with `request_class=FencedRequest`.

    Between this look and the write lie some microseconds. A process frozen just there is not stopped by it; Matrix's
    transaction ids cover that moment, Slack has nothing that could.
    """

    async def send(self, conn: Any) -> aiohttp.ClientResponse:
        """Begin. Raises `NotSent` when what the request was begun under is over."""
        fence.check()
        return await super().send(conn)

    async def write_bytes(self, writer: Any, conn: Any, content_length: int | None = None) -> None:
        """Write the body, without which what was begun is no request."""
        try:
            fence.check()
        except NotSent:
            conn.protocol.transport.abort()  # whoever waits for the answer learns that there is none
            return
        await super().write_bytes(writer, conn, content_length)
