"""What a test may turn: timings, rate limits, order of events. The defaults are quick; Slack's values stand beside."""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, Self

from .wire import Payload


@dataclass(frozen=True, slots=True)
class Settings:
    """Behaviour of the fake. Every value can be changed while it runs (``await slack.configure(…)``)."""

    ack_timeout: float = 3.0
    """Slack waits 3 seconds for the acknowledgement of anything it sends."""
    retry_delays: tuple[float, ...] = (0.1, 0.2, 0.4)
    """Before each redelivery of an unacknowledged event. Slack: nearly at once, 1 minute, 5 minutes."""
    lost_after: float = 360.0
    """An event that finds no connection for so long is lost; only history still shows it."""
    duplicate_every: int = 0
    """Every Nth acknowledged event is sent once more ("at least once")."""
    mention_order: Literal["message_first", "mention_first", "random"] = "message_first"
    """Order of the two events of one post that mentions the bot; Slack promises none."""
    seed: int = 0
    """For ``random``."""
    own_events: bool = True
    """The bot's own posts and edits come back as events."""
    trigger_lifetime: float = 3.0
    """Seconds in which ``views.open`` may use a trigger id."""
    paced: bool = False
    """Slack's rate limits are on."""
    post_interval: float = 1.0
    """Seconds between posts to one channel when ``paced``."""
    post_burst: int = 1
    """Posts that may come at once to a quiet channel; Slack says "short bursts"."""
    minute: float = 60.0
    """Length of the minute of the per-minute tiers; shorten it in tests."""
    limited_every: int = 0
    """Every Nth Web API call is answered 429, whatever it is."""
    retry_after: int = 1
    """``Retry-After`` of those."""
    connection_interval: float = 0.0
    """Seconds between two ``apps.connections.open`` (Slack: Tier 1, once a minute)."""
    latency: float = 0.0
    """Added to every answer of the Web API."""
    heartbeat: float = 10.0
    """Interval of the server's pings on the socket; 0 is none."""
    approximate_connection_time: int = 18_060
    """What ``hello`` announces, in seconds."""
    max_connections: int = 10
    """Socket Mode connections of one app at a time."""
    clock_offset: float = 0.0
    """Added to the time of every ``ts``."""

    def changed(self, changes: Payload) -> Self:
        """A copy with some values changed; an unknown name is an error that lists the known ones."""
        known = {field.name for field in fields(self)}
        unknown = set(changes) - known
        if unknown:
            message = f"unknown settings {sorted(unknown)}; known: {sorted(known)}"
            raise ValueError(message)
        clean: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in changes.items()
        }
        return replace(self, **clean)

    def to_json(self) -> Payload:
        """All values, for a control client."""
        return asdict(self)
