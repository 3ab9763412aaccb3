"""What people do in rooms, on a strict Slack."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tests.fakes.slack import FakeSlack, Post, Room, User, View
from tests.stories.scene import employed
from tests.stories.seen import Seen
from tests.typed import typed

if TYPE_CHECKING:
    from tests.stories.platforms import Platforms

SHOWN = ("post", "update", "ephemeral", "view", "home", "file")
ELSEWHERE = "T9AILLEURS"  # another workspace, met through Slack Connect
NAMES = {
    "📨": "incoming_envelope",
    "👍": "+1",
    "✉️": "envelope",
    "📩": "envelope_with_arrow",
    "📧": "e-mail",
    "1️⃣": "one",
}


@dataclass(frozen=True)
class Said:
    """A message of the bot's, as its channel shows it now."""

    post: Post

    @property
    def id(self) -> str:
        return self.post.ts

    @property
    def text(self) -> str:
        return typed(self.post.text)

    @property
    def buttons(self) -> list[str]:
        return [typed(label) for label in self.post.buttons]

    @property
    def alone(self) -> bool:
        """Whether one person alone sees it."""
        return bool(self.post.ephemeral_to)


@dataclass
class Workspace:
    """A Slack with a channel an organisation; `shown` is what the bot shows there, as last looked at."""

    fake: FakeSlack
    channels: dict[str, Room] = field(default_factory=dict[str, Room])
    people: dict[tuple[str, str], User] = field(default_factory=dict[tuple[str, str], User])
    shown: dict[str, list[Said]] = field(default_factory=dict[str, list[Said]])
    stands: dict[str, list[Post]] = field(default_factory=dict[str, list[Post]])  # all that stands there, people's too
    mentions: set[str] = field(default_factory=set[str])  # messages that people opened with a mention

    def channel(self, organisation: str) -> Room:
        if organisation not in self.channels:
            name = f"C0{_id(organisation)}"
            self.channels[organisation] = self.fake.channel(name, organisation)
            self.shown[organisation] = []
        return self.channels[organisation]

    def person(self, organisation: str, account: str, *, insider: bool = True) -> User:
        """Return somebody of an organisation's channel; a stranger comes from another workspace."""
        key = (organisation, account)
        if key not in self.people:
            id_, team = f"U0{_id(organisation)}{_id(account)}", "" if insider else ELSEWHERE
            user = self.people[key] = self.fake.user(id_, account, team=team, real_name=account)
            channel = self.channel(organisation)
            shared = () if insider else (ELSEWHERE,)
            self.fake.channel(channel.id, channel.name, members=[user], shared_with=shared)
        return self.people[key]

    async def look(self) -> None:
        for name, channel in self.channels.items():
            self.stands[name] = posts = await self.fake.posts(channel)
            self.shown[name] = [Said(post) for post in posts if post.by_bot]

    async def shown_beside(self, homes: Collection[str]) -> str:
        """Return all that was ever shown outside of these organisations' channels, to everybody or to one."""
        people = {user.id for (name, _), user in self.people.items() if name in homes}
        own = {self.channel(name).id for name in homes} | {f"D{id_[1:]}" for id_ in people}
        entries = [
            entry
            for entry in await self.fake.entries(*SHOWN)
            if entry.get("channel") not in own and entry.get("user") not in people
        ]
        ours = [entry["file"] for entry in entries if entry["kind"] == "file"]
        contents = [(await self.fake.file(id_))[1] for id_ in ours]
        return typed(repr(entries)) + repr(contents)


def _id(name: str) -> str:
    return "".join(c for c in name.upper() if c.isalnum())


