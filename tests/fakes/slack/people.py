"""People and rooms of a story: handles that turn what somebody does into an operation of the fake."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .forms import Value, chosen, state_of
from .surfaces import Element, Post, View

if TYPE_CHECKING:
    from .story import Story, Thread, Where
    from .wire import Payload


class NotAcknowledged(AssertionError):
    """The app did not answer an interaction within three seconds: the person sees an error."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the app answered an interaction."""

    acked: bool
    latency: float
    reason: str = ""
    response: Payload | None = None

    @classmethod
    def of(cls, answer: Payload, what: str, *, check: bool) -> Outcome:
        """From an operation's answer; with ``check`` an interaction that was not acknowledged is an error."""
        made = cls(answer["acked"], answer["latency"], answer["reason"], answer["response"])
        if check and not made.acked:
            message = f"{what} was not acknowledged: {made.reason}"
            raise NotAcknowledged(message)
        return made


@dataclass(frozen=True)
class Room:
    """A conversation."""

    story: Story
    id: str
    name: str

    async def archive(self, by: User) -> None:
        """Somebody archives it."""
        await self.story.call("archive", user=by.id, channel=self.id)

    async def unarchive(self, by: User) -> None:
        """Somebody brings it back."""
        await self.story.call("archive", user=by.id, channel=self.id, archived=False)

    async def rename(self, by: User, name: str) -> None:
        """Somebody gives it another name."""
        await self.story.call("rename", user=by.id, channel=self.id, name=name)

    async def invite_bot(self, by: User) -> None:
        """Somebody invites the bot."""
        await self.story.call("join", user=self.story.bot_user, channel=self.id, inviter=by.id)

    async def kick_bot(self, by: User) -> None:
        """Somebody throws the bot out."""
        await self.story.call("leave", user=self.story.bot_user, channel=self.id, actor=by.id)


