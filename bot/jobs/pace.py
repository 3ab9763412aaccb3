"""How fast a lane may go."""

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a queue's lanes may go: `rate` jobs a second each, after a burst of `burst`."""

    rate: float
    burst: int = 1


class Bucket:
    """A token bucket over monotonic time."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._tokens = float(pace.burst)
        self._at = time.monotonic()

    def delay(self) -> float:
        """Take a token and return how many seconds to wait before using it."""
        now = time.monotonic()
        self._tokens = min(self._pace.burst, self._tokens + (now - self._at) * self._pace.rate)
        self._at = now
        self._tokens -= 1
        return max(0.0, -self._tokens / self._pace.rate)
