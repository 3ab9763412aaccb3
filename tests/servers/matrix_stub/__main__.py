"""`python -m tests.servers.matrix_stub --port N [--ledger FILE]`: the stub as a process of its own."""

import argparse
import asyncio
from pathlib import Path

from tests.servers.matrix_stub.app import MatrixStub


async def serve(port: int | None, ledger: Path | None) -> None:
    """Run until the process is ended."""
    async with MatrixStub(port=port, ledger=ledger) as stub:
        print(stub.url, flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """Read the options and serve."""
    parser = argparse.ArgumentParser(prog="matrix_stub", description="A homeserver in memory, for load and chaos.")
    parser.add_argument("--port", type=int)
    parser.add_argument("--ledger", type=Path, help="write each accepted send here, a line of JSON each")
    options = parser.parse_args()
    asyncio.run(serve(options.port, options.ledger))


main()
