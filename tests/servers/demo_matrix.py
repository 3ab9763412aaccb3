"""`make demo-matrix`: the demo against a real homeserver on loopback, with encrypted rooms and strict clients.

Two accounts play `config/demo.txt` through the real bot. In a terminal it then stays, for any Matrix client to join.
The homeserver, its accounts and the bot's keys are kept under `var/demo-matrix`; rooms and questions are new each time.
"""

import asyncio
import contextlib
import fcntl
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import aiohttp
from markdown_it import MarkdownIt

from tests.servers import processes
from tests.servers.story import RoomEvent
from tests.servers.strict_client import StrictClient, StrictClients
from tests.servers.strict_client.install import install
from tests.servers.synapse import Synapse

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "var" / "demo-matrix"
SCENE = ROOT / "config" / "demo.txt"
PASSERELLE = Path(sys.executable).with_name("passerelle")
PORT = 8008  # where Matrix clients look first
BOT, VISITOR = "passerelle", "visiteur"
PLAYERS = {"prefecture-67": "prefecture-agent", "consulat-francfort": "consulate-agent"}
NAMES = {"prefecture-67": "préfecture du Bas-Rhin", "consulat-francfort": "consulat général à Francfort"}
PATIENCE = 20.0
QUIET = 0.5  # seconds without anything new: the bot has said what it had to say
PAUSE = 1.2  # seconds between scenes, in a terminal

_numbered = re.compile(r"^1\. ", re.MULTILINE)


@dataclass
class Side:
    """One room, through the eyes of who sits there."""

    name: str
    client: StrictClient
    room: str
    bot: str
    shown: dict[str, str] = field(default_factory=dict[str, str])

    async def say(self, line: str) -> None:
        """Say a line of the scene: a number or plain words answer what the bot said last."""
        answered: RoomEvent | None = None
        if not line.startswith("!"):
            said = [event for event in await self.client.events(self.room) if event.sender == self.bot and event.body]
            fitting = [event for event in said if not line.isdecimal() or _numbered.search(event.body)]
            answered = next((event for event in reversed(fitting) if event.replaces is None), None)
        bare = line.replace("**", "")
        html = MarkdownIt().renderInline(line) if bare != line else None
        await self.client.say(self.room, bare, html=html, reply_to=answered)

    async def news(self, *, of_people: bool = False) -> list[str]:
        """Take what is new or was changed since the last look, as it would be read."""
        out: list[str] = []
        for event in await self.client.events(self.room):
            if event.type not in ("m.room.message", "m.room.encrypted") or event.replaces is not None:
                continue
            text = f"(illisible : {event.failure})" if event.failure else event.body
            text = "(retiré)" if event.redacted else text
            before = self.shown.get(event.id)
            self.shown[event.id] = text
            if before == text or not (of_people or event.sender == self.bot):
                continue
            who = "" if event.sender == self.bot else f"{event.sender} > "
            mark = "✎ " if before is not None else ""
            out.append(f"[{self.name}]\n" + "\n".join(f"  {line}" for line in f"{mark}{who}{text}".splitlines()))
        return out


def main() -> int:
    """Play the demo; in a terminal, go on until Ctrl-C."""
    FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (FOLDER / "in-use").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("demo-matrix: already running (it keeps its data in var/demo-matrix)", file=sys.stderr)
            return 1
        install()
        try:
            asyncio.run(_demonstrate(staying=sys.stdin is not None and sys.stdin.isatty()))
        except KeyboardInterrupt:
            print("\nFin. Les comptes restent dans var/demo-matrix ; supprimez ce dossier pour repartir de zéro.")
        except (AssertionError, RuntimeError) as error:
            print(f"demo-matrix: {error}\n{_tail(FOLDER / 'bot.log')}", file=sys.stderr)
            return 1
    return 0


