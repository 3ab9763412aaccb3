"""Forms as Slack's modals, cards as App Homes, and what a modal sends back."""

import json
from typing import Any

from bot.card import Card, Errors, Field, Form, Paragraph
from bot.message import Address, Invocation
from bot.platforms.slack.blocks import VIEW_BLOCKS, BlockDict, blocks_of, plain_text, shortened
from bot.platforms.slack.markdown import escape
from bot.platforms.slack.people import Payload
from bot.platforms.slack.writing import plain

FORM = "form"

_TITLE = 24
_LABEL = 2000
_TYPED = 3000
_METADATA = 3000
_OPTIONS = 100
_OPTION = 75  # of an option's text; its value may have 150 by Slack's page, older clients take 75


def form_view(form: Form, asked: Invocation) -> BlockDict:
    """Return the modal of a rendered form; it carries where it was asked for, so that its answer finds back."""
    blocks = [] if form.intro is None else blocks_of(Card(None, (Paragraph(form.intro),)), limit=1)
    fields = {field.name: field for field in reversed(form.fields)}  # of two with one name the first stands
    inputs = [_input(fields[name]) for name in dict.fromkeys(field.name for field in form.fields)]
    blocks += inputs[: VIEW_BLOCKS - len(blocks)]
    return {
        "type": "modal",
        "callback_id": FORM,
        "title": plain_text(str(form.title), _TITLE),
        "submit": plain_text(str(form.submit), _TITLE),
        "blocks": blocks or blocks_of(Card()),
        "private_metadata": _metadata(form, asked),
    }


def home_view(card: Card) -> BlockDict:
    """Return a rendered card as somebody's App Home."""
    return {"type": "home", "blocks": blocks_of(card, limit=VIEW_BLOCKS)}


def refusal(errors: Errors, view: Payload) -> dict[str, Any]:
    """Return the acknowledgement that keeps a modal open and says what is wrong.

    Slack accepts errors on inputs of that modal only: one on anything else is shown at the first input.
    """
    inputs = [str(b.get("block_id")) for b in view.get("blocks") or () if b.get("type") == "input"]
    said: dict[str, str] = {}
    for name, words in errors.by_field:
        block = name if name in inputs else next(iter(inputs), "")
        if block:
            said[block] = f"{said[block]} {plain(str(words))}" if block in said else plain(str(words))
    if not said:
        return {}
    return {"response_action": "errors", "errors": {k: shortened(v, _LABEL) or "…" for k, v in said.items()}}


def submitted_values(view: Payload) -> dict[str, str]:
    """Return what was filled in, by field; what was typed is Markdown that shows exactly the same."""
    values: dict[str, str] = {}
    state: Payload = (view.get("state") or {}).get("values") or {}
    for name, elements in state.items():
        for element in elements.values():
            if element.get("type") == "plain_text_input":
                values[name] = escape(str(element.get("value") or ""))
            else:
                values[name] = str((element.get("selected_option") or {}).get("value") or element.get("value") or "")
    return values


def origin_of(view: Payload, user: str) -> tuple[str, str, Address, str | None]:
    """Return command, line, address and pressed message that `form_view` put into a modal."""
    try:
        kept = json.loads(str(view.get("private_metadata") or "{}"))
    except ValueError:
        kept = {}
    if not isinstance(kept, dict):
        kept = {}
    surface = kept.get("surface")
    to = Address(
        "slack",
        str(kept.get("room") or user),
        kept.get("thread"),
        surface=surface if surface in {"room", "direct", "home"} else "direct",
    )
    return str(kept.get("command") or ""), str(kept.get("line") or ""), to, kept.get("pressed")


def _metadata(form: Form, asked: Invocation) -> str:
    kept = {"command": form.command, "room": asked.to.room, "surface": asked.to.surface, "line": form.line}
    if asked.to.thread:
        kept["thread"] = asked.to.thread
    if asked.pressed:
        kept["pressed"] = asked.pressed
    while len(text := json.dumps(kept, ensure_ascii=False, separators=(",", ":"))) > _METADATA and kept["line"]:
        kept["line"] = kept["line"][: -max(1, (len(text) - _METADATA) // 2)]
    return text


def _input(field: Field) -> BlockDict:
    made: BlockDict = {
        "type": "input",
        "block_id": field.name,
        "label": plain_text(str(field.label), _LABEL),
        "element": _element(field),
        "optional": field.optional,
    }
    if field.hint is not None and plain(str(field.hint)).strip():
        made["hint"] = plain_text(str(field.hint), _LABEL)
    return made


def _element(field: Field) -> BlockDict:
    options = [
        {"text": plain_text(str(choice.label), _OPTION), "value": choice.value}
        for choice in field.choices
        if choice.value.strip() and len(choice.value) <= _OPTION
    ][:_OPTIONS]
    if field.kind == "choice" and options:
        made: BlockDict = {"type": "static_select", "action_id": "value", "options": options}
        chosen = next((option for option in options if option["value"] == field.value), None)
        return made if chosen is None else {**made, "initial_option": chosen}
    made = {"type": "plain_text_input", "action_id": "value", "multiline": field.kind == "text", "max_length": _TYPED}
    if initial := shortened(plain(field.value), _TYPED):
        made["initial_value"] = initial
    return made
