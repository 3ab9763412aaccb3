"""The way in: a payload is committed, and only then is Slack answered."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias
from weakref import WeakValueDictionary

import structlog

from bot.card import Card, Errors, Form, Reply
from bot.clock import Clock
from bot.errors import Refused, SendError, Unavailable, in_short
from bot.message import CROSSING, Inbound, Invocation, Message, Reaction, RoomChange
from bot.platforms import Receive
from bot.platforms.slack.answers import Answer
from bot.platforms.slack.earlier import Earlier
from bot.platforms.slack.inbound import Around, channel_of, from_event, said
from bot.platforms.slack.interactions import from_interaction
from bot.platforms.slack.lanes import ON_ITS_WAY, Lane
from bot.platforms.slack.mailboxes import Mailboxes
from bot.platforms.slack.options import Identity, SlackOptions
from bot.platforms.slack.people import DirectRooms, Payload, unknown_author
from bot.platforms.slack.views import form_view, home_view, refusal
from bot.platforms.slack.web import Web, call

WaitedFor: TypeAlias = Callable[[str], Awaitable[None]]
"""Wait a moment for a channel's missed messages."""

Passed: TypeAlias = Callable[[str], bool]
"""Say whether a channel's missed messages are all kept."""

LeftToHistory: TypeAlias = Callable[[str, str], bool]
"""Say whether something said in a thread of a channel is left to the channel's history, which is still being read."""


@dataclass(frozen=True, slots=True)
class Before:
    """What a payload must come after: what was missed while nobody listened, and what another process was given."""

    waited_for: WaitedFor
    passed: Passed
    left_to_history: LeftToHistory
    dropped: Callable[[], None]
    earlier: Earlier


log = structlog.get_logger()

_SPOKEN = {"message", "app_mention"}
_NAMED_WITHIN = 2.0  # seconds of the three that Slack waits for an answer


