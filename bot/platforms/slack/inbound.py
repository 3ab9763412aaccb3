"""Slack's events as inbound values: pure, and None for everything that nobody asked for."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

from bot.message import (
    Address,
    Attachment,
    Change,
    Deletion,
    Edit,
    Inbound,
    Invocation,
    Message,
    Reaction,
    RoomChange,
    User,
)
from bot.platforms.slack.emoji import emoji
from bot.platforms.slack.options import Identity
from bot.platforms.slack.people import Payload, author_of
from bot.platforms.slack.reading import spoken

HOME = "accueil"

_SPOKEN = {None, "file_share", "thread_broadcast", "me_message"}


@dataclass(frozen=True, slots=True)
class Around:
    """What a conversion must know besides the payload."""

    me: Identity
    now: datetime  # for the few payloads that carry no time
    teams: Mapping[str, str] = field(default_factory=dict[str, str])


def from_event(body: Payload, around: Around) -> Inbound | None:
    """Return an event of the Events API as an inbound value."""
    event: Payload = body.get("event") or {}
    convert = _CONVERTERS.get(str(event.get("type")))
    return convert(body, event, around) if convert else None


def place(channel: str, thread: str | None = None) -> Address:
    """Return the address of a channel or direct conversation."""
    return Address("slack", channel, thread, surface="direct" if channel.startswith("D") else "room")


def message_key(me: Identity, channel: str, ts: str) -> str:
    """Return the receipt's key of a message: the same for `message`, `app_mention`, history and each redelivery."""
    return f"{me.team}:{channel}:{ts}"


def fingerprint(body: Payload) -> str:
    """Return a key for a payload without an id of its own."""
    return hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()[:32]


def instant(ts: object, otherwise: datetime) -> datetime:
    """Return Slack's time stamp as an instant."""
    try:
        return datetime.fromtimestamp(float(str(ts)), UTC)
    except (ValueError, OverflowError, OSError):
        return otherwise


def channel_of(body: Payload) -> str:
    """Return the conversation that a payload belongs to, for its order; its account where there is none."""
    event: Payload = body.get("event") or {}
    container: Payload = body.get("container") or {}
    item: Payload = event.get("item") or {}
    channel = event.get("channel") or item.get("channel") or body.get("channel") or container.get("channel_id")
    if isinstance(channel, Mapping):
        channel = channel.get("id")
    user: object = body.get("user") or event.get("user")
    if isinstance(user, Mapping):
        user = user.get("id")
    return str(channel or body.get("channel_id") or user or body.get("user_id") or "")


def _id(body: Payload) -> str:
    return str(body.get("event_id") or fingerprint(body))


def _author(body: Payload, said: Payload, around: Around) -> User | None:
    """Return the person who said it, None for bots: ourselves first of all."""
    user = said.get("user")
    if not isinstance(user, str) or said.get("bot_id") or user in {around.me.user, "USLACKBOT"}:
        return None
    shared = bool(body.get("is_ext_shared_channel"))
    return author_of(user, said, shared=shared, me=around.me, teams=around.teams)


def _message(body: Payload, event: Payload, around: Around) -> Inbound | None:
    match event.get("subtype"):
        case "message_changed":
            return _changed(body, event, around)
        case "message_deleted":
            return _deleted(body, event, event.get("previous_message") or {}, str(event.get("deleted_ts")), around)
        case subtype if subtype in _SPOKEN:
            return _said(body, event, around)
        case _:
            return None


def _said(body: Payload, event: Payload, around: Around) -> Message | None:
    author = _author(body, event, around)
    channel, ts = str(event.get("channel") or ""), str(event.get("ts") or "")
    if author is None or not channel or not ts:
        return None
    thread = _thread(event)
    words = spoken(event, around.me)
    return Message(
        id=message_key(around.me, channel, ts),
        at=instant(ts, around.now),
        author=author,
        to=place(channel, thread),
        message_id=ts,
        text=words.text,
        reply_to=thread,
        mentions_bot=words.mentions_bot or event.get("type") == "app_mention",
        files=_files(event),
    )


def said(channel: str, message: Payload, around: Around, *, shared: bool) -> Message | None:
    """Return a message of a conversation's history as if it were said now; None when no person said it."""
    if message.get("subtype") not in _SPOKEN:
        return None
    body: Payload = {"is_ext_shared_channel": shared}
    return _said(body, {**message, "type": "message", "channel": channel}, around)


def _thread(message: Payload) -> str | None:
    thread = message.get("thread_ts")
    return str(thread) if thread and thread != message.get("ts") else None


def _files(message: Payload) -> tuple[Attachment, ...]:
    """Return the files of a message that are still there."""
    return tuple(_file(f) for f in message.get("files") or () if f.get("id") and f.get("mode") != "tombstone")