async def _demonstrate(*, staying: bool) -> None:
    began = time.monotonic()
    _print("Passerelle : mise en place d'un serveur Matrix (Synapse) et de deux salons chiffrés…")
    passwords = _passwords()
    port = PORT if staying and not processes.accepts(PORT) else processes.free_port()
    async with Synapse(FOLDER / "homeserver", port=port) as homeserver:
        for account, password in passwords.items():
            with contextlib.suppress(RuntimeError):  # it exists since the last time; a wrong password shows at login
                await homeserver.register(account, password)
        async with (
            StrictClients(FOLDER / "clients.log") as clients,
            _sides(homeserver, clients, passwords) as sides,
            _bot(homeserver, passwords, sides) as environment,
        ):
            if staying:
                _print(_invitation(homeserver, passwords, sides, environment))
            await _play(sides, PAUSE if staying else 0)
            if staying:
                _print("\nÀ vous. Ce qui se dit dans les salons s'affiche ici ; Ctrl-C finit.")
                await _follow(sides)
            _print(f"\nFin de la scène, en {time.monotonic() - began:.0f} s.")


@contextlib.asynccontextmanager
async def _sides(
    homeserver: Synapse, clients: StrictClients, passwords: Mapping[str, str]
) -> AsyncGenerator[dict[str, Side]]:
    """Log both players in and give each a new encrypted room, with an invitation for the visitor."""
    sides: dict[str, Side] = {}
    bot, visitor = (f"@{name}:{homeserver.server_name}" for name in (BOT, VISITOR))
    try:
        for organisation, account in PLAYERS.items():
            client = await clients.login(homeserver.url, account, passwords[account])
            room = await client.create_room(f"{NAMES[organisation].capitalize()} (démonstration)", invite=[visitor])
            sides[organisation] = Side(NAMES[organisation], client, room, bot)
        yield sides
    finally:
        for side in sides.values():
            await _dissolve(homeserver, side, (bot, visitor))


async def _dissolve(homeserver: Synapse, side: Side, others: Sequence[str]) -> None:
    """Let nobody come back to an old room, or keep an invitation to it. The client may be gone: Ctrl-C meant it too."""
    address = f"{homeserver.url}/_matrix/client/v3/rooms/{quote(side.room, safe='')}"
    headers = {"Authorization": f"Bearer {side.client.access_token}"}
    asked = [("kick", {"user_id": user}) for user in others] + [("leave", {})]
    with contextlib.suppress(aiohttp.ClientError):
        async with aiohttp.ClientSession(headers=headers, trust_env=False) as session:
            for action, body in asked:
                await (await session.post(f"{address}/{action}", json=body)).read()


@contextlib.asynccontextmanager
async def _bot(
    homeserver: Synapse, passwords: Mapping[str, str], sides: Mapping[str, Side]
) -> AsyncGenerator[dict[str, str]]:
    """Import both rooms, run the bot, invite it."""
    own = FOLDER / "bot"
    shutil.rmtree(own / "annuaire", ignore_errors=True)
    (own / "annuaire").mkdir(parents=True)
    for old in own.glob("demo.db*"):
        old.unlink()
    rows = [f"{organisation},matrix,{side.room},,yes" for organisation, side in sides.items()]
    header = "organisation,platform,room,language,relay_unencrypted"
    (own / "annuaire" / "rooms.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    http = processes.free_port()
    environment = {
        "PASSERELLE_DATABASE_URL": f"sqlite:///{own / 'demo.db'}",
        "PASSERELLE_DATA_DIR": str(own),
        "PASSERELLE_MATRIX__HOMESERVER": homeserver.url,
        "PASSERELLE_MATRIX__USER_ID": f"@{BOT}:{homeserver.server_name}",
        "PASSERELLE_MATRIX__PASSWORD": passwords[BOT],
        "PASSERELLE_MATRIX__STORE_KEY": passwords[BOT],
        # The players' keys live in memory only: each run gives them a new identity.
        "PASSERELLE_MATRIX__IDENTITY_RESET": "accept",
        "PASSERELLE_MATRIX__TRUST": os.environ.get("PASSERELLE_MATRIX__TRUST", "cross_signed"),
        "PASSERELLE_HTTP__PORT": str(http),
    }
    _passerelle(["directory", "import", own / "annuaire"], environment)
    (FOLDER / "bot.log").unlink(missing_ok=True)
    process = processes.spawn([PASSERELLE, "run"], log=FOLDER / "bot.log", cwd=own, env=environment)
    try:
        await _ready(process, http)
        for side in sides.values():
            await side.client.invite(side.room, side.bot)
        for side in sides.values():
            await _joined(side)
        yield environment
    finally:
        await processes.stop(process)


async def _ready(process: "subprocess.Popen[bytes]", port: int) -> None:
    url, deadline = f"http://{processes.LOOPBACK}:{port}/readyz", time.monotonic() + 2 * PATIENCE
    async with aiohttp.ClientSession(trust_env=False) as session:
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(url) as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.1)
    raise RuntimeError("the bot did not start")


