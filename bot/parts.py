"""Long cards cut into parts that fit one message everywhere; the strictest platform's limits hold for all.

Slack: 3,000 characters a section, 10 fields of 2,000, 75 characters on a button (docs.slack.dev, Block Kit). `&`, `<`
and `>` weigh five, since they are escaped there.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import accumulate, takewhile

from bot.card import Block, Button, Buttons, Card, Fields, Paragraph

PART = 2800  # weight of one paragraph, and of all paragraphs of one part
FIELD = 1500
TITLE = 140
LABEL = 70
FIELDS = 10
BUTTONS = 10
BLOCKS = 40  # of one part, its buttons aside
ELLIPSIS = "…"


def weight(text: str) -> int:
    """Return how much room a text takes on the strictest platform."""
    return len(text) + 4 * sum(text.count(c) for c in "&<>")


def cut(text: str, limit: int) -> str:
    """Return a text of at most `limit` weight, an ellipsis at its end if anything was left out."""
    return text if weight(text) <= limit else text[: _fitting(text, limit - 1)].rstrip() + ELLIPSIS


def pieces(text: str, limit: int = PART) -> list[str]:
    """Cut a long text at paragraphs, lines, words, or anywhere, into pieces of at most `limit` weight."""
    out: list[str] = []
    rest = text
    while weight(rest) > limit:
        room = max(1, _fitting(rest, limit))
        breaks = (rest.rfind(separator, 0, room) for separator in ("\n\n", "\n", " "))
        at = next((at for at in breaks if at > room // 2), room)
        out.append(rest[:at].rstrip())
        rest = rest[at:].lstrip("\n ")
    return [piece for piece in (*out, rest) if piece.strip()] or [""]


def _fitting(text: str, limit: int) -> int:
    """Return how many characters of a text weigh at most `limit`."""
    return sum(1 for _ in takewhile(lambda total: total <= limit, accumulate(map(weight, text))))


def split(card: Card) -> tuple[Card, ...]:
    """Return a rendered card as parts, in order; its buttons stand on the last."""
    short = [_shortened(b) for b in card.blocks]
    buttons = [b for b in short if isinstance(b, Buttons)]
    parts: list[list[Block]] = [[]]
    room = PART
    for block in _flow(short):
        need = _weight(block)
        if parts[-1] and (need > room or len(parts[-1]) == BLOCKS):
            parts.append([])
            room = PART
        parts[-1].append(block)
        room -= need
    parts[-1].extend(buttons)
    title = None if card.title is None else cut(str(card.title), TITLE)
    return tuple(
        Card(title if i == 0 else None, tuple(blocks), card.notify if i == 0 else None)
        for i, blocks in enumerate(parts)
    )


def _flow(blocks: list[Block]) -> Iterator[Paragraph | Fields]:
    for block in blocks:
        match block:
            case Paragraph(text):
                yield from (replace(block, text=piece) for piece in pieces(str(text)))
            case Fields(pairs):
                yield from (Fields(pairs[i : i + FIELDS]) for i in range(0, len(pairs), FIELDS))
            case Buttons():
                pass


def _weight(block: Paragraph | Fields) -> int:
    match block:
        case Paragraph(text):
            return weight(str(text))
        case Fields(pairs):
            return sum(weight(str(k)) + weight(str(v)) for k, v in pairs)


def _shortened(block: Block) -> Block:
    match block:
        case Paragraph():
            return block
        case Fields(pairs):
            room = min(FIELD, PART // max(1, min(len(pairs), FIELDS)) - 2 * LABEL)
            return Fields(tuple((cut(str(k), LABEL), cut(str(v), max(LABEL, room))) for k, v in pairs))
        case Buttons(buttons):
            return Buttons(tuple(_short_button(b) for b in buttons[:BUTTONS]))


def _short_button(button: Button) -> Button:
    return replace(button, label=cut(str(button.label), LABEL))
