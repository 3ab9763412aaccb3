"""`demo`: a prefecture asks, a consulate answers, on one screen; then one goes on typing as either."""

import argparse
import asyncio
import shutil
from importlib.resources import files

from bot.app import App, build
from bot.cli.console import at_a_terminal, lines, settle
from bot.cli.parsing import Commands
from bot.clock import system_clock
from bot.connections import add
from bot.db import Database
from bot.directory import rooms
from bot.life import running
from bot.opening import open_database
from bot.platforms.console import Console, as_text
from config.settings import Settings

PREFECTURE = "prefecture-67"
CONSULATE = "consulat-francfort"
REGION = "region-grand-est"
PAUSE = 1.2  # seconds between scenes, in a terminal


def add_to(commands: Commands) -> None:
    """Add this command to the grammar."""
    demo = commands.add_parser("demo", help="see a question asked, routed, taken and answered; no account needed")
    demo.set_defaults(command=_run)


def _run(settings: Settings, _options: argparse.Namespace) -> int:
    folder = settings.data_dir / "demo"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    own = settings.model_copy(update={"database_url": f"sqlite:///{folder / 'demo.db'}", "slack": None, "matrix": None})
    print("Passerelle : mise en place de la carte des préfectures et des postes…", flush=True)
    database = open_database(own.database_url)
    try:
        database.run_now(
            lambda s: [rooms.link(s, o, "console", o, system_clock()) for o in (PREFECTURE, CONSULATE, REGION)]
        )
        asyncio.run(_play(own, database))
    finally:
        database.close()
    return 0


async def _play(settings: Settings, database: Database) -> None:
    names = {
        PREFECTURE: "préfecture du Bas-Rhin",
        CONSULATE: "consulat général à Francfort",
        REGION: "conseiller diplomatique, Grand Est",
    }
    app = build(settings, database)
    console = Console(
        {PREFECTURE: "agent-demo", CONSULATE: "consul-demo", REGION: "cdpr-demo"},
        lambda shown: print(f"\n[{names[shown.room]}]\n{as_text(shown)}", flush=True),
        system_clock,
    )
    add(app, console, {f"console:{room}" for room in names})
    async with running(app):
        await settle(app)
        for raw in (files("config") / "demo.txt").read_text(encoding="utf-8").splitlines():
            await _scene(app, console, names, raw)
        if at_a_terminal():
            await _go_on(app, console, names)


async def _scene(app: App, console: Console, names: dict[str, str], raw: str) -> None:
    room, _, line = raw.partition(": ")
    if not line:
        return
    print(f"\n{names[room]} > {line}", flush=True)
    await console.typed(app.dispatcher.receive, room, line)
    await settle(app)
    if at_a_terminal():
        await asyncio.sleep(PAUSE)


async def _go_on(app: App, console: Console, names: dict[str, str]) -> None:
    rooms_ = list(names)
    room = rooms_[0]
    print("\nÀ vous. Une ligne est un message, un numéro presse un bouton ; p, c ou r change de place, Ctrl-D finit.")
    print(f"{names[room]} > ", end="", flush=True)
    async for line in lines():
        if line.strip() in ("p", "c", "r"):
            room = rooms_["pcr".index(line.strip())]
        elif line.strip():
            await console.typed(app.dispatcher.receive, room, line)
            await settle(app)
        print(f"\n{names[room]} > ", end="", flush=True)
    print()
