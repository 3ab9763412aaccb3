"""``chat.*`` and ``reactions.*`` as their reference pages say, without leniency."""

import json
from typing import cast

from .blocks import MARKDOWN_CHARACTERS, checked_attachments, checked_blocks
from .core import Core
from .methods import method
from .posting import Content
from .wire import ApiError, Args, Payload
from .workspace import Channel, Message

TEXT_LIMIT = 40_000
"""Longer texts are cut without a word ("Truncating content")."""
UPDATE_LIMIT = 4_000
METADATA_LIMIT = 16_384
"""Of the metadata as JSON. Slack names no number for ``metadata_too_large``; this one is ours."""

_LOOK = "as_user icon_emoji icon_url link_names parse username"
OPTIONS = ("link_names", "mrkdwn", "parse", "unfurl_links", "unfurl_media")
_BODY = "text blocks attachments markdown_text"


def checked_metadata(value: object) -> Payload | None:
    """Message metadata: ``event_type`` and an ``event_payload`` object; an empty object removes it."""
    if value is None or value == {}:
        return cast("Payload | None", value)
    if not isinstance(value, dict) or set(cast("Payload", value)) != {"event_type", "event_payload"}:
        raise ApiError("invalid_metadata_format")
    found = cast("Payload", value)
    if (
        not isinstance(found["event_type"], str)
        or not found["event_type"]
        or not isinstance(found["event_payload"], dict)
    ):
        raise ApiError("invalid_metadata_format")
    if len(json.dumps(found)) > METADATA_LIMIT:
        raise ApiError("metadata_too_large")
    return found


def content_of(args: Args, limit: int = TEXT_LIMIT) -> Content:
    """What a call wants said, or why Slack will not say it."""
    text = args.text("text")
    content = Content(text)
    if "blocks" in args:
        content.blocks = checked_blocks(args.data("blocks", "invalid_blocks_format") or [])
    if "attachments" in args:
        content.attachments = checked_attachments(args.data("attachments", "invalid_attachments") or [])
    if markdown := args.text("markdown_text"):
        if text or content.blocks:
            raise ApiError("markdown_text_conflict")
        if len(markdown) > MARKDOWN_CHARACTERS:
            raise ApiError("msg_too_long")
        content.text = markdown
    if not content.text.strip() and not content.blocks and not content.attachments:
        raise ApiError("no_text")
    if len(content.text) > limit:
        if limit == UPDATE_LIMIT:
            raise ApiError("msg_too_long")
        content.truncated = len(content.text)
        content.text = content.text[:limit]
    content.metadata = checked_metadata(args.data("metadata", "invalid_metadata_format"))
    return content


def writable(core: Core, name: str) -> Channel:
    """A conversation the bot may write to; a user's id opens the direct conversation."""
    workspace = core.workspace
    channel = workspace.im(name) if name in workspace.accounts else workspace.visible(name)
    if channel.archived:
        raise ApiError("is_archived")
    if workspace.bot.id not in channel.members and "chat:write.public" not in core.scopes:
        raise ApiError("not_in_channel")
    return channel


def own(core: Core, args: Args, error: str, ts: str = "ts") -> Message:
    """A message of the bot itself."""
    channel = writable(core, args.text("channel"))
    message = core.workspace.message(channel.id, args.text(ts))
    if message.body.get("bot_id") != core.workspace.bot.bot_id:
        raise ApiError(error)
    return message


@method(
    "chat.postMessage",
    required="channel",
    optional=f"{_BODY} {_LOOK} metadata mrkdwn reply_broadcast thread_ts unfurl_links unfurl_media",
    scopes="chat:write",
)
def post_message(core: Core, args: Args) -> Payload:
    """Post; text over 40,000 characters is cut silently."""
    channel = writable(core, args.text("channel"))
    if {"username", "icon_emoji", "icon_url"} & args.values.keys() and "chat:write.customize" not in core.scopes:
        raise ApiError("missing_scope", needed="chat:write.customize", provided=",".join(sorted(core.scopes)))
    content = content_of(args)
    content.options = {name: args.values[name] for name in OPTIONS if name in args}
    thread, broadcast = args.text("thread_ts"), args.flag("reply_broadcast")
    message = core.posting.post(channel, core.workspace.bot, content, thread_ts=thread, broadcast=broadcast)
    return {"channel": channel.id, "ts": message.ts, "message": message.to_slack(metadata=True)}