@dataclass(frozen=True)
class User:
    """A person, or the bot of another app."""

    story: Story
    id: str
    name: str

    @property
    def mention(self) -> str:
        """What one types to mention this person."""
        return f"<@{self.id}>"

    def _where(self, where: Where) -> str:
        if isinstance(where, User):
            return self.story.dm(where).id
        return where if isinstance(where, str) else where.id

    async def say(
        self, where: Where, text: str, *, thread: Thread = None, broadcast: bool = False, classic: bool = False
    ) -> Post:
        """Post in a room, or (``where`` oneself) to the bot directly; ``classic``: as an old ``bot_message``."""
        root = thread.ts if isinstance(thread, Post) else thread or ""
        channel = self._where(where)
        posted = await self.story.call(
            "say", user=self.id, channel=channel, text=text, thread=root, broadcast=broadcast, classic=classic
        )
        return await self._post(posted["channel"], posted["ts"])

    async def _post(self, channel: str, ts: str) -> Post:
        return Post.from_json((await self.story.call("posts", channel=channel, ts=ts))["posts"][0])

    async def dm(self, text: str, *, thread: Thread = None) -> Post:
        """Write to the bot directly."""
        return await self.say(self, text, thread=thread)

    async def edit(self, post: Post, text: str) -> None:
        """Edit an own message."""
        await self.story.call("edit", user=self.id, channel=post.channel, ts=post.ts, text=text)

    async def delete(self, post: Post) -> None:
        """Delete an own message."""
        await self.story.call("delete", user=self.id, channel=post.channel, ts=post.ts)

    async def react(self, post: Post, name: str) -> None:
        """Add a reaction (``incoming_envelope``, ``one``)."""
        await self.story.call("react", user=self.id, channel=post.channel, ts=post.ts, name=name)

    async def unreact(self, post: Post, name: str) -> None:
        """Take a reaction away."""
        await self.story.call("react", user=self.id, channel=post.channel, ts=post.ts, name=name, remove=True)

    async def join(self, where: Where) -> None:
        """Join a conversation."""
        await self.story.call("join", user=self.id, channel=self._where(where))

    async def leave(self, where: Where) -> None:
        """Leave a conversation."""
        await self.story.call("leave", user=self.id, channel=self._where(where))

    async def upload(
        self, where: Where, name: str, content: bytes, *, comment: str = "", thread: Thread = None
    ) -> Post:
        """Share a file."""
        root = thread.ts if isinstance(thread, Post) else thread or ""
        data = base64.b64encode(content).decode()
        channel = self._where(where)
        posted = await self.story.call(
            "upload", user=self.id, channel=channel, name=name, content=data, comment=comment, thread=root
        )
        return await self._post(posted["channel"], posted["ts"])

    async def delete_file(self, file: str) -> None:
        """Delete a file of one's own, and leave the message that showed it."""
        await self.story.call("delete_file", file=file)

    async def click(self, on: Post | View, button: str, *, check: bool = True) -> Outcome:
        """Press a button (by text, ``action_id`` or value) of a message or view as it was seen."""
        element = on.element(button, "button")
        kept = {name: element.element[name] for name in ("text", "value", "style") if name in element.element}
        return await self._act(on, element, {"type": "button", **kept}, f"the button {button!r}", check=check)

    async def select(self, on: Post | View, option: Value, *, element: str = "", check: bool = True) -> Outcome:
        """Choose in a menu; ``element`` (label, ``action_id`` or ``block_id``) says which when there are several."""
        menus = [each for each in on.elements if each.kind != "button" and not each.kind.endswith("input")]
        found = on.element(element) if element else menus[0]
        return await self._act(on, found, chosen(found, option), f"the choice {option!r}", check=check)

    async def _act(self, on: Post | View, element: Element, action: Payload, what: str, *, check: bool) -> Outcome:
        action = {"action_id": element.action_id, "block_id": element.block_id, **action}
        state = state_of(on, {}, check=False)
        if "selected_option" in action or "selected_options" in action:
            inner = {name: value for name, value in action.items() if name not in ("action_id", "block_id")}
            state.setdefault(element.block_id, {})[element.action_id] = inner
        if isinstance(on, View):
            answer = await self.story.call("act_in_view", user=self.id, view=on.id, action=action, state=state)
        else:
            answer = await self.story.call(
                "act", user=self.id, channel=on.channel, ts=on.ts, action=action, state=state
            )
        return Outcome.of(answer, what, check=check)

    async def slash(self, where: Where, command: str, text: str = "", *, check: bool = True) -> Outcome:
        """Type a slash command (Slack has none in threads)."""
        name = command if command.startswith("/") else f"/{command}"
        answer = await self.story.call("command", user=self.id, channel=self._where(where), name=name, text=text)
        return Outcome.of(answer, name, check=check)

    async def shortcut(self, callback_id: str, post: Post | None = None, *, check: bool = True) -> Outcome:
        """Use a message shortcut on ``post``, or a global shortcut."""
        where: dict[str, Any] = {"channel": post.channel, "ts": post.ts} if post else {}
        answer = await self.story.call("shortcut", user=self.id, callback_id=callback_id, **where)
        return Outcome.of(answer, f"the shortcut {callback_id!r}", check=check)

    async def submit(self, view: View, values: dict[str, Value] | None = None, *, check: bool = True) -> dict[str, str]:
        """Fill in a form (by label, ``block_id`` or ``action_id``) and submit it: the errors of its fields, if any."""
        state = state_of(view, values or {})
        answer = await self.story.call("submit", user=self.id, view=view.id, state=state)
        Outcome.of(answer, f"the form {view.title!r}", check=check)
        return answer["errors"]

    async def close(self, *, all_of_them: bool = False) -> None:
        """Close the form on the screen."""
        await self.story.call("close_view", user=self.id, all_of_them=all_of_them)

    async def suggestions(self, view: View, element: str, typed: str) -> list[Payload]:
        """What an external select offers when one types."""
        found = view.element(element)
        answer = await self.story.call(
            "suggest", user=self.id, view=view.id, block_id=found.block_id, action_id=found.action_id, typed=typed
        )
        return (answer["response"] or {}).get("options", [])

    async def open_home(self, tab: str = "home") -> None:
        """Open the App Home (or its ``messages`` tab)."""
        await self.story.call("open_home", user=self.id, tab=tab)
