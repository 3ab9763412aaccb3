"""Drawing cards as SVG: a room with its messages, one beneath the other."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TypeAlias

from bot.card import Block, Button, Buttons, Card, Fields, Paragraph

PANE, LINE, CHARS = 570, 21, 62
_STYLE = "text{font:14px 'DejaVu Sans',Arial,sans-serif;fill:#1d1c1d}.b{font-weight:bold}.g{fill:#616061}.w{fill:#fff}"

Said: TypeAlias = Sequence["tuple[str, Card | str] | Heard"]
Drawn: TypeAlias = Sequence[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Heard:
    """A message as it was seen: who said it, what it shows, what is remarked beside; indented where it is a reply."""

    author: str
    blocks: Sequence[Block]
    beside: str = ""
    reply: bool = False


def write(file: Path, width: int, drawn: Drawn) -> None:
    """Write a picture of shapes, as high as they reach."""
    file.write_text(_svg(width, drawn), encoding="utf-8")


def picture(slack: tuple[str, Said], matrix: tuple[str, Said]) -> str:
    """Return two rooms beside each other as SVG: each its name, and what was said by whom."""
    left = pane(0, slack[0], "#4a154b", slack[1], buttons=True)
    right = pane(PANE + 40, matrix[0], "#0d5c4b", matrix[1], buttons=False)
    return _svg(2 * PANE + 40, [*left, *right])


def channels(left: tuple[str, Said], right: tuple[str, Said]) -> str:
    """Return two of Slack's channels beside each other as SVG."""
    drawn = [
        shape
        for n, room in enumerate((left, right))
        for shape in pane(n * (PANE + 40), room[0], "#4a154b", room[1], buttons=True)
    ]
    return _svg(2 * PANE + 40, drawn)


def _svg(width: int, drawn: Drawn) -> str:
    height = max(y for y, _ in drawn) + 30
    body = "\n".join(shape for _, shape in drawn)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}">'
        f'<style>{_STYLE}</style><rect width="100%" height="100%" fill="#fff"/>\n{body}\n</svg>\n'
    )


def pane(x: int, title: str, colour: str, said: Said, *, buttons: bool) -> Iterator[tuple[int, str]]:
    """Draw a room: its name, then each message beneath the last. Yield shapes with how far down they reach."""
    yield 0, f'<rect x="{x}" y="0" width="{PANE}" height="40" fill="{colour}"/>'
    yield 0, f'<text x="{x + 16}" y="26" class="b w">{escape(title)}</text>'
    y = 70
    for each in said:
        heard = each if isinstance(each, Heard) else _heard(*each)
        left, chars = (x + 40, CHARS - 3) if heard.reply else (x + 16, CHARS)
        if heard.reply:
            yield y, f'<rect x="{x + 26}" y="{y - 14}" width="2" height="18" fill="#ddd"/>'
        yield y, _text(left, y, heard.author, "b")
        if heard.beside:
            yield y, _text(left + 9 * len(heard.author) + 12, y, heard.beside, "g")
        for block in heard.blocks:
            for shape in _block(left, y + LINE, block, chars, buttons=buttons):
                y += LINE if shape else 0
                yield y, shape
                y += 9 if buttons and isinstance(block, Buttons) else 0  # they are higher than a line
        y += LINE + 14


def _heard(author: str, what: Card | str) -> Heard:
    if isinstance(what, str):
        return Heard(author, (Paragraph(what),))
    return Heard(author, (Paragraph(f"**{what.title or ''}**"), *what.blocks))


def _block(x: int, y: int, block: Block, chars: int, *, buttons: bool) -> Iterator[str]:
    match block:
        case Paragraph(text, quote=quote):
            for n, (line, bold) in enumerate(_lines(str(text), chars)):
                bar = (
                    f'<rect x="{x}" y="{y + n * LINE - 14}" width="3" height="{LINE - 2}" fill="#bbb"/>'
                    if quote
                    else ""
                )
                yield bar + _text(x + (12 if quote else 0), y + n * LINE, line, "b" if bold else "")
        case Fields(pairs):
            lines = [line for label, value in pairs for line in textwrap.wrap(f"{label} : {value}", chars)]
            yield from (_text(x, y + n * LINE, line, "") for n, line in enumerate(lines))
        case Buttons(row) if buttons:
            yield from _pressable(x, y, row)
        case Buttons(row):
            yield from (_text(x, y + n * LINE, f"{n + 1}. {b.label}", "") for n, b in enumerate(row))


def _lines(text: str, chars: int) -> Iterable[tuple[str, bool]]:
    """Yield the lines of Markdown as they are shown, and whether each is bold as a whole."""
    for line in text.splitlines() or [""]:
        bold = line.startswith("**") and line.endswith("**") and line.count("**") == 2
        item = line.startswith("- ")
        plain = line.replace("**", "").replace("\\", "").removeprefix("- ")
        first, then = ("• ", "\N{NO-BREAK SPACE}" * 3) if item else ("", "")
        wrapped = textwrap.wrap(plain, chars, initial_indent=first, subsequent_indent=then)
        yield from ((shown, bold) for shown in wrapped)


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
