"""Sending what happened to the app: acknowledgements, the 3-second rule, redelivery of events and of nothing else.

Sources: "Events API: responding to events, retries", "Using Socket Mode", "Handling user interaction".
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from .ledger import Ledger
from .settings import Settings
from .wire import Payload

EnvelopeType = Literal["events_api", "interactive", "slash_commands"]


@dataclass(slots=True)
class Envelope:
    """One thing to tell the app; in HTTP mode only the payload travels."""

    id: str
    type: EnvelopeType
    payload: Payload
    created: float = field(default_factory=time.monotonic)
    lose: bool = False

    @property
    def label(self) -> str:
        """``message``, ``block_actions``, ``/question``: for the ledger."""
        if self.type == "events_api":
            event = self.payload.get("event", {})
            return "/".join(str(event[key]) for key in ("type", "subtype") if key in event)
        return str(self.payload.get("type") or self.payload.get("command"))


@dataclass(frozen=True, slots=True)
class Ack:
    """How the app answered: ``reason`` says why it did not."""

    ok: bool
    reason: str = ""
    payload: Payload | None = None
    latency: float = 0.0
    final: bool = False

    def to_json(self) -> Payload:
        """For a control client."""
        return {"acked": self.ok, "reason": self.reason, "response": self.payload, "latency": self.latency}


class Transport(Protocol):
    """A way to the app: Socket Mode or signed HTTP requests."""

    async def ready(self, timeout: float) -> bool:
        """Wait until something could be sent."""
        ...

    async def send(self, envelope: Envelope, attempt: int, reason: str) -> Ack:
        """Send once and wait for the answer, 3 seconds at most."""
        ...


class Delivery:
    """Delivers events again and again, interactions once."""

    def __init__(self, ledger: Ledger, settings: Callable[[], Settings], transport: Callable[[], Transport]) -> None:
        self._ledger = ledger
        self._settings = settings
        self._transport = transport
        self._tasks: set[asyncio.Task[Any]] = set()
        self._acked = 0
        self.up = asyncio.Event()
        """Cleared while Slack itself is out."""
        self.up.set()
        self.held: list[Envelope] | None = None
        """While a list, new events wait in it instead of being sent (to release them in another order)."""

    def event(self, envelope: Envelope) -> None:
        """Deliver an event in the background."""
        if self.held is not None:
            self.held.append(envelope)
            return
        self._spawn(envelope)

    def _spawn(self, envelope: Envelope) -> None:
        task = asyncio.get_running_loop().create_task(self._deliver(envelope))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def hold(self) -> None:
        """Keep new events back."""
        self.held = [] if self.held is None else self.held

    def release(self, *, reverse: bool = False) -> int:
        """Send the held events, in the order of their creation or backwards; how many there were."""
        held, self.held = self.held or [], None
        for envelope in reversed(held) if reverse else held:
            self._spawn(envelope)
        return len(held)

    async def _deliver(self, envelope: Envelope) -> None:
        reason = ""
        for attempt, delay in enumerate((0.0, *self._settings().retry_delays)):
            if delay:
                await asyncio.sleep(delay)
            if not await self._reachable(envelope):
                self._lost(envelope, "no_connection")
                return
            ack = await self.attempt(envelope, attempt, reason)
            if ack.ok:
                self._acked += 1
                every = self._settings().duplicate_every
                if every and self._acked % every == 0:
                    await self.attempt(envelope, attempt + 1, "timeout")
                return
            reason = ack.reason
            if ack.final:
                break
        self._lost(envelope, reason)

    async def _reachable(self, envelope: Envelope) -> bool:
        if envelope.lose:
            return False
        until = envelope.created + self._settings().lost_after
        try:
            async with asyncio.timeout(max(until - time.monotonic(), 0.0)):  # `wait_for` may swallow `close`
                await self.up.wait()
        except TimeoutError:
            return False
        return await self._transport().ready(until - time.monotonic())

    def _lost(self, envelope: Envelope, reason: str) -> None:
        event_id = envelope.payload.get("event_id")
        self._ledger.add("lost", envelope_id=envelope.id, event_id=event_id, type=envelope.label, reason=reason)

    async def attempt(self, envelope: Envelope, attempt: int, reason: str) -> Ack:
        """Send once; the ledger keeps how it went."""
        ack = await self._transport().send(envelope, attempt, reason)
        self._ledger.add(
            "ack" if ack.ok else "unacked",
            envelope_id=envelope.id,
            event_id=envelope.payload.get("event_id"),
            type=envelope.label,
            attempt=attempt,
            latency=round(ack.latency, 6),
            reason=ack.reason,
            response=ack.payload,
        )
        return ack

    async def ask(self, envelope: Envelope) -> Ack:
        """Deliver an interaction: once, and a person sees an error when it is not acknowledged in time."""
        ack = await self.attempt(envelope, 0, "") if self.up.is_set() else Ack(ok=False, reason="outage")
        if not ack.ok:
            self._ledger.add("operation_timeout", envelope_id=envelope.id, type=envelope.label, reason=ack.reason)
        return ack

    @property
    def pending(self) -> int:
        """Events that are neither acknowledged nor lost."""
        return len(self._tasks) + len(self.held or [])

    async def settled(self, timeout: float) -> int:
        """Wait until no event is pending; how many still are."""
        deadline = time.monotonic() + timeout
        while self._tasks and (left := deadline - time.monotonic()) > 0:
            await asyncio.wait(list(self._tasks), timeout=left)
        return self.pending

    async def close(self) -> None:
        """Stop; what is pending is forgotten."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
