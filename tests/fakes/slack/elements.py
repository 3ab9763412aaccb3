"""Composition objects and interactive elements of Block Kit, with the limits of Slack's reference pages.

Sources: "Block Kit: composition objects", "Block Kit: block elements". For an option's value the page says 150
characters, older pages 75: the smaller number is safe everywhere, so it is the one enforced.
"""

from .richtext import RICH_ELEMENT
from .schema import Check, Problems, address, array, boolean, by_type, choice, integer, one_of, shape, string
from .wire import Payload

URL = address
IDENTIFIER = string(1, 255)


def plain(high: int) -> Check:
    """A ``plain_text`` object of 1 to ``high`` characters."""
    return shape({"type": choice("plain_text"), "text": string(1, high, counted=True)}, {"emoji": boolean})


def mrkdwn(high: int) -> Check:
    """A ``mrkdwn`` object of 1 to ``high`` characters."""
    return shape({"type": choice("mrkdwn"), "text": string(1, high, counted=True)}, {"verbatim": boolean})


def any_text(high: int) -> Check:
    """A text object of either kind."""
    return by_type({"plain_text": plain(high), "mrkdwn": mrkdwn(high)})


CONFIRM = shape(
    {"title": plain(100), "text": any_text(300), "confirm": plain(30), "deny": plain(30)},
    {"style": choice("primary", "danger")},
)
OPTION = shape({"text": plain(75), "value": string(1, 75)}, {"description": plain(75), "url": URL})
RICH_OPTION = shape({"text": any_text(75), "value": string(1, 75)}, {"description": any_text(75)})
GROUP = shape({"label": plain(75), "options": array(OPTION, 1, 100)})
DISPATCH = shape({}, {"trigger_actions_on": array(choice("on_enter_pressed", "on_character_entered"), 1, 2)})
FILTER = shape(
    {},
    {
        "include": array(choice("im", "mpim", "private", "public"), 1, 4),
        "exclude_external_shared_channels": boolean,
        "exclude_bot_users": boolean,
    },
)


def _unique_action(value: Payload, path: str, problems: Problems) -> None:
    """An ``action_id`` is unique in its block; one element of a view may take the focus."""
    action = value.get("action_id")
    if isinstance(action, str):
        if action in problems.action_ids:
            problems.note(f"{path}/action_id", f"action_id {action} already exists in this block")
        problems.action_ids.add(action)
    if value.get("focus_on_load") is True:
        problems.focused += 1
        if problems.focused > 1:
            problems.note(f"{path}/focus_on_load", "only one element may set focus_on_load")


def _options(value: Payload, path: str, problems: Problems) -> None:
    if ("options" in value) == ("option_groups" in value):
        problems.note(path, "must define either `options` or `option_groups`")
    _unique_action(value, path, problems)


def _action(
    required: dict[str, Check] | None = None, optional: dict[str, Check] | None = None, *, confirm: bool = True
) -> Check:
    """An interactive element: ``action_id`` may be left out (Slack invents one)."""
    more: dict[str, Check] = {"action_id": IDENTIFIER, **(optional or {})}
    if confirm:
        more["confirm"] = CONFIRM
    return shape({"type": string(1, 50), **(required or {})}, more, _unique_action)


def _menu(
    required: dict[str, Check] | None = None, optional: dict[str, Check] | None = None, *, several: bool = False
) -> Check:
    more: dict[str, Check] = {"placeholder": plain(150), "focus_on_load": boolean, **(optional or {})}
    if several:
        more["max_selected_items"] = integer(1, 100)
    return _action(required, more)


def _static(*, several: bool) -> Check:
    initial = {"initial_options": array(OPTION, 1, 100)} if several else {"initial_option": OPTION}
    more: dict[str, Check] = {
        "action_id": IDENTIFIER,
        "confirm": CONFIRM,
        "placeholder": plain(150),
        "focus_on_load": boolean,
        "options": array(OPTION, 1, 100),
        "option_groups": array(GROUP, 1, 100),
        **initial,
    }
    if several:
        more["max_selected_items"] = integer(1, 100)
    return shape({"type": string(1, 50)}, more, _options)


def _input(optional: dict[str, Check]) -> Check:
    more: dict[str, Check] = {
        "placeholder": plain(150),
        "focus_on_load": boolean,
        "dispatch_action_config": DISPATCH,
        **optional,
    }
    return _action(None, more, confirm=False)


def _lengths(value: Payload, path: str, problems: Problems) -> None:
    low, high = value.get("min_length", 0), value.get("max_length", 3000)
    if isinstance(low, int) and isinstance(high, int) and low > high:
        problems.note(path, "min_length must not be greater than max_length")


