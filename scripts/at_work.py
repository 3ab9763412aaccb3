"""Draw `docs/at-work.svg`: the demonstration's cards, as Slack and a Matrix client show them. Run it after a change."""

import asyncio
import tempfile
import textwrap
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import TypeAlias

from bot.app import add, build, running
from bot.card import Block, Button, Buttons, Card, Fields, Paragraph
from bot.cli.console import settle
from bot.clock import system_clock
from bot.directory import rooms
from bot.message import Address, Invocation, Message, User
from bot.opening import open_database
from bot.platforms.console import Console, Shown
from config.settings import Settings

ASKER, ANSWERER = "prefecture-57", "consulat-francfort"
QUESTION = "Nous doutons d'un acte de naissance établi à Sarrebruck en 1987. Pouvez-vous le vérifier ?"
ANSWER = "L'acte est **authentique** : l'état civil de Sarrebruck le confirme. Copie certifiée sous 48 h."
WIDTH, PANE, LINE, CHARS = 1180, 570, 21, 62

Said: TypeAlias = list[tuple[str, Card | str]]


def main() -> None:
    """Play the scene, keep what each room shows at the end, draw it."""
    with tempfile.TemporaryDirectory() as folder:
        left, right = asyncio.run(_play(folder))
    asked: Said = [("agent de la préfecture", f"@Passerelle {QUESTION}")]
    svg = picture(("Slack  ·  #prefecture-moselle", asked + left), ("Matrix  ·  salon chiffré du consulat", right))
    Path("docs/at-work.svg").write_text(svg, encoding="utf-8")


def picture(slack: tuple[str, Said], matrix: tuple[str, Said]) -> str:
    """Return two rooms beside each other as SVG: each its name, and what was said by whom."""
    drawn = [
        *_pane(0, slack[0], "#4a154b", slack[1], buttons=True),
        *_pane(PANE + 40, matrix[0], "#0d5c4b", matrix[1], buttons=False),
    ]
    height = max(y for y, _ in drawn) + 30
    body = "\n".join(shape for _, shape in drawn)
    style = (
        "text{font:14px 'DejaVu Sans',Arial,sans-serif;fill:#1d1c1d}.b{font-weight:bold}.g{fill:#616061}.w{fill:#fff}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}">'
        f'<style>{style}</style><rect width="100%" height="100%" fill="#fff"/>\n{body}\n</svg>\n'
    )


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


def _pane(x: int, title: str, colour: str, said: Said, *, buttons: bool) -> Iterator[tuple[int, str]]:
    """Draw a room: its name, then each message beneath the last. Yield shapes with how far down they reach."""
    yield 0, f'<rect x="{x}" y="0" width="{PANE}" height="40" fill="{colour}"/>'
    yield 0, f'<text x="{x + 16}" y="26" class="b w">{escape(title)}</text>'
    y = 70
    for author, what in said:
        yield y, _text(x + 16, y, author, "b")
        for block in (
            (Paragraph(what),) if isinstance(what, str) else (Paragraph(f"**{what.title or ''}**"), *what.blocks)
        ):
            for shape in _block(x + 16, y + LINE, block, buttons=buttons):
                y += LINE if shape else 0
                yield y, shape
        y += LINE + 14


def _block(x: int, y: int, block: Block, *, buttons: bool) -> Iterator[str]:
    match block:
        case Paragraph(text, quote=quote):
            bold = str(text).startswith("**") and str(text).count("**") == 2  # a title, or who says it
            lines = textwrap.wrap(str(text).replace("**", "").replace("\\", ""), CHARS)
            for n, line in enumerate(lines):
                bar = (
                    f'<rect x="{x}" y="{y + n * LINE - 14}" width="3" height="{LINE - 2}" fill="#bbb"/>'
                    if quote
                    else ""
                )
                yield bar + _text(x + (12 if quote else 0), y + n * LINE, line, "b" if bold else "")
        case Fields(pairs):
            lines = [line for label, value in pairs for line in textwrap.wrap(f"{label} : {value}", CHARS)]
            yield from (_text(x, y + n * LINE, line, "") for n, line in enumerate(lines))
        case Buttons(row) if buttons:
            yield from _pressable(x, y, row)
        case Buttons(row):
            yield from (_text(x, y + n * LINE, f"{n + 1}. {b.label}", "") for n, b in enumerate(row))


def _pressable(x: int, y: int, row: Sequence[Button]) -> Iterator[str]:
    """Draw buttons, a shape for each line that they take."""
    left, line = x, ""
    for button in row:
        wide = 22 + 8 * len(str(button.label))
        if line and left + wide > x + PANE - 32:
            yield line
            left, line, y = x, "", y + LINE + 9
        fill, ink = ("#007a5a", "w") if button.style == "primary" else ("#fff", "")
        line += f'<rect x="{left}" y="{y - 16}" width="{wide}" height="26" rx="4" fill="{fill}" stroke="#999"/>'
        line += _text(left + 11, y + 2, str(button.label), ink)
        left += wide + 8
    yield line


def _text(x: int, y: int, text: str, style: str) -> str:
    return f'<text x="{x}" y="{y}" class="{style}">{escape(text)}</text>'


if __name__ == "__main__":
    main()
