"""The shipped directory and rules as routing sees them, read straight from their files."""

import csv
from collections.abc import Iterator
from datetime import date
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from bot.directory.snapshot import Comp, Org, Snapshot
from bot.routing.rules import Rules

CONFIG = files("config")


@cache
def rules() -> Rules:
    return Rules.load(CONFIG / "routing")


@cache
def directory() -> Snapshot:
    organisations = {row["id"]: _org(row) for row in _rows("organisations")}
    return Snapshot(MappingProxyType(organisations), tuple(_comp(row) for row in _rows("competences")))


def _rows(name: str) -> Iterator[dict[str, str]]:
    for folder in ("map", "posts"):
        text = (CONFIG / "reference" / folder / f"{name}.csv").read_text("utf-8")
        yield from csv.DictReader(text.splitlines())


def _org(row: dict[str, str]) -> Org:
    texts = (
        "id kind name short_name country subdivision city territory timezone opening_hours visibility status".split()
    )
    return Org(
        **{name: row[name] for name in texts},
        parent=row["parent"] or None,
        successor=row["successor"] or None,
        languages=tuple(row["languages"].split()),
        language="",
    )


def _comp(row: dict[str, str]) -> Comp:
    texts = "organisation role topic country territory place direction legal_basis".split()
    first, last = (date.fromisoformat(row[name]) if row[name] else None for name in ("valid_from", "valid_to"))
    return Comp(**{name: row[name] for name in texts}, valid_from=first, valid_to=last)
