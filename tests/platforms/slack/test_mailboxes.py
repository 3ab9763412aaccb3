"""Whose address it is: Slack's own word for it, of domains that the administrator trusts, else nobody's."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.platforms.slack import mailboxes
from tests.fakes.slack import FakeSlack, Room, User
from tests.platforms.slack.conftest import Bot

DOMAIN = "interieur.example"


@pytest.fixture
async def trusting(slack: FakeSlack) -> AsyncIterator[Bot]:
    made = Bot(slack, options={"trust_email": (DOMAIN,)})
    yield made
    await made.stop()


async def test_off_by_default_nobody_is_asked_for(slack: FakeSlack, bot: Bot) -> None:
    agent = slack.user("U1AGENT", email=f"agent@{DOMAIN}")
    room = slack.channel("C1", members=[agent])
    await bot.start()
    await agent.say(room, f"{slack.mention} bonjour")
    await bot.until(1)
    assert [each.author.email for each in bot.kept] == [None]
    called = await slack.calls()
    assert "users.info" not in called
    assert "auth.test" in called


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"email": f"Agent@{DOMAIN.upper()}"}, f"Agent@{DOMAIN.upper()}"),
        ({"email": f"agent@{DOMAIN}.evil.example"}, None),
        ({"email": f"agent@sub.{DOMAIN}"}, None),
        ({"email": f"agent@{DOMAIN}", "email_confirmed": False}, None),
        ({"email": f"agent@{DOMAIN}", "restricted": True}, None),
        ({"email": ""}, None),
        ({"email": DOMAIN}, None),
    ],
)
async def test_only_what_slack_verified(
    slack: FakeSlack, trusting: Bot, facts: dict[str, Any], expected: str | None
) -> None:
    agent = slack.user("U1AGENT", **facts)
    room = slack.channel("C1", members=[agent])
    await trusting.start()
    await agent.say(room, f"{slack.mention} bonjour")
    await agent.slash(room, "aide", "")
    await trusting.until(2)
    assert [each.author.email for each in trusting.kept] == [expected, expected]


async def test_people_of_other_workspaces_have_none(slack: FakeSlack, trusting: Bot) -> None:
    stranger = slack.user("U9ELSE", team="T9ELSE", email=f"agent@{DOMAIN}")
    room = slack.channel("C1", members=[stranger], shared_with=["T9ELSE"])
    await trusting.start()
    await stranger.say(room, f"{slack.mention} bonjour")
    await trusting.until(1)
    assert [each.author.email for each in trusting.kept] == [None]


async def test_a_slow_answer_delays_no_event_for_long(
    slack: FakeSlack, trusting: Bot, agent: User, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailboxes, "PATIENCE", 0.05)
    asked = trusting.platform._gateway._mailboxes

    async def slow(user: str, team: str) -> None:
        await asyncio.sleep(0.3)
        asked._known[user] = (float("inf"), f"agent@{DOMAIN}")

    monkeypatch.setattr(asked, "_ask", slow)
    await trusting.start()
    await agent.say(room, f"{slack.mention} bonjour")
    await trusting.until(1)
    assert trusting.kept[0].author.email is None
    await asyncio.sleep(0.4)
    await agent.say(room, f"{slack.mention} encore")
    await trusting.until(2)
    assert trusting.kept[1].author.email == f"agent@{DOMAIN}"
