"""``conversations.*`` and ``users.*``: what the bot may know about conversations and people.

History shows newest first, a page at a time; metadata only with ``include_all_metadata``.
"""

import base64
from collections.abc import Callable
from typing import TypeVar

from .core import Core
from .methods import method
from .wire import ApiError, Args, Payload
from .workspace import Channel, Message

T = TypeVar("T")
READ = "channels:read groups:read im:read mpim:read"
HISTORY = "channels:history groups:history im:history mpim:history"
PAGE = 100
PAGE_LIMIT = 999
SCOPE_OF = {"channel": "channels", "group": "groups", "im": "im", "mpim": "mpim"}
TYPE_OF = {"channel": "public_channel", "group": "private_channel", "im": "im", "mpim": "mpim"}


def channel_object(core: Core, channel: Channel) -> Payload:
    """The conversation object."""
    made: Payload = {
        "id": channel.id,
        "created": channel.created,
        "is_channel": channel.kind == "channel",
        "is_group": channel.kind == "group",
        "is_im": channel.kind == "im",
        "is_mpim": channel.kind == "mpim",
        "is_private": channel.kind != "channel",
        "is_archived": channel.archived,
        "is_shared": channel.shared,
        "is_ext_shared": channel.shared,
        "is_org_shared": False,
        "context_team_id": core.workspace.team,
        "shared_team_ids": channel.teams,
    }
    if channel.kind == "im":
        return made | {"user": channel.name, "is_user_deleted": False, "priority": 0}
    purpose: Payload = {"value": "", "creator": "", "last_set": 0}
    return made | {
        "name": channel.name,
        "name_normalized": channel.name,
        "is_general": False,
        "is_member": core.workspace.bot.id in channel.members,
        "creator": channel.creator,
        "topic": purpose,
        "purpose": dict(purpose),
        "num_members": len(channel.members),
    }


def readable(core: Core, name: str, family: str) -> Channel:
    """A conversation the bot knows of, with the scope for its kind."""
    channel = core.workspace.visible(name)
    scope = f"{SCOPE_OF[channel.kind]}:{family}"
    if scope not in core.scopes:
        raise ApiError("missing_scope", needed=scope, provided=",".join(sorted(core.scopes)))
    return channel


def page(items: list[T], args: Args, default: int = PAGE) -> tuple[list[T], Payload]:
    """One page of a list, and the cursor of the next."""
    size = args.number("limit", default)
    if not 1 <= size <= 1000:
        raise ApiError("invalid_limit")
    start = int(decoded(args.text("cursor"), "next:")) if args.text("cursor") else 0
    end = start + min(size, PAGE_LIMIT)
    following = base64.b64encode(f"next:{end}".encode()).decode() if end < len(items) else ""
    return items[start:end], {"response_metadata": {"next_cursor": following}}


def stretch(messages: list[Message], args: Args, beyond: Callable[[str, str], bool]) -> tuple[list[Message], Payload]:
    """One page of messages; the cursor names the next ``ts``, so that what arrives meanwhile shifts nothing."""
    size = args.number("limit", PAGE)
    if not 1 <= size <= 1000:
        raise ApiError("invalid_limit")
    if cursor := args.text("cursor"):
        start = decoded(cursor, "next_ts:")
        messages = [each for each in messages if beyond(each.ts, start)]
    size = min(size, PAGE_LIMIT)
    if len(messages) <= size:
        return messages, {}
    following = base64.b64encode(f"next_ts:{messages[size].ts}".encode()).decode()
    return messages[:size], {"response_metadata": {"next_cursor": following}}


def decoded(cursor: str, prefix: str) -> str:
    """What a cursor of ours says, or ``invalid_cursor``."""
    try:
        text = base64.b64decode(cursor, validate=True).decode()
    except ValueError:
        text = ""
    if not text.startswith(prefix):
        raise ApiError("invalid_cursor")
    return text.removeprefix(prefix)


def between(messages: list[Message], args: Args) -> list[Message]:
    """Messages after ``oldest`` and before ``latest``; the ends belong to it with ``inclusive``."""
    oldest, latest, inclusive = args.text("oldest"), args.text("latest"), args.flag("inclusive")

    def inside(ts: str) -> bool:
        at = float(ts)
        after = not oldest or at > float(oldest) or (inclusive and ts == oldest)
        before = not latest or at < float(latest) or (inclusive and ts == latest)
        return after and before

    try:
        return [message for message in messages if inside(message.ts)]
    except ValueError:
        raise ApiError("invalid_ts_latest") from None


def shown(message: Message, args: Args) -> Payload:
    """A message in history; a deleted root with replies is a tombstone."""
    if message.deleted:
        tomb: Payload = {
            "type": "message",
            "subtype": "tombstone",
            "text": "This message was deleted.",
            "user": "USLACKBOT",
            "hidden": True,
        }
        kept = ("ts", "thread_ts", "reply_count", "reply_users", "reply_users_count", "latest_reply")
        return tomb | {name: message.body[name] for name in kept if name in message.body}
    return message.to_slack(metadata=args.flag("include_all_metadata"))


_RANGE = "cursor inclusive include_all_metadata latest limit oldest"


