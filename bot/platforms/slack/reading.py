"""What a person wrote on Slack, as Markdown: from the rich text their client sends, or from the older mrkdwn.

No id of an account or channel goes through: a mention becomes `@membre`, unless Slack gives the name along.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from bot.platforms.slack import mrkdwn
from bot.platforms.slack.emoji import emoji
from bot.platforms.slack.markdown import (
    clean,
    escape,
    escape_everything,
    escape_inline,
    guard_line,
    is_link,
    paragraphs,
)
from bot.platforms.slack.options import Identity
from bot.platforms.slack.writing import plain

Element: TypeAlias = Mapping[str, Any]

_MARKS = {"bold": "**", "strike": "~~", "italic": "*"}
_OPENERS = " \t\n:,;-–—"


@dataclass(frozen=True, slots=True)
class Spoken:
    """Markdown without the mention of the bot that opened it, and whether the bot was mentioned at all."""

    text: str
    mentions_bot: bool


@dataclass(frozen=True, slots=True)
class _Run:
    text: str
    styles: frozenset[str] = frozenset()
    url: str = ""


def spoken(message: Mapping[str, Any], me: Identity) -> Spoken:
    """Read the text of a message, or of anything else that has `text` and perhaps `blocks`."""
    text = str(message.get("text") or "")
    rich = [e for b in message.get("blocks") or () if b.get("type") == "rich_text" for e in b.get("elements") or ()]
    found = rich or mrkdwn.parse(text)
    mentioned = f"<@{me.user}" in text or any(_is_bot(run, me) for e in found for run in _leaves(e))
    return Spoken(_written(found, me), mentioned)


def typed(text: str, me: Identity) -> str:
    """Read what was typed after a slash command, or what a shortcut's message says, as Markdown."""
    return _written(mrkdwn.parse(text), me)


def _written(found: Iterable[Element], me: Identity) -> str:
    blocks = list(found)
    if blocks and blocks[0].get("type") == "rich_text_section":
        blocks[0] = _without_opening(blocks[0], me)
    parts: list[str] = []
    after_list = False
    indent = 0
    for element in blocks:
        if element.get("type") == "rich_text_list":
            indent = min(int(element.get("indent") or 0), indent + 1 if after_list else 0)
            text = _list(element, indent, me)
            if after_list and text:
                parts[-1] += "\n" + text
                continue
        else:
            text = _block(element, me)
        after_list = element.get("type") == "rich_text_list"
        parts.append(text)
    return "\n\n".join(part for part in parts if part)


def _block(element: Element, me: Identity) -> str:
    runs = [_run(e, me) for e in element.get("elements") or ()]
    match element.get("type"):
        case "rich_text_preformatted":
            return _fenced("".join(r.text or r.url for r in runs))
        case "rich_text_quote":
            lines = _section(runs).split("\n")
            return "\n".join(f"> {line}" if line else ">" for line in lines) if any(lines) else ""
        case _:
            return _section(runs)


def _fenced(code: str) -> str:
    code = clean(code).strip("\n")
    fence = "```"
    while fence in code:
        fence += "`"
    return f"{fence}\n{code}\n{fence}" if code.strip() else ""


def _list(element: Element, indent: int, me: Identity) -> str:
    ordered = element.get("style") == "ordered"
    number = int(element.get("offset") or 0) + 1
    lines: list[str] = []
    for item in element.get("elements") or ():
        runs = [_run(e, me) for e in item.get("elements") or ()]
        text = _section(runs).replace("\n\n", "  \n")
        mark = f"{number}." if ordered else "-"
        margin = " " * 4 * indent
        lines.append(f"{margin}{mark} {text}".replace("\n", f"\n{margin}    ").rstrip())
        number += 1
    return "\n".join(lines)


def _section(runs: list[_Run]) -> str:
    """Write runs as Markdown; where Markdown cannot say their styles, the words win."""
    literal = clean("".join(r.text or r.url for r in runs))
    styled = paragraphs([_line(line) for line in _lines(runs)])
    if not any(r.styles or r.url for r in runs) or _same(plain(styled), literal):
        return styled
    unstyled = escape(literal)
    return unstyled if _same(plain(unstyled), literal) else escape(literal, inline=escape_everything)


