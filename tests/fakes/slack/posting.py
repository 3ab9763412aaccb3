"""How a message comes to be in a conversation, is changed and goes; whoever does it, Slack's events follow."""

import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from .events import Events
from .ledger import Ledger
from .richtext import as_typed, rich_text
from .settings import Settings
from .wire import ApiError, Payload
from .workspace import Account, Channel, Message, Workspace


@dataclass(slots=True)
class Content:
    """What a message says."""

    text: str = ""
    blocks: list[Payload] | None = None
    attachments: list[Payload] | None = None
    metadata: Payload | None = None
    files: list[Payload] | None = None
    truncated: int = 0
    """Length before Slack cut it, when it did."""
    options: Payload = field(default_factory=dict[str, Any])
    """How links and names in it are to be treated, as the call said."""


def thread_root(channel: Channel, thread_ts: str) -> Message | None:
    """The root that a reply names; a reply cannot itself be replied to."""
    if not thread_ts:
        return None
    root = channel.messages.get(thread_ts)
    if root is None or root.ephemeral_to:
        raise ApiError("thread_not_found")
    if root.thread_ts not in (None, root.ts):
        raise ApiError("cannot_reply_to_message")
    return root


class Posting:
    """Accepts messages of the bot, of people and of other apps."""

    def __init__(self, workspace: Workspace, ledger: Ledger, events: Events) -> None:
        self.workspace = workspace
        self.ledger = ledger
        self.events = events
        self.settings = Settings()

    def bot_body(self, author: Account) -> Payload:
        """The fields that tell an app's message, with its ``bot_profile``."""
        profile: Payload = {
            "id": author.bot_id,
            "app_id": author.app_id,
            "name": author.real_name or author.name,
            "deleted": False,
            "updated": int(time.time()),
            "team_id": author.team,
        }
        return {"bot_id": author.bot_id, "app_id": author.app_id, "bot_profile": profile}

    def _body(self, channel: Channel, author: Account, content: Content, ts: str) -> Payload:
        body: Payload = {"type": "message", "user": author.id, "ts": ts}
        if author.bot_id:
            body |= self.bot_body(author)
        else:
            body["client_msg_id"] = str(uuid.uuid4())
        body |= {"text": content.text, "team": author.team}
        if channel.shared:
            body |= {"user_team": author.team, "source_team": author.team}
            if author.team != self.workspace.team:
                body["user_profile"] = {
                    "name": author.name,
                    "real_name": author.real_name,
                    "team": author.team,
                    "is_restricted": False,
                }
        for name in ("blocks", "attachments", "files"):
            if value := getattr(content, name):
                body[name] = value
        return body

    def post(
        self,
        channel: Channel,
        author: Account,
        content: Content,
        *,
        thread_ts: str = "",
        broadcast: bool = False,
        **more: Any,
    ) -> Message:
        """Store a message and tell the app; ``more`` are further fields of the message (``subtype`` …)."""
        root = thread_root(channel, thread_ts)
        body = self._body(channel, author, content, self.workspace.stamp()) | more
        if root is not None:
            body["thread_ts"] = root.ts
            if "user" in root.body:
                body["parent_user_id"] = root.body["user"]
            if broadcast:
                body["subtype"] = "thread_broadcast"
        message = Message(channel.id, body, content.metadata)
        self.workspace.add(message)
        kind = "post" if author is self.workspace.bot else "said"
        self._note("system" if str(more.get("subtype", "")).startswith("channel_") else kind, message, content)
        self.events.posted(message, self.settings)
        return message

    def _note(self, kind: str, message: Message, content: Content) -> None:
        facts: Payload = {
            "channel": message.channel,
            "ts": message.ts,
            "thread_ts": message.thread_ts,
            "user": message.body.get("user"),
            "text": content.text,
        }
        if kind != "said":
            facts |= {"blocks": content.blocks, "metadata": content.metadata}
        if content.files:
            facts["files"] = [file["id"] for file in content.files]
        if content.truncated:
            facts["truncated"] = content.truncated
        if content.options:
            facts["options"] = content.options
        self.ledger.add(kind, **facts)

    def say(
        self, channel: Channel, author: Account, text: str, *, thread_ts: str = "", broadcast: bool = False, **more: Any
    ) -> Message:
        """A person types: escaped text and the rich text block that clients send along."""
        content = Content(as_typed(text), [rich_text(text, self.workspace.ids.new("r"))], files=more.pop("files", None))
        return self.post(channel, author, content, thread_ts=thread_ts, broadcast=broadcast, **more)

    def announce(self, channel: Channel, author: Account, subtype: str, text: str, **more: Any) -> None:
        """Slack's own lines in a channel: ``channel_join``, ``channel_leave``, ``channel_name`` …"""
        self.post(channel, author, Content(text), subtype=subtype, **more)

    def edit(self, message: Message, content: Content, editor: str) -> None:
        """Change a message; ``edited`` says who and when."""
        previous = dict(message.body)
        message.versions.append(str(message.body["text"]))
        message.body = {**message.body, "text": content.text, "edited": {"user": editor, "ts": self.workspace.stamp()}}
        for name in ("blocks", "attachments"):
            value = getattr(content, name)
            if value:
                message.body[name] = value
            elif value is not None:
                message.body.pop(name, None)
        if content.metadata is not None:
            message.metadata = content.metadata or None
        if editor == self.workspace.bot.id:
            self._note("update", message, content)
        if not message.ephemeral_to:
            self.events.changed(message, previous, self.settings)

    def unfurl(self, message: Message, url: str, title: str) -> None:
        """A link preview arrives: the same text, no ``edited``."""
        previous = dict(message.body)
        attachment: Payload = {
            "from_url": url,
            "original_url": url,
            "title": title,
            "title_link": url,
            "fallback": title,
            "id": 1,
        }
        message.body = {**message.body, "attachments": [*message.body.get("attachments", []), attachment]}
        self.events.changed(message, previous, self.settings)

    def show_files(self, message: Message, files: list[Payload]) -> None:
        """Slack itself changes the files that a message shows: the same text, no ``edited``."""
        previous = dict(message.body)
        message.body = {**message.body, "files": files}
        self.events.changed(message, previous, self.settings)

    def delete(self, message: Message, by: str) -> None:
        """Remove a message."""
        self.workspace.remove(message)
        if by == self.workspace.bot.id:
            self.ledger.add("delete", channel=message.channel, ts=message.ts)
        if not message.ephemeral_to:
            self.events.removed(message, self.settings)

    def whisper(
        self, channel: Channel, user: str, content: Content, *, thread_ts: str = "", via: str = "chat.postEphemeral"
    ) -> Message:
        """Show a message to one person; it is in no history and makes no event."""
        body = self._body(channel, self.workspace.bot, content, self.workspace.stamp()) | {"is_ephemeral": True}
        if thread_ts:
            body["thread_ts"] = thread_ts
        message = Message(channel.id, body, ephemeral_to=user)
        channel.messages[message.ts] = message
        self.ledger.add(
            "ephemeral",
            channel=channel.id,
            user=user,
            ts=message.ts,
            thread_ts=thread_ts or None,
            text=content.text,
            blocks=content.blocks,
            via=via,
        )
        return message
