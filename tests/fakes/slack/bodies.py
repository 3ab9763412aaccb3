"""Reading requests and writing answers of the Web API ("Web API: POST bodies, responses")."""

import json
from typing import cast

from aiohttp import web

from .methods import METHODS, Method
from .wire import ApiError, Payload

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def dumped(value: object) -> str:
    """Compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def method_named(name: str) -> Method:
    """A method of the Web API, or ``unknown_method``."""
    found = METHODS.get(name)
    if found is None:
        raise ApiError("unknown_method", req_method=name)
    return found


def error_response(error: ApiError) -> web.Response:
    """A failed call: HTTP 200 with ``ok: false``, except for rate limits."""
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after is not None else None
    return web.Response(
        status=error.status, text=dumped(error.payload()), content_type="application/json", headers=headers
    )


async def arguments(request: web.BaseRequest) -> tuple[Payload, str]:
    """Arguments of a call (query, form or JSON body) and its token."""
    values: Payload = dict(request.query)
    if request.method == "POST":
        if request.content_type == "application/json":
            body: object = json.loads(await request.read() or b"{}")
            values |= cast("Payload", body) if isinstance(body, dict) else {}
        elif request.content_type in FORMS:
            values |= dict(await request.post())
    header = request.headers.get("Authorization", "")
    token = header.removeprefix("Bearer ").strip() if header.startswith("Bearer ") else ""
    given = values.pop("token", "")
    return values, token or str(given)


async def uploaded(request: web.BaseRequest) -> bytes:
    """The bytes of an upload: the raw body, or the one file of a form."""
    if request.content_type != "multipart/form-data":
        return await request.read()
    form = await request.post()
    for value in form.values():
        if isinstance(value, web.FileField):
            return value.file.read()
    return b""
