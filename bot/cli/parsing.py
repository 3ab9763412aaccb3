"""What the commands' grammars share."""

import argparse
import re
from datetime import UTC, date, datetime
from typing import TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]

YEARS = range(1900, 2200)  # that calendars and arithmetic bear


def instant(text: str) -> datetime:
    """Read an instant, in UTC where no zone is given."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.year not in YEARS:
        raise argparse.ArgumentTypeError(f"{text!r} is no instant such as 2026-03-16T09:30+01:00")
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def day(text: str) -> date:
    """Read a day."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.year not in YEARS:
        raise argparse.ArgumentTypeError(f"{text!r} is no day such as 2026-03-16")
    return found


def account(text: str) -> str:
    """Read a full Matrix id."""
    if not re.fullmatch(r"@[^:\s]+:\S+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no full id such as @agent:example.org")
    return text


def count(text: str) -> int:
    """Read a number above nought."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 9 and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return int(text)
