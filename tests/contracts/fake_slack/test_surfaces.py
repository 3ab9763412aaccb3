"""Forms, menus, commands, whispers: from the click to the answer."""

import asyncio
from typing import Any

import aiohttp
import pytest

from tests.contracts.fake_slack.bolt import (
    Bot,
    acked,
    acknowledging,
    actions,
    button,
    client_of,
    error_of,
    field,
    link,
    modal,
    plain,
    section,
)
from tests.fakes.slack import FakeSlack, FormRefused, NotAcknowledged, Payload


async def test_a_form_from_click_to_close(slack: FakeSlack) -> None:
    agent = slack.user("U1", "agent")
    room = slack.channel("C1", members=[agent])
    bot = Bot(slack)
    bot.catch_events()
    answers = {"non": {"response_action": "errors", "errors": {"answer": "Trop court."}}}
    answers["bis"] = {"response_action": "update", "view": modal(section("Vraiment ?"), field(), title="Bis")}
    answers["plus"] = {"response_action": "push", "view": modal(title="Encore", notify_on_close=True)}
    answers["faux"] = {"response_action": "errors", "errors": {"unknown": "?"}}

    @bot.app.action("take")
    async def open_form(ack: Any, body: Payload, client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=modal(private_metadata=body["actions"][0]["value"]))

    @bot.app.view("form")
    async def take(ack: Any, view: Payload) -> None:
        await ack(**answers.get(view["state"]["values"]["answer"]["text"]["value"], {}))

    @bot.app.view_closed("form")
    async def closed(ack: Any) -> None:
        await ack()

    async with bot.connected(slack):
        blocks = [section("Question"), actions(button(value="Q-1"))]
        await bot.client.chat_postMessage(channel="C1", text="Question", blocks=blocks)
        card = await slack.expect(room, "Question", button="Prendre")
        await agent.click(card, "Prendre")
        form = await slack.expect_view(agent, "Répondre")
        assert (form.private_metadata, form.inputs) == ("Q-1", ["Réponse"])
        with pytest.raises(FormRefused):
            await agent.submit(form)
        assert await agent.submit(form, {"Réponse": "non"}) == {"answer": "Trop court."}
        with pytest.raises(NotAcknowledged, match="bad_response"):
            await agent.submit(form, {"Réponse": "faux"})
        assert await agent.submit(form, {"Réponse": "bis"}) == {}
        form = await slack.expect_view(agent, "Vraiment ?")
        await agent.submit(form, {"answer": "plus"})
        await slack.expect_view(agent, "Encore")
        await agent.close()
        form = await slack.expect_view(agent, "Vraiment ?")
        await agent.submit(form, {"text": "oui"})
        with pytest.raises(AssertionError, match="sees no such form"):
            await slack.expect_view(agent, timeout=0.05)
    click = next(body for body in bot.bodies if body.get("type") == "block_actions")
    assert click["container"] == {"type": "message", "message_ts": card.ts, "channel_id": "C1", "is_ephemeral": False}
    assert {"message", "channel", "response_url", "state", "team", "user", "api_app_id"} <= click.keys()
    assert click["actions"][0] | {"action_ts": ""} == {
        "type": "button",
        "action_id": "take",
        "block_id": card.element("Prendre").block_id,
        "value": "Q-1",
        "text": plain("Prendre"),
        "action_ts": "",
    }
    assert [body["is_cleared"] for body in bot.bodies if body.get("type") == "view_closed"] == [False]


async def test_home_menus_shortcuts_and_commands(slack: FakeSlack) -> None:
    agent = slack.user("U1", "agent")
    room = slack.channel("C1", members=[agent])
    bot = Bot(slack)
    bot.catch_events()
    options = [{"text": plain(name), "value": name.lower()} for name in ("Visa", "Asile")]
    menu = {"type": "static_select", "action_id": "topic", "placeholder": plain("Sujet"), "options": options}
    home = {"type": "home", "blocks": [section("Bonjour"), actions(menu, button("Actualiser", "refresh"))]}
    acks = {name: asyncio.Event() for name in ("topic", "refresh", "ask", "quote")}

    @bot.app.event("app_home_opened")
    async def draw(event: Payload, client: Any) -> None:
        view = event.get("view", {})
        await client.views_publish(user_id=event["user"], view=home, **({"hash": view["hash"]} if view else {}))

    for name in ("topic", "refresh"):
        bot.app.action(name)(acknowledging(acks[name]))
    for name in ("ask", "quote"):
        bot.app.shortcut(name)(acknowledging(acks[name]))

    @bot.app.command("/annuaire")
    async def directory(ack: Any, respond: Any, command: Payload) -> None:
        await ack(f"cherche {command['text']}")
        await respond(text="trouvé", response_type="in_channel")

    async with bot.connected(slack):
        await agent.open_home()
        shown = await slack.expect_view(agent, "Bonjour", home=True)
        stale = shown.body["hash"]
        await agent.select(shown, "Asile")
        await agent.click(shown, "Actualiser")
        await agent.shortcut("ask")
        said = await agent.say(room, "une question")
        await agent.shortcut("quote", said)
        await agent.slash(room, "annuaire", "consulat munich")
        await slack.expect(room, "cherche consulat munich", to=agent)
        await slack.expect(room, "trouvé")
        await agent.open_home()
        await slack.settled()
        error = await error_of(bot.client.views_publish(user_id="U1", view=home, hash=stale))
    assert error["error"] == "hash_conflict"
    assert all(event.is_set() for event in acks.values())
    chosen = next(body for body in bot.bodies if body.get("type") == "block_actions")
    assert chosen["actions"][0]["selected_option"]["value"] == "asile"
    assert chosen["container"] == {"type": "view", "view_id": shown.id}
    quoted = next(body for body in bot.bodies if body.get("type") == "message_action")
    assert (quoted["message"]["text"], quoted["message_ts"]) == ("une question", said.ts)
    command = next(body for body in bot.bodies if "command" in body)
    assert {"trigger_id", "response_url", "channel_id", "user_id", "team_id", "channel_name"} <= command.keys()
    assert not [each for each in await slack.violations() if each.get("method") != "views.publish"]


