"""What was said while nobody listened: the history of our conversations, from the last message that was kept.

Slack repeats events for about six minutes only. At start and after each gap the channels and the live threads are
read again with a minute of overlap; the receipts of the core tell what is known already.
"""

import asyncio
import contextlib
from collections import defaultdict, deque
from collections.abc import Mapping
from typing import Any

import structlog

from bot.clock import Clock
from bot.errors import NotSent, SendError, Unavailable, in_short
from bot.platforms import Live, Memory
from bot.platforms.slack.gateway import Gateway, cursor_name
from bot.platforms.slack.options import Identity
from bot.platforms.slack.web import Call, Web, call

SINCE = "since"  # the first start ever: nothing older is read, in any channel

_TYPES = "public_channel,private_channel,mpim,im"
_OVERLAP = 60.0
_PATIENCE = 2.5
_AT_ONCE = 4
_PAGE = 200
_CALLS = 40  # a minute and method; Slack allows 50
_LONGEST_PAUSE = 60.0
_SHORTEST_PAUSE = 0.1
_DATABASE_AWAY = 1.0  # seconds until it is looked for again
_REDELIVERED = 420.0  # by then Slack has given up sending an event again
_JOINED = {"channel_join", "group_join"}

log = structlog.get_logger()


class Backfill:
    """Reads again what may have been missed, channel by channel, while new payloads come in."""

    def __init__(
        self, web: Web, gateway: Gateway, memory: Memory, live: Live, clock: Clock, *, pace: float = 1.0
    ) -> None:
        self._web = web
        self._gateway = gateway
        self._memory = memory
        self._live = live
        self._clock = clock
        self._pace = pace
        self._behind: dict[str, asyncio.Event] | None = None  # None: nothing is missing
        self._hopeful = True  # it is worth to let a payload wait for what came before it
        self._refused: defaultdict[str, set[str]] = defaultdict(set)  # threads left to the history, by channel
        self._task: asyncio.Task[None] | None = None
        self._calls: defaultdict[str, deque[float]] = defaultdict(deque)

    def begin(self, me: Identity) -> None:
        """There was a gap that ends now: from here on payloads wait for what came before them."""
        before, self._behind = self._behind, {}
        for event in (before or {}).values():
            event.set()
        if self._task is None or self._task.done():
            self._hopeful = True
            self._task = asyncio.create_task(self._run(me))

    async def stop(self) -> None:
        """Leave off; the cursors stay where they were."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def waited_for(self, channel: str) -> None:
        """Wait a moment for what a channel missed."""
        behind = self._behind
        if behind is not None and not _has_passed(behind, channel):
            event = behind.setdefault(channel, asyncio.Event())
            # Slack waits three seconds for its answer.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE if self._hopeful else 0):  # wait_for may swallow a cancellation
                    await event.wait()

    def passed(self, channel: str) -> bool:
        """Say whether all that a channel missed is kept."""
        return self._behind is None or _has_passed(self._behind, channel)

    def left_to_history(self, channel: str, thread: str) -> bool:
        """Say whether what was said, in a thread or outside of any, is left to its channel's history.

        True promises that this history is read once more before the channel passes.
        """
        if self.passed(channel) or not self._hopeful:
            return False
        self._refused[channel] |= {thread} - {""}
        return True

    async def _run(self, me: Identity) -> None:
        pause = 0.5
        while self._behind is not None:
            behind = self._behind
            try:
                await self._walk(me, behind)
            except Unavailable:  # nothing else can be kept either: what comes meanwhile still waits for what was missed
                await asyncio.sleep(max(_SHORTEST_PAUSE, _DATABASE_AWAY * self._pace))
                continue
            except Exception as error:
                log.warning("slack_history_unread", reason=in_short(error))
                self._hopeful = False
                pause = min(pause * 2, _LONGEST_PAUSE)
                await asyncio.sleep(max(_SHORTEST_PAUSE, pause * self._pace))
                continue
            self._hopeful = True
            if self._refused:
                continue
            if self._behind is behind:
                self._behind = None
            for event in behind.values():
                event.set()

    async def _walk(self, me: Identity, behind: dict[str, asyncio.Event]) -> None:
        since = await self._memory.get(SINCE)
        listed = await self._read(
            self._web.client.users_conversations, "channels", types=_TYPES, exclude_archived=True, limit=_PAGE
        )
        channels = {str(c["id"]): c for c in listed}
        if since is None:
            now = self._now()
            await self._memory.set({SINCE: now, **{cursor_name(channel): now for channel in channels}})
            return
        threads: defaultdict[str, set[str]] = defaultdict(set)
        for address in await self._live():
            if address.thread:
                threads[address.room].add(address.thread)
        for channel in threads:
            channels.setdefault(channel, {"id": channel})
        waiting = dict.fromkeys(c for c in (*channels, *self._refused) if not _has_passed(behind, c))

        async def walk() -> None:
            while waiting:
                # Where somebody speaks is read first.
                name = next((c for c in behind if c in waiting), None) or next(iter(waiting))
                del waiting[name]
                await self._to_its_end(me, channels.get(name) or {"id": name}, since, threads[name])
                behind.setdefault(name, asyncio.Event()).set()

        results = await asyncio.gather(*(walk() for _ in range(_AT_ONCE)), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _to_its_end(self, me: Identity, channel: Mapping[str, Any], since: str, threads: set[str]) -> None:
        """Read a channel until nothing was left to its history while it was read."""
        name = str(channel["id"])
        left = threads | self._refused.pop(name, set())
        while True:
            try:
                await self._catch_up(me, channel, since, left)
            except BaseException:
                self._refused[name] |= left
                raise
            if name not in self._refused:
                return
            left = self._refused.pop(name)

    async def _catch_up(self, me: Identity, channel: Mapping[str, Any], since: str, threads: set[str]) -> None:
        name = str(channel["id"])
        cursor = await self._memory.get(cursor_name(name))
        try:
            missed = await self._missed(name, cursor or since, threads)
        except SendError as error:
            if isinstance(error, NotSent) or not getattr(error, "gone", False):
                raise
            log.info("slack_history_closed", channel=name, reason=str(error))
            return
        # What was said before the bot was brought in is none of its business.
        joined = next((m for m in reversed(missed) if _is_join(m, me)), None)
        missed = [m for m in missed if joined is None or float(m["ts"]) > float(joined["ts"])]
        new = cursor is None and not (channel.get("is_im") or channel.get("is_mpim"))
        if new and joined is None:  # nothing tells since when it is ours: no more than Slack itself would offer again
            missed = [m for m in missed if float(m["ts"]) > float(self._now()) - _REDELIVERED]
        reached = cursor or (str(joined["ts"]) if joined else self._now() if new else since)
        shared = bool(channel.get("is_ext_shared"))
        bodies = [{"event": {**message, "type": "message", "channel": name}} for message in missed]
        if new and joined is not None and float(self._now()) - float(joined["ts"]) > _REDELIVERED:
            bodies.insert(0, _join_event(joined, name, me))
        for body in bodies:
            said_at = float(body["event"].get("event_ts") or body["event"]["ts"])
            async with self._gateway.lane(name).turn(said_at):  # each its own: no click waits for a long history
                await self._feed({**body, "is_ext_shared_channel": shared})
        newest = max([reached, *(str(m["ts"]) for m in missed)], key=float)
        await self._memory.set({cursor_name(name): newest})

    def _now(self) -> str:
        return f"{self._clock().timestamp():.6f}"

    async def _missed(self, channel: str, cursor: str, threads: set[str]) -> list[dict[str, Any]]:
        """Return the messages after a cursor in order, those of live threads and of threads begun since among them."""
        oldest = f"{max(0.0, float(cursor) - _OVERLAP):.6f}"
        client = self._web.client
        found = await self._read(client.conversations_history, "messages", channel=channel, oldest=oldest, limit=_PAGE)
        roots = {str(m["ts"]) for m in found if m.get("reply_count")} | threads
        for root in sorted(roots):
            try:
                found += await self._read(
                    client.conversations_replies, "messages", channel=channel, ts=root, oldest=oldest, limit=_PAGE
                )
            except SendError as error:
                if not str(error).startswith("thread_not_found"):
                    raise
        fresh = {str(m["ts"]): m for m in found if float(m["ts"]) > float(oldest)}
        return [fresh[ts] for ts in sorted(fresh, key=float)]

    async def _feed(self, body: Mapping[str, Any]) -> None:
        try:
            inbound = await self._gateway.convert(body)
        except Exception as error:  # one message that nobody understands must not hide those after it
            log.error("slack_message_unreadable", reason=in_short(error))
            return
        if inbound is not None:
            await self._gateway.commit(inbound)

    async def _read(self, method: Call, key: str, **arguments: Any) -> list[dict[str, Any]]:
        """Read a list to its end, at the pace that Slack allows."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            await self._turn(getattr(method, "__name__", ""))
            try:
                answer = await call(method, **arguments, **({"cursor": cursor} if cursor else {}))
            except NotSent as limited:
                if limited.retry_after is None:
                    raise
                await asyncio.sleep(limited.retry_after)
                continue
            found += answer.get(key) or []
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return found

    async def _turn(self, method: str) -> None:
        """Wait until one more call of a method fits into its minute."""
        calls, loop, minute = self._calls[method], asyncio.get_running_loop(), 60.0 * self._pace
        while True:
            while calls and loop.time() - calls[0] >= minute:
                calls.popleft()
            if len(calls) < _CALLS:
                calls.append(loop.time())
                return
            await asyncio.sleep(minute - (loop.time() - calls[0]))


def _is_join(message: Mapping[str, Any], me: Identity) -> bool:
    return message.get("subtype") in _JOINED and message.get("user") == me.user


def _join_event(message: Mapping[str, Any], channel: str, me: Identity) -> dict[str, Any]:
    """Return the event that Slack would have sent when the bot was brought in."""
    event = {"type": "member_joined_channel", "user": me.user, "channel": channel, "event_ts": message["ts"]}
    if message.get("inviter"):
        event["inviter"] = message["inviter"]
    return {"event": event, "event_id": f"{me.team}:{channel}:joined:{message['ts']}"}


def _has_passed(behind: Mapping[str, asyncio.Event], channel: str) -> bool:
    """Tell whether a walk has read all that a channel missed."""
    return channel in behind and behind[channel].is_set()
