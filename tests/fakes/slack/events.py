"""Events in their documented shapes ("Events API reference"), wrapped and handed to delivery.

An event reaches the app only where Slack would send it: message events in conversations the bot is a member of,
``app_mention`` never in direct messages, and only event types that the app subscribed to.
"""

import random
import time
import uuid

from .delivery import Delivery, Envelope
from .settings import Settings
from .wire import Payload
from .workspace import Channel, Message, Workspace

CHANNEL_TYPES = {"channel": "C", "group": "G", "im": "D", "mpim": "G"}
MESSAGE_EVENTS = {"channel": "message.channels", "group": "message.groups", "im": "message.im", "mpim": "message.mpim"}


class Events:
    """Makes events and gives them to delivery."""

    def __init__(self, workspace: Workspace, delivery: Delivery) -> None:
        self._workspace = workspace
        self._delivery = delivery
        self.subscribed: frozenset[str] | None = None
        """Names as in a manifest's ``bot_events``; None is everything."""
        self.losing = False
        """New events are lost, as in a long outage on Slack's side."""
        self._random = random.Random(0)

    def seed(self, settings: Settings) -> None:
        """Start the order of mentions again from a seed."""
        self._random = random.Random(settings.seed)

    def publish(self, event: Payload, channel: Channel | None = None, *, name: str = "") -> str | None:
        """Send one event to the app; its ``event_id``, or nothing when the app would not get it."""
        if self.subscribed is not None and (name or event["type"]) not in self.subscribed:
            return None
        event.setdefault("event_ts", self._workspace.stamp())
        event_id = self._workspace.ids.new("Ev")
        payload = self._wrapped(event, event_id, shared=channel is not None and channel.shared)
        envelope = Envelope(str(uuid.uuid4()), "events_api", payload, lose=self.losing)
        self._delivery.event(envelope)
        return event_id

    def _wrapped(self, event: Payload, event_id: str, *, shared: bool) -> Payload:
        bot = self._workspace.bot
        authorization: Payload = {
            "enterprise_id": None,
            "team_id": bot.team,
            "user_id": bot.id,
            "is_bot": True,
            "is_enterprise_install": False,
        }
        return {
            "token": "verification-token",
            "team_id": bot.team,
            "context_team_id": bot.team,
            "context_enterprise_id": None,
            "api_app_id": bot.app_id,
            "event": event,
            "type": "event_callback",
            "event_id": event_id,
            "event_time": int(time.time()),
            "authorizations": [authorization],
            "is_ext_shared_channel": shared,
            "event_context": f"4-{event_id}",
        }

    def _hears(self, channel: Channel) -> bool:
        return self._workspace.bot.id in channel.members

    def posted(self, message: Message, settings: Settings) -> None:
        """``message``, and ``app_mention`` beside it when the bot is mentioned; two events with two ids."""
        channel = self._workspace.channels[message.channel]
        if not self._hears(channel):
            return
        own = message.body.get("app_id") == self._workspace.bot.app_id
        if own and not settings.own_events:
            return
        said: Payload = {
            **message.body,
            "channel": channel.id,
            "event_ts": message.ts,
            "channel_type": channel.kind,
        }
        pair = [(said, MESSAGE_EVENTS[channel.kind])]
        typed = message.body.get("subtype") in {None, "file_share", "thread_broadcast", "me_message", "bot_message"}
        if typed and not own and channel.kind != "im" and f"<@{self._workspace.bot.id}" in message.body["text"]:
            left_out = ("subtype", "channel_type", "parent_user_id")
            mention = {name: value for name, value in said.items() if name not in left_out} | {"type": "app_mention"}
            pair.append((mention, "app_mention"))
            if settings.mention_order == "mention_first" or (
                settings.mention_order == "random" and self._random.random() < 0.5
            ):
                pair.reverse()
        for event, name in pair:
            self.publish(event, channel, name=name)

    def changed(self, message: Message, previous: Payload, settings: Settings) -> None:
        """``message_changed``: an edit has ``edited``, a link preview or Slack's own changes have not."""
        channel = self._workspace.channels[message.channel]
        own = message.body.get("app_id") == self._workspace.bot.app_id
        if not self._hears(channel) or (own and not settings.own_events):
            return
        ts = self._workspace.stamp()
        event: Payload = {
            "type": "message",
            "subtype": "message_changed",
            "message": dict(message.body),
            "previous_message": previous,
            "channel": channel.id,
            "hidden": True,
            "ts": ts,
            "event_ts": ts,
            "channel_type": channel.kind,
        }
        self.publish(event, channel, name=MESSAGE_EVENTS[channel.kind])

    def removed(self, message: Message, settings: Settings) -> None:
        """``message_deleted``."""
        channel = self._workspace.channels[message.channel]
        own = message.body.get("app_id") == self._workspace.bot.app_id
        if not self._hears(channel) or (own and not settings.own_events):
            return
        ts = self._workspace.stamp()
        event: Payload = {
            "type": "message",
            "subtype": "message_deleted",
            "previous_message": dict(message.body),
            "channel": channel.id,
            "hidden": True,
            "deleted_ts": message.ts,
            "ts": ts,
            "event_ts": ts,
            "channel_type": channel.kind,
        }
        self.publish(event, channel, name=MESSAGE_EVENTS[channel.kind])

    def reaction(self, kind: str, user: str, name: str, message: Message) -> None:
        """``reaction_added`` and ``reaction_removed``."""
        channel = self._workspace.channels[message.channel]
        if self._hears(channel):
            event: Payload = {
                "type": kind,
                "user": user,
                "reaction": name,
                "item": {"type": "message", "channel": channel.id, "ts": message.ts},
            }
            if author := message.body.get("user"):
                event["item_user"] = author
            self.publish(event, channel)

    def member(self, kind: str, user: str, channel: Channel, inviter: str = "") -> None:
        """``member_joined_channel`` and ``member_left_channel``; the bot's own joining is told too."""
        event: Payload = {
            "type": kind,
            "user": user,
            "channel": channel.id,
            "channel_type": CHANNEL_TYPES[channel.kind],
            "team": self._workspace.team,
        }
        if inviter:
            event["inviter"] = inviter
        self.publish(event, channel)

    def channel_event(self, kind: str, channel: Channel, **more: object) -> None:
        """``channel_left``, ``channel_archive``, ``channel_unarchive`` … (``group_…`` for private channels)."""
        if channel.kind == "group":
            kind = kind.replace("channel_", "group_")
        self.publish({"type": kind, "channel": channel.id, **more}, channel)
