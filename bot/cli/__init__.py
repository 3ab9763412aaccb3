"""The command line: `passerelle …`. Exit status: 0 done, 1 the work found a problem, 2 wrong use."""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from bot.cli import console, demo, directory, operation, questions, routing, service
from bot.errors import ConfigurationError, Unavailable, UserError
from config.settings import Settings, load

Command = Callable[[Settings, argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; no traceback is shown for what an operator can mend."""
    options = parser().parse_args(arguments)
    _log_to_stderr()
    try:
        return options.command(load(options.config), options)
    except (ConfigurationError, Unavailable) as error:
        print(f"passerelle: {error}", file=sys.stderr)
        return 1
    except UserError as error:
        print(f"passerelle: {service.in_words(error.text)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def parser() -> argparse.ArgumentParser:
    """Return the grammar of the command line."""
    top = argparse.ArgumentParser(prog="passerelle", description="The bot between prefectures and posts abroad.")
    top.add_argument("--config", type=Path, metavar="FILE", help="passerelle.toml (or PASSERELLE_CONFIG)")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for room in (service, demo, console, directory, routing, questions, operation):
        room.add_to(commands)
    return top


def _log_to_stderr() -> None:
    """Logs are lines of names and values on standard error; libraries speak only when something is wrong."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
