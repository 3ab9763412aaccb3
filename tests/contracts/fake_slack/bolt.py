"""The libraries that talk to the real Slack, connected to the fake one."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack import Payload, Settings, Story

QUICK = Settings(ack_timeout=0.3, retry_delays=(0.05, 0.1), trigger_lifetime=0.3)


def client_of(slack: Story, *, token: str | None = None, **options: Any) -> Any:
    """The SDK's client; as Any, because its answers are typed as if every field could be missing."""
    known: dict[str, Any] = {"retry_handlers": [], **options}
    return AsyncWebClient(token or slack.bot_token, base_url=slack.api_url, **known)


async def error_of(call: Any) -> Payload:
    with pytest.raises(SlackApiError) as caught:
        await call
    return caught.value.response.data


def plain(text: str) -> Payload:
    return {"type": "plain_text", "text": text}


def section(text: str, **more: Any) -> Payload:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def button(text: str = "Prendre", action_id: str = "take", **more: Any) -> Payload:
    return {"type": "button", "text": plain(text), "action_id": action_id, **more}


def actions(*elements: Payload) -> Payload:
    return {"type": "actions", "elements": list(elements)}


def field(block_id: str = "answer", label: str = "Réponse", **element: Any) -> Payload:
    inner = {"type": "plain_text_input", "action_id": "text", **element}
    return {"type": "input", "block_id": block_id, "label": plain(label), "element": inner}


def modal(*blocks: Payload, title: str = "Répondre", **more: Any) -> Payload:
    made = {"type": "modal", "callback_id": "form", "title": plain(title), "submit": plain("Envoyer"), **more}
    return made | {"blocks": list(blocks or [field()])}


class Bot:
    """A Bolt app that keeps what reaches it; ``failing`` makes its first answers no acknowledgement."""

    def __init__(self, slack: Story) -> None:
        self.client = client_of(slack)
        options: dict[str, Any] = {"ignoring_self_events_enabled": False, "signing_secret": slack.signing_secret}
        self.app = AsyncApp(client=self.client, **options)
        self.bodies: list[Payload] = []
        self.retries: list[str | None] = []
        self.failing = 0
        self.app.use(self._keep)

    async def _keep(self, req: AsyncBoltRequest, next: Callable[[], Any]) -> None:  # noqa: A002
        self.bodies.append(req.body)
        self.retries.append(req.headers.get("x-slack-retry-num", [None])[0])
        if self.failing:
            self.failing -= 1
            message = "planned"
            raise RuntimeError(message)
        await next()

    def events(self, kind: str = "") -> list[Payload]:
        found = [body["event"] for body in self.bodies if "event" in body]
        return [event for event in found if not kind or kind in (event["type"], event.get("subtype"))]

    def catch_events(self) -> None:
        async def nothing() -> None:
            pass

        for kind in (
            "message",
            "app_mention",
            "reaction_added",
            "member_joined_channel",
            "channel_left",
            "file_shared",
        ):
            self.app.event(kind)(nothing)

    @asynccontextmanager
    async def connected(self, slack: Story) -> AsyncGenerator["Bot"]:
        handler = AsyncSocketModeHandler(self.app, slack.app_token, ping_interval=0.2)
        await handler.connect_async()
        try:
            await slack.connected()
            yield self
        finally:
            await handler.close_async()


@asynccontextmanager
async def link(slack: Story) -> AsyncGenerator[aiohttp.ClientWebSocketResponse]:
    """A bare Socket Mode connection."""
    url = (await client_of(slack).apps_connections_open(app_token=slack.app_token))["url"]
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        hello = await socket.receive_json()
        assert hello["type"] == "hello"
        yield socket


async def acked(socket: aiohttp.ClientWebSocketResponse, payload: Payload | None = None) -> Payload:
    envelope = await socket.receive_json(timeout=2)
    await socket.send_json({"envelope_id": envelope["envelope_id"], **({"payload": payload} if payload else {})})
    return envelope


async def second_connection(slack: Story) -> bool | None:
    return len(await slack.entries("connected")) > 1 or None


def acknowledging(event: asyncio.Event) -> Any:
    async def handle(ack: Any) -> None:
        event.set()
        await ack()

    return handle
