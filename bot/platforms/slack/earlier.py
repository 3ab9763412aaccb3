"""What was said before, where another process may have it: one that was frozen with it holds back nobody's order.

Slack gives each event to one of an app's connections. Whoever gets the second message of a thread asks Slack for those
before it; who was given them, and comes to it later, finds them taken.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import structlog

from bot.errors import SendError
from bot.jobs.pace import Bucket, Pace
from bot.platforms.slack.people import Payload
from bot.platforms.slack.web import Web, call

log = structlog.get_logger()

WITHIN = 1.5  # seconds of the three that Slack waits for an answer
WINDOW = 60.0  # seconds that are looked back at in a direct conversation
THREADS = 10_000  # whose last message is remembered
MINUTE = 40  # calls; Slack allows 50
_MOST = 200


class Earlier:
    """What this process has heard of each conversation, and what it has not."""

    def __init__(self, web: Web, alone: Callable[[], bool], *, pace: float) -> None:
        self._web = web
        self._alone = alone
        self._heard: dict[str, str] = {}
        self._bucket = Bucket(Pace(MINUTE / 60 / pace, MINUTE)) if pace else None

    async def of(self, body: Payload) -> list[Payload]:
        """Return the events of messages said before one that was given to us, and perhaps to nobody who lives.

        Beyond what Slack allows to ask, or without an answer in time, there are none: order is then as it comes.
        """
        event: Payload = body.get("event") or {}
        channel, thread, ts = str(event.get("channel")), str(event.get("thread_ts") or ""), str(event.get("ts") or "")
        direct = event.get("channel_type") in {"im", "mpim"} and not thread
        spoken = event.get("type") in {"message", "app_mention"} and event.get("subtype") in {None, "file_share"}
        if self._alone() or not (spoken and ts and (thread or direct)):
            return []
        since = self._heard.get(f"{channel}:{thread}") or thread or f"{float(ts) - WINDOW:.6f}"
        if self._bucket is not None and self._bucket.delay() > 0:
            return []
        try:
            async with asyncio.timeout(WITHIN):
                found = await self._read(channel, thread, since, ts)
        except (SendError, TimeoutError) as error:
            log.warning("slack_earlier_unread", reason=str(error) or type(error).__name__)
            return []
        found = [message for message in found if str(message.get("ts")) < ts]
        kept = {key: value for key, value in body.items() if key not in {"event", "event_id"}}
        about = {name: event[name] for name in ("channel", "channel_type") if name in event}
        return [{**kept, "event": {**message, "type": "message", **about}} for message in found]

    def heard(self, body: Payload) -> None:
        """Remember that a conversation is kept up to a message."""
        event: Payload = body.get("event") or {}
        if event.get("ts"):
            name = f"{event.get('channel')}:{event.get('thread_ts') or ''}"
            self._heard[name] = max(self._heard.pop(name, ""), str(event["ts"]))
            if len(self._heard) > THREADS:
                del self._heard[next(iter(self._heard))]

    async def _read(self, channel: str, thread: str, since: str, ts: str) -> list[dict[str, Any]]:
        client, where = self._web.client, {"channel": channel, "oldest": since, "latest": ts, "limit": _MOST}
        if thread:
            answer = await call(client.conversations_replies, ts=thread, inclusive=True, **where)
        else:
            answer = await call(client.conversations_history, **where)
        return sorted(answer.get("messages") or [], key=lambda message: float(message["ts"]))
