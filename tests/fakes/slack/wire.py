"""Words shared by the whole fake: JSON objects, Slack's error answers, the arguments of a call."""

import json
from typing import Any, cast

Payload = dict[str, Any]
"""A JSON object as Slack sends or takes it."""


class ApiError(Exception):
    """Answer of a Web API method that failed: ``{"ok": false, "error": …}``."""

    def __init__(
        self,
        error: str,
        *,
        messages: list[str] | None = None,
        status: int = 200,
        retry_after: int | None = None,
        **more: Any,
    ) -> None:
        super().__init__(error)
        self.error = error
        self.messages = messages or []
        self.status = status
        self.retry_after = retry_after
        self.more = more

    def payload(self) -> Payload:
        """The body of the answer, in the documented shape."""
        body: Payload = {"ok": False, "error": self.error, **self.more}
        if self.messages:
            body["errors"] = self.messages
            body["response_metadata"] = {"messages": [f"[ERROR] {message}" for message in self.messages]}
        return body


class Args:
    """Arguments of a Web API call; forms carry strings, JSON bodies carry values, both mean the same."""

    __slots__ = ("values",)

    def __init__(self, values: Payload) -> None:
        self.values = values

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def text(self, name: str, default: str = "") -> str:
        """A string argument; a number is taken as its digits, as forms do."""
        value = self.values.get(name)
        if value is None:
            return default
        if isinstance(value, str):
            return value
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return str(value)
        raise invalid_arguments(f"invalid value, must be a string [json-pointer:/{name}]")

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A boolean argument: JSON ``true``, or ``1``/``true`` in a form."""
        value = self.values.get(name)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        return str(value).lower() in {"1", "true"}

    def number(self, name: str, default: int) -> int:
        """A whole number."""
        value = self.values.get(name)
        if value is None or value == "":
            return default
        try:
            return int(value)
        except (TypeError, ValueError):
            raise invalid_arguments(f"invalid value, must be an integer [json-pointer:/{name}]") from None

    def data(self, name: str, error: str = "invalid_json") -> object:
        """A structured argument; in a form it is JSON in a string. ``error`` is answered when it cannot be read."""
        value = self.values.get(name)
        if isinstance(value, str):
            if not value:
                return None
            try:
                return cast("object", json.loads(value))
            except ValueError:
                raise ApiError(error) from None
        return cast("object", value)

    def words(self, name: str) -> list[str]:
        """A comma-separated list."""
        return [word.strip() for word in self.text(name).split(",") if word.strip()]


def invalid_arguments(*messages: str) -> ApiError:
    """Slack's ``invalid_arguments`` with its reasons."""
    return ApiError("invalid_arguments", messages=list(messages))
