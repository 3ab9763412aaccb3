"""The state of one Slack workspace: accounts, conversations, messages. No network, no rules of the Web API."""

import os
import time
from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from .wire import ApiError, Payload

Kind = Literal["channel", "group", "im", "mpim"]


class Ids:
    """Identifiers of Slack's look, different in every run so that nothing mistakes one run's for another's."""

    def __init__(self) -> None:
        self._salt = os.urandom(2).hex().upper()
        self._count = 0

    def new(self, prefix: str) -> str:
        """The next id with this prefix."""
        self._count += 1
        return f"{prefix}0{self._salt}{self._count:06X}"


@dataclass(slots=True)
class Account:
    """A person, a bot user, or a person of another workspace (``team``) met through Slack Connect."""

    id: str
    name: str
    team: str
    real_name: str = ""
    tz: str = "Europe/Paris"
    locale: str = "fr-FR"
    email: str = ""
    email_confirmed: bool = True
    bot_id: str = ""
    app_id: str = ""
    deleted: bool = False
    restricted: bool = False


@dataclass(slots=True)
class Message:
    """One message in its current state, with the texts it had before."""

    channel: str
    body: Payload
    metadata: Payload | None = None
    replies: list[str] = field(default_factory=list[str])
    versions: list[str] = field(default_factory=list[str])
    deleted: bool = False
    ephemeral_to: str = ""

    @property
    def ts(self) -> str:
        """Timestamp, the id of a message in its channel."""
        return str(self.body["ts"])

    @property
    def thread_ts(self) -> str | None:
        """Root of the thread, or nothing."""
        return self.body.get("thread_ts")

    @property
    def in_timeline(self) -> bool:
        """Is it shown in the channel itself (roots, and replies that were broadcast)?"""
        return self.thread_ts in (None, self.ts) or self.body.get("subtype") == "thread_broadcast"

    def to_slack(self, *, metadata: bool = False) -> Payload:
        """The message as history shows it; metadata only on request ("Message metadata")."""
        body = dict(self.body)
        if self.replies:
            body["thread_ts"] = self.ts
        if metadata and self.metadata:
            body["metadata"] = self.metadata
        return body


@dataclass(slots=True)
class Channel:
    """A conversation: public or private channel, direct message or group of direct messages."""

    id: str
    name: str
    kind: Kind = "channel"
    members: set[str] = field(default_factory=set[str])
    teams: list[str] = field(default_factory=list[str])
    creator: str = ""
    created: int = 0
    archived: bool = False
    messages: dict[str, Message] = field(default_factory=dict[str, Message])
    timeline: list[str] = field(default_factory=list[str])

    @property
    def shared(self) -> bool:
        """Is it shared with another workspace (Slack Connect)?"""
        return len(self.teams) > 1


class Workspace:
    """Accounts and conversations of one team, and the bot in it."""

    def __init__(self, *, team: str = "T0PASSERELLE", name: str = "Passerelle", bot_name: str = "passerelle") -> None:
        self.ids = Ids()
        self.team = team
        self.name = name
        self.domain = name.lower()
        self.offset = 0.0
        self.accounts: dict[str, Account] = {}
        self.channels: dict[str, Channel] = {}
        self._last_us = 0
        self.bot = Account("U0PASSERELLE", bot_name, team, real_name=name, bot_id="B0PASSERELLE", app_id="A0PASSERELLE")
        self.accounts[self.bot.id] = self.bot

    def stamp(self) -> str:
        """A new ``ts``: Unix time with microseconds, always greater than the one before."""
        self._last_us = max(self._last_us + 1, int((time.time() + self.offset) * 1_000_000))
        return f"{self._last_us // 1_000_000}.{self._last_us % 1_000_000:06d}"

    def account(self, user: str) -> Account:
        """The account, or ``user_not_found``."""
        found = self.accounts.get(user)
        if found is None:
            raise ApiError("user_not_found")
        return found

    def channel(self, channel: str) -> Channel:
        """The conversation, or ``channel_not_found``."""
        found = self.channels.get(channel)
        if found is None:
            raise ApiError("channel_not_found")
        return found

    def im(self, user: str) -> Channel:
        """The direct conversation between the bot and a person, opened when needed."""
        self.account(user)
        name = f"D{user[1:]}"
        found = self.channels.get(name)
        if found is None:
            found = Channel(name, user, "im", {user, self.bot.id}, [self.team], user, int(time.time()))
            self.channels[name] = found
        return found

    def visible(self, channel: str) -> Channel:
        """The conversation as the bot may know it: private ones only as a member."""
        found = self.channel(channel)
        if found.kind != "channel" and self.bot.id not in found.members:
            raise ApiError("channel_not_found")
        return found

    def add(self, message: Message) -> None:
        """Store a message; a reply is counted on its root."""
        channel = self.channels[message.channel]
        channel.messages[message.ts] = message
        if message.in_timeline:
            insort(channel.timeline, message.ts)
        root = channel.messages.get(message.thread_ts or "")
        if root is not None and root is not message:
            root.replies.append(message.ts)
            refresh_thread(channel, root)

    def remove(self, message: Message) -> None:
        """Delete a message; a root with replies leaves a tombstone, as in Slack's history."""
        channel = self.channels[message.channel]
        message.deleted = True
        if message.replies:
            return
        channel.timeline = [ts for ts in channel.timeline if ts != message.ts]
        root = channel.messages.get(message.thread_ts or "")
        if root is not None and root is not message:
            root.replies.remove(message.ts)
            refresh_thread(channel, root)

    def message(self, channel: str, ts: str) -> Message:
        """A message that is still there, or ``message_not_found``."""
        found = self.channel(channel).messages.get(ts)
        if found is None or found.deleted or found.ephemeral_to:
            raise ApiError("message_not_found")
        return found

    def messages(self, channel: Channel) -> Iterator[Message]:
        """All messages in order of time, deleted and ephemeral ones too."""
        for ts in sorted(channel.messages):
            yield channel.messages[ts]


def refresh_thread(channel: Channel, root: Message) -> None:
    """Write the counts of a thread on its root, as history shows them."""
    names = ("reply_count", "reply_users", "reply_users_count", "latest_reply", "is_locked", "subscribed")
    if not root.replies:
        for name in (*names, "thread_ts"):
            root.body.pop(name, None)
        return
    last = channel.messages[root.replies[-1]]
    users: list[str] = root.body.get("reply_users", [])
    author = str(last.body.get("user", ""))
    if author and author not in users:
        users = [*users, author]
    root.body.update(
        thread_ts=root.ts,
        reply_count=len(root.replies),
        reply_users=users,
        reply_users_count=len(users),
        latest_reply=last.ts,
        is_locked=False,
        subscribed=True,
    )
