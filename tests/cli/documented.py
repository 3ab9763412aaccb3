"""What `docs/commands.md` says of each command, and whether its `--json` says the same."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
INSIDE = ("errors", "history", "problems", "fault")
"""Keys under which lie objects whose own keys are documented too."""


@cache
def documented() -> dict[tuple[str, ...], list[frozenset[str]]]:
    """Each command's groups of JSON keys: the first is always there, a group of one key may be, another lies inside."""
    found: dict[tuple[str, ...], list[frozenset[str]]] = {}
    for line in PAGE.read_text().splitlines():
        cells = line.split("|")[1:-1]
        if len(cells) == 3:
            spans = [re.findall(r"`([^`-][^`]*)`", cell) for cell in cells]
            groups = [frozenset(keys.split()) for keys in spans[2]]
            found |= {tuple(name.split()): [*groups, frozenset()] if cells[2].strip() else [] for name in spans[0]}
    return found


def check(arguments: list[str], out: str) -> None:
    """Compare what a command printed with the page."""
    command = next(name for n in (3, 2, 1) if (name := tuple(arguments[:n])) in documented())
    first, *others = documented()[command] or [frozenset()]
    for line in out.splitlines() if first else ():
        said: Any = json.loads(line)
        for row in said if isinstance(said, list) else [said]:
            may = {key for group in others if len(group) == 1 for key in group}
            assert row.keys() <= may or (row.keys() >= first and row.keys() - first <= may), (command, sorted(row))
            for part in filter(None, (row.get(name) for name in INSIDE)):
                assert {frozenset(each) for each in (part if isinstance(part, list) else [part])} <= {*others}, part
