"""The bot's cards as Matrix messages: a plain body and HTML of our own, from our own Markdown, block by block.

Each block is drawn by itself, so that an unfinished fence in somebody's words swallows nothing that follows.
"""

import bisect
import json
import re
from html import escape as html_escape
from typing import Any, cast
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from bot.card import Buttons, Card, Fields, Paragraph
from bot.platforms.matrix.wire import Json

MARKER = "fr.passerelle"  # in the content of all we say: so bots that face each other fall silent

LIMIT = 40_000  # bytes of content; encrypted, Synapse takes 48,000 and refuses 49,500
_MARGIN = 1_000

_SCHEMES = {"http", "https", "mailto"}


def _parser() -> MarkdownIt:
    """No HTML, no images (they would tell a foreign server who reads), links only to where a person may go."""
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("strikethrough")
    parser.disable(["html_block", "html_inline", "image", "autolink", "reference"])
    parser.validateLink = _is_link  # type: ignore[method-assign]
    return parser


def _is_link(address: str) -> bool:
    try:
        return urlsplit(address.strip()).scheme.lower() in _SCHEMES
    except ValueError:
        return False


_markdown = _parser()


def message(card: Card, key: str) -> Json:
    """Return the content of the `m.room.message` that shows a rendered card (spec: m.text).

    `m.mentions` is always there, and names nobody but the card's own addressee: so `@room` in a text rings nobody.
    """
    body, html = _whole(plain(card)), _whole(drawn(card))
    user_ids = [card.notify.id] if card.notify is not None and card.notify.platform == "matrix" else []
    content: Json = {
        "msgtype": "m.text",
        "body": body,
        "format": "org.matrix.custom.html",
        "formatted_body": html,
        "m.mentions": {"user_ids": user_ids} if user_ids else {},
        MARKER: {"key": key},
    }
    return fitting(content)


def edit(card: Card, key: str, event_id: str) -> Json:
    """Return the content that rewrites a message as this card (spec: m.replace); who was called is not called again."""
    new = message(card, key)
    content: Json = {
        **new,
        "body": f"* {new['body']}",
        "m.mentions": {},
        "m.new_content": new,
        "m.relates_to": {"rel_type": "m.replace", "event_id": event_id},
    }
    if _size(content) <= LIMIT:
        return content
    # What clients without edits show may be short; what the message becomes may not, as far as it fits.
    short = _without_html({**content, "body": _shortened(content["body"], _MARGIN)})
    return {**short, "m.new_content": fitting(new, LIMIT - 3 * _MARGIN)}


def fitting(content: Json, limit: int = LIMIT) -> Json:
    """Return a content that the homeserver will take: without its HTML, then shortened, if it is too long."""
    if _size(content) <= limit:
        return content
    content = _without_html(content)
    room = limit - _MARGIN - _size({**content, "body": ""})
    return content if _size(content) <= limit else {**content, "body": _shortened(content["body"], room)}


def _whole(text: str) -> str:
    """Replace halves of characters, which no JSON may hold."""
    return text.encode("utf-8", "replace").decode()


def _without_html(content: Json) -> Json:
    return {name: value for name, value in content.items() if name not in {"format", "formatted_body"}}


def _shortened(text: str, size: int) -> str:
    """Cut a text so that it takes `size` bytes of JSON at most."""
    length = bisect.bisect_right(range(len(text)), size, key=lambda n: _size(text[:n])) - 1
    return text[: max(0, length)] + "…"


def _size(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def drawn(card: Card) -> str:
    """Return the card as HTML: its title, paragraphs, fields, and its buttons as one list numbered on."""
    parts: list[str] = []
    number = 1
    if card.title:
        parts.append(f"<p><strong>{_inline_html(str(card.title))}</strong></p>")
    for block in card.blocks:
        match block:
            case Paragraph(text, quote):
                html = cast("str", _markdown.render(str(text))).strip()
                parts.append(f"<blockquote>{html}</blockquote>" if quote else html)
            case Fields(pairs):
                lines = (f"<strong>{_inline_html(str(k))}</strong> : {_inline_html(str(v))}" for k, v in pairs)
                parts.append(f"<p>{'<br>'.join(lines)}</p>")
            case Buttons(buttons):
                items = "".join(f"<li>{_inline_html(str(b.label))}</li>" for b in buttons)
                start = f' start="{number}"' if number > 1 else ""
                parts.append(f"<ol{start}>{items}</ol>")
                number += len(buttons)
    return "\n".join(part for part in parts if part)


def plain(card: Card) -> str:
    """Return the card as plain text, for notifications and for clients that show no HTML."""
    parts: list[str] = []
    number = 1
    if card.title:
        parts.append(to_plain(str(card.title)))
    for block in card.blocks:
        match block:
            case Paragraph(text, quote):
                lines = to_plain(str(text)).split("\n")
                parts.append("\n".join(f"> {line}".rstrip() for line in lines) if quote else "\n".join(lines))
            case Fields(pairs):
                parts.append("\n".join(f"{to_plain(str(k))} : {to_plain(str(v))}" for k, v in pairs))
            case Buttons(buttons):
                parts.append("\n".join(f"{n}. {to_plain(str(b.label))}" for n, b in enumerate(buttons, number)))
                number += len(buttons)
    return "\n\n".join(part for part in parts if part)


def to_plain(markdown: str) -> str:
    """Return Markdown as plain text: what it says, without its marks."""
    return _plain_blocks(SyntaxTreeNode(_markdown.parse(markdown)), "\n\n")


def _inline_html(markdown: str) -> str:
    return cast("str", _markdown.renderInline(markdown)).strip()


def _plain_blocks(node: SyntaxTreeNode, between: str) -> str:
    return between.join(_plain_block(child) for child in node.children)


def _plain_block(node: SyntaxTreeNode) -> str:
    match node.type:
        case "blockquote":
            return "\n".join(f"> {line}".rstrip() for line in _plain_blocks(node, "\n\n").split("\n"))
        case "bullet_list":
            return "\n".join(_plain_item(item, "- ") for item in node.children)
        case "ordered_list":
            start = int(node.attrs.get("start", 1))
            return "\n".join(_plain_item(item, f"{number}. ") for number, item in enumerate(node.children, start))
        case "hr":
            return "---"
        case "fence" | "code_block":
            return node.content.rstrip("\n")
        case _:
            return _plain_inline(node)


def _plain_item(item: SyntaxTreeNode, marker: str) -> str:
    return marker + _plain_blocks(item, "\n").replace("\n", "\n" + " " * len(marker))


def _plain_inline(node: SyntaxTreeNode) -> str:
    match node.type:
        case "text" | "code_inline" | "text_special":
            return node.content
        case "softbreak" | "hardbreak":
            return "\n"
        case "link":
            text, address = "".join(map(_plain_inline, node.children)), str(node.attrs.get("href", ""))
            return text if text == address else f"{text} ({address})"
        case _:
            return "".join(map(_plain_inline, node.children))


def constant(text: str, key: str) -> Json:
    """Return the content of a short notice of the adapter's own (spec: m.notice, which bots do not answer)."""
    return {
        "msgtype": "m.notice",
        "body": text,
        "format": "org.matrix.custom.html",
        "formatted_body": re.sub(r"\n+", "<br>", html_escape(text, quote=False)),
        "m.mentions": {},
        MARKER: {"key": key},
    }


def carries_marker(content: Any) -> bool:
    """Tell whether a bot like us said this."""
    return isinstance(content, dict) and MARKER in content