def _file(file: Payload) -> Attachment:
    return Attachment(
        id=str(file["id"]),
        name=str(file.get("name") or file["id"]),
        size=int(file.get("size") or 0),
        media_type=str(file.get("mimetype") or "application/octet-stream"),
        source=str(file["id"]),
    )


def _changed(body: Payload, event: Payload, around: Around) -> Edit | Deletion | None:
    """Tell an edit from what Slack itself changes: link previews, counts of a thread, a root that was deleted."""
    message: Payload = event.get("message") or {}
    previous: Payload = event.get("previous_message") or {}
    ts = str(message.get("ts") or "")
    if message.get("subtype") == "tombstone":
        return _deleted(body, event, previous, ts, around)
    author = _author(body, message, around)
    edited = message.get("edited")
    rewritten = edited and edited != previous.get("edited")
    files = _files(message)
    lost = {file.id for file in _files(previous)} - {file.id for file in files}
    if author is None or not ts or (not rewritten and not lost and message.get("text") == previous.get("text")):
        return None
    return Edit(
        id=_id(body),
        at=instant(event.get("event_ts") or event.get("ts"), around.now),
        author=author,
        to=place(str(event.get("channel") or ""), _thread(message)),
        message_id=ts,
        text=spoken(message, around.me).text,
        files=files,
    )


def _deleted(body: Payload, event: Payload, previous: Payload, ts: str, around: Around) -> Deletion | None:
    author = _author(body, previous, around)
    if author is None:
        return None
    return Deletion(
        id=_id(body),
        at=instant(event.get("event_ts") or event.get("ts"), around.now),
        author=author,
        to=place(str(event.get("channel") or ""), _thread(previous)),
        message_id=ts,
    )


def _reaction(body: Payload, event: Payload, around: Around) -> Reaction | None:
    item: Payload = event.get("item") or {}
    author = _author(body, event, around)
    if author is None or item.get("type") != "message":
        return None
    return Reaction(
        id=_id(body),
        at=instant(event.get("event_ts"), around.now),
        author=author,
        to=place(str(item.get("channel") or "")),
        message_id=str(item.get("ts") or ""),
        emoji=emoji(str(event.get("reaction") or "")),
    )


def _home_opened(body: Payload, event: Payload, around: Around) -> Invocation | None:
    author = _author(body, event, around)
    if author is None or event.get("tab", "home") != "home":
        return None
    return Invocation(
        id=_id(body),
        at=instant(event.get("event_ts"), around.now),
        author=author,
        to=Address("slack", author.id, surface="home"),
        command=HOME,
    )


def _joined(body: Payload, event: Payload, around: Around) -> RoomChange | None:
    """The bot was brought into a channel; whoever invited it did that."""
    if event.get("user") != around.me.user:
        return None
    inviter = event.get("inviter")
    said: Payload = {"user": inviter, "team": event.get("team")} if inviter else {}
    return _room_change("joined", body, event, around, _author(body, said, around))


def _removed(body: Payload, event: Payload, around: Around) -> RoomChange | None:
    if event.get("type") == "member_left_channel" and event.get("user") != around.me.user:
        return None
    return _room_change("removed", body, event, around, _author(body, {"user": event.get("actor_id")}, around))


def _archived(body: Payload, event: Payload, around: Around) -> RoomChange | None:
    return _room_change("archived", body, event, around, _author(body, event, around))


def _replaced(body: Payload, event: Payload, around: Around) -> RoomChange | None:
    """A channel got another id, as when it becomes shared."""
    moved = {**event, "channel": event.get("old_channel_id")}
    return _room_change("upgraded", body, moved, around, None, str(event.get("new_channel_id") or ""))


def _room_change(
    change: Change, body: Payload, event: Payload, around: Around, author: User | None, successor: str | None = None
) -> RoomChange | None:
    channel = event.get("channel")
    if not isinstance(channel, str) or not channel:
        return None
    return RoomChange(
        id=_id(body),
        at=instant(event.get("event_ts"), around.now),
        author=author or User("slack", around.me.user, insider=True, bot=True),
        to=place(channel),
        change=change,
        successor=successor,
    )


_Convert: TypeAlias = Callable[[Payload, Mapping[str, Any], Around], Inbound | None]

_CONVERTERS: dict[str, _Convert] = {
    "message": _message,
    "app_mention": _said,
    "reaction_added": _reaction,
    "app_home_opened": _home_opened,
    "member_joined_channel": _joined,
    "member_left_channel": _removed,
    "channel_left": _removed,
    "group_left": _removed,
    "channel_deleted": _removed,
    "group_deleted": _removed,
    "channel_archive": _archived,
    "group_archive": _archived,
    "channel_id_changed": _replaced,
}
