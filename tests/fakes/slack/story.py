"""The story-level face of the fake, the same whether it runs in the test's process or in its own.

A test reads like what happened: ``await agent.say(room, …)``, ``card = await slack.expect(room, …)``,
``await consul.click(card, "Prendre")``. Everything goes through :meth:`Story.call`, whose values are JSON.
"""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeVar

from .people import Room, User
from .plans import Plans
from .render import transcript
from .surfaces import Post, View
from .wire import Payload

T = TypeVar("T")
Where = Room | User | str
Thread = Post | str | None


class Story(Plans, ABC):
    """A Slack workspace with people, channels and the bot under test."""

    api_url = ""
    bot_token = ""
    app_token = ""
    signing_secret = ""
    team = ""
    bot_user = ""
    bot_id = ""
    app_id = ""

    @abstractmethod
    async def call(self, op: str, **args: Any) -> Payload:
        """Carry out an operation of the fake."""

    @abstractmethod
    def define(self, kind: str, facts: Payload) -> None:
        """Add a person or a conversation before the next operation."""

    async def learn(self) -> None:
        """Take over addresses, tokens and ids from the fake."""
        info = await self.call("info")
        for name in ("api_url", "bot_token", "app_token", "signing_secret", "team", "bot_user", "bot_id", "app_id"):
            setattr(self, name, info[name])

    @property
    def mention(self) -> str:
        """What one types to mention the bot."""
        return f"<@{self.bot_user}>"

    def user(self, id: str, name: str = "", *, team: str = "", **facts: Any) -> User:  # noqa: A002
        """A person (``team``: of another workspace, met through Slack Connect).

        ``facts``: ``real_name``, ``tz``, ``locale``, ``email``, ``deleted``, ``restricted``.
        """
        self.define("user", {"id": id, "name": name or id.lower(), "team": team or self.team, **facts})
        return User(self, id, name or id.lower())

    def other_bot(self, id: str, name: str = "autre") -> User:  # noqa: A002
        """The bot of another app."""
        return self.user(id, name, bot_id=f"B{id[1:]}", app_id=f"A{id[1:]}")

    def channel(
        self,
        id: str,  # noqa: A002
        name: str = "",
        *,
        private: bool = False,
        members: Iterable[User] = (),
        bot: bool = True,
        shared_with: Sequence[str] = (),
    ) -> Room:
        """A channel, with the bot in it unless ``bot=False``; ``shared_with``: other workspaces (Slack Connect)."""
        joined = [each.id for each in members] + ([self.bot_user] if bot else [])
        teams = [self.team, *shared_with]
        self.define(
            "channel",
            {
                "id": id,
                "name": name or id.lower(),
                "kind": "group" if private else "channel",
                "members": joined,
                "teams": teams,
            },
        )
        return Room(self, id, name or id.lower())

    def dm(self, user: User) -> Room:
        """The direct conversation of a person with the bot."""
        name = f"D{user.id[1:]}"
        self.define("channel", {"id": name, "name": user.id, "kind": "im", "members": [user.id, self.bot_user]})
        return Room(self, name, user.id)

    def _id(self, where: Where) -> str:
        if isinstance(where, User):
            return self.dm(where).id
        return where if isinstance(where, str) else where.id

    async def posts(
        self, where: Where, *, thread: Thread = None, by_bot: bool | None = None, after: Post | str = ""
    ) -> list[Post]:
        """Messages of a conversation in order of time, without deleted ones; ``thread`` is the root of one thread."""
        since = after if isinstance(after, str) else after.ts
        found = [
            Post.from_json(each) for each in (await self.call("posts", channel=self._id(where), since=since))["posts"]
        ]
        root = thread.ts if isinstance(thread, Post) else thread
        return [
            each
            for each in found
            if not each.deleted
            and (by_bot is None or each.by_bot == by_bot)
            and (root is None or (each.is_reply and each.thread_ts == root))
        ]

    async def refresh(self, post: Post) -> Post:
        """The same message as it is now (``deleted`` says whether it is gone)."""
        return Post.from_json((await self.call("posts", channel=post.channel, ts=post.ts))["posts"][0])

    async def transcript(self, where: Where) -> str:
        """A conversation as Slack would draw it, in text."""
        channel = self._id(where)
        names = await self.call("names")
        found = (await self.call("posts", channel=channel))["posts"]
        title = f"{'@' if channel.startswith('D') else '#'}{names['channels'].get(channel, channel)}"
        return transcript(title, found, names["users"] | names["channels"])

    async def expect(
        self,
        where: Where,
        contains: str | Callable[[Post], bool] = "",
        *,
        thread: Thread = None,
        after: Post | str = "",
        to: User | None = None,
        button: str = "",
        timeout: float = 5.0,
    ) -> Post:
        """The bot's newest message that fits, now or within ``timeout``; a changed message counts as it is now.

        ``contains``: a text that a person would read, or a predicate · ``thread``: only replies to this root ·
        ``after``: only messages posted later than this one · ``to``: an ephemeral message to this person ·
        ``button``: it has this button.
        """

        def fits(post: Post) -> bool:
            said = contains(post) if callable(contains) else contains in post.text
            return said and post.ephemeral_to == (to.id if to else "") and (not button or button in post.buttons)

        async def look() -> Post | None:
            found = await self.posts(where, thread=thread, by_bot=True, after=after)
            return next((each for each in reversed(found) if fits(each)), None)

        post = await self.until(look, timeout)
        if post is not None:
            return post
        what = "a message that fits" if callable(contains) else repr(contains)
        message = f"the bot did not say {what} in {timeout} s:\n\n{await self.transcript(where)}"
        raise AssertionError(message)

    async def expect_view(
        self, user: User, contains: str | Callable[[View], bool] = "", *, home: bool = False, timeout: float = 5.0
    ) -> View:
        """The modal on a person's screen (or the App Home), as soon as it fits."""

        async def look() -> View | None:
            screen = await self.call("screen", user=user.id)
            shown = screen["home" if home else "modal"]
            view = View(shown["id"], user.id, shown) if shown else None
            fits = view is not None and (contains(view) if callable(contains) else contains in view.text)
            return view if fits else None

        view = await self.until(look, timeout)
        if view is not None:
            return view
        screen = await self.call("screen", user=user.id)
        shown = screen["home" if home else "modal"]
        seen = View(shown["id"], user.id, shown).text if shown else "nothing"
        message = f"{user.name} sees no such {'App Home' if home else 'form'} after {timeout} s, but:\n\n{seen}"
        raise AssertionError(message)

    async def silence(self, where: Where, seconds: float = 0.3) -> None:
        """The bot says, changes and deletes nothing in this conversation for so long."""
        channel = self._id(where)
        last = (await self.call("changes", since=0, timeout=0))["last"]
        await asyncio.sleep(seconds)
        loud = await self.entries("post", "update", "delete", "ephemeral", since=last, channel=channel)
        if loud:
            message = f"the bot was not silent:\n\n{await self.transcript(where)}"
            raise AssertionError(message)

    async def until(self, look: Callable[[], Awaitable[T | None]], timeout: float) -> T | None:
        """Look again after every change until something is found or the time is over."""
        deadline = time.monotonic() + timeout
        while True:
            since = (await self.call("changes", since=-1, timeout=0))["last"]
            found = await look()
            left = deadline - time.monotonic()
            if found is not None or left <= 0:
                return found
            await self.call("changes", since=since, timeout=left)

    async def settled(self, timeout: float = 5.0) -> None:
        """Wait until every event is acknowledged (or lost)."""
        pending = (await self.call("settled", timeout=timeout))["pending"]
        if pending:
            message = f"{pending} events are not acknowledged after {timeout} s"
            raise AssertionError(message)
