"""What Slack and its libraries do by default, fact by fact, and that it does us no harm."""

import asyncio
import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import bot.platforms.slack as package
from bot.card import Button, Buttons, Card, Field, Form, Paragraph
from bot.errors import NotSent, OutcomeUnknown
from bot.message import Address, Edit, Inbound, Invocation, Message
from bot.platforms.slack import sockets
from bot.platforms.slack.requested import Requests
from bot.platforms.slack.web import proxy_for
from tests.fakes.slack import FakeSlack, Room, Settings, User
from tests.fakes.slack.posting import Content
from tests.platforms.slack.conftest import Bot

SOURCES = sorted(Path(package.__path__[0]).glob("*.py"))
FORM = Form("question", "Question", "Envoyer", (Field("texte", "Votre question", "text"),))


def opens_forms(inbound: Inbound) -> Form | None:
    return FORM if isinstance(inbound, Invocation) and inbound.command == "question" and not inbound.form else None


async def test_an_event_is_acknowledged_only_once_it_is_kept(
    slack: FakeSlack, bot: Bot, agent: User, room: Room
) -> None:
    bot.delay = 0.3
    await bot.start()
    await agent.say(room, "bonjour")
    await slack.settled()
    acks = await slack.entries("ack", type="message")
    assert [ack["attempt"] for ack in acks] == [0]
    assert acks[0]["latency"] >= 0.3
    assert bot.texts == ["bonjour"]


async def test_an_event_that_could_not_be_kept_comes_again(slack: FakeSlack, bot: Bot, agent: User, room: Room) -> None:
    await bot.start()
    bot.down = True
    await slack.configure(ack_timeout=0.1)
    await agent.say(room, "bonjour")
    await asyncio.sleep(0.15)
    assert await slack.entries("ack") == []
    bot.down = False
    await bot.until(1)
    await slack.settled()
    assert bot.texts == ["bonjour"]


async def test_an_unexpected_exception_leaves_the_event_unacknowledged(
    slack: FakeSlack, bot: Bot, agent: User, room: Room
) -> None:
    await slack.configure(ack_timeout=0.1)
    broken = iter([True, False])

    def answer(_: Inbound) -> None:
        if next(broken, False):
            raise RuntimeError("a bug")

    bot.answer = answer
    await bot.start()
    await agent.say(room, "bonjour")
    await slack.settled()
    assert len(bot.offered) == 2
    assert len(bot.kept) == 1


@pytest.mark.parametrize("order", ["message_first", "mention_first"])
async def test_a_mention_that_arrives_twice_has_one_key(
    slack: FakeSlack, bot: Bot, agent: User, room: Room, order: str
) -> None:
    await slack.configure(mention_order=order, duplicate_every=1)
    await bot.start()
    post = await agent.say(room, f"{slack.mention} bonjour")
    await slack.settled()
    assert len(bot.offered) == 4
    assert len(set(bot.offered)) == 1
    assert bot.offered[0].id == f"{slack.team}:{room.id}:{post.ts}"
    assert isinstance(bot.kept[0], Message)
    assert bot.kept[0].mentions_bot


async def test_a_redelivered_event_keeps_its_key(slack: FakeSlack, bot: Bot, agent: User, room: Room) -> None:
    await slack.configure(duplicate_every=1)
    await bot.start()
    post = await agent.say(room, "bonjour")
    await agent.edit(post, "bonsoir")
    await agent.react(post, "one")
    await agent.delete(post)
    await agent.open_home()
    await slack.settled()
    assert (len(bot.offered), len(bot.kept)) == (10, 5)


async def test_a_broken_connection_does_not_make_the_library_post_twice(slack: FakeSlack, bot: Bot, room: Room) -> None:
    await slack.fault("chat.postMessage", "reset", after=True)
    with pytest.raises(OutcomeUnknown):
        await bot.platform.send(Address("slack", room.id), Card("Un"), key="k", again=False)
    assert (await slack.calls())["chat.postMessage"] == 1
    assert len(await slack.posts(room)) == 1


@pytest.mark.parametrize("in_thread", [False, True])
@pytest.mark.parametrize("kind", ["reset", "error", "html"])
async def test_after_an_unknown_outcome_the_message_is_found_and_not_posted_again(
    slack: FakeSlack, bot: Bot, agent: User, room: Room, kind: str, in_thread: bool
) -> None:
    root = await agent.say(room, "racine")
    to = Address("slack", room.id, root.ts if in_thread else None)
    await slack.fault("chat.postMessage", kind, after=True)  # type: ignore[arg-type]
    with pytest.raises(OutcomeUnknown):
        await bot.platform.send(to, Card("Un"), key="k1", again=False)
    for number in range(450):  # further back than one page
        slack.core.posting.post(
            slack.core.workspace.channels[room.id],
            slack.core.workspace.bot,
            Content(f"autre {number}"),
            thread_ts=to.thread or "",
        )
    ts = await bot.platform.send(to, Card("Un"), key="k1", again=True)
    found = [p for p in await slack.posts(room, by_bot=True) if "Un" in p.text]
    assert [p.ts for p in found] == [ts]


