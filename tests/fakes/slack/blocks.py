"""Blocks, messages and views, with the limits of Slack's "Block Kit: blocks" and "Views" reference pages."""

import json
from typing import cast

from .elements import ACCESSORY, ACTION, CONTEXT, IDENTIFIER, INPUT, SLACK_FILE, URL, any_text, one_image, plain
from .richtext import RICH_ELEMENT
from .schema import Check, Problems, anything, array, boolean, by_type, choice, shape, string
from .wire import ApiError, Payload

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
VIEW_BYTES = 250_000
MESSAGE_CHARACTERS = 13_200
"""All text of a message's blocks together; beyond it Slack answers ``msg_blocks_too_long``."""
MARKDOWN_CHARACTERS = 12_000


def _section(value: Payload, path: str, problems: Problems) -> None:
    if "text" not in value and "fields" not in value:
        problems.note(path, "must define either `text` or `fields`")


def _block(kind: str, required: dict[str, Check], optional: dict[str, Check] | None = None) -> Check:
    more: dict[str, Check] = {"block_id": IDENTIFIER, **(optional or {})}
    return shape({"type": choice(kind), **required}, more, _section if kind == "section" else None)


_IMAGE = shape(
    {"type": choice("image"), "alt_text": string(1, 2000)},
    {"block_id": IDENTIFIER, "title": plain(2000), "image_url": URL, "slack_file": SLACK_FILE},
    one_image,
)
_BLOCKS: dict[str, Check] = {
    "section": _block(
        "section",
        {},
        {"text": any_text(3000), "fields": array(any_text(2000), 1, 10), "accessory": ACCESSORY, "expand": boolean},
    ),
    "header": _block("header", {"text": plain(150)}),
    "divider": _block("divider", {}),
    "context": _block("context", {"elements": array(CONTEXT, 1, 10)}),
    "actions": _block("actions", {"elements": array(ACTION, 1, 25)}),
    "image": _IMAGE,
    "input": _block(
        "input",
        {"label": plain(2000), "element": INPUT},
        {"hint": plain(2000), "optional": boolean, "dispatch_action": boolean},
    ),
    "rich_text": _block("rich_text", {"elements": array(RICH_ELEMENT, 1, 100)}),
    "markdown": _block("markdown", {"text": string(1, MARKDOWN_CHARACTERS, counted=True)}),
    "video": _block(
        "video",
        {"title": plain(199), "alt_text": string(1, 2000), "thumbnail_url": URL, "video_url": URL},
        {
            "author_name": string(1, 49),
            "description": plain(200),
            "provider_icon_url": URL,
            "provider_name": string(1, 50),
            "title_url": URL,
        },
    ),
}
_IN_VIEWS = {kind: check for kind, check in _BLOCKS.items() if kind != "markdown"}
_MESSAGE_BLOCK = by_type(_BLOCKS)
_VIEW_BLOCK = by_type(_IN_VIEWS)


def _each(block: Check) -> Check:
    """A block whose ``block_id`` is unique in the document and whose actions are unique in the block."""

    def check(value: object, path: str, problems: Problems) -> None:
        problems.action_ids = set()
        block(value, path, problems)
        name = cast("Payload", value).get("block_id") if isinstance(value, dict) else None
        if isinstance(name, str):
            if name in problems.block_ids:
                problems.note(f"{path}/block_id", f"block_id {name} already exists")
            problems.block_ids.add(name)

    return check


_MESSAGE = array(_each(_MESSAGE_BLOCK), 0, MESSAGE_BLOCKS)


def checked_blocks(value: object) -> list[Payload]:
    """The blocks of a message, or ``invalid_blocks`` with Slack's reasons."""
    if not isinstance(value, list):
        raise ApiError("invalid_blocks_format")
    problems = Problems()
    _MESSAGE(value, "/blocks", problems)
    if problems.messages:
        raise ApiError("invalid_blocks", messages=problems.messages)
    if problems.characters > MESSAGE_CHARACTERS:
        raise ApiError("msg_blocks_too_long")
    return with_ids(cast("list[Payload]", value))


def _modal(value: Payload, path: str, problems: Problems) -> None:
    blocks = cast("list[Payload]", value.get("blocks") if isinstance(value.get("blocks"), list) else [])
    if "submit" not in value and any(block.get("type") == "input" for block in blocks):
        problems.note(path, "submit is required when an input block is within blocks")


_COMMON: dict[str, Check] = {
    "private_metadata": string(0, 3000),
    "callback_id": string(0, 255),
    "external_id": string(0, 255),
}
_VIEW_LIST = array(_each(_VIEW_BLOCK), 1, VIEW_BLOCKS)
_VIEW = by_type(
    {
        "modal": shape(
            {"type": choice("modal"), "title": plain(24), "blocks": _VIEW_LIST},
            {
                **_COMMON,
                "submit": plain(24),
                "close": plain(24),
                "clear_on_close": boolean,
                "notify_on_close": boolean,
                "submit_disabled": boolean,
            },
            _modal,
        ),
        "home": shape({"type": choice("home"), "blocks": _VIEW_LIST}, _COMMON),
    }
)


def checked_view(value: object) -> Payload:
    """A modal or an App Home, or ``invalid_arguments`` with Slack's reasons."""
    problems = Problems()
    _VIEW(value, "/view", problems)
    if problems.messages:
        raise ApiError("invalid_arguments", messages=problems.messages)
    view = dict(cast("Payload", value))
    if len(json.dumps(view)) > VIEW_BYTES:
        raise ApiError("view_too_large")
    view["blocks"] = with_ids(cast("list[Payload]", view["blocks"]))
    return view


_ATTACHMENT = shape(
    {},
    {
        "blocks": array(_each(_MESSAGE_BLOCK), 0, MESSAGE_BLOCKS),
        "fields": array(shape({}, {"title": string(0, 3000), "value": string(0, 3000), "short": boolean}), 0, 100),
        "mrkdwn_in": array(string(1, 50)),
        "ts": anything,
        **{
            name: string(0, 8000)
            for name in (
                "author_icon author_link author_name color fallback footer footer_icon image_url "
                "pretext text thumb_url title title_link"
            ).split()
        },
    },
)
_ATTACHMENTS = array(_ATTACHMENT, 0, 100)


def checked_attachments(value: object) -> list[Payload]:
    """Legacy attachments, or ``invalid_attachments``."""
    problems = Problems()
    _ATTACHMENTS(value, "/attachments", problems)
    if problems.messages:
        raise ApiError("invalid_attachments", messages=problems.messages)
    return cast("list[Payload]", value)


def with_ids(blocks: list[Payload]) -> list[Payload]:
    """Slack gives an id to every block and element that has none; a click names them."""
    taken = {block.get("block_id") for block in blocks}
    named: list[Payload] = []
    for index, block in enumerate(blocks):
        fresh = dict(block)
        if "block_id" not in fresh:
            name = f"b{index}"
            while name in taken:
                name = f"{name}x"
            fresh["block_id"] = name
        if "elements" in fresh and fresh["type"] == "actions":
            fresh["elements"] = [
                _named(element, f"a{at}") for at, element in enumerate(cast("list[Payload]", fresh["elements"]))
            ]
        for slot in ("accessory", "element"):
            if slot in fresh and cast("Payload", fresh[slot]).get("type") != "image":
                fresh[slot] = _named(cast("Payload", fresh[slot]), "a0")
        named.append(fresh)
    return named


def _named(element: Payload, name: str) -> Payload:
    return element if "action_id" in element else {**element, "action_id": name}
