"""Files over HTTP: kept as bytes in memory."""

from aiohttp import web

from tests.servers.matrix_stub.model import Homeserver, Json, MatrixError
from tests.servers.matrix_stub.requests import Handler, device_of


class MediaApi:
    """Upload and download."""

    def __init__(self, server: Homeserver) -> None:
        self._server = server

    def routes(self) -> list[tuple[str, str, Handler]]:
        """Method, whole path, handler."""
        file = "{server}/{media}{name:(/[^/]*)?}"
        return [
            ("POST", "/_matrix/media/v3/upload", self.upload),
            ("GET", f"/_matrix/client/v1/media/download/{file}", self.download),
            ("GET", f"/_matrix/media/v3/download/{file}", self.download),
        ]

    async def upload(self, request: web.Request) -> Json:
        """Keep a file."""
        device_of(request, self._server)
        media = f"media{len(self._server.media)}"
        self._server.media[media] = (await request.read(), request.content_type)
        return {"content_uri": f"mxc://{self._server.server_name}/{media}"}

    async def download(self, request: web.Request) -> web.Response:
        """Give it back."""
        kept = self._server.media.get(request.match_info["media"])
        if kept is None:
            raise MatrixError(404, "M_NOT_FOUND", "Not found")
        return web.Response(body=kept[0], content_type=kept[1])
