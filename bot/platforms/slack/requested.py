"""HTTP mode: Bolt verifies what Slack requests and speaks its protocol; over a socket of our own nothing needs it.

Bolt acknowledges events before a listener runs, and payloads without a listener never. So there are no listeners: a
middleware that answers by itself comes before both.
"""

from typing import Any

import structlog
from aiohttp import web as http
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import in_short
from bot.platforms.slack.gateway import Gateway
from bot.platforms.slack.options import SlackOptions
from bot.platforms.slack.web import LOGGER

log = structlog.get_logger()


class Requests:
    """Hands what Slack demonstrably requests to the gateway."""

    def __init__(self, options: SlackOptions, gateway: Gateway) -> None:
        self._secret = options.signing_secret
        self._gateway = gateway

        async def authorize() -> AuthorizeResult:  # no method: Bolt looks at the names of the arguments
            """Say who we are without asking Slack; nothing is ever called through Bolt."""
            me = gateway.me
            return AuthorizeResult(enterprise_id=None, team_id=me.team, bot_user_id=me.user, bot_id=me.bot)

        self.app = AsyncApp(
            name="passerelle",
            client=AsyncWebClient(base_url=options.api_url, logger=LOGGER, retry_handlers=[]),
            authorize=authorize,
            signing_secret=options.signing_secret,
            logger=LOGGER,
            ignoring_self_events_enabled=False,  # our own words are dropped in one place, `inbound`, edits included
        )
        self.app.middleware(self._take)
        self.app.error(_unexpected)

    async def answer(self, request: http.Request) -> http.Response:
        """Take one request. Bolt reads a body before it looks at its signature, so that is looked at here first."""
        if not self._signed(await request.read(), request):
            return http.Response(status=401)
        if not self._gateway.ready:
            return http.Response(status=503)
        try:
            bolt_request = await to_bolt_request(request)
        except (ValueError, LookupError):
            return http.Response(status=400)
        return await to_aiohttp_response(await self.app.async_dispatch(bolt_request))

    def _signed(self, body: bytes, request: http.Request) -> bool:
        """Tell whether Slack made this request, and within the last five minutes."""
        signed_at = request.headers.get("X-Slack-Request-Timestamp", "")
        signature = request.headers.get("X-Slack-Signature", "")
        if not signed_at.isdecimal() or not self._secret:
            return False
        try:
            return SignatureVerifier(self._secret).is_valid(body, signed_at, signature)
        except (ValueError, TypeError):  # no text, or a signature beyond ASCII
            return False

    async def _take(self, body: dict[str, Any]) -> BoltResponse:
        answer = await self._gateway.take(body)
        return BoltResponse(status=answer.status, body=dict(answer.body or {}) or "")


async def _unexpected(error: Exception) -> None:
    """Tell a fault by its place; Bolt would write its message, which may hold what somebody said."""
    log.error("slack_payload_failed", reason=in_short(error))
