"""What is late does not leave: a process that was held up sends nothing of what it had begun."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot import fence
from bot.errors import NotSent
from bot.requests import FencedRequest
from tests.servers.web import LoopbackServer


@dataclass
class Hold:
    until: float


@pytest.fixture
async def heard() -> AsyncIterator[tuple[str, list[bytes]]]:
    bodies: list[bytes] = []

    async def take(request: web.Request) -> web.Response:
        bodies.append(await request.read())
        return web.Response(text="ok")

    app = web.Application()
    app.router.add_post("/", take)
    async with LoopbackServer(app) as server:
        yield server.url, bodies


async def test_what_is_in_time_leaves_and_what_is_late_does_not(heard: tuple[str, list[bytes]]) -> None:
    url, bodies = heard
    hold = Hold(time.monotonic() + 60)
    async with aiohttp.ClientSession(request_class=FencedRequest) as session:
        with fence.under(hold):
            assert (await session.post(url, data=b"one")).status == 200
            hold.until = time.monotonic() - 0.001
            with pytest.raises(NotSent, match="another one may have taken over"):
                await session.post(url, data=b"two")
        assert (await session.post(url, data=b"three")).status == 200
    assert bodies == [b"one", b"three"]


async def test_what_comes_to_be_late_between_its_head_and_its_body_is_no_request(
    heard: tuple[str, list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, bodies = heard
    hold = Hold(time.monotonic() + 60)
    original = FencedRequest.write_bytes

    async def held_up(self: Any, *given: Any) -> None:
        hold.until = 0.0
        await original(self, *given)

    monkeypatch.setattr(FencedRequest, "write_bytes", held_up)
    async with aiohttp.ClientSession(request_class=FencedRequest) as session:
        with fence.under(hold), pytest.raises(aiohttp.ClientError):
            await session.post(url, data=b"one")
    await asyncio.sleep(0.05)
    assert bodies == []


async def test_all_holds_must_last_and_tasks_begun_inside_are_under_them_too() -> None:
    outer, inner = Hold(time.monotonic() + 60), Hold(time.monotonic() + 60)
    with fence.under(outer):
        with fence.under(inner):
            fence.check()
            outer.until = 0.0

            async def later() -> None:
                fence.check()

            task = asyncio.create_task(later())
        with pytest.raises(NotSent):
            fence.check()
    fence.check()
    with pytest.raises(NotSent):
        await task
