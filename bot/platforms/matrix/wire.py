"""One request to the homeserver and its answer. Nothing is tried again here: that is the callers' business."""

import asyncio
import json
import math
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias, cast
from urllib.parse import quote, urlencode

import aiohttp
from yarl import URL

from bot.errors import NotSent
from bot.requests import FencedRequest

Json: TypeAlias = dict[str, Any]
Query: TypeAlias = Mapping[str, str | Sequence[str]]

CLIENT = ("_matrix", "client", "v3")
SECONDS = 30.0  # for an answer
FILE_SECONDS = 120.0  # for a file
_PIECE = 64 * 1024


class HomeserverError(Exception):
    """The homeserver answered, and refused."""

    def __init__(self, status: int, body: Json) -> None:
        self.status = status
        self.body = body
        self.code = _string(body.get("errcode"))
        super().__init__(f"{status} {self.code} {_string(body.get('error'))}".strip())

    @property
    def token_is_dead(self) -> bool:
        """Whether our access token is worth nothing any more (spec: client authentication)."""
        return self.code in {"M_UNKNOWN_TOKEN", "M_MISSING_TOKEN", "M_USER_DEACTIVATED"}

    @property
    def passing(self) -> bool:
        """Whether the same request may well succeed later."""
        return self.status == 429 or self.status >= 500

    @property
    def retry_after(self) -> float | None:
        """How many seconds the homeserver asks us to wait."""
        value = self.body.get("retry_after_ms")
        usable = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        return max(0.0, float(cast("float", value)) / 1000) if usable else None


class TokenIsDead(Exception):
    """The homeserver does not know our token any more. Unlike other refusals this is nobody's to swallow.

    `soft_logout` says that the device still exists and only needs a new token (spec: soft logout).
    """

    def __init__(self, error: HomeserverError) -> None:
        super().__init__(str(error))
        self.soft_logout = error.body.get("soft_logout") is True


class Unreachable(Exception):
    """There was no answer. `sent` says that the request may nevertheless have been carried out."""

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.sent = sent


class Homeserver:
    """Speaks the client-server API (spec v1.18) with one access token."""

    def __init__(self, url: str, *, pace: float = 0.0) -> None:
        self._url = url.rstrip("/")
        self._pace = pace
        self._turn = asyncio.Lock()
        self._next = 0.0
        self._http: aiohttp.ClientSession | None = None
        self.token = ""

    async def close(self) -> None:
        """Close all connections."""
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def get(self, *path: str, query: Query | None = None, seconds: float = SECONDS) -> Json:
        """Ask for something."""
        await self._wait_turn()
        return _object(await self._call("GET", path, query, None, seconds))

    async def get_list(self, *path: str) -> list[Any]:
        """Ask for something of which there are many."""
        await self._wait_turn()
        answer = await self._call("GET", path, None, None, SECONDS)
        return answer if isinstance(answer, list) else []

    async def put(self, *path: str, body: Json) -> Json:
        """Put something in its place; with a transaction id in the path, a repeat changes nothing."""
        await self._wait_turn()
        return _object(await self._call("PUT", path, None, body, SECONDS))

    async def post(self, *path: str, body: Json, query: Query | None = None) -> Json:
        """Ask for something to be done."""
        await self._wait_turn()
        return _object(await self._call("POST", path, query, body, SECONDS))

    async def sync(self, query: Query, *, poll: float) -> Json:
        """Wait for news; not paced, since it is the server that makes us wait."""
        return _object(await self._call("GET", ("sync",), query, None, poll + SECONDS))

    async def download(self, server: str, media: str) -> AsyncIterator[bytes]:
        """Yield a file of the content repository as it arrives; servers before v1.11 know the old way only."""
        await self._wait_turn()
        old = False
        while True:
            path = ("_matrix", "media", "v3") if old else ("_matrix", "client", "v1", "media")
            async with self._requested("GET", self._address(*path, "download", server, media)) as response:
                if response.status == 404 and not old and _code(await response.read()) == "M_UNRECOGNIZED":
                    old = True
                    continue
                if response.status != 200:
                    _read(response.status if response.status >= 300 else 502, await response.read())
                async for piece in response.content.iter_chunked(_PIECE):
                    yield piece
                return

    async def upload(self, pieces: AsyncIterator[bytes], *, size: int, media_type: str, name: str) -> Json:
        """Put a file into the content repository; a repeat leaves another that nobody is told of."""
        await self._wait_turn()
        headers = {"Content-Type": media_type, "Content-Length": str(size)}
        query = {"filename": name} if name else None
        address = self._address("_matrix", "media", "v3", "upload", query=query)
        async with self._requested("POST", address, data=pieces, headers=headers) as response:
            return _object(_read(response.status, await response.read()))

    def _address(self, *path: str, query: Query | None = None) -> str:
        address = self._url + "".join(f"/{quote(part, safe='')}" for part in path)
        return f"{address}?{urlencode(query, doseq=True)}" if query else address

    async def _wait_turn(self) -> None:
        """Keep the distance between requests that the operator asked for (Tchap advises one a second)."""
        if self._pace:
            async with self._turn:
                now = asyncio.get_running_loop().time()
                await asyncio.sleep(max(0.0, self._next - now))
                self._next = max(now, self._next) + self._pace

    async def _call(
        self, method: str, path: tuple[str, ...], query: Query | None, body: Json | None, seconds: float
    ) -> Any:
        data = None if body is None else json.dumps(body, ensure_ascii=True, allow_nan=False).encode()
        headers = {} if data is None else {"Content-Type": "application/json"}
        address = self._address(*CLIENT, *path, query=query)
        async with self._requested(method, address, data=data, headers=headers, seconds=seconds) as response:
            return _read(response.status, await response.read())

    @asynccontextmanager
    async def _requested(
        self,
        method: str,
        address: str,
        *,
        data: bytes | AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = FILE_SECONDS,
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        """Make a request; whatever breaks before the end of its answer is Unreachable."""
        bearer = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        try:
            async with self._session().request(
                method,
                URL(address, encoded=True),
                data=data,
                headers={**(headers or {}), **bearer},
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=seconds, sock_connect=10),
            ) as response:
                yield response
        except NotSent as error:
            raise Unreachable(str(error), sent=False) from error
        except (aiohttp.ClientConnectorError, aiohttp.ServerTimeoutError) as error:
            raise Unreachable(_words(error), sent=not _never_connected(error)) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unreachable(_words(error), sent=True) from error

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            self._http = aiohttp.ClientSession(request_class=FencedRequest)
        return self._http


def _read(status: int, data: bytes) -> Any:
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        # A gateway's page, or half an answer: nothing that a homeserver says.
        raise HomeserverError(status if status >= 300 else 502, {"errcode": "M_NOT_JSON"}) from None
    if status >= 300:
        raise HomeserverError(status, body if isinstance(body, dict) else {})
    return body


def _code(data: bytes) -> str:
    """Return the error that an answer names, if it is one of a homeserver's."""
    try:
        _read(404, data)
    except HomeserverError as error:
        return error.code
    return ""


def _object(answer: object) -> Json:
    if not isinstance(answer, dict):
        raise HomeserverError(502, {"errcode": "M_NOT_JSON"})
    return cast("Json", answer)


def _never_connected(error: Exception) -> bool:
    return isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
