"""The stub as a process of its own, and the knobs to turn from outside."""

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Self

import aiohttp

from tests.servers import ledger, processes

_ROOT = Path(__file__).parents[3]


class StubProcess:
    """`async with StubProcess(directory) as stub`: own process, so that it and the bot do not share a core."""

    def __init__(self, directory: Path, *, port: int | None = None, window: int = 100) -> None:
        self.directory = directory
        self.port = port or processes.free_port()
        self.url = f"http://{processes.LOOPBACK}:{self.port}"
        self._window = window
        self._process: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> Self:
        self.directory.mkdir(parents=True, exist_ok=True)
        log = self.directory / "stub.log"
        options = ["--port", str(self.port), "--window", str(self._window), "--ledger", self.directory / "ledger.jsonl"]
        argv = [sys.executable, "-m", "tests.servers.matrix_stub", *options]
        self._process = processes.spawn(argv, log=log, cwd=_ROOT)
        await processes.wait_ready(self._process, lambda: processes.accepts(self.port), log=log)
        return self

    async def __aexit__(self, *_: object) -> None:
        processes.reap(self._process)

    @property
    def ledger(self) -> ledger.Ledger:
        """What was accepted up to now."""
        file = self.directory / "ledger.jsonl"
        return ledger.read(file) if file.exists() else ledger.Ledger()

    async def fault(self, pattern: str = "", **options: Any) -> None:
        """From now on requests matching `pattern` go wrong, as `Fault` explains."""
        await self._tell("fault", pattern=pattern, **options)

    async def clear(self) -> None:
        """Forget all faults."""
        await self._tell("clear")

    async def outage(self, seconds: float) -> None:
        """Cut the network, in a moment and for so long."""
        await self._tell("outage", seconds=seconds)

    async def revoke(self, user_id: str) -> None:
        """The tokens of a user are dead from now on."""
        await self._tell("revoke", user_id=user_id)

    async def counts(self) -> Counter[str]:
        """The requests that came in, by `METHOD endpoint`."""
        async with aiohttp.request("GET", f"{self.url}/_stub/counts") as response:
            return Counter(await response.json())

    async def _tell(self, what: str, **content: Any) -> None:
        async with aiohttp.request("POST", f"{self.url}/_stub/{what}", json=content) as response:
            response.raise_for_status()
