"""Inbound events as JSON, for those that must be handled later."""

import json
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

from bot import message
from bot.message import Address, Attachment, Inbound, User

_KINDS = {
    k.__name__: k
    for k in (message.Message, message.Invocation, message.Edit, message.Deletion, message.Reaction, message.RoomChange)
}


def dump(inbound: Inbound) -> str:
    """Return an event as JSON; `load` gives it back."""
    return json.dumps({"kind": type(inbound).__name__, **_plain(inbound)}, ensure_ascii=False)


def load(text: str) -> Inbound:
    """Return the event that `dump` wrote."""
    data: dict[str, Any] = json.loads(text)
    kind = _KINDS[data.pop("kind")]
    if data.get("on"):
        data["on"] = message.Message(**_common(data["on"]))
    return kind(**_common(data))


def _common(data: dict[str, Any]) -> dict[str, Any]:
    """Give an event's values the types that they had."""
    data["at"] = datetime.fromisoformat(data["at"])
    data["author"] = User(**data["author"])
    to: dict[str, Any] = data["to"]
    to["audience"] = User(**to["audience"]) if to["audience"] else None
    data["to"] = Address(**to)
    data["cursor"] = None
    if "files" in data:
        data["files"] = tuple(Attachment(**f) for f in data["files"])
    return data


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}  # pyright: ignore[reportUnknownVariableType]
    return value
