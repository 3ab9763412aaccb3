"""Hostile HTML as Markdown: what people write in Matrix (spec: «m.room.message msgtypes», the allowed tags).

Text is escaped, structure is written anew from the few tags that mean something in a chat; everything else, its
attributes first, is left behind.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TypeAlias
from urllib.parse import unquote, urlsplit

from bot.platforms.matrix.plain import clean, escape, escape_start

MENTION = "\ue000"  # stands for a mention of the bot while the text is put together; `clean` lets nobody write it

_DEPTH = 100
_VOID = {"br", "hr", "img", "wbr", "input", "meta", "link"}
_DROPPED = {"mx-reply", "script", "style", "head", "title", "template", "svg", "math", "object", "noscript", "iframe"}
_BLOCKS = {
    *("p", "div", "blockquote", "ul", "ol", "li", "pre", "hr", "table", "thead", "tbody", "tr", "details", "summary"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "section", "article", "caption"),
}
_MARKS = {"b": "**", "strong": "**", "i": "*", "em": "*", "del": "~~", "s": "~~", "strike": "~~"}
_SCHEMES = {"http", "https", "mailto"}
_SPACE = re.compile(r"[ \t\n\r\f]+")
_UNSAFE_IN_URL = re.compile(r"[\s<>()\[\]\\`|*_~\"'\x00-\x1f]")


@dataclass(slots=True)
class _Node:
    tag: str
    attributes: dict[str, str] = field(default_factory=dict[str, str])
    children: "list[_Node | str]" = field(default_factory=list)


_Child: TypeAlias = "_Node | str"
_IsBot = Callable[[str], bool]


def to_markdown(html: str, is_bot: _IsBot = lambda _: False) -> str:
    """Return HTML as Markdown; a pill of the bot becomes `MENTION`."""
    parser = _Parser()
    parser.feed(clean(html))
    parser.close()
    return "\n\n".join(_blocks(parser.root.children, is_bot))


class _Parser(HTMLParser):
    """Builds a tree that is never deeper than `_DEPTH`."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = _Node("")
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = _Node(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(node)
        if tag not in _VOID and len(self._open) < _DEPTH:
            self._open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        for depth in range(len(self._open) - 1, 0, -1):
            if self._open[depth].tag == tag:
                del self._open[depth:]
                return

    def handle_data(self, data: str) -> None:
        # Character references may stand for what `clean` removes.
        self._open[-1].children.append(clean(data))


def _blocks(children: Iterable[_Child], is_bot: _IsBot) -> list[str]:
    """Return blocks of Markdown; inline content between blocks becomes paragraphs."""
    blocks: list[str] = []
    inline: list[_Child] = []

    def flush() -> None:
        lines = [escape_start(_SPACE.sub(" ", line).strip()) for line in _inline(inline, is_bot).split("\n")]
        inline.clear()
        text = "  \n".join(line for line in lines if line)
        if text:
            blocks.append(text)

    for child in children:
        if isinstance(child, _Node) and child.tag in _BLOCKS:
            flush()
            blocks.extend(block for block in _block(child, is_bot) if block)
        elif isinstance(child, _Node) and child.tag not in _DROPPED and _holds_blocks(child):
            flush()
            blocks.extend(_blocks(child.children, is_bot))
        else:
            inline.append(child)
    flush()
    return blocks


def _holds_blocks(node: _Node) -> bool:
    return any(isinstance(child, _Node) and child.tag in _BLOCKS for child in node.children)


def _block(node: _Node, is_bot: _IsBot) -> list[str]:
    match node.tag:
        case "blockquote":
            return [_quoted("\n\n".join(_blocks(node.children, is_bot)))]
        case "ul" | "ol":
            return [_list(node, is_bot)]
        case "pre" | "hr":
            return [_fenced(_text(node)) if node.tag == "pre" else "---"]
        case "tr":
            cells = (_flat(cell, is_bot) for cell in node.children if isinstance(cell, _Node))
            return [" · ".join(cell for cell in cells if cell)]
        case "h1" | "h2" | "h3" | "h4" | "h5" | "h6":
            return [_marked(_flat(node, is_bot), "**")]
        case _:
            return _blocks(node.children, is_bot)


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n")) if text else ""


def _list(node: _Node, is_bot: _IsBot) -> str:
    start = node.attributes.get("start", "1")
    number = int(start) if re.fullmatch(r"\d{1,6}", start, re.ASCII) else 1
    items: list[str] = []
    for child in node.children:
        if isinstance(child, _Node):
            marker = f"{number}. " if node.tag == "ol" else "- "
            blocks = _blocks(child.children if child.tag == "li" else [child], is_bot)
            text = "\n".join(blocks) if all("\n" not in b for b in blocks) else "\n\n".join(blocks)
            indent = " " * len(marker)
            items.append(marker + text.replace("\n", f"\n{indent}") if text else marker.rstrip())
            number += 1
    return "\n".join(items)


def _flat(node: _Node, is_bot: _IsBot) -> str:
    """Return everything in a node on one line."""
    return _SPACE.sub(" ", " ".join(_blocks(node.children, is_bot)).replace("  \n", " ")).strip()


def _inline(children: Iterable[_Child], is_bot: _IsBot) -> str:
    return "".join(
        escape(_SPACE.sub(" ", child)) if isinstance(child, str) else _span(child, is_bot) for child in children
    )


def _span(node: _Node, is_bot: _IsBot) -> str:
    if node.tag in _DROPPED:
        return ""
    match node.tag:
        case "br":
            return "\n"
        case "img":
            return escape(_SPACE.sub(" ", node.attributes.get("alt", "")))
        case "code":
            return _code(_text(node))
        case "a":
            return _link(node, is_bot)
        case _:
            inner = _inline(node.children, is_bot)
            return _marked(inner, _MARKS[node.tag]) if node.tag in _MARKS else inner


def _marked(inner: str, mark: str) -> str:
    """Put emphasis around the words, line by line: a mark beside a space would be shown instead of obeyed."""
    return "\n".join(_marked_line(line, mark) for line in inner.split("\n"))


def _marked_line(line: str, mark: str) -> str:
    words = line.strip()
    if not words or MENTION in words:
        return line
    before, after = line[: len(line) - len(line.lstrip())], line[len(line.rstrip()) :]
    return f"{before}{mark}{words}{mark}{after}"


def _code(text: str) -> str:
    text = " ".join(text.split())
    if not text:
        return ""
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _fenced(text: str) -> str:
    fence = "`" * max(3, max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    return f"{fence}\n{text.strip(chr(10))}\n{fence}"


def _link(node: _Node, is_bot: _IsBot) -> str:
    """Return a link that says where it goes; a pill becomes the name it shows (spec: «Matrix URIs», matrix.to)."""
    inner, address = _inline(node.children, is_bot).replace("\n", " "), node.attributes.get("href", "").strip()
    user = pilled_user(address)
    if user is not None:
        return MENTION if is_bot(user) else inner
    try:
        scheme = urlsplit(address).scheme.lower()
    except ValueError:
        return inner
    if scheme not in _SCHEMES or MENTION in inner or not inner.strip():
        return inner
    target = _UNSAFE_IN_URL.sub(lambda m: "".join(f"%{byte:02X}" for byte in m[0].encode()), address)
    return f"[{inner.strip()}]({target})"


def pilled_user(address: str) -> str | None:
    """Return the user that a matrix.to or matrix: link names."""
    for prefix, sigil in (("https://matrix.to/#/", ""), ("http://matrix.to/#/", ""), ("matrix:u/", "@")):
        if address.lower().startswith(prefix):
            name = sigil + unquote(address[len(prefix) :].partition("?")[0])
            return name if name.startswith("@") else None
    return None


def _text(node: _Node) -> str:
    """Return the bare text of a node, line ends kept."""
    parts: list[str] = []
    for child in node.children:
        if isinstance(child, str):
            parts.append(child)
        elif child.tag == "br":
            parts.append("\n")
        elif child.tag not in _DROPPED:
            parts.append(_text(child))
    return "".join(parts)
