"""Write `docs/rights.md` from the code: who may do what, by right and scope; run with `--check` to compare only."""

import sys
from collections.abc import Iterator
from pathlib import Path

import handlers
from bot.command import load
from bot.directory.visibility import FIELDS, ROWS, field_needed, level
from bot.rights import RIGHTS, TABLE, may

PAGE = Path("docs/rights.md")

_HEAD = """\
# Who may do what

Written from the code by `make rights`; a test goes through every cell. What is not here is denied.

A right of use is given to a person (`passerelle rights grant PERSON RIGHT`), whatever their office; each includes those
before it. Whoever holds an office, or speaks in a room that is linked to an organisation, is a `member` for that
organisation. Rights are read with each command. A refusal is explained to whom it concerns and stands in the audit.

## Acts

The scope is what somebody is to the thing: `own` (theirs), `organisation` (their organisation's), `asker` and
`recipient` (their side of a question), `seen` (its visibility shows it to them), `any` (nothing at all). `import.` is
followed by a file of the directory, then by its columns that need more than their row.
"""
_COMMANDS = """
## Commands

The least right with which a command is heard at all; what it then does is an act of the table above.
"""
_FIELDS = """
## Fields of the directory

A row is seen by its visibility: {rows}. Their own row people see whole; their organisation's own row by its members.
"""


def page() -> str:
    """Return the page."""
    return "".join((_HEAD, *_acts(), _COMMANDS, *_commands(), _FIELDS.format(rows=_rows()), *_fields()))


def _acts() -> Iterator[str]:
    yield from _header("act | scope")
    for action, row in TABLE.items():
        for scope in row:
            cells = (_mark(may({right}, action, scope)) for right in RIGHTS)
            yield f"| {action} | {scope} | {' | '.join(cells)} |\n"


def _commands() -> Iterator[str]:
    yield from _header("command")
    found = {command.name: command for command in load(handlers).values()}
    for name in sorted(found):
        needed = level(found[name].right)
        cells = (_mark(found[name].strangers or number >= needed) for number, _ in enumerate(RIGHTS))
        yield f"| {name} | {' | '.join(cells)} |\n"


def _rows() -> str:
    return ", ".join(f"`{visibility}` from {right} on" for visibility, right in ROWS.items())


def _fields() -> Iterator[str]:
    yield from _header("field")
    for kind in ("organisation", "person"):
        for field in FIELDS[kind]:
            cells = (_mark(number >= field_needed(kind, field)) for number, _ in enumerate(RIGHTS))
            yield f"| {kind}.{field} | {' | '.join(cells)} |\n"


def _header(first: str) -> Iterator[str]:
    columns = [*first.split(" | "), *RIGHTS]
    yield f"\n| {' | '.join(columns)} |\n"
    yield f"|{'---|' * (len(columns) - len(RIGHTS))}{':-:|' * len(RIGHTS)}\n"


def _mark(allowed: bool) -> str:
    return "✓" if allowed else "·"


def main() -> int:
    """Write the page; with `--check` say whether it is the one the code would write."""
    if "--check" not in sys.argv:
        PAGE.write_text(page(), "utf-8")
        return 0
    if PAGE.read_text("utf-8") == page():
        return 0
    print(f"{PAGE} is not what the code says: run `make rights`")
    return 1


if __name__ == "__main__":
    sys.exit(main())
