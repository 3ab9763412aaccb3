"""Words for the administrators' room: what is wrong, what to do, once, and that it is over when it is.

A trouble is a row, so that it is told once whoever sees it: several processes, or the same one after a restart. Who
told it says that it is over; another process does so when that one is gone.
"""

import json
import shutil
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.card import Card, Paragraph
from bot.jobs.peers import living
from bot.memory import REFUSED, Remembered, remember, remember_first
from bot.message import Address
from bot.outbox import Outbox
from bot.texts import Text

log = structlog.get_logger()

SILENCE: Final = timedelta(minutes=2)  # of a platform, before it is told
AHEAD: Final = timedelta(seconds=2)  # of a clock, before it is told
FREE: Final = 500_000_000  # bytes on disk, below which it is told
MANY: Final = 5  # people whose identity changed, that are told one by one
_KEEPER: Final = "alert"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that an administrator should act on. `name` is the same as long as it lasts."""

    name: str
    text: Text


def tell(
    session: Session, outbox: Outbox, to: Address | None, owner: str, found: Collection[Trouble], now: datetime
) -> None:
    """Tell what is new and what is over. Without a room for it, the log is told alone."""
    kept = session.scalars(select(Remembered).where(Remembered.platform == _KEEPER).with_for_update())
    known = {row.name: json.loads(row.value) for row in kept}
    for trouble in found:
        since = {"at": now.isoformat(), "by": owner}
        if trouble.name not in known and remember_first(session, _KEEPER, trouble.name, json.dumps(since)):
            _say(outbox, to, trouble.text, f"{trouble.name}/{since['at']}")
            log.error("trouble", name=trouble.name)
    others = {process.owner for process in living(session, owner, now)}
    for name in known.keys() - {trouble.name for trouble in found}:
        if known[name]["by"] not in others:
            remember(session, _KEEPER, {name: None})
            since = datetime.fromisoformat(known[name]["at"])
            over = Text.of("alert.over", what=Text.of(f"alert.name.{name.partition(' ')[0]}"), since=since)
            _say(outbox, to, over, f"{name}/{since.isoformat()}/over")
            log.info("trouble_over", name=name)


def _say(outbox: Outbox, to: Address | None, text: Text, key: str) -> None:
    if to is not None:
        outbox.put(to, Card(None, (Paragraph(text),)), key=f"alert/{key}")


# --- what is wrong


def of_platforms(down: Iterable[tuple[str, str, bool, datetime]], now: datetime) -> Iterable[Trouble]:
    """Return the troubles of platforms that are down: name, reason, whether for good, since when."""
    for platform, reason, stopped, since in down:
        if stopped:
            yield Trouble(f"refused {platform}", Text.of("alert.refused", platform=platform, reason=reason))
        elif now - since > SILENCE:
            yield Trouble(f"silent {platform}", Text.of("alert.silent", platform=platform, since=since, reason=reason))


def of_database(found: Iterable[tuple[str, int]]) -> Iterable[Trouble]:
    """Return the troubles of what is stuck, by the names and counts of findings."""
    for name, count in found:
        if name in STUCK:
            yield Trouble(name, Text.of(STUCK[name], count=count))


STUCK: Final[Mapping[str, str]] = {
    "jobs_late": "alert.jobs_late",
    "jobs_failed": "alert.jobs_failed",
    "events_failed": "alert.events_failed",
    "lanes_abandoned": "alert.lanes_abandoned",
}


def of_machine(ahead: timedelta, folder: Path, host: str) -> Iterable[Trouble]:
    """Return the troubles of this machine: its clock, its disk."""
    if abs(ahead) > AHEAD:
        seconds = round(ahead.total_seconds())
        yield Trouble(f"clock {host}", Text.of("alert.clock", host=host, seconds=seconds))
    free = shutil.disk_usage(folder if folder.exists() else Path()).free
    if free < FREE:
        yield Trouble(f"disk {host}", Text.of("alert.disk", host=host, megabytes=free // 1_000_000))


def of_identities(session: Session) -> Iterable[Trouble]:
    """Return the troubles of people who are not listened to until an operator agrees to their new identity."""
    waits = select(Remembered.name).where(Remembered.platform == "matrix", Remembered.name.startswith(REFUSED))
    for name in session.scalars(waits.order_by(Remembered.name).limit(MANY)):
        user = name.removeprefix(REFUSED)
        yield Trouble(f"identity {user}", Text.of("alert.identity", user=user))


def of_restore(closed_since: datetime | None) -> Iterable[Trouble]:
    """Return the trouble of an outbox that is held back."""
    if closed_since is not None:
        yield Trouble("closed", Text.of("alert.closed", since=closed_since))
