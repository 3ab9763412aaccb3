"""Rules that decide which requests go wrong, and how; used by the proxy and by the stub homeserver."""

import re
from dataclasses import dataclass, field
from random import Random
from typing import Literal


@dataclass(slots=True)
class Fault:
    """One way to go wrong, for requests whose `METHOD /path` contains the pattern.

    `every` takes each Nth of them, `chance` a seeded share, `times` ends the fault after so many hits. A hit waits
    `delay` seconds; then, if `drop` says so, the connection dies before the server sees the request or after it
    accepted it; else, with a `status`, this answer is given in place of the server's.
    """

    pattern: str = ""
    status: int | None = None
    retry_after_ms: int | None = None
    drop: Literal["before", "after"] | None = None
    delay: float = 0
    every: int = 1
    chance: float = 1
    times: int | None = None
    seed: int = 0
    seen: int = field(default=0, init=False)
    hits: int = field(default=0, init=False)
    _random: Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Make the dice."""
        self._random = Random(self.seed)

    def strikes(self, request: str) -> bool:
        """Whether this request goes wrong; counts it."""
        if re.search(self.pattern, request) is None:
            return False
        self.seen += 1
        struck = (
            self.seen % self.every == 0
            and (self.times is None or self.hits < self.times)
            and (self.chance >= 1 or self._random.random() < self.chance)
        )
        self.hits += struck
        return struck

    def body(self) -> dict[str, object]:
        """The error a homeserver would give; a gateway's has no such body, but clients must cope with both."""
        if self.status == 429:
            wait = {} if self.retry_after_ms is None else {"retry_after_ms": self.retry_after_ms}
            return {"errcode": "M_LIMIT_EXCEEDED", "error": "Too Many Requests", **wait}
        return {"errcode": "M_UNKNOWN", "error": f"Answered {self.status} by a fault"}


@dataclass(slots=True)
class Faults:
    """The faults in force; the first that strikes decides."""

    rules: list[Fault] = field(default_factory=list)

    def strike(self, request: str) -> Fault | None:
        """The fault that this request meets, if any."""
        return next((fault for fault in self.rules if fault.strikes(request)), None)
