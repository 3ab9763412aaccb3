"""The fake in the test's own process and event loop."""

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from .core import Core
from .operations import Operations
from .server import Server
from .settings import Settings
from .story import Story
from .wire import Payload


class FakeSlack(Story):
    """``async with FakeSlack() as slack:`` serves on 127.0.0.1 until the block ends."""

    def __init__(
        self,
        *,
        port: int = 0,
        ledger: Path | None = None,
        settings: Settings | None = None,
        scopes: Iterable[str] | None = None,
    ) -> None:
        self.core = Core(ledger, settings, scopes)
        self.operations = Operations(self.core)
        self._server = Server(self.core, self._answer)
        self._port = port

    async def _answer(self, asked: Payload) -> Payload:
        return await self.operations.run(asked["op"], asked["args"])

    async def call(self, op: str, **args: Any) -> Payload:
        """Carry out an operation."""
        return await self.operations.run(op, args)

    def define(self, kind: str, facts: Payload) -> None:
        """Add a person or a conversation at once."""
        cast("Any", self.operations.define_user if kind == "user" else self.operations.define_channel)(**facts)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.port

    async def __aenter__(self) -> Self:
        await self._server.start(self._port)
        await self.learn()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._server.stop()
