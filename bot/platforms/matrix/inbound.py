"""Events of a room as inbound values. Everything in an event is foreign: what is not as it should be is no event."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, cast

from bot.message import CROSSING, LONGEST_ID, Address, Attachment, Deletion, Inbound, Message, Reaction, User
from bot.platforms.matrix import plain, reading
from bot.platforms.matrix.options import server_of
from bot.platforms.matrix.reading import MENTION
from bot.platforms.matrix.rooms import Room
from bot.platforms.matrix.signing import at
from bot.platforms.matrix.wire import Json

_FILES = {"m.image", "m.file", "m.audio", "m.video"}
_TEXTS = {"m.text", "m.emote"}
_LATEST = 253_402_300_799  # the last second of the year 9999
_LONGEST_EMOJI = 64
_QUOTED = re.compile(r"> (?:\* )?<@[^>\s]+:[^>\s]+>")  # how clients begin to quote what they reply to
_FALLBACK = re.compile(r"\A(?:>[^\n]*\n)+\n?")


@dataclass(frozen=True, slots=True)
class Seen:
    """A room event whose frame is sound: its names are strings, its content an object."""

    id: str
    type: str
    sender: str
    at: datetime
    content: Json
    raw: Json

    def opened(self, kind: str, content: Json) -> "Seen":
        """Return the event that was encrypted in this one."""
        return replace(self, type=kind, content=content)

    @property
    def state_key(self) -> str | None:
        """The key of a state event, None of any other."""
        key = self.raw.get("state_key")
        return key if isinstance(key, str) else None


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event was said, and what we need to know to understand it."""

    room: Room
    servers: frozenset[str]
    encrypted: bool

    def user(self, user_id: str) -> User:
        """Return the account. Full ids are compared, never names: look-alikes live on other servers."""
        return User("matrix", user_id, insider=server_of(user_id) in self.servers)

    def address(self, thread: str | None = None) -> Address:
        """Return the address of this room, or of a thread in it."""
        return Address("matrix", self.room.id, thread, surface="direct" if self.room.direct else "room")


def seen(event: object) -> Seen | None:
    """Return an event if its frame is sound."""
    parts = [at(event, name) for name in ("event_id", "type", "sender")]
    content, timestamp = at(event, "content"), at(event, "origin_server_ts")
    if not all(isinstance(part, str) and part for part in parts) or not isinstance(content, dict):
        return None
    event_id, kind, sender = cast("list[str]", parts)
    if not is_id(event_id) or not is_id(sender):
        return None
    return Seen(event_id, kind, sender, _instant(timestamp), content, cast("Json", event))


def is_id(value: object) -> bool:
    """Tell whether this can be the id of an event or an account (spec: at most 255 bytes); no database fails at it."""
    return (
        isinstance(value, str)
        and value != ""
        and value.isprintable()
        and len(value.encode(errors="replace")) <= LONGEST_ID
    )


def _instant(milliseconds: object) -> datetime:
    """Return the sender's server's idea of the time: good for order only."""
    if not isinstance(milliseconds, int) or not 0 <= milliseconds <= _LATEST * 1000:
        milliseconds = 0
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def convert(event: Seen, place: Place) -> Inbound | None:
    """Return what was said, taken back or reacted; edits and changes of the room are told elsewhere."""
    match event.type:
        case "m.room.message":
            return _message(event, place)
        case "m.room.redaction":
            target = event.raw.get("redacts") or event.content.get("redacts")
            return Deletion(**_common(event, place), message_id=str(target)) if is_id(target) else None
        case "m.reaction":
            relation = event.content.get("m.relates_to")
            target, emoji = at(relation, "event_id"), at(relation, "key")
            if at(relation, "rel_type") != "m.annotation" or not is_id(target) or not isinstance(emoji, str):
                return None
            return Reaction(**_common(event, place), message_id=str(target), emoji=emoji[:_LONGEST_EMOJI])
        case _:
            return None


def reaction_in_words(message: Message) -> Reaction | None:
    """Return a reply of nothing but 📨 as that reaction: encrypted like any words, it proves whose it is."""
    if message.reply_to is None or message.files or message.text.rstrip("\ufe0f") != CROSSING:
        return None
    said = {name: getattr(message, name) for name in ("id", "at", "author", "to", "encrypted")}
    return Reaction(**said, message_id=message.reply_to, emoji=CROSSING)


def _common(event: Seen, place: Place, thread: str | None = None) -> dict[str, Any]:
    return {
        "id": event.id,
        "at": event.at,
        "author": place.user(event.sender),
        "to": place.address(thread),
        "encrypted": place.encrypted,
    }


def edited(event: Seen) -> str | None:
    """Return the message that this event rewrites (spec: m.replace)."""
    relation = event.content.get("m.relates_to")
    target = at(relation, "event_id")
    return str(target) if at(relation, "rel_type") == "m.replace" and is_id(target) else None


