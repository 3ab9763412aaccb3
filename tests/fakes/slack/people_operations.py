"""Operations that stand for what people do."""

import base64
from typing import Any

from . import interactions
from .api_chat import react
from .api_conversations import join
from .api_rest import share, withdraw
from .core import Core
from .posting import Content
from .richtext import as_typed, rich_text
from .wire import ApiError, Payload
from .workspace import Message


class PeopleOperations:
    """What people do in the workspace."""

    def __init__(self, core: Core) -> None:
        self.core = core

    def _message(self, channel: str, ts: str, by: str = "") -> Message:
        message = self.core.workspace.message(channel, ts)
        if by and message.body.get("user") != by:
            raise ApiError("cant_update_message")
        return message

    def _say(
        self, user: str, channel: str, text: str, thread: str = "", broadcast: bool = False, classic: bool = False
    ) -> Message:
        room, author = self.core.workspace.channel(channel), self.core.workspace.account(user)
        if room.archived:
            raise ApiError("is_archived")
        room.members.add(user)
        if not classic:
            return self.core.posting.say(room, author, text, thread_ts=thread, broadcast=broadcast)
        return self.core.posting.post(
            room, author, Content(as_typed(text)), thread_ts=thread, subtype="bot_message", username=author.name
        )

    async def say(self, **said: Any) -> Payload:
        """Somebody posts; who speaks in a conversation is a member of it."""
        message = self._say(**said)
        return {"channel": message.channel, "ts": message.ts}

    async def burst(self, said: list[Payload]) -> Payload:
        """Many posts at once: what takes one round trip each with ``say`` takes one altogether."""
        return {"ts": [self._say(**each).ts for each in said]}

    async def edit(self, user: str, channel: str, ts: str, text: str) -> Payload:
        """Somebody edits an own message."""
        message = self._message(channel, ts, user)
        blocks = [rich_text(text, self.core.workspace.ids.new("r"))]
        self.core.posting.edit(message, Content(as_typed(text), blocks), user)
        return {}

    async def unfurl(self, channel: str, ts: str, url: str, title: str) -> Payload:
        """A link preview arrives."""
        self.core.posting.unfurl(self._message(channel, ts), url, title)
        return {}

    async def delete(self, user: str, channel: str, ts: str) -> Payload:
        """Somebody deletes an own message."""
        self.core.posting.delete(self._message(channel, ts, user), user)
        return {}

    async def react(self, user: str, channel: str, ts: str, name: str, remove: bool = False) -> Payload:
        """Somebody adds or takes away a reaction."""
        react(self.core, self._message(channel, ts), name, user, remove=remove)
        return {}

    async def join(self, user: str, channel: str, inviter: str = "") -> Payload:
        """Somebody (or the bot) joins a conversation."""
        room = self.core.workspace.channel(channel)
        if user in room.members:
            raise ApiError("already_in_channel")
        join(self.core, room, user, inviter)
        return {}

    async def leave(self, user: str, channel: str, actor: str = "") -> Payload:
        """Somebody leaves; the bot, thrown out, hears ``channel_left``."""
        room = self.core.workspace.channel(channel)
        account = self.core.workspace.account(user)
        if actor:
            text = f"<@{actor}> removed <@{user}> from the channel"
            self.core.posting.announce(room, self.core.workspace.account(actor), "channel_leave", text)
        else:
            self.core.posting.announce(room, account, "channel_leave", f"<@{user}> has left the channel")
        room.members.discard(user)
        if user == self.core.workspace.bot.id:
            self.core.events.channel_event("channel_left", room, actor_id=actor)
        else:
            self.core.events.member("member_left_channel", user, room)
        return {}

    async def archive(self, user: str, channel: str, archived: bool = True) -> Payload:
        """Somebody archives a conversation or brings it back."""
        room = self.core.workspace.channel(channel)
        if archived:
            author = self.core.workspace.account(user)
            self.core.posting.announce(room, author, "channel_archive", f"<@{user}> archived the channel")
        room.archived = archived
        self.core.events.channel_event(
            "channel_archive" if archived else "channel_unarchive", room, user=user, is_moved=0
        )
        return {}

    async def rename(self, user: str, channel: str, name: str) -> Payload:
        """A conversation gets another name."""
        room = self.core.workspace.channel(channel)
        text = f'<@{user}> has renamed the channel from "{room.name}" to "{name}"'
        author = self.core.workspace.account(user)
        self.core.posting.announce(room, author, "channel_name", text, old_name=room.name, name=name)
        room.name = name
        described: Payload = {"id": room.id, "name": name, "created": room.created}
        self.core.events.publish(
            {"type": "channel_rename" if room.kind == "channel" else "group_rename", "channel": described}, room
        )
        return {}

    async def upload(
        self, user: str, channel: str, name: str, content: str, comment: str = "", thread: str = ""
    ) -> Payload:
        """Somebody shares a file (``content`` in base64)."""
        data = base64.b64decode(content)
        stored, url = self.core.files.announce(name, len(data), user)
        self.core.files.receive(url.rsplit("/", 1)[1], data)
        self.core.files.complete(stored.id, name)
        room = self.core.workspace.channel(channel)
        room.members.add(user)
        share(self.core, room, [stored], comment, thread)
        return {"channel": channel, "ts": max(room.messages), "file": stored.id}

    async def delete_file(self, file: str) -> Payload:
        """Somebody deletes a file; their message stays."""
        withdraw(self.core, file)
        return {}

    async def open_home(self, user: str, tab: str = "home") -> Payload:
        """Somebody opens the App Home."""
        room = self.core.workspace.im(user)
        event: Payload = {"type": "app_home_opened", "user": user, "channel": room.id, "tab": tab}
        home = self.core.views.homes.get(user)
        if home is not None and tab == "home":
            event["view"] = home
        self.core.events.publish(event)
        return {"channel": room.id}

    async def open_dm(self, user: str) -> Payload:
        """The direct conversation of somebody with the bot."""
        return {"channel": self.core.workspace.im(user).id}

    async def act(self, user: str, channel: str, ts: str, action: Payload, state: Payload | None = None) -> Payload:
        """Somebody presses a button or chooses in a message."""
        return (await interactions.act_on_message(self.core, user, channel, ts, action, state)).to_json()

    async def act_in_view(self, user: str, view: str, action: Payload, state: Payload) -> Payload:
        """Somebody presses a button or chooses in a view."""
        return (await interactions.act_on_view(self.core, user, view, action, state)).to_json()

    async def command(self, user: str, channel: str, name: str, text: str = "") -> Payload:
        """Somebody types a slash command."""
        return (await interactions.command(self.core, user, channel, name, text)).to_json()

    async def shortcut(self, user: str, callback_id: str, channel: str = "", ts: str = "") -> Payload:
        """Somebody uses a shortcut: on a message, or a global one."""
        if channel:
            ack = await interactions.message_shortcut(self.core, user, channel, ts, callback_id)
        else:
            ack = await interactions.global_shortcut(self.core, user, callback_id)
        return ack.to_json()

    async def suggest(self, user: str, view: str, block_id: str, action_id: str, typed: str) -> Payload:
        """Somebody types in an external select."""
        return (await interactions.suggestions(self.core, user, view, block_id, action_id, typed)).to_json()

    async def submit(self, user: str, view: str, state: Payload) -> Payload:
        """Somebody submits a modal."""
        ack, errors = await interactions.submission(self.core, user, view, state)
        return ack.to_json() | {"errors": errors}

    async def close_view(self, user: str, all_of_them: bool = False) -> Payload:
        """Somebody closes a modal."""
        acks = await interactions.closing(self.core, user, all_of_them=all_of_them)
        return {"acks": [ack.to_json() for ack in acks]}
