"""The fake in a process of its own, for runs in which the bot is killed or measured."""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

import aiohttp

from .story import Story
from .wire import ApiError, Payload

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


class SlackControl(Story):
    """The same face as :class:`~tests.fakes.slack.fake.FakeSlack`, over ``http://127.0.0.1:port/_test/…``."""

    def __init__(self, base: str) -> None:
        self.base = base.rstrip("/")
        self._session: aiohttp.ClientSession | None = None
        self._defined: list[Payload] = []

    async def call(self, op: str, **args: Any) -> Payload:
        """Carry out an operation; what was defined before goes first."""
        waiting, self._defined = self._defined, []
        for each in waiting:
            await self._post("define", each)
        return await self._post(op, args)

    async def _post(self, op: str, args: Payload) -> Payload:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None), trust_env=False)
        async with self._session.post(f"{self.base}/_test/{op}", json=args) as answer:
            body = cast("Payload", await answer.json())
            if answer.status == 409:
                raise ApiError(body["error"], messages=body["messages"])
            if answer.status != 200:
                raise RuntimeError(f"{op}: {body['error']}")
            return body

    def define(self, kind: str, facts: Payload) -> None:
        """Add a person or a conversation before the next operation (or :meth:`flush`)."""
        self._defined.append({"kind": kind, "facts": facts})

    async def flush(self) -> None:
        """Make sure that everything defined is there."""
        await self.call("info")

    async def __aenter__(self) -> Self:
        await self.learn()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    @classmethod
    @asynccontextmanager
    async def spawn(
        cls, *, port: int = 0, ledger: Path | None = None, options: Sequence[str] = ()
    ) -> "AsyncGenerator[Self]":
        """Start the process, wait until it serves, stop it at the end; it also ends when its starter dies."""
        command = [sys.executable, "-m", "tests.fakes.slack", "--port", str(port), "--until-eof", *options]
        if ledger is not None:
            command += ["--ledger", str(ledger.resolve())]
        root = Path(__file__).parents[3]
        pipe = asyncio.subprocess.PIPE
        environment = os.environ | {"PYTHONPATH": str(root)}
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, cwd=root, env=environment)
        try:
            assert process.stdout is not None
            line = await process.stdout.readline()
            if not line:
                raise RuntimeError("the fake did not start")
            async with cls(str(json.loads(line)["base"])) as control:
                yield control
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()
