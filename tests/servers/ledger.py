"""What a homeserver accepted, in order: the truth that a run under faults is compared with."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import unquote

_SEND = re.compile(r"/rooms/([^/]+)/send/([^/]+)/([^/?]+)")


@dataclass(frozen=True, slots=True)
class Send:
    """One event that the server took and named. A repeat of a transaction has the event id of the first."""

    room: str
    type: str
    txn_id: str
    event_id: str
    content: dict[str, Any] = field(hash=False)
    sender: str = ""  # Empty where only the path was seen.


@dataclass(slots=True)
class Ledger:
    """Accepted sends, kept in memory and, with a file, as one line of JSON each, flushed at once."""

    file: Path | None = None
    sends: list[Send] = field(default_factory=list)
    _out: TextIO | None = None

    def record(self, send: Send) -> None:
        """Add one."""
        self.sends.append(send)
        if self.file is not None:
            if self._out is None:
                self._out = self.file.open("a", encoding="utf-8")
            self._out.write(json.dumps(asdict(send), ensure_ascii=False) + "\n")
            self._out.flush()

    def close(self) -> None:
        """Close the file."""
        if self._out is not None:
            self._out.close()
            self._out = None

    @property
    def events(self) -> dict[str, Send]:
        """The first send of every event id: what exists in the rooms."""
        return {send.event_id: send for send in reversed(self.sends)}

    def __iter__(self) -> Iterator[Send]:
        return iter(self.sends)

    def __len__(self) -> int:
        return len(self.sends)


def read(file: Path) -> Ledger:
    """The ledger that another process wrote; a last line cut by its death is left out."""
    lines = file.read_text(encoding="utf-8").split("\n")[:-1]
    return Ledger(sends=[Send(**json.loads(line)) for line in lines])


def parse_send(path: str) -> tuple[str, str, str] | None:
    """Room, event type and transaction id, if this is the (raw) path of a send."""
    found = _SEND.search(path)
    if found is None:
        return None
    room, event_type, txn_id = map(unquote, found.groups())
    return room, event_type, txn_id
