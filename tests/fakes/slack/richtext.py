"""Rich text: what Slack accepts in a ``rich_text`` block, and what it makes of a line that a person types.

Source: "Block Kit: rich text block".
"""

import re

from .schema import Check, array, boolean, by_type, choice, integer, shape, string
from .wire import Payload

_STYLE = shape(
    {},
    dict.fromkeys(
        ("bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink"), boolean
    ),
)
_WORD = string(1, 255)
_INLINE: Check = by_type(
    {
        "text": shape({"type": choice("text"), "text": string(1, 13_200, counted=True)}, {"style": _STYLE}),
        "link": shape(
            {"type": choice("link"), "url": string(1, 3000)},
            {"text": string(1, 3000, counted=True), "unsafe": boolean, "style": _STYLE},
        ),
        "emoji": shape(
            {"type": choice("emoji"), "name": _WORD}, {"unicode": _WORD, "skin_tone": integer(1, 6), "style": _STYLE}
        ),
        "user": shape({"type": choice("user"), "user_id": _WORD}, {"style": _STYLE}),
        "usergroup": shape({"type": choice("usergroup"), "usergroup_id": _WORD}, {"style": _STYLE}),
        "channel": shape({"type": choice("channel"), "channel_id": _WORD}, {"style": _STYLE}),
        "broadcast": shape(
            {"type": choice("broadcast"), "range": choice("here", "channel", "everyone")}, {"style": _STYLE}
        ),
        "date": shape(
            {"type": choice("date"), "timestamp": integer(0, 10**11), "format": _WORD},
            {"url": _WORD, "fallback": _WORD},
        ),
        "color": shape({"type": choice("color"), "value": _WORD}),
        "team": shape({"type": choice("team"), "team_id": _WORD}, {"style": _STYLE}),
    },
    what="rich text element",
)
_SECTION = shape({"type": choice("rich_text_section"), "elements": array(_INLINE, 0, 1000)})
_BORDER = integer(0, 1)
_BLOCK = {
    "rich_text_section": _SECTION,
    "rich_text_preformatted": shape(
        {"type": choice("rich_text_preformatted"), "elements": array(_INLINE, 0, 1000)},
        {"border": _BORDER, "language": _WORD},
    ),
    "rich_text_quote": shape(
        {"type": choice("rich_text_quote"), "elements": array(_INLINE, 0, 1000)}, {"border": _BORDER}
    ),
    "rich_text_list": shape(
        {"type": choice("rich_text_list"), "style": choice("bullet", "ordered"), "elements": array(_SECTION, 0, 1000)},
        {"indent": integer(0, 8), "offset": integer(0, 10_000), "border": _BORDER},
    ),
}
RICH_ELEMENT: Check = by_type(_BLOCK, what="rich text element")

_TOKEN = re.compile(
    r"<@(?P<user>[UW][A-Z0-9]+)(?:\|[^>]*)?>|<#(?P<channel>[CG][A-Z0-9]+)(?:\|[^>]*)?>|<!(?P<broadcast>here|channel|everyone)>"
    r"|<(?P<link>https?://[^|>\s]+)(?:\|(?P<label>[^>]*))?>|(?P<bare>https?://[^\s<>|]+)|:(?P<emoji>[a-z0-9_+-]*[a-z_+][a-z0-9_+-]*):"
)


def escaped(text: str) -> str:
    """Slack's escaping of the three control characters ("Formatting text: escaping text")."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescaped(text: str) -> str:
    """The text as a person reads it."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def as_typed(text: str) -> str:
    """What an event carries when a person types ``text``: mentions stay, links are bracketed, the rest is escaped."""
    out: list[str] = []
    at = 0
    for match in _TOKEN.finditer(text):
        out.append(escaped(text[at : match.start()]))
        bare = match.group("bare")
        out.append(f"<{bare}>" if bare else match.group())
        at = match.end()
    out.append(escaped(text[at:]))
    return "".join(out)


def _inline(match: re.Match[str]) -> Payload:
    found = match.groupdict()
    if found["user"]:
        return {"type": "user", "user_id": found["user"]}
    if found["channel"]:
        return {"type": "channel", "channel_id": found["channel"]}
    if found["broadcast"]:
        return {"type": "broadcast", "range": found["broadcast"]}
    if found["emoji"]:
        return {"type": "emoji", "name": found["emoji"]}
    link: Payload = {"type": "link", "url": found["link"] or found["bare"]}
    if found["label"]:
        link["text"] = found["label"]
    return link


def rich_text(text: str, block_id: str) -> Payload:
    """The ``rich_text`` block that comes with a message typed by a person (``text`` as typed, not escaped)."""
    elements: list[Payload] = []
    at = 0
    for match in _TOKEN.finditer(text):
        if match.start() > at:
            elements.append({"type": "text", "text": text[at : match.start()]})
        elements.append(_inline(match))
        at = match.end()
    if at < len(text) or not elements:
        elements.append({"type": "text", "text": text[at:]})
    return {
        "type": "rich_text",
        "block_id": block_id,
        "elements": [{"type": "rich_text_section", "elements": elements}],
    }