def rewritten(event: Seen, place: Place) -> Message | None:
    """Return the new content of an edit as if it were a message."""
    content = event.content.get("m.new_content")
    if not isinstance(content, dict):
        return None
    bare = {name: part for name, part in content.items() if name != "m.relates_to"}
    return _message(Seen(event.id, event.type, event.sender, event.at, bare, event.raw), place)


def thread_of(content: object) -> str | None:
    """Return the root of the thread that a content belongs to (spec: m.thread)."""
    relation = at(content, "m.relates_to")
    root = at(relation, "event_id")
    return str(root) if at(relation, "rel_type") == "m.thread" and is_id(root) else None


def _message(event: Seen, place: Place) -> Message | None:
    content = event.content
    kind, body = content.get("msgtype"), content.get("body")
    if not isinstance(body, str) or not isinstance(kind, str) or kind not in _TEXTS | _FILES:
        return None
    thread, reply_to = thread_of(content), _reply(content)
    files = _files(content) if kind in _FILES else ()
    if kind in _FILES and not files:
        return None
    text, mentioned = _text(content, body, place.room, is_reply=reply_to is not None)
    if files and content.get("filename", body) == body:
        text = ""  # the body is the file's name; a caption has a `filename` beside it (MSC2530)
    return Message(
        **_common(event, place, thread),
        message_id=event.id,
        text=text,
        reply_to=reply_to,
        mentions_bot=mentioned,
        files=files,
    )


def _reply(content: Json) -> str | None:
    """Return what is replied to: the message named, or the root of a thread that one simply goes on in."""
    relation = content.get("m.relates_to")
    target = at(relation, "m.in_reply_to", "event_id")
    thread = thread_of(content)
    if thread is not None and (at(relation, "is_falling_back") is True or not is_id(target)):
        return thread
    return str(target) if is_id(target) else None


def _text(content: Json, body: str, room: Room, *, is_reply: bool) -> tuple[str, bool]:
    """Return the Markdown of a message, the mention that opens it taken off, and whether the bot is mentioned.

    Clients name the author of what is replied to in `m.mentions` by themselves, so in a reply only the text counts.
    """
    html = content.get("formatted_body")
    if content.get("format") == "org.matrix.custom.html" and isinstance(html, str):
        text = _typed_mention(reading.to_markdown(html, lambda user: user == room.own_id), room, plain.escape)
    else:
        quoted = body.startswith("> ") if is_reply else _QUOTED.match(body) is not None  # an edit is no reply any more
        bare = _FALLBACK.sub("", body) if quoted else body
        marked = _typed_mention(plain.clean(bare).lstrip(), room, lambda name: name)
        first, mark, rest = marked.partition(MENTION)
        text = f"{MENTION}{plain.to_markdown(rest)}" if mark and not first else plain.to_markdown(marked)
    named = at(content, "m.mentions", "user_ids")
    listed = isinstance(named, list) and room.own_id in named and not is_reply
    mentioned = listed or MENTION in text
    text = re.sub(rf"\A{MENTION}[:,]?\s*", "", text.strip())
    return text.replace(MENTION, plain.escape(room.own_name or room.own_id)).strip(), mentioned


def _typed_mention(text: str, room: Room, written: Callable[[str], str]) -> str:
    """Put `MENTION` for the bot's name typed at the start: its full id, `@localpart`, or its display name and a colon.

    A display name decides nothing but this: whether somebody meant to speak to the bot.
    """
    localpart = room.own_id.partition(":")[0]
    names = [rf"{re.escape(written(room.own_id))}(?![\w.-])", rf"{re.escape(written(localpart))}(?![\w:.-])"]
    if room.own_name:
        names.append(rf"@?{re.escape(written(plain.clean(room.own_name)))}\s*[:,](?!\S)")
    found = re.match("|".join(names), text, re.IGNORECASE)
    return MENTION + text[found.end() :] if found else text


def _files(content: Json) -> tuple[Attachment, ...]:
    """Return the file of a message (spec: «Sending encrypted attachments»); its bytes stay where they are."""
    encrypted, address = content.get("file"), content.get("url")
    if isinstance(encrypted, dict) and _is_mxc(encrypted.get("url")):
        address, source = encrypted["url"], json.dumps(encrypted, sort_keys=True)
    elif _is_mxc(address):
        source = cast("str", address)
    else:
        return ()
    name, size, kind = content.get("filename"), at(content, "info", "size"), at(content, "info", "mimetype")
    return (
        Attachment(
            id=str(address)[:LONGEST_ID],
            name=plain.clean(name if isinstance(name, str) and name else str(content["body"])).replace("\n", " "),
            size=size if isinstance(size, int) and size >= 0 else 0,
            media_type=kind if isinstance(kind, str) else "application/octet-stream",
            source=source,
        ),
    )


def _is_mxc(address: object) -> bool:
    return isinstance(address, str) and re.fullmatch(r"mxc://[^/\s]+/[\w-]+", address) is not None
