"""Fetching calendars: only https, only allowed hosts, only public machines, never too much; and the job around it."""

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from sqlalchemy import select

from bot import jobs
from bot.agenda import fetching, subscriptions
from bot.agenda.fetching import Allowed, fetch, is_public
from bot.agenda.reading import Defaults
from bot.agenda.tables import Calendar, Event
from bot.db import Database
from bot.errors import NotSent, Refused, UserError
from bot.jobs.tables import Job
from tests.agenda.certificate import certificate
from tests.agenda.test_taking import calendar, vevent

NOW = datetime(2026, 3, 16, 12, tzinfo=UTC)


@dataclass
class Site:
    """An https site on loopback, and who may fetch from it."""

    allowed: Allowed
    url: str
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]] = field(default=lambda r: _text(r, b""))
    asked: list[web.Request] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        return await self.answer(request)


async def _text(_request: web.Request, body: bytes, **headers: str) -> web.Response:
    return web.Response(body=body, content_type="text/calendar", headers=headers)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    file = certificate(tmp_path, "localhost")
    trust = ssl.create_default_context(cafile=str(file))
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(file)
    made = Site(Allowed(("localhost",), lambda address: address.is_loopback, trust), "")
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", made.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    listening = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=served)
    await listening.start()
    port = listening._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    made.url = f"https://localhost:{port}/a.ics"
    yield made
    await runner.cleanup()


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.31.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_only_public_machines_are_reached(address: str, public: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) is public


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost/a.ics",
        "https://localhost.example.org/a.ics",
        "https://user:secret@localhost/a.ics",
        "https://127.0.0.1/a.ics",
        "file:///etc/passwd",
        "https://",
        "https://localhost:99999/",
        "https://[::1/",
        "https://elsewhere.example.org\\@localhost/",
    ],
)
async def test_only_allowed_hosts_over_https(url: str, site: Site) -> None:
    with pytest.raises(Refused, match=r"agenda.feed.not_allowed"):
        await fetch(url, site.allowed)
    assert site.asked == []


async def test_a_name_that_leads_inside_is_not_followed(site: Site) -> None:
    with pytest.raises(Refused, match=r"agenda.feed.private"):
        await fetch(site.url, replace(site.allowed, address=is_public))
    assert site.asked == []  # not even connected to


async def test_a_domain_allows_what_is_below_it_and_nothing_that_ends_alike() -> None:
    allowed = Allowed((".example.org",), is_public)
    assert allowed.host("https://calendars.example.org/x")
    assert not allowed.host("https://badexample.org/x")
    assert not allowed.host("https://example.org.evil.test/x")


async def test_what_is_known_is_not_sent_again(site: Site) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        if request.headers.get("If-None-Match") == '"1"':
            return web.Response(status=304)
        return await _text(request, b"x", ETag='"1"', **{"Last-Modified": "Mon, 16 Mar 2026 00:00:00 GMT"})

    site.answer = answer
    first = await fetch(site.url, site.allowed)
    assert (first.content, first.etag) == (b"x", '"1"')
    again = await fetch(site.url, site.allowed, first.etag, first.modified)
    assert again.content is None
    assert site.asked[1].headers["If-Modified-Since"] == first.modified


@pytest.mark.parametrize(
    ("to", "reason"),
    [
        ("http://localhost/a.ics", "not_allowed"),
        ("https://169.254.169.254/latest", "not_allowed"),
        ("file:///etc/passwd", "not_allowed"),
        ("/a.ics", "redirects"),
    ],
)
async def test_each_redirect_is_judged_anew(to: str, reason: str, site: Site) -> None:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": to})

    site.answer = answer
    with pytest.raises(Refused, match=f"agenda.feed.{reason}"):
        await fetch(site.url, site.allowed)


async def test_a_small_answer_that_swells_is_cut_off(site: Site) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.Response(body=b"a" * (fetching.BYTES + 1), content_type="text/calendar")
        response.enable_compression(web.ContentCoding.gzip)
        return response

    site.answer = answer
    with pytest.raises(Refused, match=r"agenda.feed.too_big"):
        await fetch(site.url, site.allowed)


async def test_a_site_that_never_ends_is_left(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(5)
        return web.Response()

    monkeypatch.setattr(fetching, "TIMEOUT", 0.2)
    site.answer = answer
    with pytest.raises(NotSent, match=r"agenda.feed.unreachable"):
        await fetch(site.url, site.allowed)


@pytest.mark.parametrize(
    ("status", "error"), [(404, Refused), (410, Refused), (403, Refused), (500, NotSent), (204, NotSent)]
)
async def test_other_answers(status: int, error: type[Exception], site: Site) -> None:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=status)

    site.answer = answer
    with pytest.raises(error):
        await fetch(site.url, site.allowed)


async def test_a_certificate_of_nobody_is_not_trusted(site: Site) -> None:
    with pytest.raises(NotSent):
        await fetch(site.url, replace(site.allowed, trust=None))


async def test_a_subscribed_calendar_is_read_when_due_and_its_failures_are_kept(site: Site, shipped: Database) -> None:
    body = calendar(vevent("a", "20260320T090000Z", "Un"))
    statuses = iter([200, 304, 500, 200])

    async def answer(request: web.Request) -> web.StreamResponse:
        status = next(statuses)
        return await _text(request, body, ETag='"1"') if status == 200 else web.Response(status=status)

    site.answer = answer
    now = NOW
    reader = subscriptions.Subscriber(shipped, site.allowed, lambda _: lambda details: details, lambda: now)
    id_ = shipped.run_now(
        lambda s: subscriptions.subscribe(s, site.url, Defaults("Europe/Paris"), site.allowed, NOW)[0].id
    )

    def due(at: datetime) -> int:
        def work(session) -> int:  # type: ignore[no-untyped-def]  # noqa: ANN001
            count = subscriptions.put_due(session, at)
            jobs.write(session)
            return count

        return shipped.run_now(work)

    assert due(NOW) == 1
    assert due(NOW) == 0  # once, whoever asks
    assert shipped.run_now(lambda s: s.scalars(select(Job.kind)).all()) == ["calendar"]
    assert (await reader.refresh(id_)).added == 1  # type: ignore[union-attr]
    assert await reader.refresh(id_) is None
    assert await reader.refresh(id_) is None
    row = shipped.run_now(lambda s: s.get_one(Calendar, id_))
    assert (row.failures, row.problem, row.due_at) == (1, "agenda.feed.unreachable", NOW + timedelta(hours=2))
    now = NOW + timedelta(days=8)  # unchanged for a week: asked for whole, for the series to go on
    assert (await reader.refresh(id_)).same == 1  # type: ignore[union-attr]
    assert "If-None-Match" not in site.asked[-1].headers
    assert len(shipped.run_now(lambda s: s.scalars(select(Event.id)).all())) == 1


def test_an_address_that_is_not_allowed_is_not_subscribed(shipped: Database) -> None:
    with pytest.raises(UserError):
        shipped.run_now(
            lambda s: subscriptions.subscribe(s, "https://x.test/", Defaults("UTC"), Allowed((), is_public), NOW)
        )