async def test_an_earlier_try_that_posted_nothing_is_made_good(slack: FakeSlack, bot: Bot, room: Room) -> None:
    to = Address("slack", room.id)
    await slack.fault("chat.postMessage", "reset")
    with pytest.raises(OutcomeUnknown):
        await bot.platform.send(to, Card("Un"), key="k1", again=False)
    await bot.platform.send(to, Card("Deux"), key="k2", again=False)
    ts = await bot.platform.send(to, Card("Un"), key="k1", again=True)
    assert [p.text for p in await slack.posts(room)] == ["*Deux*", "*Un*"]
    assert (await slack.posts(room))[1].ts == ts


async def test_somebody_elses_metadata_is_not_taken_for_ours(slack: FakeSlack, bot: Bot, room: Room) -> None:
    other = slack.other_bot("U5AUTRE")
    post = await other.say(room, "Un")
    slack.core.workspace.channels[room.id].messages[post.ts].metadata = {
        "event_type": "passerelle",
        "event_payload": {"key": "k1"},
    }
    assert await bot.platform.send(Address("slack", room.id), Card("Un"), key="k1", again=True) != post.ts


async def test_the_retry_header_of_a_first_delivery_drops_nothing(
    slack: FakeSlack, bot: Bot, agent: User, room: Room
) -> None:
    await bot.start()
    await agent.say(room, "bonjour")
    await slack.settled()
    assert [ack["attempt"] for ack in await slack.entries("ack", type="message")] == [
        0
    ]  # `retry_attempt: 0` is sent along
    assert bot.texts == ["bonjour"]


async def test_payloads_of_every_kind_are_acknowledged(slack: FakeSlack, bot: Bot, agent: User, room: Room) -> None:
    await bot.start()
    for kind in ("user_change", "team_join", "channel_rename", "file_shared", "no_such_event"):
        await slack.event({"type": kind, "user": {"id": "U1"}, "channel": {"id": "C1"}, "file": {"id": "F1"}})
    post = await bot.platform.send(
        Address("slack", room.id), Card("Un", (Buttons((Button("Ancien", "ancien"),)),)), key="k", again=False
    )
    await slack.settled()
    card = await slack.expect(room, "Un")
    assert card.ts == post
    await agent.click(card, "Ancien")
    await agent.slash(room, "inconnue", "x")
    await agent.shortcut("inconnu")
    await agent.shortcut("inconnu", card)
    view: dict[str, Any] = {
        "type": "modal",
        "callback_id": "ancien",
        "title": {"type": "plain_text", "text": "Ancien"},
        "submit": {"type": "plain_text", "text": "Envoyer"},
        "notify_on_close": True,
        "blocks": [
            {
                "type": "input",
                "block_id": "b",
                "label": {"type": "plain_text", "text": "Choix"},
                "element": {"type": "external_select", "action_id": "a"},
            }
        ],
    }
    await bot.platform._web.client.views_open(trigger_id=slack.core.triggers.issue(agent.id), view=view)
    shown = await slack.expect_view(agent)
    assert await agent.suggestions(shown, "Choix", "abc") == []
    await agent.close()
    await slack.settled()
    assert {entry["type"] for entry in await slack.entries("ack")} >= {
        "no_such_event",
        "block_suggestion",
        "view_closed",
    }
    assert await slack.entries("unacked") == []
    assert await slack.violations() == []


async def test_a_button_of_an_older_release_is_acknowledged_and_told(
    slack: FakeSlack, bot: Bot, agent: User, room: Room
) -> None:
    await bot.start()
    old = [
        {
            "type": "actions",
            "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Vieux"}, "value": "v1|x"}],
        }
    ]
    await bot.platform._web.client.chat_postMessage(channel=room.id, text="vieux", blocks=old)
    await agent.click(await slack.expect(room, button="Vieux"), "Vieux")
    assert [each.command for each in bot.invocations] == [""]


async def test_the_payloads_of_a_conversation_keep_their_order(
    slack: FakeSlack, bot: Bot, agent: User, room: Room
) -> None:
    await bot.start()
    pauses = iter([0.2, 0.0, 0.1, 0.0] * 10)
    running: set[str] = set()
    plain = bot.receive

    async def uneven(inbound: Inbound) -> Any:
        assert inbound.to.room not in running, "two at once in one conversation"
        running.add(inbound.to.room)
        await asyncio.sleep(next(pauses))
        running.discard(inbound.to.room)
        return await plain(inbound)

    assert bot.platform._gateway._receive
    bot.platform._gateway._receive = uneven
    other = slack.channel("C2AUTRE", members=[agent])
    said = [{"user": agent.id, "channel": c, "text": str(n)} for n in range(10) for c in (room.id, other.id)]
    await slack.burst(said)
    await slack.settled(10)
    for channel in (room.id, other.id):
        assert [m.text for m in bot.kept if isinstance(m, Message) and m.to.room == channel] == [
            str(n) for n in range(10)
        ]


