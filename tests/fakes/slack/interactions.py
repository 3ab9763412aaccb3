"""What people do with the app's own surfaces, as interaction payloads.

Sources: "Interaction payloads" (block_actions, view_submission, view_closed, shortcuts, block_suggestion) and
"Implementing slash commands". An interaction is sent once; the answer to a form may hold errors or the next view.
"""

import uuid
from typing import cast

from .blocks import checked_view
from .core import Core
from .delivery import Ack, Envelope, EnvelopeType
from .responses import answer, response_url
from .wire import ApiError, Payload
from .workspace import Account, Message


def person(account: Account) -> Payload:
    """The ``user`` of an interaction."""
    return {"id": account.id, "username": account.name, "name": account.name, "team_id": account.team}


def common(core: Core, kind: str, user: str) -> Payload:
    """The fields of every interaction payload."""
    workspace = core.workspace
    return {
        "type": kind,
        "user": person(workspace.account(user)),
        "api_app_id": workspace.bot.app_id,
        "token": "verification-token",
        "team": {"id": workspace.team, "domain": workspace.domain},
        "enterprise": None,
        "is_enterprise_install": False,
    }


async def send(core: Core, kind: EnvelopeType, payload: Payload) -> Ack:
    """Deliver an interaction and wait for its acknowledgement."""
    return await core.delivery.ask(Envelope(str(uuid.uuid4()), kind, payload))


def place(core: Core, message: Message) -> Payload:
    """Channel and message of an interaction with a message."""
    channel = core.workspace.channels[message.channel]
    name = "directmessage" if channel.kind == "im" else channel.name
    shown: Payload = {"channel": {"id": channel.id, "name": name}}
    if not message.ephemeral_to:
        shown["message"] = message.to_slack()
    return shown


