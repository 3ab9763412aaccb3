"""The one worker: leases lanes, does their jobs in order and at a pace, and settles what became of them."""

import asyncio
import contextlib
import functools
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import structlog
from sqlalchemy.orm import Session

from bot import jobs
from bot.clock import Clock
from bot.db import Database
from bot.errors import NotSent, OutcomeUnknown, Refused, Unavailable, in_short
from bot.jobs import LEASE, Leased, Settled

log = structlog.get_logger()

T = TypeVar("T")

POLL = 1.0  # seconds: other processes' jobs are noticed at the latest then
RENEW = 4.0  # seconds between renewals of a lease
SAFETY = 4.0  # seconds before a lease ends after which nothing new is begun under it
LONGEST_BACKOFF = 30.0
ATTEMPTS = 12  # of a message that a working platform does not take
PATIENCE = timedelta(days=3)  # how long an outage may last before what waits is given up
SOON = 1.0  # seconds: a job due that soon is waited for with its lane in hand

Perform = Callable[[Leased], Awaitable[str | None]]
"""Do a job and return its result; raises a `SendError`."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a queue's lanes may go: `rate` jobs a second each, after a burst of `burst`."""

    rate: float
    burst: int = 1


class Bucket:
    """A token bucket over monotonic time."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._tokens = float(pace.burst)
        self._at = time.monotonic()

    def delay(self) -> float:
        """Take a token and return how many seconds to wait before using it."""
        now = time.monotonic()
        self._tokens = min(self._pace.burst, self._tokens + (now - self._at) * self._pace.rate)
        self._at = now
        self._tokens -= 1
        return max(0.0, -self._tokens / self._pace.rate)


class Worker:
    """Does the jobs of some queues. `kinds` maps a kind of job to what performs it."""

    def __init__(
        self,
        database: Database,
        *,
        queues: Collection[str],
        kinds: Mapping[str, Perform],
        clock: Clock,
        settled: Callable[[Session, Collection[Settled]], None],
        paces: Mapping[str, Pace] | None = None,
        abandoned: Callable[[Settled], Awaitable[None]] | None = None,
    ) -> None:
        self.queues = set(queues)
        self.owner = jobs.new_owner()
        self._database = database
        self._kinds = kinds
        self._clock = clock
        self._paces = paces or {}
        self._buckets: dict[str, Bucket] = {}
        self._note_settled = settled
        self._abandoned = abandoned
        self._wake = asyncio.Event()
        self._held: dict[str, float] = {}  # lanes under lease, and until when, monotonic
        self._results: list[tuple[str | None, list[Settled], asyncio.Future[None]]] = []
        self._flush = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._draining = False

    def wake(self, queues: set[str] | None = None) -> None:
        """Look for due jobs now."""
        if queues is None or queues & self.queues:
            self._wake.set()

    @property
    def idle(self) -> bool:
        """Whether no lane is in hand."""
        return not self._held

    async def run(self) -> None:
        """Work until cancelled; what is in hand then is left to the next process's look-up."""
        await self._when_possible(lambda: self._database.run(jobs.free_dead_leases))
        async with asyncio.TaskGroup() as group:
            group.create_task(self._settle_results())
            group.create_task(self._renew())
            while True:
                due = not self._draining and await self._when_possible(self._lease)
                if not due:
                    await self._sleep()

    async def drain(self, patience: float = 3.0) -> None:
        """Begin nothing new and wait for what is in hand, so that its outcome is known."""
        self._draining = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=patience)
        for task in self._tasks:
            task.cancel()

    async def _lease(self) -> bool:
        self._wake.clear()
        now = self._clock()
        until = time.monotonic() + LEASE.total_seconds()
        leased = await self._database.run(lambda s: jobs.lease(s, self.queues, self.owner, now))
        lanes: dict[str, list[Leased]] = {}
        for job in leased:
            lanes.setdefault(job.lane, []).append(job)
        for lane, line in lanes.items():
            self._held[lane] = until
            task = asyncio.create_task(self._work(lane, line))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return bool(leased)

    async def _sleep(self) -> None:
        now = self._clock()
        due = await self._when_possible(lambda: self._database.run(lambda s: jobs.next_due(s, self.queues)))
        wait = POLL if due is None else min(POLL, max(0.02, (due - now).total_seconds()))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):  # not wait_for, which may swallow a cancellation (Python 3.11)
                await self._wake.wait()
        if self._draining:
            self._wake.clear()

    async def _work(self, lane: str, line: list[Leased]) -> None:
        settled: list[Settled] = []
        for index, job in enumerate(line):
            if self._draining or not await self._ready(lane, job):
                settled += [_spare(left, left.due_at) for left in line[index:]]
                break
            outcome = await self._perform(job)
            settled.append(outcome)
            if outcome.state == "waiting":
                settled += [_spare(left, left.due_at) for left in line[index + 1 :]]
                break
            if index + 1 < len(line):  # people may answer to it while the rest of the line takes its time
                self._hand_in(None, settled)
                settled = []
        await self._hand_in(lane, settled)

    def _hand_in(self, lane: str | None, settled: list[Settled]) -> asyncio.Future[None]:
        """Have outcomes written down, and a lane given back with them."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._results.append((lane, settled, done))
        self._flush.set()
        return done

    async def _ready(self, lane: str, job: Leased) -> bool:
        """Wait for the job's time and the lane's pace; False when that is too long or the lease too short."""
        wait = (job.due_at - self._clock()).total_seconds()
        if wait > SOON:
            return False
        pace = self._paces.get(lane.split(":", 1)[0])
        if pace is not None:
            wait = max(wait, self._buckets.setdefault(lane, Bucket(pace)).delay())
        if wait > 0:
            await asyncio.sleep(wait)
        return time.monotonic() < self._held.get(lane, 0.0) - SAFETY

    async def _perform(self, job: Leased) -> Settled:
        try:
            perform = self._kinds[job.kind]
            return Settled(job, "sent", result=await perform(job))
        except NotSent as error:
            return self._later(job, str(error), error.retry_after, counts=not (error.outage or error.retry_after))
        except OutcomeUnknown as error:
            return self._later(job, str(error), None, counts=True, unknown=True)
        except Refused as error:
            log.warning("job_refused", kind=job.kind, lane=job.lane, job=job.id, reason=str(error), gone=error.gone)
            return Settled(job, "failed", error=("gone: " if error.gone else "") + str(error))
        except Exception as error:  # a fault of ours must not stop the lane: it is kept with its reason
            reason = in_short(error)
            log.error("job_crashed", kind=job.kind, lane=job.lane, job=job.id, reason=reason)
            return self._later(job, reason, None, counts=True, unknown=True)

    def _later(
        self, job: Leased, reason: str, retry_after: float | None, *, counts: bool, unknown: bool = False
    ) -> Settled:
        now = self._clock()
        if (counts and job.attempts >= ATTEMPTS) or now - job.created_at > PATIENCE:
            log.error("job_failed", kind=job.kind, lane=job.lane, job=job.id, reason=reason)
            return Settled(job, "failed", error=reason)
        delay = retry_after if retry_after is not None else min(LONGEST_BACKOFF, 0.25 * 2 ** min(job.attempts, 10))
        return Settled(
            job,
            "waiting",
            error=reason,
            due_at=now + timedelta(seconds=delay),
            unknown=unknown or job.again,
            spared=not counts,
        )

    async def _settle_results(self) -> None:
        while True:
            await self._flush.wait()
            self._flush.clear()
            batch, self._results = self._results, []
            settled = [s for _, line, _ in batch for s in line]
            lanes = [lane for lane, _, _ in batch if lane is not None]
            await self._when_possible(functools.partial(self._settle, settled, lanes))
            for failed in (s for s in settled if s.state == "failed"):
                await self._give_up(failed)
            for lane in lanes:
                self._held.pop(lane, None)
            for _, _, done in batch:
                done.set_result(None)
            self._wake.set()

    async def _give_up(self, failed: Settled) -> None:
        """Let what follows from a failure for good happen; it stays in `passerelle failed` whatever that does."""
        if self._abandoned is None:
            return
        try:
            await self._abandoned(failed)
        except Exception as error:  # the worker goes on
            log.error("giving_up_failed", job=failed.job.id, reason=in_short(error))

    async def _settle(self, settled: list[Settled], lanes: list[str]) -> None:
        now = self._clock()

        def work(session: Session) -> None:
            jobs.settle(session, settled, lanes, self.owner, now)
            self._note_settled(session, settled)

        await self._database.run(work)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW)
            lanes = list(self._held)
            if not lanes:
                continue
            until = time.monotonic() + LEASE.total_seconds()
            now = self._clock()
            try:
                ours = await self._database.run(functools.partial(jobs.renew, lanes=lanes, owner=self.owner, now=now))
            except Unavailable:
                continue
            for lane in ours & self._held.keys():
                self._held[lane] = until

    async def _when_possible(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run work against the database, again and again while it cannot be written."""
        delay = 0.1
        while True:
            try:
                return await work()
            except Unavailable as error:
                log.error("database_unavailable", reason=str(error))
                await asyncio.sleep(delay)
                delay = min(5.0, delay * 2)


def _spare(job: Leased, due_at: datetime) -> Settled:
    return Settled(job, "waiting", due_at=due_at, unknown=job.again, spared=True)
