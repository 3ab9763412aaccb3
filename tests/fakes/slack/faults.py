"""Planned failures of the Web API and outages of everything.

A fault strikes *before* acceptance (nothing is recorded) or *after* it (the call took effect, the caller cannot know).
"""

import time
from dataclasses import dataclass
from typing import Literal

from .settings import Settings
from .wire import ApiError, Payload

FaultKind = Literal["reset", "hang", "error", "html", "slow", "limited", "refuse"]
"""``reset``: the connection breaks · ``hang``: no answer for ``delay`` seconds, then it breaks · ``error``: HTTP
``status`` · ``html``: HTTP 200 with a page that is not JSON · ``slow``: a right answer after ``delay`` seconds ·
``limited``: 429 · ``refuse``: ``{"ok": false, "error": word}``."""


@dataclass(slots=True)
class Fault:
    """One planned failure: which calls it strikes, and how often."""

    method: str
    kind: FaultKind
    after: bool = False
    times: int | None = 1
    every: int = 1
    skip: int = 0
    delay: float = 60.0
    status: int = 500
    word: str = "internal_error"
    retry_after: int = 1
    channel: str = ""
    seen: int = 0

    def strikes(self, method: str, values: Payload) -> bool:
        """Does it strike this call? (Counts the call.)"""
        if (
            self.method not in ("*", method)
            or (self.channel and values.get("channel") != self.channel)
            or self.times == 0
        ):
            return False
        self.seen += 1
        if self.seen <= self.skip or (self.seen - self.skip) % self.every:
            return False
        if self.times is not None:
            self.times -= 1
        return True


class Faults:
    """The plan."""

    def __init__(self) -> None:
        self.planned: list[Fault] = []
        self.outage: Literal["", "reset", "error", "hang"] = ""

    def strike(self, method: str, values: Payload) -> Fault | None:
        """The failure of this call, if one is planned."""
        if self.outage:
            return Fault("*", self.outage, status=503)
        for fault in self.planned:
            if fault.strikes(method, values):
                return fault
        return None


class Limits:
    """Token buckets of the rate limits ("Rate limits": tiers per method, posting per channel)."""

    def __init__(self) -> None:
        self._buckets: dict[str, tuple[float, float]] = {}
        self._calls = 0

    def check(self, method: str, per_minute: int, channel: str, settings: Settings) -> None:
        """Raise ``ratelimited`` (HTTP 429, ``Retry-After``) when a call comes too early."""
        self._calls += 1
        if settings.limited_every and self._calls % settings.limited_every == 0:
            raise limited(settings.retry_after)
        if method == "apps.connections.open" and settings.connection_interval:
            self._take(method, 1.0, settings.connection_interval)
        elif settings.paced and method == "chat.postMessage":
            self._take(f"{method} {channel}", float(settings.post_burst), settings.post_interval)
        elif settings.paced:
            self._take(method, float(per_minute), settings.minute / per_minute)

    def _take(self, key: str, capacity: float, interval: float) -> None:
        now = time.monotonic()
        level, at = self._buckets.get(key, (capacity, now))
        level = min(capacity, level + (now - at) / interval)
        # A sender that waits exactly the interval must not lose to the jitter of its own timer.
        if level < 0.95:
            self._buckets[key] = (level, now)
            raise limited(max(1, int(-(-(1.0 - level) * interval // 1))))
        self._buckets[key] = (level - 1.0, now)


def limited(retry_after: int) -> ApiError:
    """The answer 429."""
    return ApiError("ratelimited", status=429, retry_after=retry_after)
