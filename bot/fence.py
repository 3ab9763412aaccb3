"""Until when work may still be done: looked at when a request is about to leave, not when it was begun.

A process that was frozen, or cut off from the database, comes back in the middle of its work and knows nothing of the
time that passed. By then others may have taken that work over.
"""

import contextlib
import time
from collections.abc import Generator
from contextvars import ContextVar
from typing import Protocol

from bot.errors import NotSent


class Hold(Protocol):
    """What must still be ours when a request leaves: a lane, a tenure. `until` is monotonic time."""

    until: float


_held: ContextVar[tuple[Hold, ...]] = ContextVar("held", default=())


@contextlib.contextmanager
def under(hold: Hold) -> Generator[None]:
    """Let nothing leave from this block, and the tasks it begins, once `hold` is over."""
    token = _held.set((*_held.get(), hold))
    try:
        yield
    finally:
        _held.reset(token)


def check() -> None:
    """Raise `NotSent` when what this task works under is over."""
    now = time.monotonic()
    if any(hold.until <= now for hold in _held.get()):
        raise NotSent("this process was held up for so long that another one may have taken over", outage=True)