async def _joined(side: Side) -> None:
    deadline = time.monotonic() + PATIENCE
    while (await side.client.members(side.room)).get(side.bot) != "join":
        if time.monotonic() > deadline:
            raise RuntimeError(f"the bot did not join the room of {side.name}")
        await asyncio.sleep(0.05)


async def _play(sides: Mapping[str, Side], pause: float) -> None:
    """Play the scene; a line that changes nothing is the end of it."""
    for line in SCENE.read_text(encoding="utf-8").splitlines():
        organisation, _, words = line.partition(": ")
        if not words:
            continue
        _print(f"\n{NAMES[organisation]} > {words}")
        await sides[organisation].say(words)
        found = await _answers(sides)
        if not found:
            raise AssertionError(f"the bot says nothing to {words!r}")
        for news in found:
            _print(f"\n{news}")
        await asyncio.sleep(pause)


async def _answers(sides: Mapping[str, Side]) -> list[str]:
    """Wait for what the bot says, until it has nothing to add."""
    found: list[str] = []
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        news = [one for side in sides.values() for one in await side.news()]
        if news:
            found += news
            deadline = time.monotonic() + QUIET
        await asyncio.sleep(0.05)
    return found


async def _follow(sides: Mapping[str, Side]) -> None:
    for side in sides.values():
        await side.news(of_people=True)
    while True:
        for side in sides.values():
            for news in await side.news(of_people=True):
                _print(f"\n{news}")
        await asyncio.sleep(0.3)


def _invitation(
    homeserver: Synapse, passwords: Mapping[str, str], sides: Mapping[str, Side], environment: Mapping[str, str]
) -> str:
    """Say how to come in with any Matrix client."""
    fingerprint = _passerelle(["matrix", "fingerprint"], environment).strip()
    rooms = "\n".join(f"  {side.name:30} {side.room}" for side in sides.values())
    players = "\n".join(f"  {name:30} {passwords[name]}" for name in PLAYERS.values())
    return f"""
Serveur            {homeserver.url}   (à entrer comme « serveur d'accueil », par exemple dans Element)
Votre compte       @{VISITOR}:{homeserver.server_name}   mot de passe {passwords[VISITOR]}
Salons (chiffrés ; votre compte y est invité)
{rooms}
Comptes de la scène et leurs mots de passe
{players}
Robot              @{BOT}:{homeserver.server_name}
Empreinte          {fingerprint}

Le robot n'obéit qu'aux sessions signées par leur propriétaire, et ne chiffre que pour elles. Element signe la vôtre
à la première connexion de « {VISITOR} » (sinon : Paramètres, Chiffrement, configurer ou réinitialiser l'identité).
Un client qui ne sait pas signer est servi avec : PASSERELLE_MATRIX__TRUST=all make demo-matrix
Acceptez une invitation, puis écrivez : !aide"""


def _passerelle(arguments: list[str | Path], environment: Mapping[str, str]) -> str:
    """Run a command of `passerelle`; return what it prints."""
    done = subprocess.run(
        [PASSERELLE, *arguments],
        cwd=FOLDER,
        env=os.environ | dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"passerelle {arguments[0]} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def _passwords() -> dict[str, str]:
    """The passwords of all accounts, made once and kept."""
    kept = FOLDER / "passwords.json"
    if not kept.exists():
        kept.touch(mode=0o600)
        made = {name: secrets.token_urlsafe(9) for name in (BOT, VISITOR, *PLAYERS.values())}
        kept.write_text(json.dumps(made, indent=1))
    found: dict[str, str] = json.loads(kept.read_text())
    return found


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:]) if log.exists() else ""


def _print(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
