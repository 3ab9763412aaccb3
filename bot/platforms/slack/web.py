"""Calls of Slack's Web API: one session, no hidden retries, each failure told as what is known of its outcome."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.errors import NotSent, OutcomeUnknown, Refused, SendError
from bot.platforms.slack.options import SlackOptions
from bot.requests import FencedRequest

Call: TypeAlias = Callable[..., Awaitable[AsyncSlackResponse]]

# Slack's libraries write bodies of requests at INFO and below: what people say stays out of the logs.
LOGGER = logging.getLogger("bot.platforms.slack.sdk")
LOGGER.setLevel(logging.WARNING)

_CONNECT = 5.0
_RETRY_AFTER = 30.0
_TOKEN = frozenset(
    "invalid_auth not_authed account_inactive token_revoked token_expired not_allowed_token_type no_permission "
    "missing_scope org_login_required ekm_access_denied access_denied accesslimited two_factor_setup_required".split()
)
_LIMITED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
_UNKNOWN = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"})
_GONE = frozenset(
    "channel_not_found not_in_channel is_archived channel_is_archived user_not_found users_not_found user_disabled "
    "cannot_dm_bot restricted_action restricted_action_read_only_channel is_inactive".split()
)


class DeadToken(NotSent):
    """Slack does not accept the token, or not for this: nothing works until an operator has acted."""

    def __init__(self, word: str) -> None:
        super().__init__(f"Slack answers {word}", outage=True)
        self.word = word


class Web:
    """The Web API with our timeouts. `client` may be used once `open` has been called in the running loop."""

    def __init__(self, options: SlackOptions) -> None:
        self._options = options
        self._session: aiohttp.ClientSession | None = None
        self._client: AsyncWebClient | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """The one HTTP session of the platform, opened at its first use."""
        if self._session is None or self._session.closed:
            timeout = aiohttp.ClientTimeout(total=self._options.timeout, connect=_CONNECT, sock_connect=_CONNECT)
            self._session = aiohttp.ClientSession(timeout=timeout, request_class=FencedRequest)
            self._client = None
        return self._session

    @property
    def client(self) -> AsyncWebClient:
        """The client with the bot's token."""
        session = self.session
        if self._client is None:
            self._client = AsyncWebClient(
                token=self._options.bot_token,
                base_url=self._options.api_url,
                session=session,
                logger=LOGGER,
                retry_handlers=[],  # the default sends a post again after a broken connection
            )
            self._client.proxy = proxy_for(self._options.api_url)  # the library does not know NO_PROXY
        return self._client

    async def close(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()


async def call(method: Call, **arguments: Any) -> dict[str, Any]:
    """Call a method of the client and return its answer. Raises a `SendError` that says what is known."""
    try:
        answer = await method(**arguments)
    except (SlackApiError, aiohttp.ClientError, TimeoutError, OSError, AttributeError, ValueError) as error:
        raise explained(error) from error
    return answer.data if isinstance(answer.data, dict) else {}


async def pages(method: Call, key: str, **arguments: Any) -> AsyncIterator[list[dict[str, Any]]]:
    """Yield the pages of a list, each as it arrives."""
    cursor = ""
    while True:
        more = {"cursor": cursor} if cursor else {}
        answer = await call(method, **arguments, **more)
        yield answer.get(key) or []
        cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            return


def proxy_for(url: str) -> str | None:
    """Return the proxy that the environment names for an address, with its exceptions in NO_PROXY."""
    parts = urlsplit(url)
    if not parts.hostname or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    proxies = getproxies()
    scheme = {"wss": "https", "ws": "http"}.get(parts.scheme, parts.scheme)
    return proxies.get(scheme) or proxies.get("all")


def explained(error: Exception) -> SendError:
    """Return what an exception of the libraries says about the call's outcome."""
    match error:
        case SlackApiError():
            return _answered(error)
        case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError() | aiohttp.ClientHttpProxyError():
            return NotSent(f"Slack is out of reach: {error or type(error).__name__}", outage=True)
        case aiohttp.InvalidURL():
            return NotSent(f"slack.api_url is no address: {error}", outage=True)
        case _:
            return OutcomeUnknown(f"no answer from Slack: {error or type(error).__name__}")


def _answered(error: SlackApiError) -> SendError:
    response: Any = error.response
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0) or 0)
    data: Any = getattr(response, "data", None)
    word = str(data.get("error") or "") if isinstance(data, dict) else ""
    if status == 429 or word in _LIMITED:
        return NotSent("Slack asks to wait", retry_after=_wait(getattr(response, "headers", None)))
    if word in _TOKEN:
        return DeadToken(word)
    if status >= 500 or word in _UNKNOWN:
        return OutcomeUnknown(f"Slack answers {word or status}")
    if not word:
        # Not Slack, but something on the way to it: before it was handed over, or in the place of its answer.
        before = 400 <= status < 500
        return NotSent(f"HTTP {status}", outage=True) if before else OutcomeUnknown(f"no answer of Slack's: {status}")
    return Refused(_told(word, data), gone=word in _GONE)


def _told(word: str, data: dict[str, Any]) -> str:
    """Name what Slack refused; its reasons point into our blocks and never quote them."""
    reasons = (data.get("response_metadata") or {}).get("messages") or data.get("errors") or []
    return f"{word}: {'; '.join(str(r) for r in reasons[:3])}" if reasons else word


def _wait(headers: Any) -> float:
    try:
        return max(0.0, float({str(k).lower(): v for k, v in dict(headers or {}).items()}["retry-after"]))
    except (KeyError, TypeError, ValueError):
        return _RETRY_AFTER
