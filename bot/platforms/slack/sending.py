"""What the bot says on Slack: posted once, found again instead of posted twice, edited and taken back."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from bot.card import Card
from bot.errors import NotSent, OutcomeUnknown, Refused
from bot.message import Address
from bot.platforms.slack.blocks import BlockDict, blocks_of, fallback
from bot.platforms.slack.options import Identity
from bot.platforms.slack.people import DirectRooms
from bot.platforms.slack.web import Web, call, pages

EVENT_TYPE = "passerelle"

_PAGES = 10
_PAGE = 200
_LONGEST_WAIT = 30.0


class Sender:
    """Puts cards where they belong. `identity` is asked for when the bot must recognise its own messages."""

    def __init__(self, web: Web, direct: DirectRooms, identity: Callable[[], Awaitable[Identity]]) -> None:
        self._web = web
        self._direct = direct
        self._identity = identity

    async def send(self, to: Address, card: Card, *, key: str, again: bool) -> str:
        """Post a card and return its `ts`; empty where Slack gives none to come back to."""
        if to.audience is not None and to.surface == "room":
            return await self._whisper(to, card, to.audience.id, again=again)
        channel = await self._direct.room_with(to.room)
        if again and (found := await self._found(channel, to.thread, key)):
            return found
        answer = await call(
            self._web.client.chat_postMessage,
            channel=channel,
            thread_ts=to.thread,
            **_body(card),
            unfurl_links=False,
            unfurl_media=False,
            link_names=False,
            metadata={"event_type": EVENT_TYPE, "event_payload": {"key": key}},
        )
        return str(answer["ts"])

    async def edit(self, to: Address, message_id: str, card: Card) -> None:
        """Rewrite a message; what only one person saw cannot be rewritten."""
        if message_id and not (to.audience is not None and to.surface == "room"):
            channel = await self._direct.room_with(to.room)
            await call(self._web.client.chat_update, channel=channel, ts=message_id, **_body(card), link_names=False)

    async def delete(self, to: Address, message_id: str) -> None:
        """Take a message back; one that is gone already is fine."""
        if not message_id:
            return
        try:
            channel = await self._direct.room_with(to.room)
            await call(self._web.client.chat_delete, channel=channel, ts=message_id)
        except Refused as refused:
            if not str(refused).startswith("message_not_found"):
                raise

    async def _whisper(self, to: Address, card: Card, user: str, *, again: bool) -> str:
        if again:
            # Nothing tells whether it was seen: what is for one person alone is said at most once.
            return ""
        answer = await call(
            self._web.client.chat_postEphemeral,
            channel=to.room,
            user=user,
            thread_ts=to.thread,
            **_body(card),
            link_names=False,
        )
        return str(answer.get("message_ts") or "")

    async def _found(self, channel: str, thread: str | None, key: str) -> str | None:
        """Look for a message that an earlier try may have posted; the outcome stays unknown when one cannot look."""
        me = await self._identity()
        try:
            return await self._look(channel, thread, key, me)
        except NotSent as limited:
            if limited.retry_after is None:
                raise OutcomeUnknown(str(limited)) from limited
            await asyncio.sleep(min(limited.retry_after, _LONGEST_WAIT))
        try:
            return await self._look(channel, thread, key, me)
        except NotSent as limited:
            raise OutcomeUnknown(str(limited)) from limited

    async def _look(self, channel: str, thread: str | None, key: str, me: Identity) -> str | None:
        client = self._web.client
        method: Any = client.conversations_replies if thread else client.conversations_history
        where = {"channel": channel, "limit": _PAGE, "include_all_metadata": True, **({"ts": thread} if thread else {})}
        count = 0
        async for page in pages(method, "messages", **where):
            for message in page:
                if message.get("bot_id") == me.bot and _key(message) == key:
                    return str(message["ts"])
            count += 1
            if count == _PAGES and not thread:  # history comes newest first; a thread must be read to its end
                break
        return None


def _key(message: BlockDict) -> str | None:
    metadata = message.get("metadata") or {}
    return (metadata.get("event_payload") or {}).get("key") if metadata.get("event_type") == EVENT_TYPE else None


def _body(card: Card) -> dict[str, Any]:
    return {"text": fallback(card), "blocks": blocks_of(card)}
