"""The stub homeserver with a clock: it notes when each message came in, and lets many be said at once."""

import argparse
import asyncio
import json
import time
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.servers.matrix_stub import MatrixStub
from tests.servers.matrix_stub.model import Event, Homeserver
from tests.servers.matrix_stub.requests import body


class TimedStub(MatrixStub):
    """`timeline` gets a line a message: when, in which room, who, what."""

    def __init__(self, timeline: Path, **options: Any) -> None:
        super().__init__(**options)
        out = timeline.open("a", encoding="utf-8")
        append = self.homeserver.append

        def noted(room: Any, sender: str, kind: str, content: Any, **more: Any) -> Event:
            event = append(room, sender, kind, content, **more)
            if kind == "m.room.message":
                out.write(json.dumps({"at": time.time(), "sender": sender, "body": content.get("body", "")}) + "\n")
                out.flush()
            return event

        self.homeserver.append = noted  # type: ignore[method-assign]

    def _application(self) -> web.Application:
        app = super()._application()
        app.router.add_post("/_bench/say", self._say)
        return app

    async def _say(self, request: web.Request) -> web.Response:
        server: Homeserver = self.homeserver
        for said in (await body(request))["said"]:
            content = {"msgtype": "m.text", "body": said["text"], "m.mentions": {}}
            server.append(server.room(said["room"]), said["user"], "m.room.message", content)
        return web.json_response({})


async def serve(port: int, timeline: Path) -> None:
    """Run until the process is ended."""
    async with TimedStub(timeline, port=port):
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--timeline", type=Path, required=True)
    options = parser.parse_args()
    asyncio.run(serve(options.port, options.timeline))