def _plain_text_input(value: object, path: str, problems: Problems) -> None:
    _TEXT_INPUT(value, path, problems)
    if isinstance(value, dict):
        _lengths(value, path, problems)


_TEXT_INPUT = _input(
    {
        "initial_value": string(0, 3000),
        "multiline": boolean,
        "min_length": integer(0, 3000),
        "max_length": integer(1, 3000),
    }
)
_BUTTON = _action(
    {"text": plain(75)},
    {"url": URL, "value": string(0, 2000), "style": choice("primary", "danger"), "accessibility_label": string(1, 75)},
)
_DATE, _TIME, _WORD = string(10, 10), string(5, 5), string(1, 255)
SLACK_FILE = one_of(shape({"url": URL}), shape({"id": IDENTIFIER}))


def one_image(value: Payload, path: str, problems: Problems) -> None:
    """An image comes from one place."""
    if ("image_url" in value) == ("slack_file" in value):
        problems.note(path, "must define either `image_url` or `slack_file`")


IMAGE = shape(
    {"type": choice("image"), "alt_text": string(1, 2000)}, {"image_url": URL, "slack_file": SLACK_FILE}, one_image
)

_CHOICES: dict[str, Check] = {
    "checkboxes": _action(
        {"options": array(RICH_OPTION, 1, 10)}, {"initial_options": array(RICH_OPTION, 1, 10), "focus_on_load": boolean}
    ),
    "radio_buttons": _action(
        {"options": array(RICH_OPTION, 1, 10)}, {"initial_option": RICH_OPTION, "focus_on_load": boolean}
    ),
    "static_select": _static(several=False),
    "multi_static_select": _static(several=True),
    "external_select": _menu(None, {"initial_option": OPTION, "min_query_length": integer(0, 100)}),
    "multi_external_select": _menu(
        None, {"initial_options": array(OPTION, 1, 100), "min_query_length": integer(0, 100)}, several=True
    ),
    "users_select": _menu(None, {"initial_user": _WORD}),
    "multi_users_select": _menu(None, {"initial_users": array(_WORD, 1, 100)}, several=True),
    "conversations_select": _menu(
        None,
        {
            "initial_conversation": _WORD,
            "default_to_current_conversation": boolean,
            "response_url_enabled": boolean,
            "filter": FILTER,
        },
    ),
    "multi_conversations_select": _menu(
        None,
        {"initial_conversations": array(_WORD, 1, 100), "default_to_current_conversation": boolean, "filter": FILTER},
        several=True,
    ),
    "channels_select": _menu(None, {"initial_channel": _WORD, "response_url_enabled": boolean}),
    "multi_channels_select": _menu(None, {"initial_channels": array(_WORD, 1, 100)}, several=True),
    "datepicker": _menu(None, {"initial_date": _DATE}),
    "timepicker": _menu(None, {"initial_time": _TIME, "timezone": _WORD}),
    "datetimepicker": _action(None, {"initial_date_time": integer(10**9, 10**10 - 1), "focus_on_load": boolean}),
}
_INPUTS: dict[str, Check] = {
    "plain_text_input": _plain_text_input,
    "email_text_input": _input({"initial_value": string(0, 3000)}),
    "url_text_input": _input({"initial_value": string(0, 3000)}),
    "rich_text_input": _input({"initial_value": shape({"type": choice("rich_text"), "elements": array(RICH_ELEMENT)})}),
    "number_input": shape(
        {"type": choice("number_input"), "is_decimal_allowed": boolean},
        {
            "action_id": IDENTIFIER,
            "initial_value": _WORD,
            "min_value": _WORD,
            "max_value": _WORD,
            "dispatch_action_config": DISPATCH,
            "focus_on_load": boolean,
            "placeholder": plain(150),
        },
        _unique_action,
    ),
    "file_input": _action(None, {"filetypes": array(_WORD, 1, 100), "max_files": integer(1, 10)}, confirm=False),
}
_OVERFLOW = _action({"options": array(OPTION, 1, 5)})

ACCESSORY: Check = by_type({"button": _BUTTON, "overflow": _OVERFLOW, "image": IMAGE, **_CHOICES})
ACTION: Check = by_type({"button": _BUTTON, "overflow": _OVERFLOW, **_CHOICES})
INPUT: Check = by_type({**_INPUTS, **_CHOICES})
CONTEXT: Check = by_type({"image": IMAGE, "plain_text": plain(2000), "mrkdwn": mrkdwn(2000)})
