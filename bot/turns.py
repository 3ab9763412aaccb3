"""Whose turn it is: what must wait before it is handled, in its author's own line, so that nobody else is delayed."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from bot import jobs, receipts, wire
from bot.message import Inbound, Invocation, Reaction, RoomChange
from bot.outbox import lane_of
from bot.questions import find

BURST: Final = 60  # events of one account in one room that are handled at once
RATE: Final = 10.0  # a second, after that
WINDOW: Final = 10_000  # accounts whose pace is remembered


@dataclass(slots=True)
class _Allowance:
    tokens: float
    at: float


class Turns:
    """The pace of each author, and the lines in which events wait."""

    def __init__(self) -> None:
        self._allowances: dict[tuple[str, str], _Allowance] = {}

    def floods(self, inbound: Inbound) -> bool:
        """Count an event, and say whether its author has said too much in too short a time."""
        if is_urgent(inbound):
            return False
        now = time.monotonic()
        key = (inbound.author.id, inbound.to.room)
        allowance = self._allowances.pop(key, None) or _Allowance(BURST, now)
        allowance.tokens = min(BURST, allowance.tokens + (now - allowance.at) * RATE)
        allowance.at = now
        self._allowances[key] = allowance
        if len(self._allowances) > WINDOW:
            self._allowances.pop(next(iter(self._allowances)))
        if allowance.tokens < 1:
            return True
        allowance.tokens -= 1
        return False

    def must_wait(self, session: Session, inbound: Inbound) -> bool:
        """Say whether an event comes too early: behind something its author said, or what it names is being said."""
        return not is_urgent(inbound) and (jobs.is_busy(session, _line_of(inbound)) or in_doubt(session, inbound))


def put_off(session: Session, inbound: Inbound, now: datetime) -> None:
    """Take an event, to be handled when its turn comes."""
    if not receipts.record(session, inbound, now, "deferred"):
        return
    lane = _line_of(inbound)
    key = f"in:{inbound.to.platform}:{inbound.id}"
    jobs.put(session, "handle", {"event": wire.dump(inbound)}, lane=lane, queue="in", key=key, now=now)


def is_urgent(inbound: Inbound) -> bool:
    """Whether an event cannot wait: a room's own changes, and what a form is to be opened for."""
    return isinstance(inbound, RoomChange) or (isinstance(inbound, Invocation) and inbound.trigger is not None)


def in_doubt(session: Session, inbound: Inbound) -> bool:
    """Whether an event points at a message that may be ours, whose id the platform has not told us yet."""
    if is_urgent(inbound):
        return False
    named = {inbound.to.thread, getattr(inbound, "reply_to", None), getattr(inbound, "pressed", None)}
    named |= {inbound.message_id} if isinstance(inbound, Reaction) else set()
    to = inbound.to
    known = (find.post_of(session, to.platform, to.room, message) for message in named if message)
    return any(post is None for post in known) and jobs.in_doubt(session, lane_of(to), "say")


def _line_of(inbound: Inbound) -> str:
    return f"in:{inbound.to.platform}:{inbound.author.id}"
