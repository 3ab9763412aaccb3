"""The part of a story's face that plans failures, turns settings and reads the ledger."""

from __future__ import annotations

import base64
from abc import abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .faults import FaultKind
    from .httpmode import Forgery
    from .surfaces import Post
    from .wire import Payload


class Plans:
    """Settings, faults, connections, HTTP mode and the ledger."""

    @abstractmethod
    async def call(self, op: str, **args: Any) -> Payload:
        """Carry out an operation of the fake."""

    async def configure(self, **changes: Any) -> Payload:
        """Change settings (:class:`~tests.fakes.slack.settings.Settings`); all of them are the answer."""
        return await self.call("configure", **changes)

    async def grant(self, *, scopes: Iterable[str] | None = None, bot_events: Iterable[str] | None = None) -> None:
        """What the app's manifest asked for: nothing else is allowed or sent."""
        granted = {"scopes": scopes, "bot_events": bot_events}
        await self.call("app", **{name: sorted(value) for name, value in granted.items() if value is not None})

    async def revoke(self, *, revoked: bool = True) -> None:
        """The tokens are revoked (or good again)."""
        await self.call("app", revoked=revoked)

    async def fault(
        self, method: str, kind: FaultKind, *, after: bool = False, times: int | None = 1, **plan: Any
    ) -> None:
        """Plan a failure of a method (``*``: any): with ``after`` it strikes once the call took effect.

        ``times=None`` is for ever; ``every``, ``skip``, ``delay``, ``status``, ``word``, ``retry_after``, ``channel``
        are those of :class:`~tests.fakes.slack.faults.Fault`.
        """
        await self.call("fault", method=method, kind=kind, after=after, times=times, **plan)

    async def clear_faults(self) -> None:
        """Forget all planned failures."""
        await self.call("clear_faults")

    async def outage(self, kind: str = "reset", *, lose_events: bool = False) -> None:
        """Slack is gone: calls fail (``reset``, ``error``, ``hang``), connections break.

        With ``lose_events`` what happens meanwhile is never sent, only history shows it.
        """
        await self.call("outage", kind=kind, lose_events=lose_events)

    async def recover(self) -> None:
        """Slack is back."""
        await self.call("recover")

    async def connected(self, count: int = 1, timeout: float = 5.0) -> None:
        """Wait until the bot has ``count`` Socket Mode connections."""
        since = 0
        while (found := (await self.call("connections"))["open"]) < count:
            last = (await self.call("changes", since=since, timeout=timeout))["last"]
            if last == since:
                message = f"{found} connections instead of {count} after {timeout} s"
                raise AssertionError(message)
            since = last

    async def drop_connections(self) -> None:
        """Break the sockets abruptly."""
        await self.call("drop_connections")

    async def freeze_connections(self, *, frozen: bool = True) -> None:
        """Let the sockets die without a sign."""
        await self.call("freeze_connections", frozen=frozen)

    async def disconnect(self, reason: str = "refresh_requested", *, close_after: float = 0.0) -> None:
        """Announce the end of the sockets (``warning``, ``refresh_requested``, ``link_disabled``)."""
        await self.call("disconnect", reason=reason, close_after=close_after)

    async def hold_events(self) -> None:
        """Keep new events back until they are released."""
        await self.call("hold_events")

    async def release_events(self, *, reverse: bool = False) -> None:
        """Send the held events, backwards with ``reverse``."""
        await self.call("release_events", reverse=reverse)

    async def event(self, event: Payload) -> None:
        """Send any other event as it stands (``tokens_revoked``, ``app_uninstalled``, ``user_change`` …)."""
        await self.call("event", event=event)

    async def unfurl(
        self, post: Post, url: str = "https://www.service-public.fr/", title: str = "Service-Public"
    ) -> None:
        """A link preview comes to a message."""
        await self.call("unfurl", channel=post.channel, ts=post.ts, url=url, title=title)

    async def burst(self, said: Sequence[Payload]) -> list[str]:
        """Many posts at once (``user``, ``channel``, ``text``, ``thread``); their ``ts``."""
        return (await self.call("burst", said=list(said)))["ts"]

    async def http_mode(self, url: str) -> None:
        """Send everything to the bot's URL; empty: back to the socket."""
        await self.call("http_mode", url=url)

    async def verify_url(self) -> bool:
        """Does the bot answer Slack's challenge?"""
        return (await self.call("verify_url"))["verified"]

    async def forge(self, forged: Forgery, event: Payload) -> int:
        """Somebody else sends an event to the bot's URL; the status of its answer (``""``: correctly signed)."""
        return (await self.call("forge", forged=forged, event=event))["status"]

    async def replay(self) -> int:
        """The last genuine request comes again, byte for byte."""
        return (await self.call("replay"))["status"]

    async def entries(self, *kinds: str, since: int = 0, **equal: Any) -> list[Payload]:
        """Entries of the ledger (:mod:`~tests.fakes.slack.ledger` lists the kinds), narrowed by equal facts."""
        return (await self.call("ledger", kinds=list(kinds), since=since, equal=equal))["entries"]

    async def violations(self) -> list[Payload]:
        """What a well-behaved bot never causes: refused calls, late or missing acknowledgements."""
        return await self.entries("refused", "operation_timeout", "late_ack")

    async def calls(self) -> dict[str, int]:
        """How often each Web API method was called."""
        return (await self.call("calls"))["calls"]

    async def file(self, file: str) -> tuple[Payload, bytes]:
        """A file object and its content."""
        found = await self.call("file", file=file)
        return found["file"], base64.b64decode(found["content"])
