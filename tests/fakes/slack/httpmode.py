"""HTTP mode: signed requests to the app's request URL, and forged ones.

Sources: "Verifying requests from Slack" (signature v0), "Events API: retries" (``X-Slack-Retry-Num``,
``X-Slack-Retry-Reason``, ``X-Slack-No-Retry``), "Handling user interaction" (``payload=`` forms), "Implementing
slash commands" (forms).
"""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Literal
from urllib.parse import urlencode

import aiohttp

from .delivery import Ack, Envelope
from .settings import Settings
from .wire import Payload

Forgery = Literal["", "signature", "secret", "old", "unsigned", "body"]
"""What is wrong with a forged request: a random signature, another app's secret, a timestamp of ten minutes ago, no
signature at all, a body changed after signing."""
FORM = "application/x-www-form-urlencoded"


def signature(secret: str, timestamp: str, body: str) -> str:
    """``v0=`` and the HMAC-SHA256 of ``v0:timestamp:body``."""
    digest = hmac.new(secret.encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256)
    return f"v0={digest.hexdigest()}"


def encoded(envelope: Envelope) -> tuple[str, str]:
    """Body and content type of an envelope in HTTP mode."""
    if envelope.type == "events_api":
        return json.dumps(envelope.payload, ensure_ascii=False), "application/json"
    if envelope.type == "interactive":
        return urlencode({"payload": json.dumps(envelope.payload, ensure_ascii=False)}), FORM
    return urlencode({name: value for name, value in envelope.payload.items() if value is not None}), FORM


def signed_headers(secret: str, body: str, content_type: str, forged: Forgery = "") -> dict[str, str]:
    """Headers of a request, right or wrong in one way."""
    timestamp = str(int(time.time()) - (600 if forged == "old" else 0))
    key = "another app's secret" if forged == "secret" else secret
    headers = {
        "Content-Type": content_type,
        "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": signature(key, timestamp, body),
    }
    if forged == "signature":
        headers["X-Slack-Signature"] = "v0=" + "0" * 64
    if forged == "unsigned":
        del headers["X-Slack-Signature"], headers["X-Slack-Request-Timestamp"]
    return headers


class HttpMode:
    """Posts to the app's URL."""

    def __init__(self, settings: Callable[[], Settings], secret: str) -> None:
        self._settings = settings
        self.secret = secret
        self.url = ""
        self._session: aiohttp.ClientSession | None = None
        self.last: tuple[str, dict[str, str]] | None = None
        """Body and headers of the last request, to replay it."""

    async def ready(self, timeout: float) -> bool:
        """A server that refuses connections uses up attempts, so there is nothing to wait for."""
        return timeout > 0

    async def post(self, body: str, headers: dict[str, str]) -> tuple[int, str, dict[str, str]]:
        """Status, text and headers of the app's answer."""
        if self._session is None:
            self._session = aiohttp.ClientSession(trust_env=False)
        timeout = aiohttp.ClientTimeout(total=self._settings().ack_timeout)
        async with self._session.post(self.url, data=body.encode(), headers=headers, timeout=timeout) as answer:
            return answer.status, await answer.text(), dict(answer.headers)

    async def send(self, envelope: Envelope, attempt: int, reason: str) -> Ack:
        """Post an envelope; only a 2xx within 3 seconds is an acknowledgement."""
        body, content_type = encoded(envelope)
        headers = signed_headers(self.secret, body, content_type)
        if attempt:
            headers |= {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": reason}
        self.last = (body, headers)
        started = time.monotonic()
        try:
            status, text, answer = await self.post(body, headers)
        except TimeoutError:
            return Ack(ok=False, reason="http_timeout", latency=time.monotonic() - started)
        except aiohttp.ClientError:
            return Ack(ok=False, reason="connection_failed", latency=time.monotonic() - started)
        latency = time.monotonic() - started
        if status // 100 != 2:
            return Ack(ok=False, reason="http_error", latency=latency, final=answer.get("X-Slack-No-Retry") == "1")
        return Ack(ok=True, payload=answered(text), latency=latency)

    async def verify_url(self, token: str) -> bool:
        """``url_verification``: the app must answer the challenge."""
        challenge = hashlib.sha256(token.encode()).hexdigest()
        body = json.dumps({"token": token, "challenge": challenge, "type": "url_verification"})
        status, text, _ = await self.post(body, signed_headers(self.secret, body, "application/json"))
        given = answered(text) or {}
        return status == 200 and challenge in (text, given.get("challenge"))

    async def forge(self, envelope: Envelope, forged: Forgery) -> int:
        """Send something that Slack never sent; the status of the app's answer."""
        body, content_type = encoded(envelope)
        headers = signed_headers(self.secret, body, content_type, forged)
        status, _, _ = await self.post(body + (" " if forged == "body" else ""), headers)
        return status

    async def replay(self) -> int:
        """Send the last request again, byte for byte."""
        if self.last is None:
            message = "nothing was sent yet"
            raise LookupError(message)
        status, _, _ = await self.post(*self.last)
        return status

    async def close(self) -> None:
        """Close the client."""
        if self._session is not None:
            await self._session.close()
            await asyncio.sleep(0)


def answered(text: str) -> Payload | None:
    """The body of an answer as a response payload: JSON, or the text of a reply to a command."""
    if not text.strip():
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return {"text": text}
    return value if isinstance(value, dict) else {"text": text}
