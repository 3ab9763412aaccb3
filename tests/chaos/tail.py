"""The ledgers of the fakes, read while they grow."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Tail:
    """Yields what a JSON Lines file gained since the last look."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._at = 0

    def news(self) -> Iterator[dict[str, Any]]:
        """Yield new entries; a line that is not whole yet is left for the next look."""
        if not self._file.exists():
            return
        with self._file.open("rb") as file:
            file.seek(self._at)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._at += len(line)
                yield json.loads(line)
