"""Charts as PNG, drawn for a telephone: few bars, large words, no colour that means something by itself.

The libraries are imported at the first chart: they cost a tenth of a second.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

WIDTH: Final = 1400  # pixels
MOST: Final = 12  # bars
_INK, _GREY, _LIGHT, _BAR, _PAPER = "#161616", "#5c5c5c", "#e5e5e5", "#000091", "#ffffff"
_EDGE, _ROW, _THICK = 56, 64, 34
_LABELS = 0.36  # of the width
_SPACES = re.compile("[\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}]")


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: what it stands for, how long it is, and a word beside its number."""

    label: str
    value: float
    note: str = ""


def bars(title: str, subtitle: str, rows: Sequence[Bar]) -> bytes:
    """Return a chart of horizontal bars as PNG; of more than `MOST` rows the first are drawn."""
    from PIL import Image, ImageDraw  # noqa: PLC0415 - see above

    rows = rows[:MOST]
    top = 190
    height = top + _ROW * max(1, len(rows)) + _EDGE
    image = Image.new("RGB", (WIDTH, height), _PAPER)
    draw = ImageDraw.Draw(image)
    _write(draw, (_EDGE, 44), title, _font(44, bold=True), _INK, WIDTH - 2 * _EDGE)
    _write(draw, (_EDGE, 108), subtitle, _font(28), _GREY, WIDTH - 2 * _EDGE)
    left = int(WIDTH * _LABELS)
    most = max((row.value for row in rows), default=0) or 1
    for index, row in enumerate(rows):
        _row(draw, row, top + index * _ROW, left, most)
    draw.line((left, top - 8, left, top + _ROW * len(rows) - 8), fill=_LIGHT, width=3)
    out = BytesIO()
    image.save(out, "PNG", compress_level=3)
    return out.getvalue()


def _row(draw: "ImageDraw", row: Bar, y: int, left: int, most: float) -> None:
    notes = 330  # pixels kept for the number and its note
    length = int((WIDTH - _EDGE - notes - left) * row.value / most)
    label = _fitting(draw, row.label, _font(28), left - _EDGE - 24)
    draw.text((left - 20, y + _THICK / 2), label, font=_font(28), fill=_INK, anchor="rm")
    if length > 0:
        draw.rounded_rectangle((left, y, left + max(length, 6), y + _THICK), 5, fill=_BAR)
    at = left + length + 16
    number = f"{row.value:g}"
    draw.text((at, y + _THICK / 2), number, font=_font(28, bold=True), fill=_INK, anchor="lm")
    at += int(draw.textlength(number, font=_font(28, bold=True))) + 16
    _write(draw, (at, y + _THICK / 2), row.note, _font(24), _GREY, WIDTH - 12 - at, anchor="lm")


def _write(
    draw: "ImageDraw",
    at: tuple[float, float],
    text: str,
    font: "FreeTypeFont",
    colour: str,
    width: float,
    **how: Any,
) -> None:
    draw.text(at, _fitting(draw, text, font, width), font=font, fill=colour, **how)


def _fitting(draw: "ImageDraw", text: str, font: "FreeTypeFont", width: float) -> str:
    """Return a text that is no wider than that, shortened if need be."""
    text = _SPACES.sub(" ", text)
    if draw.textlength(text, font=font) <= width:
        return text
    while text and draw.textlength(f"{text}…", font=font) > width:
        text = text[:-1]
    return f"{text.rstrip()}…"


@cache
def _font(size: int, *, bold: bool = False) -> "FreeTypeFont":
    """Return the typeface that comes with reportlab: it has every letter of French."""
    import reportlab  # noqa: PLC0415 # pyright: ignore[reportMissingTypeStubs]
    from PIL import ImageFont  # noqa: PLC0415

    folder = Path(str(reportlab.__file__)).parent / "fonts"
    return ImageFont.truetype(folder / ("VeraBd.ttf" if bold else "Vera.ttf"), size)
