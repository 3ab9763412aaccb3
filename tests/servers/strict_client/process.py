"""The Node process behind strict clients: questions and answers as lines of JSON over its pipes."""

import asyncio
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.servers.processes import die_with_parent
from tests.servers.strict_client.install import HERE, is_installed, node

_LINE = 64 * 1024 * 1024  # A room's events come as one line.


class ClientError(Exception):
    """The client refused or failed to do something; `code` is Matrix's errcode or the kind of error."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code


class NodeProcess:
    """One process for all sessions of a test; bound to the event loop that started it."""

    def __init__(self, log: Path, changed: Callable[[int, str], None]) -> None:
        self._log = log
        self._changed = changed
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._numbers = itertools.count(1)
        self._open: dict[int, asyncio.Future[Any]] = {}
        self._ready = asyncio.Event()

    async def start(self) -> None:
        """Start it; return when it listens."""
        if not is_installed():
            msg = "run `python -m tests.servers.strict_client install` once"
            raise RuntimeError(msg)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(node(), HERE / "src" / "main.js"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                limit=_LINE,
                preexec_fn=die_with_parent,
            )
        self._reader = asyncio.create_task(self._read())
        async with asyncio.timeout(30):
            await self._ready.wait()

    async def stop(self) -> None:
        """End it; questions still open fail."""
        if self._process is None or self._process.stdin is None:
            return
        self._process.stdin.close()
        if self._process.returncode is None:
            self._process.kill()  # It keeps nothing worth a farewell.
        await self._process.wait()
        if self._reader is not None:
            await self._reader

    async def ask(self, session: int, action: str, **arguments: Any) -> Any:
        """Have a session do something; return its answer or raise its error."""
        if self._process is None or self._process.stdin is None:
            msg = "not started"
            raise RuntimeError(msg)
        number = next(self._numbers)
        answer = self._open[number] = asyncio.get_running_loop().create_future()
        request = {"id": number, "session": session, "do": action, **arguments}
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        await self._process.stdin.drain()
        async with asyncio.timeout(60):
            return await answer

    async def _read(self) -> None:
        if self._process is None or self._process.stdout is None:
            return
        while line := await self._process.stdout.readline():
            self._take(json.loads(line))
        for answer in self._open.values():
            if not answer.done():
                answer.set_exception(ClientError("ended", f"the process ended, see {self._log}"))

    def _take(self, line: dict[str, Any]) -> None:
        if "ready" in line:
            self._ready.set()
        elif "changed" in line:
            self._changed(line["session"], line["changed"])
        elif (answer := self._open.pop(line["id"], None)) and not answer.done():
            if "error" in line:
                answer.set_exception(ClientError(line["errcode"], line["error"]))
            else:
                answer.set_result(line["ok"])