async def test_what_slack_hands_over_backwards_is_taken_in_the_order_in_which_it_was_said(
    slack: FakeSlack, agent: User, room: Room
) -> None:
    """A root, its thread, an edit and a reaction in it, and a direct conversation."""
    bot = Bot(slack, options={"pace": 1.0})
    await bot.start()
    await slack.hold_events()
    root = await agent.say(room, f"{slack.mention} racine")
    replies = [await agent.say(room, f"suite {n}", thread=root.ts) for n in range(3)]
    await agent.edit(replies[0], "suite 0 corrigée")
    await agent.react(replies[2], "incoming_envelope")
    for n in range(2):
        await agent.say(agent, f"seul à seul {n}")
    await slack.release_events(reverse=True)
    await slack.settled(10)
    await bot.stop()
    threaded = [i for i in bot.kept if i.to.room == room.id]
    assert [getattr(i, "text", type(i).__name__) for i in threaded] == [
        "racine",
        "suite 0",
        "suite 1",
        "suite 2",
        "suite 0 corrigée",
        "Reaction",
    ]
    assert [i.text for i in bot.kept if isinstance(i, Message) and i not in threaded] == [
        "seul à seul 0",
        "seul à seul 1",
    ]


async def test_a_connection_that_dies_silently_is_replaced_within_seconds(
    slack: FakeSlack, bot: Bot, agent: User, room: Room
) -> None:
    await bot.start()
    await slack.freeze_connections()
    began = time.monotonic()
    while len(await slack.entries("connected")) < 2:
        assert time.monotonic() - began < 6, "not noticed"
        await asyncio.sleep(0.05)
    await agent.say(room, "bonjour")
    await bot.until(1)
    assert bot.texts == ["bonjour"]


async def test_a_form_is_opened_while_its_click_is_acknowledged(
    slack: FakeSlack, bot: Bot, agent: User, room: Room
) -> None:
    bot.answer = opens_forms
    await bot.start()
    await slack.fault("views.open", "slow", delay=1.0)
    outcome = await agent.slash(room, "question")
    assert outcome.latency < 0.5
    view = await slack.expect_view(agent, "Question")
    assert view.title == "Question"


async def test_a_form_that_came_too_late_harms_nobody(slack: FakeSlack, bot: Bot, agent: User, room: Room) -> None:
    await slack.configure(trigger_lifetime=0.0)
    bot.answer = opens_forms
    await bot.start()
    assert (await agent.slash(room, "question")).acked
    await agent.say(room, "suite")
    await bot.until(2)
    assert bot.texts == ["suite"]


async def test_in_a_thread_a_mention_and_a_shortcut_say_what_a_command_cannot(
    slack: FakeSlack, bot: Bot, agent: User, room: Room
) -> None:
    await bot.start()
    root = await agent.say(room, "racine")
    reply = await agent.say(room, f"{slack.mention} prendre Q-2026-00042", thread=root)
    await agent.shortcut("prendre", reply)
    await slack.settled()
    mention = next(m for m in bot.kept if isinstance(m, Message) and m.mentions_bot)
    shortcut = bot.invocations[0]
    assert (mention.text, mention.to) == ("prendre Q-2026-00042", Address("slack", room.id, root.ts))
    assert (shortcut.command, shortcut.to) == ("prendre", Address("slack", room.id, root.ts))


async def test_a_link_preview_is_no_edit(slack: FakeSlack, bot: Bot, agent: User, room: Room) -> None:
    await bot.start()
    post = await agent.say(room, "voir https://www.service-public.fr/")
    await slack.unfurl(post)
    await agent.edit(post, "voir ailleurs")
    await slack.unfurl(post)
    await slack.settled()
    assert [(type(each), each.text) for each in bot.kept if isinstance(each, Message | Edit)] == [
        (Message, "voir <https://www.service-public.fr/>"),
        (Edit, "voir ailleurs"),
    ]
    assert await slack.entries("unacked") == []


async def test_own_words_and_other_bots_are_not_heard(slack: FakeSlack, bot: Bot, room: Room) -> None:
    await bot.start()
    to = Address("slack", room.id)
    ts = await bot.platform.send(to, Card("Un"), key="k", again=False)
    await bot.platform.edit(to, ts, Card("Deux"), key="k2")
    await bot.platform.delete(to, ts, key="k3")
    other = slack.other_bot("U5AUTRE")
    await other.say(room, f"{slack.mention} bonjour")
    await other.say(room, "bonjour", classic=True)
    await slack.settled()
    assert len(await slack.entries("ack")) >= 6
    assert bot.offered == []


