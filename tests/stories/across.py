"""Both platforms at once: `passerelle run` in a process of its own, between a fake Slack and a real Synapse.

The prefecture writes on Slack. The post writes from an encrypted room, with a client that shows and sends to nothing
but signed devices. The operator does what the documentation says: files, the command line, environment variables.
"""

import asyncio
import contextlib
import json
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import select

from bot import receipts
from bot.db import Database
from bot.jobs.tables import Job
from tests.fakes.slack import FakeSlack, Post, Room, User
from tests.servers import processes
from tests.servers.story import RoomEvent
from tests.servers.strict_client import StrictClient, StrictClients
from tests.servers.synapse import Synapse
from tests.typed import typed

PASSERELLE = Path(sys.executable).with_name("passerelle")
NUMBER = re.compile(r"Q-\d{4}-\d{5}")
SLOW = 20.0  # seconds that anything may take on a busy machine


@dataclass
class Bot:
    """`passerelle run`, started, stopped and killed as on a server."""

    folder: Path
    environment: dict[str, str]
    port: int = field(default_factory=processes.free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.folder / "bot.log"

    async def start(self) -> None:
        """Start it; return once it has reached both platforms."""
        self.launch()
        await self.ready()

    def launch(self) -> None:
        self.process = processes.spawn([PASSERELLE, "run"], log=self.log, cwd=self.folder, env=self._env())

    async def ready(self, *, without: str = "", seconds: float = 40) -> None:
        """Wait until every platform is connected, and the one named is not."""

        async def so() -> bool:
            state = await self.state()
            return all((state.get(name) == "ok") == (name != without) for name in ("database", "slack", "matrix"))

        await until(so, f"the bot reaches {'all' if not without else 'all but ' + without}", seconds, self.tail)

    async def state(self) -> dict[str, Any]:
        """What its health page says; empty while nobody answers."""
        if self.process is None or self.process.poll() is not None:
            raise AssertionError(f"the bot is not running:\n{self.tail()}")
        url = f"http://{processes.LOOPBACK}:{self.port}/readyz"
        try:
            async with aiohttp.ClientSession(trust_env=False) as session, session.get(url) as answer:
                return await answer.json()
        except aiohttp.ClientError:
            return {}

    async def stop(self) -> None:
        """Stop it as systemd does; it must end by itself, and well."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        await until(self._ended, "the bot ends", SLOW, self.tail)
        assert self.process.returncode == 0, self.tail()

    async def kill(self) -> None:
        """Kill it as a power cut does."""
        assert self.process is not None
        self.process.kill()
        await until(self._ended, "the bot is dead", SLOW)

    async def command(self, *arguments: str, status: int = 0) -> str:
        """Run another command of `passerelle` with the same configuration; return what it prints."""
        started = await asyncio.create_subprocess_exec(
            PASSERELLE,
            *arguments,
            cwd=self.folder,
            env=os.environ | self._env(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(started.communicate(), 60)
        assert started.returncode == status, f"{arguments}: {started.returncode}\n{out.decode()}{err.decode()}"
        return out.decode()

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-6000:] if self.log.exists() else ""

    async def _ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def _env(self) -> dict[str, str]:
        return {**self.environment, "PASSERELLE_HTTP__PORT": str(self.port)}


@dataclass
class Across:
    """A prefecture on Slack, a consulate on Matrix, and the bot between them."""

    slack: FakeSlack
    homeserver: Synapse
    strict: StrictClients
    bot: Bot
    bot_id: str
    agent: User
    colleague: User
    channel: Room
    consul: StrictClient
    room: str

    async def consulate(self, contains: str, *, after: RoomEvent | None = None) -> RoomEvent:
        """What the consulate's room shows: encrypted, and without any warning."""
        seen = await self.consul.expect(self.room, contains, sender=self.bot_id, after=after, timeout=SLOW)
        assert seen.encrypted, f"said in clear: {seen.body}"
        assert seen.shield == "none", f"{seen.shield_reason}: {seen.body}"
        return seen

    async def slack_file(self, thread: Post) -> bytes:
        """The newest file of the bot's in a thread."""
        found: list[Post] = []

        async def so() -> bool:
            found[:] = [
                p for p in await self.slack.posts(self.channel, thread=thread, by_bot=True) if p.body.get("files")
            ]
            return bool(found)

        await until(so, "a file", SLOW, self.bot.tail)
        return (await self.slack.file(found[-1].body["files"][0]["id"]))[1]

    async def slack_forgot(self) -> None:
        """A file of the bot's is deleted on Slack, not only the message that showed it."""

        async def so() -> bool:
            return bool(await self.slack.entries("file_deleted"))

        await until(so, "the file is deleted", SLOW, self.bot.tail)

    async def consulate_sees(self, event: RoomEvent, contains: str) -> RoomEvent:
        """A message of the bot's, once it says this."""
        found: list[RoomEvent] = []

        async def so() -> bool:
            found[:] = [
                e for e in await self.consul.events(self.room) if e.id == event.id and contains in typed(e.body)
            ]
            return bool(found)

        await until(so, f"{contains!r} in the card", SLOW, lambda: self.consul.transcript(self.room))
        return found[0]

    async def prefecture(
        self, contains: str = "", *, thread: Post | None = None, button: str = "", to: User | None = None
    ) -> Post:
        """What the prefecture's channel shows."""
        return await self.slack.expect(self.channel, contains, thread=thread, button=button, to=to, timeout=SLOW)

    async def prefecture_sees(self, post: Post, contains: str) -> Post:
        """A message of the bot's, once it says this."""
        found = post

        async def so() -> bool:
            nonlocal found
            found = await self.slack.refresh(post)
            return contains in found.text

        await until(so, f"{contains!r} in the message", SLOW, lambda: self.slack.transcript(self.channel))
        return found

    async def gone(self, post: Post) -> None:
        """A message of the bot's, once it was taken back."""

        async def so() -> bool:
            return (await self.slack.refresh(post)).deleted

        await until(so, "the message is gone", SLOW, lambda: self.slack.transcript(self.channel))

    async def ask(self, text: str, *, by: User | None = None) -> tuple[Post, RoomEvent, str]:
        """Ask on Slack by a mention; return the question, its card at the consulate, and its number."""
        asked = await (by or self.agent).say(self.channel, f"{self.slack.mention} {text}")
        card = await self.consulate(text[:40])
        found = NUMBER.search(card.body)
        assert found is not None, card.body
        return asked, card, found[0]

    async def said_to_prefecture(self, words: str) -> list[Post]:
        """All that the bot says on Slack with these words, ephemeral or not, in order."""
        return [post for post in await self.slack.posts(self.channel, by_bot=True) if words in post.text]

    async def said_to_consulate(self, words: str) -> list[RoomEvent]:
        """All that the bot says in the consulate's room with these words, in order."""
        events = await self.consul.events(self.room)
        return [e for e in events if e.sender == self.bot_id and e.replaces is None and words in typed(e.body)]

    async def once_and_in_order(self, to_consulate: str, to_prefecture: str, count: int) -> None:
        """Each of the numbered words arrived once, in the order in which they were said."""

        async def so() -> bool:
            there = len(await self.said_to_consulate(to_consulate)), len(await self.said_to_prefecture(to_prefecture))
            return min(there) >= count

        await until(so, f"{count} each of {to_consulate} and {to_prefecture}", SLOW, self.bot.tail)
        await asyncio.sleep(0.5)  # what comes twice comes soon
        for words, found in (
            (to_consulate, [e.body for e in await self.said_to_consulate(to_consulate)]),
            (to_prefecture, [p.text for p in await self.said_to_prefecture(to_prefecture)]),
        ):
            said = [number for text in found for number in re.findall(rf"{words} (\d)", text)]
            assert said == [str(n) for n in range(count)], f"{words}: {said}"

    async def invited(self) -> str:
        """The direct room into which the bot invites the consul."""
        found: list[str] = []

        async def so() -> bool:
            found[:] = [room for room, membership in (await self.consul.rooms()).items() if membership == "invite"]
            return bool(found)

        await until(so, "an invitation", SLOW, self.bot.tail)
        return found[0]

    async def import_directory(self, relay: str) -> dict[str, Any]:
        """Write the operator's files and import them, beside a running bot if there is one."""
        folder = self.bot.folder / "annuaire"
        _write_directory(folder, self.channel.id, self.room, self.agent.id, self.consul.user_id, relay)
        printed: dict[str, Any] = json.loads(await self.bot.command("directory", "import", "annuaire", "--json"))
        assert printed["errors"] == [], printed
        return printed

    async def nobody_was_hurt(self, *, late: bool = False) -> None:
        """No call was refused, nothing acknowledged late (but after a start, maybe), nothing given up."""
        violations = [v for v in await self.slack.violations() if not (late and v["kind"] == "late_ack")]
        assert violations == [], violations
        database = Database(self.bot.environment["PASSERELLE_DATABASE_URL"])
        failed = await database.run(
            lambda s: [row.error for row in (*receipts.failed(s), *s.scalars(select(Job).where(Job.state == "failed")))]
        )
        database.close()
        assert failed == [], failed


def runs(post: Post) -> list[dict[str, Any]]:
    """The runs of text of a message, with their styles."""

    def leaves(element: dict[str, Any]) -> Iterator[dict[str, Any]]:
        inner = element.get("elements")
        if inner is None:
            yield element
        for each in inner or ():
            yield from leaves(each)

    return [leaf for block in post.blocks if block["type"] == "rich_text" for leaf in leaves(block)]


async def until(
    so: Callable[[], Awaitable[bool]],
    what: str,
    seconds: float = SLOW,
    story: Callable[[], str | Awaitable[str]] = lambda: "",
) -> None:
    """Wait until something is so; an AssertionError with the story so far when it does not become so."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not await so():
        if loop.time() > deadline:
            told = story()
            raise AssertionError(f"{seconds} s in vain: {what}\n{told if isinstance(told, str) else await told}")
        await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def across(
    homeserver: Synapse, strict: StrictClients, folder: Path, url: str, *, members: int = 1, patience: float = 150
) -> AsyncGenerator[Across]:
    """Install the bot as its documentation says, and bring it into both rooms; it runs until the block ends."""
    tag = secrets.token_hex(3)
    account = await homeserver.register(f"passerelle-{tag}", "secret")
    consul = await strict.newcomer(homeserver, "consul")
    async with FakeSlack() as slack:
        agent, colleague = slack.user("U0AGENT", "agent"), slack.user("U0COLLEGUE", "collegue")
        channel = slack.channel("C0METZ", "prefecture-57", members=[agent, colleague])
        room = await consul.create_room("Consulat de Francfort", encrypted=True)
        if members > 1:
            other = await strict.newcomer(homeserver, "vice-consul")
            await consul.invite(room, other.user_id)
            await other.join(room)
        bot = Bot(folder, _environment(folder, url, slack, homeserver, account.user_id, account.password))
        both = Across(slack, homeserver, strict, bot, account.user_id, agent, colleague, channel, consul, room)
        assert (await both.import_directory(relay="yes"))["added"] == 6
        try:
            await bot.start()
            await consul.invite(room, account.user_id)
            await until(lambda: _joined(consul, room, account.user_id), "the bot joins", SLOW, bot.tail)
            async with asyncio.timeout(patience):
                yield both
        finally:
            processes.reap(bot.process)
            print(bot.tail())


async def _joined(consul: StrictClient, room: str, bot: str) -> bool:
    return (await consul.members(room)).get(bot) == "join"


def _write_directory(folder: Path, channel: str, room: str, agent: str, consul: str, relay: str) -> None:
    folder.mkdir(exist_ok=True)
    files = {
        "rooms.csv": [
            "organisation,platform,room,language,relay_unencrypted",
            f"prefecture-57,slack,{channel},fr,",
            f"consulat-francfort,matrix,{room},fr,{relay}",
        ],
        "people.csv": [
            "id,given_name,family_name,email,phone,language,visibility,slack_id,matrix_id",
            f"agente-essai,Agente,Essai,,,fr,network,{agent},",
            f"consul-exemple,Consul,Exemple,,,fr,network,,{consul}",
        ],
        "postings.csv": [
            "person,organisation,role,start,end",
            "agente-essai,prefecture-57,desk,2024-01-01,",
            "consul-exemple,consulat-francfort,consul,2024-01-01,",
        ],
    }
    for name, lines in files.items():
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _environment(
    folder: Path, url: str, slack: FakeSlack, homeserver: Synapse, user_id: str, password: str
) -> dict[str, str]:
    return {
        "PASSERELLE_DATABASE_URL": url,
        "PASSERELLE_DATA_DIR": str(folder / "var"),
        "PASSERELLE_SLACK__BOT_TOKEN": slack.bot_token,
        "PASSERELLE_SLACK__APP_TOKEN": slack.app_token,
        "PASSERELLE_SLACK__API_URL": slack.api_url,
        "PASSERELLE_SLACK__PACE": "50",
        "PASSERELLE_SLACK__BURST": "50",
        "PASSERELLE_MATRIX__HOMESERVER": homeserver.url,
        "PASSERELLE_MATRIX__USER_ID": user_id,
        "PASSERELLE_MATRIX__PASSWORD": password,
        "PASSERELLE_MATRIX__STORE_KEY": "a key for the key store",
        "PASSERELLE_MATRIX__PACE": "50",
        "PASSERELLE_MATRIX__BURST": "50",
    }
