"""How the bot is: for who decides whether it may be given work (`/readyz`), and for Prometheus (`/metrics`)."""

import asyncio
import resource
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from bot.app import App
from bot.errors import Unavailable
from bot.jobs import outgoing
from bot.jobs.tables import OPEN, Job, Lane
from bot.receipts import Receipt

ANSWER = 3.0  # seconds that the database has before it counts as away
FRESH = 0.5  # seconds for which it is believed that it takes writes


@dataclass(frozen=True, slots=True)
class Rows:
    """What the database tells."""

    revision: str
    waiting: Mapping[str, int]  # by queue
    late_since: datetime | None  # since when the oldest job that is due waits
    failed_jobs: int
    failed_events: int
    closed: bool


def look(session: Session, now: datetime) -> Rows:
    """Ask the database."""
    waiting = (
        select(Lane.queue, func.count()).select_from(Job).join(Lane, Lane.name == Job.lane).where(Job.state.in_(OPEN))
    )
    return Rows(
        revision=session.scalar(text("SELECT version_num FROM alembic_version")) or "",
        waiting={r[0]: r[1] for r in session.execute(waiting.where(Job.state.in_(OPEN)).group_by(Lane.queue))},
        late_since=session.scalar(select(func.min(Job.due_at)).where(Job.state.in_(OPEN), Job.due_at <= now)),
        failed_jobs=session.scalar(select(func.count()).where(Job.state == "failed")) or 0,
        failed_events=session.scalar(select(func.count()).where(Receipt.outcome == "failed")) or 0,
        closed=outgoing.closed_since(session) is not None,
    )


async def ready(app: App) -> tuple[bool, Mapping[str, Any]]:
    """Say whether the database takes writes, every platform is connected and the tick runs; and since when what waits.

    A disk that is full can still be read, and takes small writes: so the database has to take down that this process
    lives, and must not have refused anything just now.
    """
    now = app.clock()
    said: dict[str, Any] = {name: "ok" if state.ok else state.reason for name, state in app.states.items()}
    said |= {f"{name}_heard": _ago(now, state.heard_at) for name, state in app.states.items()}
    said["last_tick"] = _ago(now, app.ticked_at)
    try:
        async with asyncio.timeout(ANSWER):
            if time.monotonic() - app.peers.beaten_at > FRESH:
                await app.peers.beat()
            rows = await app.database.run(lambda session: look(session, now))
        said |= {"database": "ok", "migrations": rows.revision, "oldest_job": _ago(now, rows.late_since)}
        failure = app.database.failure
        if failure is not None:
            said["database"] = _first_line(failure.reason)
    except Unavailable as error:
        said["database"] = _first_line(str(error))
    except TimeoutError:
        said["database"] = f"no answer within {ANSWER:g} s: another program may keep it locked"
    ok = said["database"] == "ok" and all(state.ok for state in app.states.values())
    return ok, {"ok": ok, **said}


def _first_line(reason: str) -> str:
    return next(iter(reason.splitlines()), "unavailable")


def _ago(now: datetime, then: datetime | None) -> float | None:
    return None if then is None else round(max(0.0, (now - then).total_seconds()), 1)


# --- Prometheus


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric with its samples, each under labels."""

    name: str
    kind: str
    help: str
    samples: Iterable[tuple[Mapping[str, str], float]]


async def metrics(app: App) -> str:
    """Return everything in Prometheus's text format (version 0.0.4), without the database's part when it is away."""
    now = app.clock()
    found = [*_own(app, now)]
    try:
        async with asyncio.timeout(ANSWER):
            rows = await app.database.run(lambda session: look(session, now))
        found += _shared(rows, now)
        found.append(_gauge("database_up", "Whether the database answers", 1.0))
    except (Unavailable, TimeoutError):
        found.append(_gauge("database_up", "Whether the database answers", 0.0))
    return "".join(map(_drawn, found))


def _own(app: App, now: datetime) -> Iterable[Metric]:
    states = app.states.items()
    yield _gauges(
        "platform_up",
        "Whether a platform is connected, or another process speaks there",
        "platform",
        {name: float(state.ok) for name, state in states},
    )
    yield _gauges(
        "platform_heard_seconds",
        "Since the last sign of life of a platform",
        "platform",
        {name: age for name, state in states if (age := _ago(now, state.heard_at)) is not None},
    )
    yield _gauges(
        "holds",
        "Whether this process is the one that speaks there",
        "platform",
        {name: float(office.holds) for name, office in app.offices.items()},
    )
    if (tick := _ago(now, app.ticked_at)) is not None:
        yield _gauge("last_tick_seconds", "Since due work was last looked for", tick)
    yield _gauge("processes", "Processes on the database that were seen just now", app.peers.around.others + 1)
    yield _gauge(
        "clock_ahead_seconds", "How far this clock is ahead of the database's", app.peers.around.ahead.total_seconds()
    )
    events = [({"platform": name}, float(count)) for name, count in sorted(app.events.items())]
    yield Metric("passerelle_events_total", "counter", "Events taken by this process", events)
    jobs = [({"kind": kind, "state": state}, float(count)) for (kind, state), count in sorted(app.worker.ended.items())]
    yield Metric("passerelle_tries_total", "counter", "Tries of jobs by this process, by how they ended", jobs)
    yield Metric("process_resident_memory_bytes", "gauge", "Memory in use", [({}, _memory())])
    used = resource.getrusage(resource.RUSAGE_SELF)
    yield Metric("process_cpu_seconds_total", "counter", "Processor time used", [({}, used.ru_utime + used.ru_stime)])


def _shared(rows: Rows, now: datetime) -> Iterable[Metric]:
    yield _gauges("jobs_waiting", "Jobs that are not done", "queue", {q: float(n) for q, n in rows.waiting.items()})
    yield _gauge("oldest_job_seconds", "Since the oldest job that is due was due", _ago(now, rows.late_since) or 0.0)
    yield _gauge("jobs_failed", "Jobs given up: passerelle failed list", rows.failed_jobs)
    yield _gauge("events_failed", "Events that could not be handled: passerelle failed list", rows.failed_events)
    yield _gauge("outbox_closed", "Whether nothing is said until passerelle outbox release", float(rows.closed))
    yield _gauges("info", "The revision of the tables", "revision", {rows.revision: 1.0})


def _gauge(name: str, about: str, value: float) -> Metric:
    return Metric(f"passerelle_{name}", "gauge", about, [({}, float(value))])


def _gauges(name: str, about: str, label: str, values: Mapping[str, float]) -> Metric:
    return Metric(f"passerelle_{name}", "gauge", about, [({label: of}, value) for of, value in sorted(values.items())])


def _drawn(metric: Metric) -> str:
    lines = [f"# HELP {metric.name} {metric.help}.", f"# TYPE {metric.name} {metric.kind}"]
    for labels, value in metric.samples:
        named = ",".join(f'{name}="{_escaped(of)}"' for name, of in labels.items())
        lines.append(f"{metric.name}{f'{{{named}}}' if named else ''} {value:.15g}")
    return "\n".join(lines) + "\n"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _memory() -> float:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:  # not Linux: the most it ever was
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0
    return float(pages * resource.getpagesize())
