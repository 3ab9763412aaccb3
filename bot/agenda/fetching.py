"""Fetching a calendar from an address that somebody gave: only https, only allowed hosts, only public machines.

The address is judged where the connection is made, after names were looked up, so that no name can lead inside; each
redirect is judged anew. Size and time are limited, compressed answers included.
"""

import ipaddress
import socket
import ssl
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import urljoin, urlsplit

import aiohttp

from bot.agenda.reading import BYTES
from bot.errors import NotSent, Refused

TIMEOUT = 20.0  # seconds for all of it
REDIRECTS = 4
_MOVED = frozenset({301, 302, 303, 307, 308})
_ACCEPT = "text/calendar, text/plain;q=0.5, */*;q=0.1"

IpAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Allowed:
    """Where calendars may be fetched: hosts, or all below a domain (`.example.org`). `address` judges a machine."""

    hosts: Collection[str]
    address: Callable[[IpAddress], bool]
    trust: ssl.SSLContext | None = None  # None: the authorities that the system trusts

    def host(self, url: str) -> bool:
        """Say whether an address is one of https at an allowed host, without a name and password in it."""
        try:
            parts = urlsplit(url)
            host, _ = (parts.hostname or "").rstrip(".").lower(), parts.port
        except ValueError:
            return False
        named = host in self.hosts or any(it.startswith(".") and host.endswith(it) for it in self.hosts)
        return parts.scheme == "https" and named and parts.username is None and parts.password is None


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came: None when it is what was known before."""

    content: bytes | None
    etag: str | None
    modified: str | None


def is_public(address: IpAddress) -> bool:
    """Say whether an address is one of the public Internet; one that holds another (v4 within v6) is judged by that."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is not None:
            return is_public(inner)
        if address in _NAT64:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return address.is_global and not address.is_multicast


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


async def fetch(url: str, allowed: Allowed, etag: str | None = None, modified: str | None = None) -> Fetched:
    """Fetch a calendar. Raises Refused for what is not allowed or will never do, NotSent for what may do later.

    Reasons are keys of the catalogues.
    """
    asked = {"Accept": _ACCEPT, "User-Agent": "Passerelle", "Accept-Encoding": "gzip, deflate"}
    asked |= {name: value for name, value in (("If-None-Match", etag), ("If-Modified-Since", modified)) if value}

    def connected(info: Any) -> socket.socket:
        return _socket(info, allowed)

    connector = aiohttp.TCPConnector(
        socket_factory=connected, ssl=allowed.trust if allowed.trust is not None else True, limit=1, force_close=True
    )
    timeout = aiohttp.ClientTimeout(total=TIMEOUT)
    try:
        async with aiohttp.ClientSession(
            connector=connector, timeout=timeout, trust_env=False, cookie_jar=aiohttp.DummyCookieJar()
        ) as session:
            return await _follow(session, url, allowed, asked)
    except _Private:
        raise Refused("agenda.feed.private") from None
    except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError):
        raise Refused("agenda.feed.not_allowed") from None
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        if isinstance(error.__cause__, _Private):
            raise Refused("agenda.feed.private") from None
        raise NotSent("agenda.feed.unreachable") from None


class _Private(OSError):
    """A name led to a machine that is not public."""


def _socket(info: Any, allowed: Allowed) -> socket.socket:
    """Make the socket of a connection, if it goes where it may."""
    family, kind, protocol, _, address = info
    if not allowed.address(ipaddress.ip_address(str(address[0]).partition("%")[0])):
        raise _Private
    return socket.socket(family, kind, protocol)


async def _follow(session: aiohttp.ClientSession, url: str, allowed: Allowed, asked: dict[str, str]) -> Fetched:
    for _ in range(REDIRECTS + 1):
        if not allowed.host(url):
            raise Refused("agenda.feed.not_allowed")
        async with session.get(url, headers=asked, allow_redirects=False) as answer:
            if answer.status in _MOVED:
                url = urljoin(url, answer.headers.get("Location", ""))
                continue
            return await _taken(answer)
    raise Refused("agenda.feed.redirects")


async def _taken(answer: aiohttp.ClientResponse) -> Fetched:
    etag = answer.headers.get("ETag", "")[:500] or None
    modified = answer.headers.get("Last-Modified", "")[:100] or None
    if answer.status == 304:
        return Fetched(None, etag, modified)
    if answer.status in {401, 403, 404, 410}:
        raise Refused("agenda.feed.refused")
    if answer.status != 200:
        raise NotSent("agenda.feed.unreachable")
    content = bytearray()
    async for piece in answer.content.iter_chunked(64 * 1024):
        content += piece
        if len(content) > BYTES:
            raise Refused("agenda.feed.too_big")
    return Fetched(bytes(content), etag, modified)