def _same(one: str, other: str) -> bool:
    def words(text: str) -> list[str]:
        return [line.strip() for line in text.replace("\N{NO-BREAK SPACE}", " ").split("\n") if line.strip()]

    return words(one) == words(other)


def _lines(runs: list[_Run]) -> list[list[_Run]]:
    lines: list[list[_Run]] = [[]]
    for run in runs:
        if run.url:
            lines[-1].append(run)
            continue
        first, *others = clean(run.text).split("\n")
        lines[-1].append(_Run(first, run.styles))
        lines += [[_Run(other, run.styles)] for other in others]
    return lines


def _line(runs: list[_Run]) -> str:
    merged: list[_Run] = []
    for run in runs:
        if merged and not run.url and not merged[-1].url and merged[-1].styles == run.styles:
            merged[-1] = _Run(merged[-1].text + run.text, run.styles)
        else:
            merged.append(run)
    line = "".join(_inline(run) for run in merged)
    return guard_line(line.rstrip()) if merged and not merged[0].styles and not merged[0].url else line


def _inline(run: _Run) -> str:
    if run.url:
        inner = _link(run)
        lead = trail = ""
    else:
        inner = run.text.strip()
        if not inner:
            return run.text
        start = run.text.index(inner)
        lead, trail = run.text[:start], run.text[start + len(inner) :]
        inner = _code(inner) if "code" in run.styles else escape_inline(inner)
    for style, mark in _MARKS.items():
        if style in run.styles:
            inner = f"{mark}{inner}{mark}"
    return f"{lead}{inner}{trail}"


def _code(text: str) -> str:
    fence = "`"
    while fence in text:
        fence += "`"
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _link(run: _Run) -> str:
    label = " ".join(clean(run.text).split())
    if not is_link(run.url):
        return escape_inline(label or run.url)
    if label in ("", run.url):
        return f"<{run.url}>"
    target = run.url.replace("\\", "%5C").replace("(", "%28").replace(")", "%29")
    return f"[{escape_inline(label)}]({target})"


def _run(element: Element, me: Identity) -> _Run:
    styles = frozenset(name for name, on in (element.get("style") or {}).items() if on)
    kind = element.get("type")
    if kind == "link":
        return _Run(str(element.get("text") or ""), styles, str(element.get("url") or ""))
    if kind == "user" and element.get("user_id") == me.user:
        return _Run(f"@{me.name}", styles)
    read = _LEAVES.get(str(kind))
    return _Run(read(element) if read else str(element.get("text") or ""), styles)


_LEAVES: dict[str, Callable[[Element], str]] = {
    "emoji": lambda e: emoji(str(e.get("name") or ""), e.get("unicode")),
    "user": lambda e: f"@{e.get('name') or 'membre'}",
    "channel": lambda e: f"#{e.get('name') or 'salon'}",
    "usergroup": lambda e: f"@{e.get('name') or 'groupe'}",
    "team": lambda _: "@équipe",
    "broadcast": lambda e: f"@{e.get('range') or 'channel'}",
    "date": lambda e: str(e.get("fallback") or ""),
    "color": lambda e: str(e.get("value") or ""),
}


def _is_bot(element: Element, me: Identity) -> bool:
    return element.get("type") == "user" and element.get("user_id") == me.user


def _without_opening(section: Element, me: Identity) -> Element:
    """Take the mention of the bot off the beginning, with the comma or colon after it."""
    inner = list(section.get("elements") or ())
    while inner and (_is_bot(inner[0], me) or (inner[0].get("type") == "text" and not str(inner[0]["text"]).strip())):
        was_bot = _is_bot(inner.pop(0), me)
        if was_bot and inner and inner[0].get("type") == "text":
            inner[0] = {**inner[0], "text": str(inner[0]["text"]).lstrip(_OPENERS)}
    return {**section, "elements": inner}


def _leaves(element: Element) -> Iterator[Element]:
    for inner in element.get("elements") or ():
        yield inner
        yield from _leaves(inner)
