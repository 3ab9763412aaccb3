"""Documents as PDF: a title, paragraphs, tables and charts, one below the other on A4.

The library is imported when a document is made. The same parts give the same bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any, TypeAlias

WIDE = 165  # millimetres of a chart or a table


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a part."""

    text: str


@dataclass(frozen=True, slots=True)
class Prose:
    """A paragraph of plain text."""

    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; the first row is the heading."""

    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG, as wide as the text."""

    png: bytes


Part: TypeAlias = Heading | Prose | Table | Picture


def pdf(title: str, parts: Sequence[Part], language: str) -> bytes:
    """Return a document in a language, which it names to those who have it read out; pages are numbered."""
    from reportlab.lib.pagesizes import A4  # noqa: PLC0415 - see above
    from reportlab.lib.units import mm  # noqa: PLC0415
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer  # noqa: PLC0415

    styles = _styles()
    out = BytesIO()
    margin = (A4[0] - WIDE * mm) / 2
    document = SimpleDocTemplate(
        out, pagesize=A4, leftMargin=margin, rightMargin=margin, topMargin=margin, bottomMargin=margin,
        title=title, author="Passerelle", lang=language, invariant=1,
    )  # fmt: skip
    story: list[Any] = [Paragraph(escape(title), styles["title"]), Spacer(1, 4 * mm)]
    for part in parts:
        story += [_drawn(part, styles), Spacer(1, 3 * mm)]
    document.build(story, onFirstPage=_numbered, onLaterPages=_numbered)
    return out.getvalue()


def _drawn(part: Part, styles: dict[str, Any]) -> Any:
    from PIL import Image as Picture_  # noqa: PLC0415 - see above
    from reportlab.lib.units import mm  # noqa: PLC0415
    from reportlab.platypus import Image, Paragraph  # noqa: PLC0415
    from reportlab.platypus import Table as Grid  # noqa: PLC0415

    match part:
        case Heading(text):
            return Paragraph(escape(text), styles["heading"])
        case Prose(text):
            return Paragraph(escape(text).replace("\n", "<br/>"), styles["prose"])
        case Picture(png):
            width, height = Picture_.open(BytesIO(png)).size
            return Image(BytesIO(png), WIDE * mm, WIDE * mm * height / width)
        case Table(rows):
            cells = [[Paragraph(escape(cell), styles["prose"]) for cell in row] for row in rows]
            columns = len(rows[0])
            wide = [WIDE * mm * 0.4, *[WIDE * mm * 0.6 / (columns - 1)] * (columns - 1)] if columns > 1 else None
            lines = [("LINEBELOW", (0, 0), (-1, 0), 1, "#000091"), ("LINEBELOW", (0, 1), (-1, -1), 0.3, "#cccccc")]
            return Grid(cells, colWidths=wide, repeatRows=1, style=lines)


def _numbered(canvas: Any, document: Any) -> None:
    canvas.setFont("Vera", 8)
    canvas.drawRightString(document.pagesize[0] - document.rightMargin, document.bottomMargin / 2, str(document.page))


@cache
def _styles() -> dict[str, Any]:
    """Return how each kind of part is set, in the typeface of the charts."""
    import reportlab  # noqa: PLC0415 - see above
    from reportlab.lib.colors import HexColor  # noqa: PLC0415
    from reportlab.lib.styles import ParagraphStyle  # noqa: PLC0415
    from reportlab.pdfbase import pdfmetrics  # noqa: PLC0415
    from reportlab.pdfbase.ttfonts import TTFont  # noqa: PLC0415

    folder = Path(str(reportlab.__file__)).parent / "fonts"
    for name, file in (("Vera", "Vera.ttf"), ("VeraBd", "VeraBd.ttf")):
        pdfmetrics.registerFont(TTFont(name, str(folder / file)))  # pyright: ignore[reportUnknownMemberType]
    return {
        "title": ParagraphStyle("title", fontName="VeraBd", fontSize=18, leading=23, textColor=HexColor("#000091")),
        "heading": ParagraphStyle("heading", fontName="VeraBd", fontSize=12, leading=16, spaceBefore=6),
        "prose": ParagraphStyle("prose", fontName="Vera", fontSize=9.5, leading=13),
    }
