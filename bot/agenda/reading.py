"""Calendars in: bytes from anywhere become events, read by a program of its own (`reader.py`) under limits."""

import asyncio
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from bot.agenda.model import (
    KINDS,
    LINK,
    LINKS,
    LONGEST,
    NOTE,
    PLACE,
    STATES,
    TITLE,
    VISIBILITIES,
    Details,
    When,
)
from bot.agenda.tables import UID
from bot.errors import UserError

BYTES = 10 * 1024**2  # of a calendar
PATIENCE = 30.0  # seconds for reading one
BEFORE = timedelta(days=35)  # what is over for longer is left out
AHEAD = timedelta(days=400)  # how far series are repeated

_STATE = {"TENTATIVE": "planned", "CANCELLED": "cancelled"}
_CLASS = {"PRIVATE": "own", "CONFIDENTIAL": "own"}
_EXPORTED = re.compile(r"(.+)/(\d{4}-\d\d-\d\d(?:T\d\d:\d\d)?(?:#\d{1,4})?)")  # an occurrence under a name of its own
_YEARS = range(1990, 2200)


@dataclass(frozen=True, slots=True)
class Read:
    """An event as a calendar has it: under its name there, and how often and when it was changed."""

    uid: str
    instance: str
    sequence: int
    stamp: datetime | None
    details: Details


@dataclass(frozen=True, slots=True)
class Content:
    """What a calendar holds. `problems`: series that could not be read whole; `more`: one of them goes on."""

    name: str
    events: tuple[Read, ...]
    problems: tuple[tuple[str, str], ...]
    more: bool
    until: date


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds where a calendar does not say: the kind of its events, who sees them, its zone, who organises."""

    zone: str
    kind: str = "other"
    visibility: str = "network"
    organisation: str | None = None
    ours: bool = False  # it may say of whom and whither its events are: the operator brought it


def read(raw: bytes, defaults: Defaults, today: date) -> Content:
    """Return what a calendar holds from a month ago to a year ahead. Takes a second, at most half a minute.

    Raises UserError for what is no calendar, or cannot be read in that time.
    """
    until = _checked(raw, today)
    try:
        done = subprocess.run(
            _command(defaults, today, until), input=raw, capture_output=True, timeout=PATIENCE, env={}, check=False
        )
    except subprocess.TimeoutExpired:
        raise UserError("agenda.ics.too_long") from None
    return _content(done.returncode, done.stdout, defaults, until)


async def read_apart(raw: bytes, defaults: Defaults, today: date) -> Content:
    """Do the same without holding up the loop."""
    return await asyncio.to_thread(read, raw, defaults, today)


def _checked(raw: bytes, today: date) -> date:
    if len(raw) > BYTES:
        raise UserError("agenda.ics.too_big", limit=BYTES // 1024**2)
    return today + AHEAD


def _command(defaults: Defaults, today: date, until: date) -> list[str]:
    program = str(Path(__file__).with_name("reader.py"))
    return [sys.executable, "-I", program, (today - BEFORE).isoformat(), until.isoformat(), defaults.zone]


def _content(status: int, printed: bytes, defaults: Defaults, until: date) -> Content:
    if status != 0:
        raise UserError("agenda.ics.too_long")
    data = json.loads(printed)
    if not data["understood"]:
        raise UserError("agenda.ics.no_calendar")
    cancelled = data["method"] == "CANCEL"
    events = tuple(_unlike(event for each in data["events"] if (event := _event(each, defaults, cancelled))))
    problems = tuple((str(each["uid"])[:UID], str(each["reason"])) for each in data["problems"])
    return Content(data["name"][:TITLE], events, problems, data["more"], until)


def _unlike(events: Iterator[Read]) -> Iterator[Read]:
    """Yield events each under a name of its own: two of a series that bear one are numbered."""
    seen: dict[tuple[str, str], int] = {}
    for event in events:
        count = seen[event.uid, event.instance] = seen.get((event.uid, event.instance), 0) + 1
        yield event if count == 1 else replace(event, instance=f"{event.instance}#{count}")


def _event(said: dict[str, Any], defaults: Defaults, cancelled: bool) -> Read | None:
    told = {name.removeprefix("X-PASSERELLE-").lower(): value for name, value in said.items() if name.startswith("X-")}
    own = told if defaults.ours else dict[str, str]()
    when = _when(said, own.get("zone", ""))
    if when is None:
        return None
    state = "cancelled" if cancelled else _STATE.get(said["status"].upper(), "confirmed")
    moved = state == "confirmed" and own.get("state") == "moved"
    links = [link for link in [said["url"], *own.get("links", "").split()] if link.startswith(("https://", "http://"))]
    details = Details(
        title=" ".join(said["summary"].split())[:TITLE] or "—",
        when=when,
        kind=_one_of(KINDS, own.get("kind", ""), defaults.kind),
        place=" ".join(said["location"].split())[:PLACE],
        note=said["description"][:NOTE].strip(),
        countries=_ids(own, "countries"),
        territories=_ids(own, "territories"),
        bodies=_ids(own, "bodies"),
        organisers=_ids(own, "organisers") or ((defaults.organisation,) if defaults.organisation else ()),
        links=tuple(dict.fromkeys(link[:LINK] for link in links))[:LINKS],
        visibility=_one_of(
            VISIBILITIES, own.get("visibility", ""), _CLASS.get(said["class"].upper(), defaults.visibility)
        ),
        state=_one_of(STATES, "moved" if moved else "", state),
    )
    stamp = datetime.fromisoformat(said["stamp"]) if said["stamp"] else None
    ours = _EXPORTED.fullmatch(said["uid"]) if not said["which"] else None
    uid, instance = (ours[1], ours[2]) if ours is not None else (said["uid"], said["which"])
    return Read(_short(uid), instance, said["sequence"], stamp, details)


def _when(said: dict[str, Any], meant: str) -> When | None:
    """Return when it is, None for years that nobody means."""
    zone = meant if meant and meant in _zones() else str(said["zone"])
    if said["whole_days"]:
        first, end = date.fromisoformat(said["starts"]), date.fromisoformat(said["ends"])
        if first.year not in _YEARS or end - first > LONGEST:
            return None
        return When.days(first, end - timedelta(days=1), zone)
    starts, ends = (datetime.fromisoformat(said[name]).astimezone(UTC) for name in ("starts", "ends"))
    return When(starts, ends, zone) if starts.year in _YEARS and ends - starts <= LONGEST else None


@cache
def _zones() -> frozenset[str]:
    """Return the zones there are: to list them reads a folder, which an event is not worth."""
    return frozenset(available_timezones())


def _short(uid: str) -> str:
    """Return a name that a row can hold."""
    return uid if len(uid) <= UID else f"sha256:{hashlib.sha256(uid.encode()).hexdigest()}"


def _one_of(known: tuple[str, ...], said: str, otherwise: str) -> str:
    return said if said in known else otherwise


def _ids(own: dict[str, str], name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(it for it in own.get(name, "").split() if len(it) <= 100))[:50]
