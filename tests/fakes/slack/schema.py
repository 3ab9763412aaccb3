"""Small schema language for Block Kit: each checker walks one value and notes what Slack would refuse.

The wording of the notes is Slack's (``must be less than 3001 characters [json-pointer:/blocks/0/text/text]``).
"""

from collections.abc import Callable, Mapping
from typing import cast

from .wire import Payload

MAX_REPORTED = 10


class Problems:
    """What is wrong with a document, and what was met on the way (characters, ids)."""

    __slots__ = ("action_ids", "block_ids", "characters", "focused", "messages")

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.characters = 0
        self.block_ids: set[str] = set()
        self.action_ids: set[str] = set()
        self.focused = 0

    def note(self, path: str, message: str) -> None:
        """Keep one refusal; Slack reports several at once."""
        if len(self.messages) < MAX_REPORTED:
            self.messages.append(f"{message} [json-pointer:{path or '/'}]")


Check = Callable[[object, str, Problems], None]


def string(low: int = 0, high: int = 3000, *, counted: bool = False) -> Check:
    """A string of ``low`` to ``high`` characters; ``counted`` ones add to the size of the message."""

    def check(value: object, path: str, problems: Problems) -> None:
        if not isinstance(value, str):
            problems.note(path, "must be a string")
            return
        size = len(value)
        if counted:
            problems.characters += size
        if size > high:
            problems.note(path, f"must be less than {high + 1} characters")
        elif size < low or (low and not value.strip()):
            problems.note(path, f"must be more than {low - 1} characters")

    return check


_ADDRESS = string(1, 3000)


def address(value: object, path: str, problems: Problems) -> None:
    """A URL of at most 3,000 characters."""
    _ADDRESS(value, path, problems)
    if isinstance(value, str) and not value.startswith(("https://", "http://", "mailto:")):
        problems.note(path, "must be a valid url")


def boolean(value: object, path: str, problems: Problems) -> None:
    """A JSON boolean, nothing that looks like one."""
    if not isinstance(value, bool):
        problems.note(path, "must be a boolean")


def integer(low: int, high: int) -> Check:
    """A whole number in a range."""

    def check(value: object, path: str, problems: Problems) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            problems.note(path, "must be an integer")
        elif not low <= value <= high:
            problems.note(path, f"must be between {low} and {high}")

    return check


def choice(*allowed: str) -> Check:
    """One of a few words."""

    def check(value: object, path: str, problems: Problems) -> None:
        if value not in allowed:
            problems.note(path, f"must be one of: {', '.join(allowed)}")

    return check


def array(item: Check, low: int = 0, high: int = 100) -> Check:
    """A list with limits on its length."""

    def check(value: object, path: str, problems: Problems) -> None:
        if not isinstance(value, list):
            problems.note(path, "must be an array")
            return
        items = cast("list[object]", value)
        if len(items) > high:
            problems.note(path, f"no more than {high} items allowed")
            return
        if len(items) < low:
            problems.note(path, f"no fewer than {low} items allowed")
        for index, each in enumerate(items):
            item(each, f"{path}/{index}", problems)

    return check


def shape(
    required: Mapping[str, Check],
    optional: Mapping[str, Check] | None = None,
    after: Callable[[Payload, str, Problems], None] | None = None,
) -> Check:
    """An object with exactly these keys; an unknown key is refused, ``after`` looks at the whole."""
    known = {**required, **(optional or {})}
    needed = tuple(required)

    def check(value: object, path: str, problems: Problems) -> None:
        if not isinstance(value, dict):
            problems.note(path, "must be an object")
            return
        found = cast("Payload", value)
        for name in needed:
            if name not in found:
                problems.note(path, f"missing required field: {name}")
        for name, each in found.items():
            inner = known.get(name)
            if inner is None:
                problems.note(path, f"invalid additional property: {name}")
            else:
                inner(each, f"{path}/{name}", problems)
        if after is not None:
            after(found, path, problems)

    return check


def by_type(table: Mapping[str, Check], *, what: str = "type") -> Check:
    """An object whose ``type`` chooses its shape."""

    def check(value: object, path: str, problems: Problems) -> None:
        if not isinstance(value, dict):
            problems.note(path, "must be an object")
            return
        kind = cast("Payload", value).get("type")
        inner = table.get(kind) if isinstance(kind, str) else None
        if inner is None:
            problems.note(f"{path}/type", f"unsupported {what}: {kind}")
        else:
            inner(value, path, problems)

    return check


def one_of(*checks: Check) -> Check:
    """The first checker that finds nothing wrong decides; otherwise the last one's notes stand."""

    def check(value: object, path: str, problems: Problems) -> None:
        trial = Problems()
        for each in checks:
            trial = Problems()
            each(value, path, trial)
            if not trial.messages:
                break
        problems.characters += trial.characters
        for message in trial.messages:
            if len(problems.messages) < MAX_REPORTED:
                problems.messages.append(message)

    return check


def anything(value: object, path: str, problems: Problems) -> None:
    """No rule of ours."""
    del value, path, problems
