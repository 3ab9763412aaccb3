"""The shipped manifest asks for what the code uses: commands, events, scopes, no more and no less."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import bot.platforms.slack as package
import handlers
from bot.card import Card, Paragraph
from bot.command import load
from bot.message import Address
from bot.platforms.slack.inbound import _CONVERTERS
from tests.fakes.slack import FakeSlack, Room, User
from tests.platforms.slack.conftest import Bot

MANIFEST: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[3] / "config" / "slack-manifest.yaml").read_text(encoding="utf-8")
)
SOURCES = "\n".join(p.read_text(encoding="utf-8") for p in sorted(Path(package.__path__[0]).glob("*.py")))
SCOPES = set(MANIFEST["oauth_config"]["scopes"]["bot"])
EVENTS = set(MANIFEST["settings"]["event_subscriptions"]["bot_events"])

# Buttons of a card say these; Slack allows 50 commands in all, and `/passerelle NAME` has every one.
BY_NAME = set(
    "advisers avis rate preciser clarify signaler escalate historique history noter keep voir show scinder split rendre release rapport report horaires hours fermeture closure effacer erase".split()
)

CONVERSATIONS = ("channels", "groups", "im", "mpim")
METHODS: dict[str, set[str]] = {
    "apps_connections_open": set(),
    "auth_test": set(),
    "chat_delete": {"chat:write"},
    "chat_postEphemeral": {"chat:write"},
    "chat_postMessage": {"chat:write"},
    "chat_update": {"chat:write"},
    "conversations_history": {f"{kind}:history" for kind in CONVERSATIONS} | {"metadata.message:read"},
    "conversations_open": {"im:write"},
    "conversations_replies": {f"{kind}:history" for kind in CONVERSATIONS} | {"metadata.message:read"},
    "files_completeUploadExternal": {"files:write"},
    "files_delete": {"files:write"},
    "files_getUploadURLExternal": {"files:write"},
    "files_info": {"files:read"},
    "users_conversations": {f"{kind}:read" for kind in CONVERSATIONS},
    "users_info": {"users:read", "users:read.email"},
    "views_open": set(),
    "views_publish": set(),
}
EVENT_SCOPES: dict[str, set[str]] = {
    "app_home_opened": set(),
    "app_mention": {"app_mentions:read"},
    "channel_archive": {"channels:read"},
    "channel_deleted": {"channels:read"},
    "channel_id_changed": {"channels:read", "groups:read"},
    "channel_left": {"channels:read"},
    "group_archive": {"groups:read"},
    "group_deleted": {"groups:read"},
    "group_left": {"groups:read"},
    "member_joined_channel": {"channels:read", "groups:read"},
    "member_left_channel": {"channels:read", "groups:read"},
    "message.channels": {"channels:history"},
    "message.groups": {"groups:history"},
    "message.im": {"im:history"},
    "message.mpim": {"mpim:history"},
    "reaction_added": {"reactions:read"},
}


def test_it_asks_for_exactly_the_scopes_of_what_is_called_and_heard() -> None:
    called = set(re.findall(r"client\.(\w+_\w+)", SOURCES))
    assert called == METHODS.keys()
    needed = {scope for scopes in (*METHODS.values(), *EVENT_SCOPES.values()) for scope in scopes}
    assert needed | {"commands"} == SCOPES


def test_it_subscribes_to_exactly_the_events_that_are_understood() -> None:
    understood = {kind for kind in _CONVERTERS if kind != "message"}
    understood |= {f"message.{kind}" for kind in ("channels", "groups", "im", "mpim")}
    assert understood == EVENTS == EVENT_SCOPES.keys()


def test_its_slash_commands_are_the_commands_of_the_code() -> None:
    listed = [entry["command"].removeprefix("/") for entry in MANIFEST["features"]["slash_commands"]]
    written = {name for name, command in load(handlers).items() if command.listed} | {"passerelle"}
    assert len(listed) == len(set(listed)) <= 50
    assert written - BY_NAME <= set(listed), f"add to the manifest: {sorted(written - BY_NAME - set(listed))}"
    assert written - set(listed) >= BY_NAME
    assert set(listed) <= written, f"take from the manifest: {sorted(set(listed) - written)}"


def test_its_shortcuts_are_commands_of_the_code() -> None:
    shortcuts = MANIFEST["features"]["shortcuts"]
    assert {entry["callback_id"] for entry in shortcuts} <= load(handlers).keys()
    for kind in ("message", "global"):
        assert len([entry for entry in shortcuts if entry["type"] == kind]) <= 5
    assert all(len(entry["name"]) <= 24 for entry in shortcuts)


def test_it_keeps_slacks_own_limits() -> None:
    assert len(MANIFEST["display_information"]["name"]) <= 35
    assert len(MANIFEST["display_information"]["description"]) <= 140
    for entry in MANIFEST["features"]["slash_commands"]:
        assert re.fullmatch(r"/[a-z]{1,31}", entry["command"])
        assert entry["should_escape"] is True
        assert len(entry["description"]) <= 2000


@pytest.fixture
async def bot(slack: FakeSlack) -> AsyncIterator[Bot]:
    await slack.grant(scopes=SCOPES, bot_events=EVENTS)
    made = Bot(slack)
    yield made
    await made.stop()


async def test_with_what_it_asks_for_everything_works(slack: FakeSlack, bot: Bot, agent: User, room: Room) -> None:
    await bot.start()
    to = Address("slack", room.id)
    private = slack.channel("G1PRIVE", private=True, members=[agent])
    for where in (room, private, agent):
        await agent.say(where, f"{slack.mention} bonjour")
    ts = await bot.platform.send(to, Card("Un", (Paragraph("mot"),)), key="k1", again=False)
    assert await bot.platform.send(to, Card("Un"), key="k1", again=True) == ts
    await bot.platform.edit(to, ts, Card("Deux"), key="k2")
    await agent.react(await slack.expect(room, "Deux"), "one")
    await bot.platform.delete(to, ts, key="k3")
    await bot.platform.send(Address("slack", agent.id, surface="direct"), Card("Un"), key="k4", again=False)
    await bot.platform.send(Address("slack", agent.id, surface="home"), Card("Un"), key="k5", again=False)
    await agent.slash(room, "question", "x")
    await agent.open_home()
    await private.archive(agent)
    await slack.settled()
    kinds = [type(each).__name__ for each in bot.kept]
    assert sorted(kinds) == ["Invocation", "Invocation", "Message", "Message", "Message", "Reaction", "RoomChange"]
    await bot.stop()
    await bot.start()
    assert await slack.violations() == []


def test_no_other_package_knows_the_libraries() -> None:
    root = Path(package.__path__[0]).parents[2]
    others = [
        p for name in ("bot", "handlers", "config") for p in (root / name).rglob("*.py") if p.parent.name != "slack"
    ]
    assert not [p for p in others if re.search(r"slack_bolt|slack_sdk", p.read_text(encoding="utf-8"))]