@dataclass
class SlackRoom(Seen[Said]):
    """A channel, as one of its people sees it."""

    play: "Platforms"
    room: str
    account: str = "agent"
    insider: bool = True
    encrypted: bool = False

    def as_(self, account: str, *, insider: bool = True) -> "SlackRoom":
        return replace(self, account=account, insider=insider)

    def employ(self, organisation: str) -> None:
        employed(self.play.app.database, self.account, organisation, slack_id=self.user.id)

    @property
    def workspace(self) -> Workspace:
        return self.play.slack

    @property
    def channel(self) -> Room:
        return self.workspace.channel(self.room)

    @property
    def user(self) -> User:
        return self.workspace.person(self.room, self.account, insider=self.insider)

    @property
    def posts(self) -> list[Said]:
        return self.workspace.shown[self.room]

    async def say(
        self,
        text: str,
        *,
        mention: bool = True,
        reply_to: Said | str | None = None,
        thread: Said | str | None = None,
        files: Mapping[str, bytes] | None = None,
    ) -> str:
        """Say something in the channel or, on Slack the same, in a thread; return its `ts`."""
        root = await self._root(reply_to or thread)
        words = f"{self.workspace.fake.mention} {text}" if mention else text
        if files:
            ((name, content),) = files.items()
            post = await self.user.upload(self.channel, name, content, comment=words, thread=root)
        else:
            post = await self.user.say(self.channel, words, thread=root)
        self.workspace.mentions |= {post.ts} if mention else set()
        await self.play.settle()
        return post.ts

    async def _root(self, under: Said | str | None) -> str | None:
        if under is None:
            return None
        post = await self._post(under)
        return post.thread_ts or post.ts

    async def _post(self, of: Said | str) -> Post:
        ts = of if isinstance(of, str) else of.id
        found = await self.workspace.fake.call("posts", channel=self.channel.id, ts=ts)
        return Post.from_json(found["posts"][0])

    async def edit(self, message_id: str, text: str) -> None:
        mention = f"{self.workspace.fake.mention} " if message_id in self.workspace.mentions else ""
        await self.user.edit(await self._post(message_id), mention + text)
        await self.play.settle()

    async def delete(self, message_id: str) -> None:
        await self.user.delete(await self._post(message_id))
        await self.play.settle()

    async def react(self, shown: Said | str, emoji: str) -> None:
        await self.user.react(await self._post(shown), NAMES.get(emoji, emoji.strip(":")))
        await self.play.settle()

    async def react_too_late(self, message_id: str, emoji: str) -> None:
        """React and take the message back at once: when the bot hears of it, there is nothing to look at."""
        await self.workspace.fake.call("hold_events")
        post = await self._post(message_id)
        await self.user.react(post, NAMES[emoji])
        await self.user.delete(post)
        await self.workspace.fake.call("release_events")
        await self.play.settle()

    async def slash(self, command: str, line: str = "") -> None:
        """Type a command; Slack offers those of an app to its own workspace, from others they can only be said."""
        if not self.insider:
            await self.say(f"{command} {line}")
            return
        await self.user.slash(self.channel, command, line)
        await self.play.settle()

    async def fill(self, command: str, line: str = "", *, text: str) -> None:
        await self.user.slash(self.channel, command, line)
        await self.submit(await self.workspace.fake.expect_view(self.user), text=text)

    async def shortcut(self, command: str, on: str) -> None:
        await self.user.shortcut(command, await self._post(on))
        await self.play.settle()

    async def click(self, shown: Said, label: str, *, forms: bool = False) -> View | None:
        """Press a button, one behind « Plus… » if need be; with `forms`, return the form that opens."""
        post = await self._post(shown)
        labels = [typed(each) for each in post.buttons]
        if label not in labels and "Plus…" in labels:
            await self.click(shown, "Plus…")
            post = await self._post(self.sees("que faire d’autre"))
        await self.user.click(post, next(each for each in post.buttons if typed(each) == label))
        await self.play.settle()
        return await self.workspace.fake.expect_view(self.user) if forms else None

    async def submit(self, form: View | None, *, text: str) -> None:
        """Write into the first field of a form, and send it."""
        assert form is not None
        assert await self.user.submit(form, {form.elements[0].block_id: text}) == {}
        await self.play.settle()

    async def home_page(self) -> str:
        await self.user.open_home()
        view = await self.workspace.fake.expect_view(self.user, home=True)
        await self.play.settle()
        return view.text
