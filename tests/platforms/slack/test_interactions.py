"""Buttons, commands, shortcuts and forms as invocations: the contract with the core."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.message import Address, Invocation, User
from bot.platforms.slack.inbound import Around
from bot.platforms.slack.interactions import from_interaction
from bot.platforms.slack.options import Identity

ME = Identity("T1", "U0BOT", "B0BOT", "passerelle")
NOW = datetime(2026, 3, 14, 15, 30, tzinfo=UTC)
TS = "1773502200.000100"
AT = datetime.fromtimestamp(float(TS), UTC)
ANNE = User("slack", "U1", insider=True)
WHO = {"user": {"id": "U1", "team_id": "T1"}, "team": {"id": "T1"}, "trigger_id": "tr.1"}


def done(body: dict[str, Any]) -> Invocation | None:
    return from_interaction(body, Around(ME, NOW))


def pressed(value: str = '{"c":"prendre","l":"Q-1"}', **more: Any) -> dict[str, Any]:
    return {
        "type": "block_actions",
        **WHO,
        "container": {"type": "message", "message_ts": TS, "channel_id": "C1", "is_ephemeral": False},
        "channel": {"id": "C1"},
        "message": {"ts": TS},
        "actions": [{"type": "button", "value": value, "action_ts": TS}],
        **more,
    }


def test_a_button() -> None:
    assert done(pressed()) == Invocation(
        id="block_actions:tr.1",
        at=AT,
        author=ANNE,
        to=Address("slack", "C1", TS),
        command="prendre",
        line="Q-1",
        pressed=TS,
        trigger="tr.1",
    )


def test_a_button_in_a_thread_answers_in_that_thread() -> None:
    found = done(pressed(container={"message_ts": TS, "channel_id": "C1", "thread_ts": "1.5"}))
    assert found
    assert (found.to.thread, found.pressed) == ("1.5", TS)


def test_a_button_that_one_person_alone_sees_is_no_root_of_a_thread() -> None:
    found = done(pressed(container={"message_ts": TS, "channel_id": "C1", "is_ephemeral": True}, message=None))
    assert found
    assert (found.to, found.pressed) == (Address("slack", "C1"), TS)


def test_a_button_in_the_direct_room_and_in_the_app_home() -> None:
    direct = done(pressed(container={"message_ts": TS, "channel_id": "D1"}, channel={"id": "D1"}))
    home = done(pressed(container={"type": "view", "view_id": "V1"}, view={"type": "home"}, channel=None, message=None))
    assert direct
    assert direct.to == Address("slack", "D1", TS, surface="direct")
    assert home
    assert (home.to, home.pressed) == (Address("slack", "U1", surface="home"), None)


@pytest.mark.parametrize("value", ["", "ancien", "[]", '{"x":1}', '{"c":3}', "{", "null"])
def test_a_button_of_an_older_release_is_told_to_the_core(value: str) -> None:
    found = done(pressed(value))
    assert found
    assert (found.command, found.line, found.pressed) == ("", "", TS)


def test_a_guest_of_slack_connect_presses_as_a_stranger() -> None:
    found = done(pressed(user={"id": "U9", "team_id": "T9"}))
    assert found
    assert found.author == User("slack", "U9", insider=False)


def test_a_slash_command() -> None:
    body = {
        "command": "/question",
        "text": " Peut-on &lt;b&gt; *vite* ? ",
        "user_id": "U1",
        "team_id": "T1",
        "channel_id": "C1",
        "trigger_id": "tr.1",
    }
    assert done(body) == Invocation(
        id="command:tr.1",
        at=NOW,
        author=ANNE,
        to=Address("slack", "C1"),
        command="question",
        line=r"Peut-on \<b> **vite** ?",
        trigger="tr.1",
    )


def test_two_commands_without_a_trigger_are_still_two() -> None:
    body = {"command": "/aide", "user_id": "U1", "team_id": "T1", "channel_id": "C1"}
    one, two = done({**body, "text": "a"}), done({**body, "text": "b"})
    assert one
    assert two
    assert one.id != two.id
    assert one.trigger is None


def test_a_shortcut_on_a_message() -> None:
    message = {"ts": TS, "text": "un *mot*", "user": "U2"}
    body = {
        "type": "message_action",
        **WHO,
        "callback_id": "question",
        "channel": {"id": "C1"},
        "message": message,
        "message_ts": TS,
        "action_ts": TS,
    }
    found = done(body)
    assert found == Invocation(
        id="message_action:tr.1",
        at=AT,
        author=ANNE,
        to=Address("slack", "C1", TS),
        command="question",
        line="un **mot**",
        pressed=TS,
        trigger="tr.1",
    )
    in_thread = done({**body, "message": {**message, "thread_ts": "1.5"}})
    assert in_thread
    assert in_thread.to.thread == "1.5"


def test_a_global_shortcut() -> None:
    found = done({"type": "shortcut", **WHO, "callback_id": "question", "action_ts": TS})
    assert found == Invocation(
        id="shortcut:tr.1",
        at=AT,
        author=ANNE,
        to=Address("slack", "U1", surface="direct"),
        command="question",
        trigger="tr.1",
    )


def test_a_form() -> None:
    view = {
        "callback_id": "form",
        "private_metadata": '{"command":"repondre","line":"Q-1","room":"C1","thread":"1.5","pressed":"1.7",'
        '"surface":"room"}',
        "state": {"values": {"texte": {"value": {"type": "plain_text_input", "value": "oui"}}}},
    }
    assert done({"type": "view_submission", **WHO, "view": view}) == Invocation(
        id="view_submission:tr.1",
        at=NOW,
        author=ANNE,
        to=Address("slack", "C1", "1.5"),
        command="repondre",
        line="Q-1",
        form={"texte": "oui"},
        pressed="1.7",
        trigger="tr.1",
    )


@pytest.mark.parametrize(
    "body",
    [
        {"type": "view_closed", **WHO, "view": {}},
        {"type": "block_suggestion", **WHO},
        {"type": "view_submission", **WHO, "view": {"callback_id": "d'une autre application"}},
        {"type": "block_actions", **WHO, "actions": []},
        {"type": "workflow_step_edit", **WHO},
        {},
    ],
)
def test_what_is_none_of_the_cores_business(body: dict[str, Any]) -> None:
    assert done(body) is None
