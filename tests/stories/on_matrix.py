"""What people do in rooms, in an encrypted room of a real homeserver with clients as strict as Element."""

import asyncio
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import aiohttp

from tests.servers.story import RoomEvent
from tests.servers.strict_client import StrictClient, StrictClients
from tests.servers.synapse import Account, Synapse
from tests.stories.scene import employed
from tests.stories.seen import Seen
from tests.typed import typed

if TYPE_CHECKING:
    from tests.stories.platforms import Platforms

PATIENCE = 20.0  # seconds
_CHOICE = re.compile(r"^(\d+)\. (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Said:
    """A message of the bot's, as a person's client shows it now."""

    event: RoomEvent
    alone: bool  # in the room of one person with the bot

    @property
    def id(self) -> str:
        return self.event.id

    @property
    def text(self) -> str:
        return typed(self.event.body)

    @property
    def buttons(self) -> list[str]:
        return [label for _, label in _CHOICE.findall(self.text)]


def _is_safe(event: RoomEvent) -> bool:
    """Tell whether a client shows it as Element shows what needs no warning."""
    said = event.type in {"m.room.message", "m.room.encrypted"} and not event.redacted
    return not said or (event.encrypted and event.failure is None and event.shield == "none")


@dataclass
class Home:
    """An organisation's encrypted room, its people's clients, and what these show, as last looked at."""

    server: Synapse
    organisation: str
    bot: Account
    room: str
    people: dict[str, StrictClient]
    stands: list[RoomEvent] = field(default_factory=list[RoomEvent])  # all that stands in the room, people's too
    shown: list[Said] = field(default_factory=list[Said])
    said: dict[str, RoomEvent] = field(default_factory=dict[str, RoomEvent])  # by people

    @classmethod
    async def opened(cls, server: Synapse, strict: StrictClients, organisation: str, people: Sequence[str]) -> "Home":
        """Make the room and bring its people in; the first of them makes it."""
        bot = await server.register(f"passerelle-{secrets.token_hex(3)}", "secret")
        clients = dict(zip(people, await asyncio.gather(*(strict.newcomer(server, p) for p in people)), strict=True))
        first, *others = clients.values()
        room = await first.create_room(organisation, encrypted=True, invite=[c.user_id for c in others])
        for client in others:
            await client.expect_membership(room)
            await client.join(room)
        return cls(server, organisation, bot, room, clients)

    @property
    def first(self) -> StrictClient:
        return next(iter(self.people.values()))

    async def invite_bot(self) -> None:
        await self.first.invite(self.room, self.bot.user_id)
        async with asyncio.timeout(PATIENCE):
            while (await self.first.members(self.room)).get(self.bot.user_id) != "join":
                await asyncio.sleep(0.02)

    async def rooms(self) -> list[str]:
        """Return the room, and those that the bot has opened with one of its people."""
        own: set[str] = {self.room}
        for client in self.people.values():
            own |= (await client.rooms()).keys()
        return sorted(own)

    async def look(self) -> None:
        """Have each client show all that its server has, and accept the bot's invitations."""
        self.stands = await self._standing(self.first, self.room)
        shown = [Said(event, alone=False) for event in self.stands]
        for client in self.people.values():
            for room, membership in (await client.rooms()).items():
                if membership == "invite":
                    await client.join(room)
                if room != self.room:
                    shown += [Said(event, alone=True) for event in await self._standing(client, room)]
        ours = [said for said in shown if said.event.sender == self.bot.user_id]
        self.shown = sorted(ours, key=lambda said: said.event.at)

    async def _standing(self, client: StrictClient, room: str) -> list[RoomEvent]:
        """Return what stands in a room once all is there, and what the bot said is safe to this client."""
        newest = await self._newest(client, room)
        deadline = time.monotonic() + PATIENCE
        while True:
            events = await client.events(room)
            unsafe = [e for e in events if e.sender == self.bot.user_id and not _is_safe(e)]
            if not unsafe and (newest is None or any(event.id == newest for event in events)):
                break
            assert time.monotonic() < deadline, f"{newest} in {room}, unsafe: {unsafe}"
            await asyncio.sleep(0.02)
        return [e for e in events if e.type == "m.room.message" and e.replaces is None and not e.redacted]

    async def _newest(self, client: StrictClient, room: str) -> str | None:
        """Return the newest message of a room that the server knows."""
        url = f"{self.server.url}/_matrix/client/v3/rooms/{room}/messages"
        query = {"dir": "b", "limit": "10", "access_token": client.access_token}
        async with aiohttp.ClientSession() as http, http.get(url, params=query) as answer:
            chunk = (await answer.json())["chunk"]
        return next((each["event_id"] for each in chunk if each["type"] == "m.room.encrypted"), None)

    async def all_shown(self) -> str:
        """Return all that the bot ever said here, what it rewrote as it was, and what its files hold."""
        found: list[str] = []
        for client in self.people.values():
            for room, membership in (await client.rooms()).items():
                events = await client.events(room) if membership == "join" else []
                ours = [event for event in events if event.sender == self.bot.user_id]
                found += [repr(event) for event in ours]
                found += [repr(await client.download(e)) for e in ours if e.content.get("msgtype") == "m.file"]
        return typed("\n".join(found))


@dataclass
class MatrixRoom(Seen[Said]):
    """An encrypted room, as one of its people sees it."""

    play: "Platforms"
    room: str
    account: str = "agent"
    insider: bool = True
    encrypted: bool = True

    def as_(self, account: str, *, insider: bool = True) -> "MatrixRoom":
        return replace(self, account=account, insider=insider)

    def employ(self, organisation: str) -> None:
        employed(self.play.app.database, self.account, organisation, matrix_id=self.client.user_id)

    @property
    def home(self) -> Home:
        assert self.play.matrix is not None
        return self.play.matrix

    @property
    def client(self) -> StrictClient:
        return self.home.people[self.account]

    @property
    def posts(self) -> list[Said]:
        return self.home.shown

    def _event(self, of: "Said | str | None") -> RoomEvent | None:
        if of is None or isinstance(of, Said):
            return of and of.event
        known = {said.id: said.event for said in self.posts} | self.home.said
        return known[of]

    async def say(
        self,
        text: str,
        *,
        mention: bool = True,
        reply_to: Said | str | None = None,
        thread: Said | str | None = None,
        files: Mapping[str, bytes] | None = None,
    ) -> str:
        """Say something in the room, or under a message; return its id."""
        words = f"{self.home.bot.user_id} {text}" if mention else text
        above, root = self._event(reply_to), self._event(thread)
        to = (above or root or RoomEvent("", self.home.room, "")).room
        if to not in await self.client.rooms():
            to = self.home.room  # what stands elsewhere can be pointed at from here
        if files:
            ((name, content),) = files.items()
            said = await self.client.send_file(to, name, content, caption=words, reply_to=above or root)
        else:
            said = await self.client.say(to, words, reply_to=above, thread=root)
        self.home.said[said.id] = said
        await self.play.arrives(said.id)
        await self.play.settle()
        return said.id

    async def edit(self, message_id: str, text: str) -> None:
        """Rewrite a message; one of somebody else may be refused on the way."""
        said = self.home.said[message_id]
        mention = f"{self.home.bot.user_id} " if said.body.startswith(self.home.bot.user_id) else ""
        before = len(self.play.arrived)
        await self.client.edit(said, mention + text)
        await self.play.more_arrive(before, must=said.sender == self.client.user_id)
        await self.play.settle()

    async def delete(self, message_id: str) -> None:
        await self.play.arrives(await self.client.redact(self.home.said[message_id]))
        await self.play.settle()

    async def react(self, shown: Said | str, emoji: str) -> None:
        on = self._event(shown)
        assert on is not None
        await self.play.arrives((await self.client.react(on, emoji)).id)
        await self.play.settle()

    async def react_too_late(self, message_id: str, emoji: str) -> None:
        """React to a message that its author has just taken back."""
        said = self.home.said[message_id]
        gone = await self.client.redact(said)
        late = await self.client.react(said, emoji)
        await self.play.arrives(gone)
        await self.play.arrives(late.id)
        await self.play.settle()

    async def slash(self, command: str, line: str = "") -> None:
        await self.say(f"!{command} {line}".strip(), mention=False)

    async def fill(self, command: str, line: str = "", *, text: str) -> None:
        """Matrix has no forms: the bot asks, and what answers it is what was asked for."""
        known = {said.id for said in self.posts}
        await self.slash(command, line)
        await self.submit(next(said for said in self.posts if said.id not in known), text=text)

    async def shortcut(self, command: str, on: str) -> None:
        """Matrix has no shortcuts: a command is said as a reply."""
        await self.say(f"!{command}", mention=False, reply_to=on)

    async def click(self, shown: Said, label: str, *, forms: bool = False) -> Said | None:
        """Press a button by its number, one behind « Plus… » if need be; with `forms`, return what the bot asks."""
        shown = next(said for said in self.posts if said.id == shown.id)
        if label not in shown.buttons and "Plus…" in shown.buttons:
            await self.click(shown, "Plus…")
            shown = self.sees("que faire d’autre")
        known = {said.id for said in self.posts}
        number = next(number for number, each in _CHOICE.findall(shown.text) if each == label)
        await self.say(number, mention=False, reply_to=shown)
        return next(said for said in self.posts if said.id not in known) if forms else None

    async def submit(self, form: Said | None, *, text: str) -> None:
        """Answer what the bot asks."""
        assert form is not None
        await self.say(text, mention=False, reply_to=form)

    async def home_page(self) -> str:
        return ""