@method(
    "chat.update",
    required="channel ts",
    optional=f"{_BODY} as_user file_ids link_names metadata parse reply_broadcast",
    scopes="chat:write",
)
def update(core: Core, args: Args) -> Payload:
    """Change an own message; what is left out (blocks, attachments, metadata) stays, text over 4,000 is refused."""
    message = own(core, args, "cant_update_message")
    content = content_of(args, UPDATE_LIMIT)
    core.posting.edit(message, content, core.workspace.bot.id)
    return {
        "channel": message.channel,
        "ts": message.ts,
        "text": content.text,
        "message": message.to_slack(metadata=True),
    }


@method("chat.delete", required="channel ts", optional="as_user", scopes="chat:write")
def delete(core: Core, args: Args) -> Payload:
    """Remove an own message."""
    message = own(core, args, "cant_delete_message")
    core.posting.delete(message, core.workspace.bot.id)
    return {"channel": message.channel, "ts": message.ts}


@method(
    "chat.postEphemeral",
    required="channel user",
    optional=f"{_BODY} {_LOOK} thread_ts",
    scopes="chat:write",
    per_minute=100,
)
def post_ephemeral(core: Core, args: Args) -> Payload:
    """Show a message to one member of the conversation."""
    channel = writable(core, args.text("channel"))
    user = core.workspace.account(args.text("user"))
    if user.id not in channel.members:
        raise ApiError("user_not_in_channel")
    message = core.posting.whisper(channel, user.id, content_of(args), thread_ts=args.text("thread_ts"))
    return {"message_ts": message.ts}


@method("chat.getPermalink", required="channel message_ts", per_minute=300)
def get_permalink(core: Core, args: Args) -> Payload:
    """The address of a message; a reply's names its thread."""
    channel = core.workspace.visible(args.text("channel"))
    message = core.workspace.message(channel.id, args.text("message_ts"))
    link = f"https://{core.workspace.domain}.slack.com/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.thread_ts not in (None, message.ts):
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


@method("reactions.add", required="channel name timestamp", scopes="reactions:write")
def add_reaction(core: Core, args: Args) -> Payload:
    """Put an emoji on a message, once."""
    channel = writable(core, args.text("channel"))
    message = core.workspace.message(channel.id, args.text("timestamp"))
    react(core, message, args.text("name"), core.workspace.bot.id)
    return {}


@method("reactions.remove", required="name", optional="channel timestamp file file_comment", scopes="reactions:write")
def remove_reaction(core: Core, args: Args) -> Payload:
    """Take an emoji away."""
    message = core.workspace.message(args.text("channel"), args.text("timestamp"))
    react(core, message, args.text("name"), core.workspace.bot.id, remove=True)
    return {}


def react(core: Core, message: Message, name: str, user: str, *, remove: bool = False) -> None:
    """A person or the bot adds or takes away a reaction."""
    reactions: list[Payload] = message.body.setdefault("reactions", [])
    found = next((each for each in reactions if each["name"] == name), None)
    if remove:
        if found is None or user not in found["users"]:
            raise ApiError("no_reaction")
        found["users"].remove(user)
        found["count"] -= 1
        message.body["reactions"] = [each for each in reactions if each["users"]]
    elif found is None:
        reactions.append({"name": name, "users": [user], "count": 1})
    elif user in found["users"]:
        raise ApiError("already_reacted")
    else:
        found["users"].append(user)
        found["count"] += 1
    if user == core.workspace.bot.id:
        core.ledger.add("reaction", channel=message.channel, ts=message.ts, name=name, removed=remove)
    core.events.reaction("reaction_removed" if remove else "reaction_added", user, name, message)
