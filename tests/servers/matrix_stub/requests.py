"""What every handler of the stub needs: who asks, what they send, and once means once."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from tests.servers.matrix_stub.model import Device, Homeserver, Json, MatrixError

Handler = Callable[[web.Request], Awaitable[Any]]


def device_of(request: web.Request, server: Homeserver) -> Device:
    """The device whose token this is, or the error that tells a client its token is dead."""
    header = request.headers.get("Authorization", "")
    token = header[7:] if header[:7] == "Bearer " else request.query.get("access_token", "")
    device = server.tokens.get(token)
    if device is None:
        if not token:
            raise MatrixError(401, "M_MISSING_TOKEN", "Missing access token")
        raise MatrixError(401, "M_UNKNOWN_TOKEN", "Invalid access token passed.")
    return device


async def body(request: web.Request) -> Json:
    """The JSON object of the request; none is an empty one."""
    try:
        content = await request.json() if request.can_read_body else {}
    except ValueError:
        raise MatrixError(400, "M_NOT_JSON", "Content not JSON.") from None
    if not isinstance(content, dict):
        raise MatrixError(400, "M_BAD_JSON", "Content must be a JSON object.")
    return content


def once(device: Device, path: str, act: Callable[[], Json]) -> Json:
    """Act, unless this device already sent to this path (it ends in the transaction id): then the same answer.

    `act` does not await, so two copies of a request at the same time cannot both act.
    """
    if path not in device.answers:
        device.answers[path] = act()
    return device.answers[path]
