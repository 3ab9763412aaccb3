"""Buttons, forms, commands, shortcuts: all of them are invocations. None of them is ever sent twice by Slack."""

import json
from typing import Any

from bot.message import Address, Invocation, User
from bot.platforms.slack.inbound import Around, fingerprint, instant, place
from bot.platforms.slack.people import Payload, author_of
from bot.platforms.slack.reading import spoken, typed
from bot.platforms.slack.views import FORM, origin_of, submitted_values

ASKING = "question"


def from_interaction(body: Payload, around: Around) -> Invocation | None:
    """Return an interaction as an invocation; None for a modal that was closed and other small talk."""
    if "command" in body:
        return _slash(body, around)
    match body.get("type"):
        case "block_actions":
            return _pressed(body, around)
        case "view_submission":
            return _submitted(body, around)
        case "message_action":
            return _on_message(body, around)
        case "shortcut":
            return _shortcut(body, around)
        case _:
            return None


def _id(body: Payload) -> str:
    return f"{body.get('type', 'command')}:{body.get('trigger_id') or fingerprint(body)}"


def _author(body: Payload, around: Around) -> User:
    person: Payload = body.get("user") or {"id": body.get("user_id"), "team_id": body.get("team_id")}
    return author_of(str(person.get("id") or ""), person, shared=False, me=around.me, teams=around.teams)


def _trigger(body: Payload) -> str | None:
    trigger = body.get("trigger_id")
    return str(trigger) if trigger else None


def _slash(body: Payload, around: Around) -> Invocation:
    return Invocation(
        id=_id(body),
        at=around.now,
        author=_author(body, around),
        to=place(str(body.get("channel_id") or "")),
        command=str(body["command"]).removeprefix("/"),
        line=typed(str(body.get("text") or "").strip(), around.me),
        trigger=_trigger(body),
    )


def _pressed(body: Payload, around: Around) -> Invocation | None:
    """A button carries its command; a button of an older release carries what it carries, and is answered kindly."""
    actions: list[Payload] = body.get("actions") or []
    if not actions:
        return None
    action = actions[0]
    command, line = _button_value(action)
    author = _author(body, around)
    to, pressed = _pressed_at(body, author.id)
    return Invocation(
        id=_id(body),
        at=instant(action.get("action_ts"), around.now),
        author=author,
        to=to,
        command=command,
        line=line,
        pressed=pressed,
        trigger=_trigger(body),
    )


def _button_value(action: Payload) -> tuple[str, str]:
    value: Any = action.get("value") or (action.get("selected_option") or {}).get("value") or ""
    try:
        kept = json.loads(str(value))
    except ValueError:
        return "", ""
    if isinstance(kept, dict) and isinstance(kept.get("c"), str):
        return kept["c"], str(kept.get("l") or "")
    return "", ""


def _pressed_at(body: Payload, user: str) -> tuple[Address, str | None]:
    container: Payload = body.get("container") or {}
    view: Payload = body.get("view") or {}
    if view.get("type") == "modal":
        _, _, to, pressed = origin_of(view, user)
        return to, pressed
    if view or container.get("type") == "view":
        return Address("slack", user, surface="home"), None
    message: Payload = body.get("message") or {}
    channel = (body.get("channel") or {}).get("id") or container.get("channel_id") or user
    ts = container.get("message_ts") or message.get("ts")
    # What one person alone was shown is no root that a thread could grow from.
    root = None if container.get("is_ephemeral") else ts
    thread = container.get("thread_ts") or message.get("thread_ts") or root
    return place(str(channel), str(thread) if thread else None), str(ts) if ts else None


def _submitted(body: Payload, around: Around) -> Invocation | None:
    view: Payload = body.get("view") or {}
    if view.get("callback_id") != FORM:
        return None
    author = _author(body, around)
    command, line, to, pressed = origin_of(view, author.id)
    return Invocation(
        id=_id(body),
        at=around.now,
        author=author,
        to=to,
        command=command,
        line=line,
        form=submitted_values(view),
        pressed=pressed,
        trigger=_trigger(body),
    )


def _on_message(body: Payload, around: Around) -> Invocation:
    message: Payload = body.get("message") or {}
    ts = str(body.get("message_ts") or message.get("ts") or "")
    channel = str((body.get("channel") or {}).get("id") or "")
    command = str(body.get("callback_id") or "")
    return Invocation(
        id=_id(body),
        at=instant(body.get("action_ts"), around.now),
        author=_author(body, around),
        to=place(channel, str(message.get("thread_ts") or ts)),
        command=command,
        # Only a question is asked in a message's own words: what else is said of it would be somebody's remark.
        line=spoken(message, around.me).text if command == ASKING else "",
        pressed=ts,
        trigger=_trigger(body),
    )


def _shortcut(body: Payload, around: Around) -> Invocation:
    author = _author(body, around)
    return Invocation(
        id=_id(body),
        at=instant(body.get("action_ts"), around.now),
        author=author,
        to=Address("slack", author.id, surface="direct"),
        command=str(body.get("callback_id") or ""),
        trigger=_trigger(body),
    )
