"""Points at which a process kills itself, wrapped around the bot's own functions: production code knows nothing of them.

`CHAOS_POINT=sent:3` kills it when it passes `sent` for the third time.
"""

import functools
import os
import signal
from collections.abc import Callable
from typing import Any

from bot import app, files, memory, migrate
from bot.clockwork import Clockwork
from bot.directory import reference
from bot.dispatch import Dispatcher
from bot.jobs import worker
from bot.performers import fetching
from bot.platforms.matrix import crosssigning, keys, media, session, sync, wire
from bot.platforms.slack import backfill, sending
from bot.platforms.slack import files as slack_files

POINTS: dict[str, Callable[["Point"], None]] = {}


class Point:
    """Counts how often it is passed; the last time is the end."""

    def __init__(self, passings: int) -> None:
        self._left = passings

    def passed(self) -> None:
        """Die here, if it is the time."""
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def point(name: str) -> Callable[[Callable[[Point], None]], Callable[[Point], None]]:
    """Name what installs a point."""

    def keep(install: Callable[[Point], None]) -> Callable[[Point], None]:
        POINTS[name] = install
        return install

    return keep


def _async(
    owner: Any, name: str, here: Point, *, before: bool = False, when: Callable[..., bool] | None = None
) -> None:
    """Put a point before or behind a coroutine function."""
    original = getattr(owner, name)

    @functools.wraps(original)
    async def wrapped(*args: Any, **named: Any) -> Any:
        matters = when is None or when(*args, **named)
        if before and matters:
            here.passed()
        result = await original(*args, **named)
        if not before and matters:
            here.passed()
        return result

    setattr(owner, name, wrapped)


def _plain(owner: Any, name: str, here: Point, *, before: bool = False) -> None:
    """Put a point before or behind a plain function."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def wrapped(*args: Any, **named: Any) -> Any:
        if before:
            here.passed()
        result = original(*args, **named)
        if not before:
            here.passed()
        return result

    setattr(owner, name, wrapped)


def _from(platform: str) -> Callable[..., bool]:
    return lambda _self, inbound: inbound.to.platform == platform


# --- while people talk


@point("received-slack")
def _(here: Point) -> None:
    """A message of Slack's is committed and not yet acknowledged."""
    _async(Dispatcher, "receive", here, when=_from("slack"))


@point("received-matrix")
def _(here: Point) -> None:
    """An event of Matrix's is committed; the sync token still stands before it."""
    _async(Dispatcher, "receive", here, when=_from("matrix"))


@point("committing")
def _(here: Point) -> None:
    """All that follows from an event is written, and not committed."""
    _plain(Dispatcher, "_take", here)


@point("redone")
def _(here: Point) -> None:
    """What was put off is handled, and its job not yet settled."""
    _async(Dispatcher, "again", here)


@point("leased")
def _(here: Point) -> None:
    """A job is leased and not begun."""
    _async(worker.Worker, "_perform", here, before=True)


@point("sent")
def _(here: Point) -> None:
    """The platform took a message; nobody has written that down."""
    _async(worker.Worker, "_perform", here)


@point("settling")
def _(here: Point) -> None:
    """In the middle of writing down what became of jobs."""
    _plain(app, "note_settled", here, before=True)


@point("settled")
def _(here: Point) -> None:
    """What became of jobs is committed."""
    _async(worker.Worker, "_settle", here)


@point("before-token")
def _(here: Point) -> None:
    """A batch of the sync is handled, its token not yet kept."""
    _async(memory.PlatformMemory, "set", here, before=True, when=_keeps_token)


@point("after-token")
def _(here: Point) -> None:
    """The sync token has just been kept."""
    _async(memory.PlatformMemory, "set", here, when=_keeps_token)


def _keeps_token(_self: object, values: dict[str, str | None]) -> bool:
    return "sync" in values


@point("matrix-page")
def _(here: Point) -> None:
    """Between two pages of a gap in a room's timeline."""
    _async(wire.Homeserver, "get", here, when=lambda _self, *path, **_: path[-1] == "messages")


@point("slack-page")
def _(here: Point) -> None:
    """Between two pages of a channel's history."""
    _async(backfill, "call", here, when=lambda _method, **asked: "limit" in asked and "channel" in asked)


@point("looked")
def _(here: Point) -> None:
    """An earlier try was looked for; nothing has been sent again."""
    _async(sending.Sender, "_found", here)


# --- while the clock runs


@point("issuing")
def _(here: Point) -> None:
    """What is due is said and noted, and not committed."""
    _plain(Clockwork, "_once", here)


@point("issued")
def _(here: Point) -> None:
    """What was due is committed."""
    _async(Clockwork, "_do", here)


# --- while files are carried


@point("fetched")
def _(here: Point) -> None:
    """A file is here, on disk, and nothing of it is kept."""
    _async(fetching.Fetching, "_download", here)


@point("sliced")
def _(here: Point) -> None:
    """Some of a file is kept, not all of it."""
    _plain(files, "add", here)


@point("carried")
def _(here: Point) -> None:
    """A file is kept and its job put; that it was fetched is not written down."""
    _async(fetching.Fetching, "fetch", here)


@point("announced")
def _(here: Point) -> None:
    """Slack has a name for a file, and none of its bytes."""
    _async(slack_files.Files, "_put", here, before=True)


@point("unshared")
def _(here: Point) -> None:
    """Slack has a file, which nobody is shown."""
    _async(slack_files.Files, "_put", here)


@point("shared")
def _(here: Point) -> None:
    """Slack shows a file; nobody has written that down."""
    _async(slack_files.Files, "send", here)


@point("uploaded")
def _(here: Point) -> None:
    """The homeserver has a file that no message names."""
    _async(media.Media, "uploaded", here)


# --- the first start


@point("tables")
def _(here: Point) -> None:
    """The tables are made and not committed."""
    _plain(migrate, "_upgrade", here)


@point("loading")
def _(here: Point) -> None:
    """In the middle of loading the reference data."""
    _plain(reference, "apply", here)


@point("logging-in")
def _(here: Point) -> None:
    """Logged in, and the token not yet kept."""
    _plain(session, "_keep", here, before=True)


@point("keys")
def _(here: Point) -> None:
    """The first keys are uploaded; the device is not signed."""
    _async(keys.Keys, "upload_first", here)


@point("identity")
def _(here: Point) -> None:
    """The homeserver has our identity, our own file does not say so yet, the device is not signed."""
    _async(crosssigning, "_upload", here)


@point("first-sync")
def _(here: Point) -> None:
    """The first sync is answered, nothing of it kept."""
    _async(sync.Sync, "_ask", here)


def install(wish: str) -> None:
    """Arm one point."""
    name, _, passings = wish.partition(":")
    POINTS[name](Point(int(passings or 1)))