@method("conversations.history", required="channel", optional=_RANGE, scopes=HISTORY)
def history(core: Core, args: Args) -> Payload:
    """What was said in the channel itself, newest first; only as a member."""
    channel = readable(core, args.text("channel"), "history")
    if core.workspace.bot.id not in channel.members:
        raise ApiError("not_in_channel")
    found = between([channel.messages[ts] for ts in channel.timeline], args)
    found.reverse()
    messages, more = stretch(found, args, lambda ts, cursor: ts <= cursor)
    return {"messages": [shown(each, args) for each in messages], "has_more": bool(more), "pin_count": 0} | more


@method("conversations.replies", required="channel ts", optional=_RANGE, scopes=HISTORY)
def replies(core: Core, args: Args) -> Payload:
    """A thread: its root, then the replies in order."""
    channel = readable(core, args.text("channel"), "history")
    if core.workspace.bot.id not in channel.members:
        raise ApiError("not_in_channel")
    root = channel.messages.get(args.text("ts"))
    if root is None or root.ephemeral_to or (root.deleted and not root.replies):
        raise ApiError("thread_not_found")
    following = between([channel.messages[ts] for ts in root.replies], args)
    messages, more = stretch([root, *following], args, lambda ts, cursor: ts >= cursor)
    return {"messages": [shown(each, args) for each in messages], "has_more": bool(more)} | more


@method("conversations.info", required="channel", optional="include_locale include_num_members", scopes=READ)
def info(core: Core, args: Args) -> Payload:
    """One conversation."""
    return {"channel": channel_object(core, readable(core, args.text("channel"), "read"))}


@method("conversations.list", optional="cursor exclude_archived limit types", scopes=READ, per_minute=20)
def list_channels(core: Core, args: Args) -> Payload:
    """The conversations the bot may know of."""
    bot = core.workspace.bot.id
    known = [each for each in core.workspace.channels.values() if each.kind == "channel" or bot in each.members]
    found, more = page(_of_types(known, args), args)
    return {"channels": [channel_object(core, each) for each in found], **more}


@method("users.conversations", optional="cursor exclude_archived limit types user", scopes=READ)
def users_conversations(core: Core, args: Args) -> Payload:
    """The conversations somebody (by default the bot) is a member of, as far as the bot may know."""
    bot = core.workspace.bot.id
    user = args.text("user", bot)
    known = [
        each
        for each in core.workspace.channels.values()
        if user in each.members and (each.kind == "channel" or bot in each.members)
    ]
    found, more = page(_of_types(known, args), args)
    return {"channels": [channel_object(core, each) for each in found], **more}


def _of_types(channels: list[Channel], args: Args) -> list[Channel]:
    types = set(args.words("types") or ["public_channel"])
    if types - set(TYPE_OF.values()):
        raise ApiError("invalid_types")
    archived = not args.flag("exclude_archived")
    return [each for each in channels if TYPE_OF[each.kind] in types and (archived or not each.archived)]


@method("conversations.members", required="channel", optional="cursor limit", scopes=READ, per_minute=100)
def members(core: Core, args: Args) -> Payload:
    """Who is in a conversation."""
    channel = readable(core, args.text("channel"), "read")
    found, more = page(sorted(channel.members), args)
    return {"members": found, **more}


def join(core: Core, channel: Channel, user: str, inviter: str = "") -> None:
    """Somebody becomes a member: a line in the channel, and ``member_joined_channel``."""
    channel.members.add(user)
    account = core.workspace.account(user)
    more = {"inviter": inviter} if inviter else {}
    core.posting.announce(channel, account, "channel_join", f"<@{user}> has joined the channel", **more)
    core.events.member("member_joined_channel", user, channel, inviter)


@method("conversations.join", required="channel", scopes="channels:join")
def join_channel(core: Core, args: Args) -> Payload:
    """The bot joins a public channel by itself."""
    channel = core.workspace.channel(args.text("channel"))
    if channel.kind != "channel":
        raise ApiError("method_not_supported_for_channel_type" if channel.kind != "group" else "channel_not_found")
    if channel.archived:
        raise ApiError("is_archived")
    if core.workspace.bot.id in channel.members:
        return {"channel": channel_object(core, channel), "warning": "already_in_channel"}
    core.ledger.add("joined", channel=channel.id)
    join(core, channel, core.workspace.bot.id)
    return {"channel": channel_object(core, channel)}


@method(
    "conversations.open",
    optional="channel prevent_creation return_im users",
    scopes="im:write mpim:write groups:write channels:manage",
)
def open_conversation(core: Core, args: Args) -> Payload:
    """Open the direct conversation with one person."""
    users = args.words("users")
    if args.text("channel"):
        channel = core.workspace.visible(args.text("channel"))
    elif len(users) == 1:
        if users[0] not in core.workspace.accounts:
            raise ApiError("user_not_found")
        known = f"D{users[0][1:]}" in core.workspace.channels
        channel = core.workspace.im(users[0])
        full = channel_object(core, channel) if args.flag("return_im") else {"id": channel.id}
        return {"channel": full} | ({"no_op": True, "already_open": True} if known else {})
    else:
        raise ApiError("users_list_not_supplied" if not users else "method_not_supported_for_channel_type")
    return {"channel": channel_object(core, channel) if args.flag("return_im") else {"id": channel.id}}
