"""One request to the homeserver and its answer. Nothing is tried again here: that is the callers' business."""

import asyncio
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast
from urllib.parse import quote, urlencode

import aiohttp
from yarl import URL

Json: TypeAlias = dict[str, Any]
Query: TypeAlias = Mapping[str, str | Sequence[str]]

CLIENT = "/_matrix/client/v3"
SECONDS = 30.0  # for an answer


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
        address = self._url + CLIENT + "".join(f"/{quote(part, safe='')}" for part in path)
        if query:
            address += f"?{urlencode(query, doseq=True)}"
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        data = None if body is None else json.dumps(body, ensure_ascii=True, allow_nan=False).encode()
        if data is not None:
            headers["Content-Type"] = "application/json"
        try:
            async with self._session().request(
                method,
                URL(address, encoded=True),
                data=data,
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=seconds, sock_connect=10),
            ) as response:
                return _read(response.status, await response.read())
        except (aiohttp.ClientConnectorError, aiohttp.ServerTimeoutError) as error:
            raise Unreachable(_words(error), sent=not _never_connected(error)) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unreachable(_words(error), sent=True) from error

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            self._http = aiohttp.ClientSession()
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
