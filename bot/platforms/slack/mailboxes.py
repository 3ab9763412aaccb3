"""Addresses of mail that Slack itself has verified, for the domains that the administrator trusts."""

import asyncio
import time
from collections.abc import Collection

import structlog

from bot.errors import SendError
from bot.platforms.slack.people import Payload
from bot.platforms.slack.web import Web, call

log = structlog.get_logger()

KEPT = 3600.0  # seconds for which an answer is believed
PATIENCE = 1.0  # seconds that an event waits for it: Slack wants its own answer within three
_REMEMBERED = 10_000


class Mailboxes:
    """Asks Slack whose address an account shows. Without an answer in time there is none: the next event asks again."""

    def __init__(self, web: Web, domains: Collection[str]) -> None:
        self._web = web
        self._domains = frozenset(domain.lower().removeprefix("@") for domain in domains)
        self._known: dict[str, tuple[float, str | None]] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}

    async def of(self, user: str, team: str) -> str | None:
        """Return the verified address of a full member of our own workspace, None unless its domain is trusted."""
        if not self._domains:
            return None
        at, email = self._known.get(user, (float("-inf"), None))
        if time.monotonic() - at < KEPT:
            return email
        task = self._asking.get(user)
        if task is None:
            task = self._asking[user] = asyncio.create_task(self._ask(user, team))
            task.add_done_callback(lambda _: self._asking.pop(user, None))
        await asyncio.wait([task], timeout=PATIENCE)
        return self._known.get(user, (0.0, None))[1]

    def close(self) -> None:
        """Ask no more."""
        for task in self._asking.values():
            task.cancel()

    async def _ask(self, user: str, team: str) -> None:
        try:
            answer = await call(self._web.client.users_info, user=user)
        except SendError as error:
            log.warning("slack_mailbox_unknown", reason=str(error))
            return
        self._known.pop(user, None)
        self._known[user] = (time.monotonic(), self._trusted(answer.get("user") or {}, team))
        if len(self._known) > _REMEMBERED:
            del self._known[next(iter(self._known))]

    def _trusted(self, found: Payload, team: str) -> str | None:
        """Return the address of an account that is known to own it; guests, bots and the departed have none."""
        never = ("deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger")
        if found.get("team_id") != team or found.get("is_email_confirmed") is not True or any(map(found.get, never)):
            return None
        email = str((found.get("profile") or {}).get("email") or "").strip()
        name, _, domain = email.rpartition("@")
        return email if name and domain.lower() in self._domains else None