class Gateway:
    """Takes payloads of one workspace and hands them to `receive`, in order within each conversation."""

    def __init__(
        self,
        options: SlackOptions,
        web: Web,
        direct: DirectRooms,
        clock: Clock,
        before: "Before",
    ) -> None:
        self._web = web
        self._direct = direct
        self._clock = clock
        self._before = before
        self._settle = ON_ITS_WAY * options.pace
        self._me: Identity | None = None
        self._receive: Receive | None = None
        self._lanes: WeakValueDictionary[str, Lane] = WeakValueDictionary()
        self._teams: dict[str, str] = {}
        self._mailboxes = Mailboxes(web, options.trust_email)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def ready(self) -> bool:
        """May payloads be taken?"""
        return self._receive is not None

    @property
    def me(self) -> Identity:
        """The bot's own account, as far as it is known."""
        return self._me or Identity("", "", "")

    def open(self, me: Identity, receive: Receive) -> None:
        """Begin to take payloads."""
        self._me = me
        self._receive = receive

    def close(self) -> None:
        """Take no more payloads, and forget answers that are under way."""
        self._receive = None
        self._mailboxes.close()
        for task in self._tasks:
            task.cancel()

    async def take(self, body: dict[str, Any]) -> Answer:
        """Take a payload that demonstrably comes from Slack; status 200 means that it is kept."""
        try:
            return await self._deliver(body)
        except Exception as error:  # told by its place: its message may hold what somebody said
            log.error("slack_payload_failed", reason=in_short(error))
            return Answer(500)

    def lane(self, channel: str) -> Lane:
        """Return what keeps the payloads of one channel in the order in which they were said."""
        return self._lanes.setdefault(channel, Lane())

    async def convert(self, body: Payload) -> Inbound | None:
        """Return a payload as an inbound value, with what of its author must be looked up."""
        if self._me is None:
            return None
        user = unknown_author(body)
        if user is not None and user not in self._teams:
            await self._look_up(user)
        around = Around(self._me, self._clock(), self._teams)
        if "event" in body:
            inbound: Inbound | None = await self._pointed(from_event(body, around), body, around)
        else:
            invocation = from_interaction(body, around)
            inbound = await self._placed(invocation) if invocation is not None else None
        if inbound is None or inbound.author.bot or not inbound.author.insider:
            return inbound
        email = await self._mailboxes.of(inbound.author.id, self._me.team)
        return inbound if email is None else replace(inbound, author=replace(inbound.author, email=email))

    async def _pointed(self, inbound: Inbound | None, body: Payload, around: Around) -> Inbound | None:
        """Give a reaction that lets a message cross that message as it now stands.

        Raises Unavailable when Slack does not show it in time: it sends the event again.
        """
        if not isinstance(inbound, Reaction) or not inbound.emoji.startswith(CROSSING):
            return inbound
        ts = inbound.message_id
        asked = {"channel": inbound.to.room, "ts": ts, "oldest": ts, "latest": ts, "inclusive": True, "limit": 2}
        try:
            async with asyncio.timeout(_NAMED_WITHIN):
                answer = await call(self._web.client.conversations_replies, **asked)
        except Refused:
            return inbound
        except (SendError, TimeoutError) as error:
            raise Unavailable(f"the message is not shown: {error}") from error
        found = next((m for m in answer.get("messages") or () if m.get("ts") == ts), None)
        shared = bool(body.get("is_ext_shared_channel"))
        return inbound if found is None else replace(inbound, on=said(inbound.to.room, found, around, shared=shared))

    async def _placed(self, asked: Invocation) -> Invocation:
        """Give what is said outside of any conversation, from the Home say, the direct one: its replies come there.

        Raises Unavailable when Slack does not name it in time: the person is told so, and tries again.
        """
        try:
            async with asyncio.timeout(_NAMED_WITHIN):
                room = await self._direct.room_with(asked.to.room)
        except (SendError, TimeoutError) as error:
            raise Unavailable(f"the direct conversation is not known: {error}") from error
        return replace(asked, to=replace(asked.to, room=room))

    async def commit(self, inbound: Inbound) -> Reply:
        """Have one inbound value kept; raises when it was not."""
        if self._receive is None:
            raise Unavailable("Slack is being closed")
        return await self._receive(inbound)

    async def _deliver(self, body: dict[str, Any]) -> Answer:
        """Answer a payload of any kind: kept, or of no interest to us."""
        channel = channel_of(body)
        event: Payload | None = body.get("event")
        if event is not None:
            await self._before.waited_for(channel)
        async with self.lane(channel).turn(self._said_at(event or {}), settle=self._settle if _follows(event) else 0.0):
            # Asked here, for what stood before it in the lane may just have been refused.
            caught_up = event is None or self._before.passed(channel)
            if not (caught_up or event is None or _begins(event)) and self._before.left_to_history(
                channel, str(event.get("thread_ts") or "")
            ):
                return Answer(503)
            try:
                for missed in await self._before.earlier.of(body):
                    if (said_before := await self.convert(missed)) is not None:
                        await self.commit(said_before)
                inbound = await self.convert(body)
                if inbound is None:
                    return Answer(200)
                reply = await self.commit(_with_cursor(inbound) if caught_up else inbound)
                self._before.earlier.heard(body)
            except Unavailable as error:
                log.warning("slack_payload_not_kept", reason=in_short(error))
                if event is not None:  # Slack offers it again, but not for long: then its history must be read
                    self._before.dropped()
                return Answer(503)
        return self._answer(reply, inbound, body)

    def _said_at(self, event: Payload) -> float:
        """Return when something happened; an interaction carries no time of its own, it happens now."""
        try:
            return float(event.get("event_ts") or event.get("ts") or "")
        except ValueError:
            return self._clock().timestamp()

    def _answer(self, reply: Reply, inbound: Inbound, body: Mapping[str, Any]) -> Answer:
        submitted = body.get("type") == "view_submission"
        match reply:
            case Errors() if submitted:
                return Answer(200, refusal(reply, body.get("view") or {}))
            case Form() if submitted and isinstance(inbound, Invocation):
                return Answer(200, {"response_action": "update", "view": form_view(reply, inbound)})
            case Form() if isinstance(inbound, Invocation) and inbound.trigger:
                self._soon(self._open(reply, inbound, inbound.trigger))
            case Card() if inbound.to.surface == "home":
                self._soon(self._publish(reply, inbound.author.id))
            case None:
                pass
            case _:
                log.warning("slack_reply_has_no_place", reply=type(reply).__name__, inbound=type(inbound).__name__)
        return Answer(200)

    def _soon(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _open(self, form: Form, asked: Invocation, trigger: str) -> None:
        try:
            await call(self._web.client.views_open, trigger_id=trigger, view=form_view(form, asked))
        except SendError as error:
            log.warning("slack_form_not_opened", command=form.command, reason=str(error))

    async def _publish(self, card: Card, user: str) -> None:
        try:
            await call(self._web.client.views_publish, user_id=user, view=home_view(card))
        except SendError as error:
            log.warning("slack_home_not_drawn", reason=str(error))

    async def _look_up(self, user: str) -> None:
        """Ask for an account's workspace; without an answer it stays a stranger, and is asked for again."""
        try:
            answer = await call(self._web.client.users_info, user=user)
        except SendError as error:
            log.warning("slack_account_unknown", reason=str(error))
            return
        found: Payload = answer.get("user") or {}
        self._teams[user] = "" if found.get("is_stranger") else str(found.get("team_id") or "")


def _follows(event: Payload | None) -> bool:
    """Tell whether an event may come after something said in the same conversation."""
    return event is not None and event.get("type") in _SPOKEN | {"reaction_added"} and not _begins(event)


def _begins(event: Payload) -> bool:
    """Tell whether a message begins a conversation of its own: it need not come after those that were missed."""
    spoken = event.get("type") in _SPOKEN and not event.get("subtype")
    return spoken and not event.get("thread_ts") and event.get("channel_type") not in {"im", "mpim"}


def _with_cursor(inbound: Inbound) -> Inbound:
    """Say up to where a conversation has been heard, so that the next start knows from where to read on."""
    match inbound:
        case Message():
            return replace(inbound, cursor=(cursor_name(inbound.to.room), inbound.message_id))
        case RoomChange(change="joined"):
            return replace(inbound, cursor=(cursor_name(inbound.to.room), f"{inbound.at.timestamp():.6f}"))
        case _:
            return inbound


def cursor_name(channel: str) -> str:
    """Return the name under which the last `ts` of a conversation is remembered."""
    return f"ts:{channel}"
