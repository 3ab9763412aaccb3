"""A small OpenAI-compatible endpoint on loopback that answers, or misbehaves, as a test says."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from aiohttp import web

from tests.servers.web import dropped

Answer: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


def says(content: object) -> Answer:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"choices": [{"message": {"role": "assistant", "content": content}}]})

    return answer


def sends(body: str, status: int = 200, **headers: str) -> Answer:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(text=body, status=status, headers=headers)

    return answer


async def silent(_request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(30)
    return web.Response()


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" " * 65536)


async def broken(request: web.Request) -> web.StreamResponse:
    return dropped(request)


@dataclass
class Model:
    """What was asked of it, and how it answers."""

    answer: Answer = field(default_factory=lambda: says("1"))
    asked: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    headers: list[dict[str, str]] = field(default_factory=list[dict[str, str]])

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._receive)
        app.router.add_route("*", "/elsewhere", self._receive)
        return app

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        self.headers.append(dict(request.headers))
        self.asked.append(await request.json() if request.can_read_body else {})
        return await self.answer(request)
