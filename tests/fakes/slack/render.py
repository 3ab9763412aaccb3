"""What a person sees: blocks as lines of text, buttons as ``[ Prendre ]``."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import cast

from tests.typed import typed

from .richtext import unescaped
from .wire import Payload

_MARKUP = re.compile(r"<(?P<body>[^<>\s][^<>]*)>")
NAMELESS: Mapping[str, str] = {}


def readable(text: str, names: Mapping[str, str] = NAMELESS) -> str:
    """Text as drawn: links by their label, dates by their fallback, mentions by name where the name is known."""

    def drawn(match: re.Match[str]) -> str:
        body = match["body"]
        target, _, label = body.partition("|")
        if target[0] in "@#" and target[1:] in names:
            return f"{target[0]}{names[target[1:]]}"
        if target.startswith("!date"):
            return label
        if target[0] in "@#!":
            return match.group()
        return label or target

    return unescaped(_MARKUP.sub(drawn, text))


def text_of(value: object, names: Mapping[str, str] = NAMELESS) -> str:
    """The text of a text object."""
    if not isinstance(value, dict):
        return ""
    found = cast("Payload", value)
    text = typed(str(found.get("text", "")))
    return readable(text, names) if found.get("type") == "mrkdwn" else unescaped(text)


def _rich(element: Payload, names: Mapping[str, str]) -> str:
    kind = element["type"]
    if kind == "text":
        return str(element["text"])
    if kind == "link":
        return str(element.get("text") or element["url"])
    if kind == "emoji":
        return f":{element['name']}:"
    if kind == "user":
        return f"@{names.get(element['user_id'], element['user_id'])}"
    if kind == "channel":
        return f"#{names.get(element['channel_id'], element['channel_id'])}"
    if kind == "broadcast":
        return f"@{element['range']}"
    if kind == "date":
        return str(element.get("fallback", element["timestamp"]))
    marker = {"rich_text_quote": "> ", "rich_text_list": "• "}.get(kind, "")
    joint = f"\n{marker}" if kind == "rich_text_list" else ""
    return marker + joint.join(_rich(each, names) for each in cast("list[Payload]", element.get("elements", [])))


def element_line(element: Payload) -> str:
    """An interactive element."""
    kind = str(element["type"])
    if kind == "button":
        return f"[ {text_of(element['text'])} ]"
    if kind in ("image", "plain_text", "mrkdwn"):
        return f"({element['alt_text']})" if kind == "image" else text_of(element)
    shown = element.get("initial_option") or element.get("placeholder") or {}
    label = text_of(shown.get("text") if "value" in shown else shown) or str(element.get("initial_value", ""))
    return f"[ {label or kind} ▾ ]" if "select" in kind or kind == "overflow" else f"[ {label or kind} ]"


def block_lines(block: Payload, names: Mapping[str, str] = NAMELESS) -> list[str]:
    """A block as lines."""
    kind = block["type"]
    elements = cast("list[Payload]", block.get("elements", []))
    if kind == "divider":
        return ["———"]
    if kind == "actions":
        return [" ".join(element_line(each) for each in elements)]
    if kind == "context":
        return [
            "  ".join(f"({each['alt_text']})" if each["type"] == "image" else text_of(each, names) for each in elements)
        ]
    if kind == "rich_text":
        return [line for each in elements for line in _rich(each, names).split("\n")]
    if kind == "image":
        return [f"({block['alt_text']})"]
    if kind == "input":
        return [f"{text_of(block['label'])}: {element_line(block['element'])}"]
    if kind == "markdown":
        return str(block["text"]).split("\n")
    lines = text_of(block.get("text"), names).split("\n") if "text" in block else []
    lines += [line for field in block.get("fields", []) for line in text_of(field, names).split("\n")]
    if kind == "header":
        lines = [f"*{line}*" for line in lines]
    if accessory := block.get("accessory"):
        lines.append(element_line(accessory))
    return lines


def body_lines(body: Payload, names: Mapping[str, str] = NAMELESS) -> list[str]:
    """A message as lines: its blocks, or its text when it has none; then its files and previews."""
    blocks = cast("list[Payload]", body.get("blocks") or [])
    lines = (
        [line for block in blocks for line in block_lines(block, names)]
        if blocks
        else readable(typed(str(body.get("text", ""))), names).split("\n")
    )
    lines += [f"({each['name']})" for each in cast("list[Payload]", body.get("files") or [])]
    lines += [
        f"| {each.get('title') or each.get('text') or each.get('fallback', '')}"
        for each in cast("list[Payload]", body.get("attachments") or [])
    ]
    return lines


def _clock(ts: str) -> str:
    return datetime.fromtimestamp(float(ts), UTC).strftime("%H:%M:%S")


def transcript(name: str, posts: Iterable[Payload], names: Mapping[str, str]) -> str:
    """A conversation as text: threads under their roots, edits, deletions and ephemeral messages marked."""
    listed = list(posts)
    roots = [each for each in listed if each["body"].get("thread_ts") in (None, each["body"]["ts"])]
    known = {each["body"]["ts"] for each in roots}
    lines = [name]
    for root in roots:
        lines += _entry(root, names, "  ")
        for reply in listed:
            if reply["body"].get("thread_ts") == root["body"]["ts"] and reply is not root:
                lines += _entry(reply, names, "      ↳ ")
    orphans = [each for each in listed if each not in roots and each["body"].get("thread_ts") not in known]
    return "\n".join(lines + [line for each in orphans for line in _entry(each, names, "  ? ↳ ")])


def _entry(post: Payload, names: Mapping[str, str], indent: str) -> list[str]:
    body: Payload = post["body"]
    author = names.get(str(body.get("user")), str(body.get("username") or body.get("user")))
    marks = [mark for mark, on in (("edited", "edited" in body), ("deleted", post["deleted"])) if on]
    if post["ephemeral_to"]:
        marks.append(f"only visible to {names.get(post['ephemeral_to'], post['ephemeral_to'])}")
    marked = f" ({', '.join(marks)})" if marks else ""
    head = f"{indent}{_clock(body['ts'])} {author}{' APP' if 'bot_id' in body else ''}{marked}:"
    lines = body_lines(body, names)
    if post["deleted"]:
        return [head]
    if "bot_id" not in body and len(lines) == 1:
        return [f"{head} {lines[0]}"]
    pad = " " * len(indent)
    return [head, *(f"{pad}┃ {line}" for line in lines)]


_PING = re.compile(r"<(@[UW][A-Z0-9]+|!here|!channel|!everyone|!subteam\^[A-Z0-9]+)(?:\|[^>]*)?>")


def pings(body: Payload) -> list[str]:
    """Whom a message notifies, from its text, its mrkdwn and its rich text."""
    found: set[str] = set() if body.get("blocks") else set(_PING.findall(str(body.get("text", ""))))

    def walk(value: object) -> None:
        if isinstance(value, list):
            for each in cast("list[object]", value):
                walk(each)
        if not isinstance(value, dict):
            return
        inner = cast("Payload", value)
        if inner.get("type") == "mrkdwn":
            found.update(_PING.findall(str(inner["text"])))
        if inner.get("type") == "user":
            found.add(f"@{inner['user_id']}")
        if inner.get("type") == "broadcast":
            found.add(f"!{inner['range']}")
        walk(list(inner.values()))

    walk(body.get("blocks"))
    return sorted(each.replace("!", "@", 1) for each in found)
