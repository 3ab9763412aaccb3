"""Append-only account of what the fake accepted, sent and refused; tests and chaos runs judge a bot by it.

Kinds of entries:

=============  =====================================================================================
``said``       a person (or another bot) posted: channel, ts, thread_ts, user, text
``system``     Slack itself put a line into a channel (somebody joined, left, renamed or archived it)
``post``       a message of the bot was accepted: channel, ts, thread_ts, text, blocks, metadata, truncated
``update``     one of them was changed · ``delete`` it was removed · ``ephemeral`` only one person saw it
``view``       a modal or App Home was opened, pushed, updated, published, closed: action, user, view
``reaction`` ``file``   the bot reacted, the bot or a person shared a file
``joined``     the bot joined a channel by itself
``ack``        an envelope was acknowledged: envelope_id, type, attempt, latency, response
``unacked``    it was not, this time: attempt, reason · ``late_ack`` the acknowledgement came after the limit
``lost``       an event will never be delivered
``operation_timeout``   a person saw an error on a button, form or command
``refused``    a call was answered with an error: method, error, messages
``limited``    a call was answered 429 · ``fault`` a planned failure struck
``connected`` ``disconnected``   Socket Mode connections
=============  =====================================================================================
"""

import asyncio
import json
import time
from collections import Counter
from pathlib import Path
from typing import TextIO

from .wire import Payload


class Ledger:
    """List of entries, each with ``seq``, ``kind`` and ``at`` (Unix time); also a JSON Lines file, always flushed."""

    def __init__(self, path: Path | None = None) -> None:
        self.entries: list[Payload] = []
        self.calls: Counter[str] = Counter()
        self._file: TextIO | None = path.open("a", encoding="utf-8") if path else None
        self._wake: list[asyncio.Future[None]] = []

    def add(self, kind: str, **facts: object) -> Payload:
        """Append one entry and wake those who wait for it."""
        entry: Payload = {"seq": len(self.entries) + 1, "kind": kind, "at": time.time(), **facts}
        self.entries.append(entry)
        if self._file:
            self._file.write(json.dumps(entry, ensure_ascii=False, separators=(",", ":")) + "\n")
            self._file.flush()
        if self._wake:
            waiting, self._wake = self._wake, []
            for future in waiting:
                if not future.done():
                    future.set_result(None)
        return entry

    def find(self, kinds: list[str] | None = None, since: int = 0, **equal: object) -> list[Payload]:
        """Entries of these kinds after ``since`` whose facts equal the given ones."""
        wanted = set(kinds or ())
        return [
            entry
            for entry in self.entries[since:]
            if (not wanted or entry["kind"] in wanted)
            and all(entry.get(name) == value for name, value in equal.items())
        ]

    async def changed(self, since: int, timeout: float) -> int:
        """Wait until there is an entry after ``since`` (or the time is over); the number of the last entry."""
        if len(self.entries) <= since:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._wake.append(future)
            try:
                await asyncio.wait_for(future, timeout)
            except TimeoutError:
                pass
        return len(self.entries)

    def close(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()
            self._file = None