async def test_a_response_url_is_good_five_times(slack: FakeSlack) -> None:
    agent = slack.user("U1", "agent")
    room = slack.channel("C1", members=[agent])
    await slack.configure(own_events=False)
    await client_of(slack).chat_postMessage(channel="C1", text="carte", blocks=[section("carte"), actions(button())])
    card = await slack.expect(room, "carte")
    async with link(slack) as socket:
        click = asyncio.create_task(agent.click(card, "Prendre"))
        url = (await acked(socket))["payload"]["response_url"]
        await click
    whisper = {"text": "à vous"}
    replacing = {"text": "remplacée", "blocks": [section("remplacée")], "replace_original": True}
    aloud = {"text": "à tous", "response_type": "in_channel"}
    async with aiohttp.ClientSession() as session:
        sent = [whisper, replacing, aloud, {"text": "a", "colour": "red"}, {"delete_original": True}, whisper]
        statuses = [(await session.post(url, json=body)).status for body in sent]
    assert statuses == [200, 200, 200, 404, 200, 404]
    assert [each.text for each in await slack.posts(room)] == ["à vous", "à tous"]
    assert (await slack.refresh(card)).versions == ("carte",)


async def test_a_whisper_can_be_replaced_without_an_event(slack: FakeSlack) -> None:
    agent = slack.user("U1", "agent")
    room = slack.channel("C1", members=[agent])
    blocks = [section("deux choix"), actions(button())]
    await client_of(slack).chat_postEphemeral(channel="C1", user="U1", text="choix", blocks=blocks)
    whisper = await slack.expect(room, "deux choix", to=agent)
    async with link(slack) as socket, aiohttp.ClientSession() as session:
        click = asyncio.create_task(agent.click(whisper, "Prendre"))
        payload = (await acked(socket))["payload"]
        await click
        assert (payload["container"]["is_ephemeral"], "message" in payload) == (True, False)
        body = {"text": "choisi", "blocks": [section("choisi")], "replace_original": True}
        assert (await session.post(payload["response_url"], json=body)).status == 200
        assert (await slack.expect(room, "choisi", to=agent)).ts == whisper.ts
        with pytest.raises(TimeoutError):
            await socket.receive_json(timeout=0.2)
    history = await client_of(slack).conversations_history(channel="C1")
    assert history["messages"] == []


async def test_an_external_menu_asks_the_bot_for_its_options(slack: FakeSlack) -> None:
    agent = slack.user("U1", "agent")
    menu = {"type": "external_select", "action_id": "who", "min_query_length": 2}
    chooser = {"type": "input", "block_id": "to", "label": plain("Destinataire"), "element": menu}
    bot = Bot(slack)

    @bot.app.shortcut("ask")
    async def ask(ack: Any, body: Payload, client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=modal(chooser))

    @bot.app.options("who")
    async def offer(ack: Any, body: Payload) -> None:
        await ack(options=[{"text": plain(f"Consulat {body['value']}"), "value": "c-1"}])

    bot.app.view("form")(acknowledging(asyncio.Event()))
    async with bot.connected(slack):
        await agent.shortcut("ask")
        form = await slack.expect_view(agent)
        offered = await agent.suggestions(form, "Destinataire", "mun")
        assert [each["text"]["text"] for each in offered] == ["Consulat mun"]
        assert await agent.submit(form, {"Destinataire": "c-1"}) == {}
    state = bot.bodies[-1]["view"]["state"]["values"]
    assert state["to"]["who"]["selected_option"]["value"] == "c-1"
