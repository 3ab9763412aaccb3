"""The command line: `passerelle …`. Exit status: 0 done, 1 the work found a problem, 2 wrong use."""

import argparse
import gc
import importlib
import io
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import structlog

from bot.errors import ConfigurationError, Unavailable, UserError, in_short
from config.settings import Settings, load

Command = Callable[[Settings, argparse.Namespace], int]
ROOMS = {
    "run": "service",
    "check": "service",
    "db": "service",
    "demo": "demo",
    "console": "console",
    "directory": "directory",
    "rights": "directory",
    "route": "routing",
    "questions": "questions",
    "advisers": "advisers",
    "events": "events",
    "digest": "digests",
    "audit": "audit",
    "person": "person",
    "failed": "operation",
    "matrix": "operation",
    "backup": "backup",
    "restore": "backup",
    "outbox": "backup",
}
"""The module of each command: that of the one which is given alone is loaded."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; what goes wrong is told in a line, never with a traceback."""
    gc.disable()  # nothing of what is loaded now is garbage, and looking for some takes a tenth of the time
    try:
        named, rest = _config().parse_known_args(arguments)
        options = parser(rest).parse_args(rest, named)
    finally:
        if arguments is None:  # this process is ours: what is loaded stays, and the first look would be at all of it
            gc.freeze()
        gc.enable()
    _print_anything()
    _log_to_stderr()
    try:
        status = options.command(load(options.config), options)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read us has enough; the interpreter must not try to flush again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:  # the outermost layer: nobody else can tell
        print(f"passerelle: {_in_a_line(error)}", file=sys.stderr)
        return 1


def _in_a_line(error: BaseException) -> str:
    match error:
        case BaseExceptionGroup():
            return _in_a_line(_worst(error))
        case UserError(text=text):
            from bot.cli.words import in_words  # noqa: PLC0415 - rarely needed, and it loads the database's modules

            return in_words(text)
        case ConfigurationError() | Unavailable():
            return next(iter(str(error).splitlines()), type(error).__name__)
        case OSError(strerror=str(reason)):
            return f"{error.filename}: {reason}" if error.filename else reason
        case _:
            return f"this should not have happened, please report it: {in_short(error)}"


def _worst(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return what an operator can mend, or the first of what happened together."""
    mendable, others = group.split(ConfigurationError)
    error: BaseException = mendable or others or group
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return error


def _print_anything() -> None:
    """Let no character that a terminal lacks, and no byte that is no text, end a command."""
    for stream, errors in ((sys.stdin, "replace"), (sys.stdout, "backslashreplace"), (sys.stderr, "backslashreplace")):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=errors)


def _config() -> argparse.ArgumentParser:
    """Return the grammar of what may stand before and after every command."""
    config = argparse.ArgumentParser(prog="passerelle", add_help=False, allow_abbrev=False)
    config.add_argument("--config", type=Path, metavar="FILE", help="passerelle.toml (or PASSERELLE_CONFIG)")
    return config


def parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """Return the grammar of the command line: of the command that is given, of all where none is."""
    about = argparse.ArgumentParser(add_help=False)
    about.add_argument("command", nargs="?")
    given = about.parse_known_args(arguments)[0].command
    what = "The bot between prefectures and posts abroad."
    top = argparse.ArgumentParser(prog="passerelle", description=what, parents=[_config()])
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for room in [ROOMS[given]] if given in ROOMS else dict.fromkeys(ROOMS.values()):
        importlib.import_module(f"bot.cli.{room}").add_to(commands)
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
