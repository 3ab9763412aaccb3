"""Cards as Slack's blocks, inside every limit that Slack sets: what is too long is shortened, never refused.

The core already splits long cards into parts; this is the wall behind it.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, TypeAlias

from bot.card import Block, Button, Buttons, Card, Fields, Paragraph
from bot.platforms.slack import mrkdwn
from bot.platforms.slack.writing import Element, elements, joined, plain, quote, runs_of, section, shown

BlockDict: TypeAlias = dict[str, Any]

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
_CHARACTERS = 12_000  # Slack counts about 13,200 over all blocks
_HEADER = 150
_BUTTON = 75
_VALUE = 2000
_ROW = 25
_BUTTONS = 100
_PARTS = 100
_RUNS = 1000
_FALLBACK = 3900  # `chat.update` refuses more than 4,000
_ENTITY = re.compile(r"&(?=(?:amp|lt|gt);)")
_ACCOUNT = re.compile(r"[UW][A-Z0-9]+")


def blocks_of(card: Card, *, limit: int = MESSAGE_BLOCKS) -> list[BlockDict]:
    """Return a rendered card's blocks, at least one; its buttons are kept whatever else must go."""
    made = list(_parts(card))
    rows = [block for block in made if block["type"] == "actions"][:limit]
    buttons = [button for row in rows for button in row["elements"]][:_BUTTONS]
    for number, button in enumerate(buttons):
        button["action_id"] = f"button-{number}"
    room = _Room(limit - len(rows), _CHARACTERS - sum(len(b["text"]["text"]) for b in buttons))
    out: list[BlockDict] = []
    for block in made:
        if block["type"] != "actions":
            out += room.take(block)
        elif kept := [b for b in block["elements"] if "action_id" in b]:
            out.append({"type": "actions", "elements": kept})
    return out or [_rich([section([{"type": "text", "text": "…"}])])]


def fallback(card: Card) -> str:
    """Return what notifications and screen readers say: the card's words, escaped, never empty."""
    parts = [plain(str(card.title))] if card.title else []
    for block in card.blocks:
        match block:
            case Paragraph(text):
                parts.append(plain(str(text)))
            case Fields():
                parts.append(shown(_fields(block)))
            case Buttons():
                pass
    if not any(part.strip() for part in parts):
        parts = [_label(b) for block in card.blocks if isinstance(block, Buttons) for b in block.buttons]
    call = called(card)
    words = mrkdwn.escape("\n".join(part for part in parts if part.strip())).strip()
    if len(words) > _FALLBACK:
        words = re.sub(r"&[a-z]{0,3}$", "", words[:_FALLBACK]) + "…"
    return f"{call} {words}".strip() or "…"


def called(card: Card) -> str:
    """Return the mention of the account that the card calls: the only one that we ever write."""
    if card.notify and card.notify.platform == "slack" and _ACCOUNT.fullmatch(card.notify.id):
        return f"<@{card.notify.id}>"
    return ""


def plain_text(text: str, limit: int) -> BlockDict:
    """Return Markdown as a plain text object of at most `limit` characters and at least one."""
    return {"type": "plain_text", "text": _plain(text, limit), "emoji": False}


def shortened(text: str, limit: int) -> str:
    """Cut a text to a length, with an ellipsis that says so."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _parts(card: Card) -> Iterator[BlockDict]:
    if card.title and plain(str(card.title)).strip():
        yield _title(str(card.title))
    if call := called(card):
        yield {"type": "section", "text": {"type": "mrkdwn", "text": call, "verbatim": True}}
    for block in card.blocks:
        yield from _block(block)


def _title(title: str) -> BlockDict:
    words = " ".join(plain(title).split())
    if len(words) <= _HEADER:
        return {"type": "header", "text": plain_text(title, _HEADER)}
    return _rich([section(runs_of(title, "bold"))])


def _block(block: Block) -> Iterator[BlockDict]:
    match block:
        case Paragraph(text, quote=True):
            found = quote(str(text))
        case Paragraph(text):
            found = elements(str(text))
        case Fields():
            found = _fields(block)
        case Buttons():
            for row in _chunks(block):
                yield {"type": "actions", "elements": [_button(b) for b in row]}
            return
    if shown(found).strip():
        yield _rich(found)


def _fields(fields: Fields) -> list[Element]:
    """Write labels and values as lines: Slack's own fields know mrkdwn only, which cannot show every text."""
    lines = [
        [*runs_of(str(label), "bold"), {"type": "text", "text": " : "}, *runs_of(str(value))]
        for label, value in fields.pairs
    ]
    return [section(joined(lines))] if lines else []


def _rich(found: list[Element]) -> BlockDict:
    return {"type": "rich_text", "elements": found}


def _chunks(block: Buttons) -> list[tuple[Button, ...]]:
    return [block.buttons[at : at + _ROW] for at in range(0, len(block.buttons), _ROW)]


def _plain(text: str, limit: int) -> str:
    """Write Markdown as one plain line; Slack reads its three entities back even there."""
    words = " ".join(plain(text).split())
    safe = _ENTITY.sub("&amp;", words)
    while len(safe) > limit:
        words = words[: len(words) - (len(safe) - limit) - 1].rstrip()
        safe = _ENTITY.sub("&amp;", words) + "…"
    return safe or "…"


def _label(button: Button) -> str:
    return _plain(str(button.label), _BUTTON)


def _button(button: Button) -> BlockDict:
    made: BlockDict = {"type": "button", "text": {"type": "plain_text", "text": _label(button), "emoji": False}}
    made["value"] = pressed_value(button.command, button.line)
    if button.style != "plain":
        made["style"] = button.style
    return made


def pressed_value(command: str, line: str) -> str:
    """Return a command with its line as a button carries it; `inbound` reads it back."""
    value = json.dumps({"c": command, "l": line}, ensure_ascii=False, separators=(",", ":"))
    while len(value) > _VALUE and line:
        line = line[: len(line) - max(1, (len(value) - _VALUE) // 2)]
        value = json.dumps({"c": command, "l": line}, ensure_ascii=False, separators=(",", ":"))
    return value[:_VALUE]


class _Room:
    """What is left of a message's blocks and characters."""

    def __init__(self, blocks: int, characters: int) -> None:
        self._blocks = blocks
        self._characters = characters

    def take(self, made: BlockDict) -> list[BlockDict]:
        """Return as much of a block as there is room for."""
        if self._blocks <= 0 or self._characters <= 1:
            return []
        self._blocks -= 1
        if made["type"] != "rich_text":
            self._characters -= len(made["text"]["text"])
            return [made]
        kept: list[Element] = []
        for element in made["elements"][:_PARTS]:
            if self._characters <= 1:
                break
            if cut := self._cut(element):
                kept.append(cut)
        return [_rich(kept)] if kept else []

    def _cut(self, element: Element) -> Element | None:
        """Cut a section, quote, list or code to what is left."""
        inner: list[Element] = []
        for run in element["elements"][:_RUNS]:
            if run["type"] == "rich_text_section":
                runs = [cut for part in run["elements"][:_RUNS] if (cut := self._cut_run(part))]
                inner += [section(runs)] if runs else []
            elif cut := self._cut_run(run):
                inner.append(cut)
        return {**element, "elements": inner} if inner else None

    def _cut_run(self, run: Element) -> Element | None:
        words = run.get("text") or run.get("url", "")
        if self._characters <= 1 or (len(words) > self._characters and run["type"] != "text"):
            return None
        cut = shortened(words, self._characters)
        self._characters -= len(cut)
        return {**run, "text": cut} if "text" in run else run
