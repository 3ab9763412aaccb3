"""Errors sorted by what their reader can do: act, try again, or give up."""

import traceback
from collections.abc import Callable

from bot.texts import Text


class UserError(Exception):
    """A person can act on this: its text is shown to them, in their language.

    Raised in a handler, it undoes the handler's writes; the receipt and the reply stay.
    """

    def __init__(self, key: str, /, **values: object) -> None:
        super().__init__(key)
        self.text = Text.of(key, **values)


class ConfigurationError(Exception):
    """An operator can act on this: one line that names what is wrong and what was expected."""


class Unavailable(Exception):
    """The database cannot be written now; the platform must not acknowledge and will try again."""


class NotYet(Exception):
    """What a transaction needs is being made: to be run again once `made` returns, holding nothing meanwhile."""

    def __init__(self, made: Callable[[], object]) -> None:
        super().__init__()
        self.made = made


class SendError(Exception):
    """A platform did not do what a job asked. The three subclasses say what is known of the outcome."""


class NotSent(SendError):
    """It was certainly not done: try again, not before `retry_after` seconds if that is given.

    `outage` says that the platform itself is out of reach, which is no fault of this message.
    """

    def __init__(self, reason: str, *, retry_after: float | None = None, outage: bool = False) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.outage = outage


class OutcomeUnknown(SendError):
    """It may have been done: look before doing it again, or repeat it under the same key."""


class Refused(SendError):
    """It will never be done. `gone` says that the destination itself is closed to us."""

    def __init__(self, reason: str, *, gone: bool = False) -> None:
        super().__init__(reason)
        self.gone = gone


def in_short(error: BaseException) -> str:
    """Return what went wrong and where, without its message: that may hold what somebody wrote."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "/bot/" in f.filename or "/handlers/" in f.filename][-3:]
    places = " > ".join(f"{f.filename.rsplit('/', 1)[-1]}:{f.lineno} {f.name}" for f in ours or frames[-1:])
    return f"{type(error).__name__} at {places}"
