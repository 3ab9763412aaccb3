"""What Slack is answered to a payload."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """Status 200 means that the payload is kept; anything else, that Slack must send it again."""

    status: int
    body: Mapping[str, Any] | None = None  # what is said to who submitted a form
