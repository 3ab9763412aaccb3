"""`python -m tests.servers.matrix_stub --port N [--ledger FILE]`: the stub as a process of its own."""

import argparse
import asyncio
from pathlib import Path

from tests.servers.matrix_stub.app import MatrixStub


async def serve(port: int | None, ledger: Path | None, window: int) -> None:
    """Run until the process is ended."""
    async with MatrixStub(port=port, ledger=ledger, window=window) as stub:
        print(stub.url, flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """Read the options and serve."""
    parser = argparse.ArgumentParser(prog="matrix_stub", description="A homeserver in memory, for load and chaos.")
    parser.add_argument("--port", type=int)
    parser.add_argument("--ledger", type=Path, help="write each accepted send here, a line of JSON each")
    parser.add_argument("--window", type=int, default=100, help="the most events of a room in one sync")
    options = parser.parse_args()
    asyncio.run(serve(options.port, options.ledger, options.window))


main()