async def test_a_card_of_any_length_is_posted_and_updated(slack: FakeSlack, bot: Bot, room: Room) -> None:
    card = Card("Titre", (Paragraph("mot & mot " * 5000), Buttons((Button("Clore", "clore"),))))
    to = Address("slack", room.id)
    ts = await bot.platform.send(to, card, key="k", again=False)
    await bot.platform.edit(to, ts, card, key="k2")
    post = await slack.expect(room, "Titre", button="Clore")
    assert post.edited
    assert len(post.raw_text) <= 4000
    assert await slack.violations() == []


async def test_previews_and_names_are_off_and_text_is_escaped(
    slack: FakeSlack, bot: Bot, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []
    client = bot.platform._web.client
    post = client.chat_postMessage

    async def noted(**arguments: Any) -> Any:
        asked.append(arguments)
        return await post(**arguments)

    monkeypatch.setattr(client, "chat_postMessage", noted)
    said = "<!channel> <@U1AGENT> <!here|x> @channel #prefecture *a* & b https://x.fr"
    await bot.platform.send(Address("slack", room.id), Card(None, (Paragraph(said),)), key="k", again=False)
    seen = await slack.expect(room)
    assert seen.pings == []
    assert seen.raw_text.startswith("&lt;!channel&gt; &lt;@U1AGENT&gt;")
    assert {name: asked[0][name] for name in ("unfurl_links", "unfurl_media", "link_names")} == dict.fromkeys(
        ("unfurl_links", "unfurl_media", "link_names"), False
    )


async def test_a_limit_is_told_with_its_time(slack: FakeSlack, bot: Bot, room: Room) -> None:
    await slack.fault("chat.postMessage", "limited", retry_after=7)
    with pytest.raises(NotSent) as told:
        await bot.platform.send(Address("slack", room.id), Card("Un"), key="k", again=False)
    assert (told.value.retry_after, told.value.outage) == (7, False)


async def test_what_slack_lost_in_a_long_outage_is_read_from_history(
    slack: FakeSlack, bot: Bot, agent: User, room: Room
) -> None:
    await bot.start()
    await agent.say(room, "avant")
    await slack.settled()
    await slack.outage(lose_events=True)
    for number in range(5):
        await agent.say(room, f"pendant {number}")
    await slack.recover()
    await bot.until(6)
    await agent.say(room, "après")
    await bot.until(7)
    assert bot.texts == ["avant", *(f"pendant {n}" for n in range(5)), "après"]


async def test_our_own_setting_moves_every_call_and_the_socket_too(slack: FakeSlack, bot: Bot) -> None:
    await bot.start()
    assert {"auth.test", "apps.connections.open", "users.conversations"} <= (await slack.calls()).keys()
    assert Requests(bot.platform._settings, bot.platform._gateway).app.client.base_url == slack.api_url


async def test_nothing_listens_but_the_applications_own_server(slack: FakeSlack) -> None:
    assert Bot(slack).platform.routes() == []
    http = Bot(slack, options={"mode": "http"})
    assert [(route.method, route.path) for route in http.platform.routes()] == [("POST", "/slack/events")]
    assert not [
        p for p in SOURCES if re.search(r"\.start\(port|web\.run_app|TCPSite|AsyncSlackAppServer", p.read_text())
    ]


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("https://slack.com/api/", "http://proxy:3128"),
        ("wss://wss-primary.slack.com/link/", "http://proxy:3128"),
        ("http://127.0.0.1:8080/api/", None),
        ("https://slack.gov.example/api/", None),
        ("not an address", None),
    ],
)
def test_a_proxy_is_used_but_where_no_proxy_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, url: str, proxy: str | None
) -> None:
    for name in (
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
        "NO_PROXY",
        "no_proxy",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", "http://proxy:3128")
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    monkeypatch.setenv("no_proxy", "127.0.0.1,gov.example")
    assert proxy_for(url) == proxy


async def test_the_library_takes_no_proxy_of_its_own(
    slack: FakeSlack, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    asked: list[str] = []
    monkeypatch.setattr(sockets, "proxy_for", asked.append)
    assert bot.platform._web.client.proxy is None
    await bot.start()
    assert [urlsplit(url).scheme for url in asked] == ["ws"]  # the socket has its own say


def test_no_answer_depends_on_a_response_url() -> None:
    assert not [p for p in SOURCES if "response_url" in p.read_text() or "respond(" in p.read_text()]


def test_settings_of_the_fake_are_slacks_own_where_it_matters() -> None:
    assert Settings().ack_timeout == 3.0
    assert Settings().trigger_lifetime == 3.0
