"""Encrypted events whose key is not here yet: kept over a restart, opened when the key comes, mourned after a while."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

import structlog

from bot.platforms import Memory
from bot.platforms.matrix.patience import insist
from bot.platforms.matrix.wire import Homeserver, HomeserverError, Json

log = structlog.get_logger(__name__)

_NAME = "parked"
MOST = 500
KEPT = timedelta(days=7)
BETWEEN_NOTICES = timedelta(hours=1)


@dataclass(slots=True)
class Parked:
    """An event that waits. Its text is not kept: the homeserver gives it again."""

    room: str
    event: str
    since: str
    told: bool = False
    raw: Json | None = field(default=None, compare=False)


class Parking:
    """What waits for keys, oldest first."""

    def __init__(self, home: Homeserver, memory: Memory, patience: float) -> None:
        self._home = home
        self._memory = memory
        self._patience = timedelta(seconds=patience)
        self._parked: dict[str, Parked] = {}
        self._notices: dict[str, datetime] = {}

    async def load(self) -> None:
        """Take up what waited when the bot stopped."""
        kept = json.loads(await self._memory.get(_NAME) or "[]")
        self._parked = {entry["event"]: Parked(**entry) for entry in kept}

    def value(self) -> dict[str, str | None]:
        """Return what the memory must hold, for the transaction that moves the sync token."""
        entries = [{k: v for k, v in asdict(entry).items() if k != "raw"} for entry in self._parked.values()]
        return {_NAME: json.dumps(entries) if entries else None}

    def add(self, room: str, raw: Json, now: datetime) -> None:
        """Let an event wait; beyond `MOST` the oldest is given up."""
        self._parked.setdefault(raw["event_id"], Parked(room, raw["event_id"], now.isoformat(), raw=raw))
        if len(self._parked) > MOST:
            del self._parked[next(iter(self._parked))]

    def remove(self, event_id: str) -> None:
        """Let go of an event."""
        self._parked.pop(event_id, None)

    def __iter__(self) -> Iterator[Parked]:
        """Return the events that wait, oldest first."""
        return iter(list(self._parked.values()))

    async def raw(self, entry: Parked) -> Json | None:
        """Return the event itself, None when the homeserver has it no more."""
        if entry.raw is None:
            try:
                entry.raw = await insist(lambda: self._home.get("rooms", entry.room, "event", entry.event))
            except HomeserverError as error:
                log.info("matrix.parked_event_gone", error=str(error))
        return entry.raw

    def next_notice(self, now: datetime) -> float | None:
        """Return in how many seconds a room will have to be told."""
        waits = [datetime.fromisoformat(p.since) + self._patience - now for p in self._parked.values() if not p.told]
        return max(0.0, min(waits).total_seconds()) if waits else None

    def overdue(self, now: datetime) -> set[str]:
        """Return the rooms to tell now, each at most once an hour, and give up what has waited for a week."""
        rooms: set[str] = set()
        for entry in list(self._parked.values()):
            waited = now - datetime.fromisoformat(entry.since)
            if waited >= KEPT:
                self.remove(entry.event)
            if waited >= self._patience and not entry.told:
                entry.told = True
                last = self._notices.get(entry.room)
                if last is None or now - last >= BETWEEN_NOTICES:
                    self._notices[entry.room] = now
                    rooms.add(entry.room)
        return rooms
