"""`python -m tests.chaos.bot run`: the real command line, in less of a hurry to be polite, and armed if so wished."""

import functools
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from bot import connections, engines, life
from bot.cli import main


def hurried() -> None:
    """Wait less than real servers demand: what is proved here is not patience."""
    original = connections.slack_options

    @functools.wraps(original)
    def slack_options(settings: Any) -> Any:
        return replace(original(settings), pace=0.0)

    connections.slack_options = slack_options
    every = os.environ.get("CHAOS_TICK")
    if every:
        life.schedule.run = functools.partial(life.schedule.run, every=float(every))


def sick(folder: Path) -> None:
    """Let SQLite find its file read-only while a file of that name lies in `folder`."""
    original = engines._begin_immediate

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA query_only={int((folder / 'read-only').exists())}")
        original(connection)

    engines._begin_immediate = begin


if __name__ == "__main__":
    hurried()
    if os.environ.get("CHAOS_SICK"):
        sick(Path(os.environ["CHAOS_SICK"]))
    if os.environ.get("CHAOS_POINT"):
        from tests.chaos.points import install  # it loads what nobody needs who only says what waits

        install(os.environ["CHAOS_POINT"])
    sys.exit(main())
