"""Slack's older way of writing, mrkdwn: read into the elements of rich text, and escaped where we must send it."""

import re
from collections.abc import Iterator
from typing import Any, TypeAlias

Element: TypeAlias = dict[str, Any]

_CODE_BLOCK = re.compile(r"```\n?(.*?)\n?```", re.DOTALL)
_TOKEN = re.compile(
    r"<(?P<entity>[^<>\n]+)>"
    r"|`(?P<code>[^`\n]+)`"
    r"|:(?P<emoji>[a-z0-9_+'-]*[a-z_+'-][a-z0-9_+'-]*(?:::skin-tone-\d)?):"
    r"|(?<![\w*])\*(?P<bold>[^\s*](?:[^*\n]*[^\s*])?)\*(?![\w*])"
    r"|(?<![\w_])_(?P<italic>[^\s_](?:[^_\n]*[^\s_])?)_(?![\w_])"
    r"|(?<![\w~])~(?P<strike>[^\s~](?:[^~\n]*[^\s~])?)~(?![\w~])"
)
_KINDS = {"@": ("user", "user_id"), "#": ("channel", "channel_id")}


def escape(text: str) -> str:
    """Escape what mrkdwn obeys: three characters and no other."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    """Undo `escape`."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def parse(text: str) -> list[Element]:
    """Read mrkdwn as sections, quotes and code of a rich text."""
    found: list[Element] = []
    for part, code in _parts(text):
        if code:
            found.append(_block("preformatted", [_text(unescape(part))]))
        else:
            found += _lines(part)
    return found


def _parts(text: str) -> Iterator[tuple[str, bool]]:
    at = 0
    for match in _CODE_BLOCK.finditer(text):
        yield text[at : match.start()].removesuffix("\n"), False
        yield match[1], True
        at = match.end()
    yield text[at:].removeprefix("\n") if at else text, False


def _lines(text: str) -> Iterator[Element]:
    """Yield runs of quoted and of other lines."""
    quoted: list[str] = []
    said: list[str] = []
    for line in text.split("\n"):
        if line.startswith("&gt;"):
            if said:
                yield _block("section", _inline("\n".join(said)))
                said = []
            quoted.append(line.removeprefix("&gt;").removeprefix(" "))
        else:
            if quoted:
                yield _block("quote", _inline("\n".join(quoted)))
                quoted = []
            said.append(line)
    if quoted:
        yield _block("quote", _inline("\n".join(quoted)))
    if any(said):
        yield _block("section", _inline("\n".join(said)))


def _inline(text: str, *styles: str) -> list[Element]:
    runs: list[Element] = []
    at = 0
    for match in _TOKEN.finditer(text):
        if match.start() > at:
            runs.append(_text(unescape(text[at : match.start()]), *styles))
        kind = str(match.lastgroup)
        value = match[kind]
        match kind:
            case "entity":
                runs.append(_entity(value, styles))
            case "code":
                runs += _inline_code(value, styles)
            case "emoji":
                runs.append({"type": "emoji", "name": value})
            case _:
                runs += _inline(value, *styles, kind)
        at = match.end()
    if at < len(text):
        runs.append(_text(unescape(text[at:]), *styles))
    return runs


def _inline_code(text: str, styles: tuple[str, ...]) -> list[Element]:
    return [_text(unescape(re.sub(r"<([^<>|]+)(?:\|([^<>]*))?>", lambda m: m[2] or m[1], text)), *styles, "code")]


def _entity(inner: str, styles: tuple[str, ...]) -> Element:
    """Read what stands between `<` and `>`: a mention, a call to many, a date, or a link."""
    target, _, label = inner.partition("|")
    label = unescape(label)
    style: Element = {"style": dict.fromkeys(styles, True)} if styles else {}
    if target[:1] in _KINDS:
        kind, key = _KINDS[target[:1]]
        return {"type": kind, key: target[1:], "name": label.lstrip("@#"), **style}
    if target.startswith("!subteam"):
        return {"type": "usergroup", "name": label.lstrip("@"), **style}
    if target.startswith("!date"):
        return _text(label, *styles)
    if target.startswith("!"):
        return {"type": "broadcast", "range": target[1:].partition("^")[0], **style}
    return {"type": "link", "url": unescape(target), "text": label, **style}


def _block(kind: str, runs: list[Element]) -> Element:
    return {"type": f"rich_text_{kind}", "elements": runs}


def _text(text: str, *styles: str) -> Element:
    return {"type": "text", "text": text, **({"style": dict.fromkeys(styles, True)} if styles else {})}