async def act_on_message(
    core: Core, user: str, channel: str, ts: str, action: Payload, state: Payload | None = None
) -> Ack:
    """A click or a choice in a message (``block_actions``)."""
    message = core.workspace.channel(channel).messages.get(ts)
    if message is None or message.deleted:
        raise ApiError("message_not_found")
    container: Payload = {
        "type": "message",
        "message_ts": ts,
        "channel_id": channel,
        "is_ephemeral": bool(message.ephemeral_to),
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    payload = common(core, "block_actions", user) | {"container": container, "trigger_id": core.triggers.issue(user)}
    payload |= place(core, message) | {
        "state": {"values": state or {}},
        "response_url": response_url(core, user, channel, ts),
    }
    payload["actions"] = [{**action, "action_ts": core.workspace.stamp()}]
    return await send(core, "interactive", payload)


async def act_on_view(core: Core, user: str, view_id: str, action: Payload, state: Payload) -> Ack:
    """A click or a choice in a modal or App Home (``block_actions``)."""
    _, view = core.views.find(view_id)
    view = view | {"state": {"values": state}}
    payload = common(core, "block_actions", user) | {
        "container": {"type": "view", "view_id": view_id},
        "trigger_id": core.triggers.issue(user),
        "view": view,
        "actions": [{**action, "action_ts": core.workspace.stamp()}],
    }
    return await send(core, "interactive", payload)


async def command(core: Core, user: str, channel: str, name: str, text: str) -> Ack:
    """A slash command; what the acknowledgement says is shown to the person."""
    workspace = core.workspace
    room, account = workspace.channel(channel), workspace.account(user)
    payload: Payload = {
        "token": "verification-token",
        "team_id": workspace.team,
        "team_domain": workspace.domain,
        "channel_id": room.id,
        "channel_name": "directmessage" if room.kind == "im" else room.name,
        "user_id": account.id,
        "user_name": account.name,
        "command": name,
        "text": text,
        "api_app_id": workspace.bot.app_id,
        "is_enterprise_install": "false",
        "response_url": response_url(core, user, channel),
        "trigger_id": core.triggers.issue(user),
    }
    ack = await send(core, "slash_commands", payload)
    if ack.ok and ack.payload:
        _shown(core, "slash_command", {"user": user, "channel": channel, "ts": ""}, ack.payload)
    return ack


def _shown(core: Core, method: str, where: Payload, said: Payload) -> None:
    try:
        answer(core, where, said)
    except ApiError as error:
        core.ledger.add("refused", method=method, error=error.error, messages=error.messages)


async def message_shortcut(core: Core, user: str, channel: str, ts: str, callback_id: str) -> Ack:
    """A message shortcut (``message_action``)."""
    message = core.workspace.message(channel, ts)
    payload = common(core, "message_action", user) | place(core, message)
    payload |= {
        "callback_id": callback_id,
        "trigger_id": core.triggers.issue(user),
        "message_ts": ts,
        "action_ts": core.workspace.stamp(),
        "response_url": response_url(core, user, channel),
    }
    return await send(core, "interactive", payload)


async def global_shortcut(core: Core, user: str, callback_id: str) -> Ack:
    """A global shortcut (``shortcut``): no channel, no response URL."""
    payload = common(core, "shortcut", user)
    payload |= {
        "callback_id": callback_id,
        "trigger_id": core.triggers.issue(user),
        "action_ts": core.workspace.stamp(),
    }
    return await send(core, "interactive", payload)


async def suggestions(core: Core, user: str, view_id: str, block_id: str, action_id: str, typed: str) -> Ack:
    """Somebody types in an external select of a view (``block_suggestion``)."""
    _, view = core.views.find(view_id)
    payload = common(core, "block_suggestion", user) | {
        "container": {"type": "view", "view_id": view_id},
        "view": view,
        "block_id": block_id,
        "action_id": action_id,
        "value": typed,
    }
    return await send(core, "interactive", payload)


async def submission(core: Core, user: str, view_id: str, state: Payload) -> tuple[Ack, dict[str, str]]:
    """Somebody submits a modal (``view_submission``): how it was acknowledged, and the errors of the fields."""
    _, view = core.views.find(view_id)
    payload = common(core, "view_submission", user) | {
        "trigger_id": core.triggers.issue(user),
        "view": view | {"state": {"values": state}},
        "response_urls": [],
    }
    ack = await send(core, "interactive", payload)
    if not ack.ok:
        return ack, {}
    try:
        return ack, _after_submission(core, user, view, ack.payload or {})
    except ApiError as error:
        # The person reads "We had some trouble connecting"; the bot never learns of it.
        core.ledger.add("refused", method="view_submission", error=error.error, messages=error.messages)
        return Ack(ok=False, reason="bad_response", payload=ack.payload, latency=ack.latency), {}


def _after_submission(core: Core, user: str, view: Payload, response: Payload) -> dict[str, str]:
    action = response.get("response_action")
    if action is None:
        if response:
            raise ApiError("invalid_response", messages=[f"unknown keys: {sorted(response)}"])
        core.views.close(user)
    elif action == "clear":
        core.views.close(user, all_of_them=True)
    elif action == "update":
        core.views.update(view, checked_view(response.get("view")))
    elif action == "push":
        core.views.push(user, checked_view(response.get("view")))
    elif action == "errors":
        return _errors(view, response.get("errors"))
    else:
        raise ApiError("invalid_response", messages=[f"unknown response_action: {action}"])
    return {}


def _errors(view: Payload, errors: object) -> dict[str, str]:
    inputs = {block["block_id"] for block in view["blocks"] if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or not set(cast("Payload", errors)) <= inputs:
        raise ApiError(
            "invalid_response", messages=[f"errors must name input blocks; got {errors!r}, inputs are {sorted(inputs)}"]
        )
    found = cast("dict[str, object]", errors)
    if not all(isinstance(text, str) and text for text in found.values()):
        raise ApiError("invalid_response", messages=["errors must be texts"])
    return cast("dict[str, str]", found)


async def closing(core: Core, user: str, *, all_of_them: bool) -> list[Ack]:
    """Somebody closes a modal; told only to views with ``notify_on_close``."""
    acks: list[Ack] = []
    for view in core.views.close(user, all_of_them=all_of_them):
        if view["notify_on_close"]:
            payload = common(core, "view_closed", user) | {"view": view, "is_cleared": all_of_them}
            acks.append(await send(core, "interactive", payload))
    return acks
