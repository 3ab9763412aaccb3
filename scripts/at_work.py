"""Draw `docs/at-work.svg`: the demonstration's cards, as Slack and a Matrix client show them. Run it after a change.

`python -m scripts.at_work`
"""

import asyncio
import tempfile
from pathlib import Path

from bot.app import build
from bot.card import Card
from bot.cli.console import settle
from bot.clock import system_clock
from bot.connections import add
from bot.directory import rooms
from bot.life import running
from bot.message import Address, Invocation, Message, User
from bot.opening import open_database
from bot.platforms.console import Console, Shown
from config.settings import Settings
from scripts.drawing import Said, picture

ASKER, ANSWERER = "prefecture-57", "consulat-francfort"
QUESTION = "Nous doutons d'un acte de naissance établi à Sarrebruck en 1987. Pouvez-vous le vérifier ?"
ANSWER = "L'acte est **authentique** : l'état civil de Sarrebruck le confirme. Copie certifiée sous 48 h."


def main() -> None:
    """Play the scene, keep what each room shows at the end, draw it."""
    with tempfile.TemporaryDirectory() as folder:
        left, right = asyncio.run(_play(folder))
    asked: Said = [("agent de la préfecture", f"@Passerelle {QUESTION}")]
    svg = picture(("Slack  ·  #prefecture-moselle", [*asked, *left]), ("Matrix  ·  salon chiffré du consulat", right))
    Path("docs/at-work.svg").write_text(svg, encoding="utf-8")


async def _play(folder: str) -> tuple[Said, Said]:
    settings = Settings(database_url=f"sqlite:///{folder}/scene.db")
    database = open_database(settings.database_url)
    database.run_now(lambda s: [rooms.link(s, o, "console", o, system_clock()) for o in (ASKER, ANSWERER)])
    shown: dict[str, dict[str, Card]] = {ASKER: {}, ANSWERER: {}}

    def show(what: Shown) -> None:
        shown[what.room][what.id] = what.card

    app = build(settings, database)
    add(
        app,
        Console({ASKER: "agent", ANSWERER: "consul"}, show, system_clock),
        {f"console:{ASKER}", f"console:{ANSWERER}"},
    )
    async with running(app):
        for number, (room, command, line) in enumerate(
            ((ASKER, "question", QUESTION), (ANSWERER, "prendre", "Q-{}-1"), (ANSWERER, "repondre", "Q-{}-1 " + ANSWER))
        ):
            await app.dispatcher.receive(_event(number, room, command, line))
            await settle(app)
    database.close()
    left: Said = [("Passerelle", card) for card in shown[ASKER].values()]
    right: Said = [("Passerelle", card) for card in shown[ANSWERER].values()]
    return left, right


def _event(number: int, room: str, command: str, line: str) -> Message | Invocation:
    now = system_clock()
    author, to = User("console", room, insider=True), Address("console", room)
    if command == "question":
        return Message(id=f"e{number}", at=now, author=author, to=to, message_id="m", text=line, mentions_bot=True)
    return Invocation(id=f"e{number}", at=now, author=author, to=to, command=command, line=line.format(now.year))


if __name__ == "__main__":
    main()
