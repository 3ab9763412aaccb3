"""``python -m tests.fakes.slack --port N --ledger FILE``: serve until SIGTERM; the first line of output says where."""

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from .fake import FakeSlack
from .settings import Settings


async def serve(port: int, ledger: Path | None, settings: Settings, *, until_eof: bool = False) -> None:
    """Serve until told to stop."""
    stop = asyncio.Event()
    if until_eof:
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), stop.set)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with FakeSlack(port=port, ledger=ledger, settings=settings) as slack:
        base = slack.api_url.removesuffix("/api/")
        sys.stdout.write(json.dumps({"base": base, "api_url": slack.api_url, "port": slack.port}) + "\n")
        sys.stdout.flush()
        await stop.wait()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fakes.slack", description="A strict fake of Slack on 127.0.0.1."
    )
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--ledger", type=Path, help="JSON Lines file, one line for everything that happens")
    parser.add_argument("--settings", type=json.loads, default={}, help="settings as JSON")
    parser.add_argument("--until-eof", action="store_true", help="end with standard input: nobody is left behind")
    options = parser.parse_args()
    asyncio.run(serve(options.port, options.ledger, Settings().changed(options.settings), until_eof=options.until_eof))


if __name__ == "__main__":
    main()
