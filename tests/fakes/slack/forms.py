"""Filling in a form as Slack's client does: values per element type, and the checks that the client makes itself.

Source: "Interaction payloads: view_submission" (``state.values``).
"""

from typing import cast

from .render import text_of
from .surfaces import Element, Surface
from .wire import Payload

Value = str | list[str] | int | None
_PICKED = {
    "users_select": "selected_user",
    "conversations_select": "selected_conversation",
    "channels_select": "selected_channel",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "multi_users_select": "selected_users",
    "multi_conversations_select": "selected_conversations",
    "multi_channels_select": "selected_channels",
}
_SEVERAL = ("checkboxes", "multi_static_select", "multi_external_select")
_ONE = ("static_select", "external_select", "radio_buttons", "overflow")


class FormRefused(AssertionError):
    """Slack's client would not let the person submit this."""


def option(element: Element, wanted: str) -> Payload:
    """The option with this text or value."""
    for each in element.options:
        if wanted in (each["value"], text_of(each["text"])):
            return each
    if element.kind.endswith("external_select"):
        return {"text": {"type": "plain_text", "text": wanted, "emoji": True}, "value": wanted}
    message = (
        f"{element.label!r} has no option {wanted!r}; it has {[text_of(each['text']) for each in element.options]}"
    )
    raise AssertionError(message)


def chosen(element: Element, value: Value) -> Payload:
    """The state of one element, as in ``state.values`` and ``actions``."""
    kind = element.kind
    if kind in _SEVERAL:
        return {"type": kind, "selected_options": [option(element, each) for each in cast("list[str]", value or [])]}
    if kind in _ONE:
        return {"type": kind, "selected_option": option(element, str(value)) if value is not None else None}
    if kind in _PICKED:
        return {"type": kind, _PICKED[kind]: value}
    return {"type": kind, "value": value}


def initial(element: Element) -> Payload:
    """The state of an element that nobody touched."""
    inner, kind = element.element, element.kind
    if kind in _SEVERAL:
        return {"type": kind, "selected_options": inner.get("initial_options", [])}
    if kind in _ONE:
        return {"type": kind, "selected_option": inner.get("initial_option")}
    if kind in _PICKED:
        name = _PICKED[kind]
        return {
            "type": kind,
            name: inner.get(name.replace("selected_", "initial_"), [] if name.endswith("s") else None),
        }
    return {"type": kind, "value": inner.get("initial_value")}


def state_of(surface: Surface, values: dict[str, Value], *, check: bool = True) -> Payload:
    """``state.values`` after somebody filled in ``values`` (by label, ``block_id`` or ``action_id``)."""
    given = {
        (found.block_id, found.action_id): value for name, value in values.items() for found in [surface.element(name)]
    }
    state: Payload = {}
    for element in surface.elements:
        if element.kind == "button":
            continue
        key = (element.block_id, element.action_id)
        filled = chosen(element, given[key]) if key in given else initial(element)
        if check:
            _check(surface, element, filled)
        state.setdefault(element.block_id, {})[element.action_id] = filled
    return state


def _check(surface: Surface, element: Element, filled: Payload) -> None:
    content = next((value for name, value in filled.items() if name != "type"), None)
    is_input = any(block["block_id"] == element.block_id and block["type"] == "input" for block in surface.blocks)
    if is_input and not element.optional and not content:
        message = f"{element.label!r} must be filled in"
        raise FormRefused(message)
    if element.kind != "plain_text_input" or not content:
        return
    length = len(cast("str", content))
    low, high = element.element.get("min_length", 0), element.element.get("max_length", 3000)
    if not low <= length <= high:
        message = f"{element.label!r} takes {low} to {high} characters, not {length}"
        raise FormRefused(message)
