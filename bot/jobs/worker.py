"""The one worker: leases lanes, does their jobs in order and at a pace, and settles what became of them."""

import asyncio
import contextlib
import functools
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import structlog
from sqlalchemy.orm import Session

from bot import fence
from bot.clock import Clock
from bot.db import Database
from bot.errors import NotSent, OutcomeUnknown, Refused, Unavailable, in_short
from bot.jobs import LANES_AT_ONCE, LEASE, Taken, Waits, leases, outgoing
from bot.jobs.leases import Next, Settled
from bot.jobs.pace import Bucket, Pace
from bot.jobs.tables import Leased

log = structlog.get_logger()

T = TypeVar("T")

POLL = 1.0  # seconds: other processes' jobs are noticed at the latest then
RENEW = 1.5  # seconds between renewals of a lease
SAFETY = 1.0  # seconds before a lease ends after which nothing more is sent under it
LONGEST_BACKOFF = 30.0
ATTEMPTS = 12  # of a message that a working platform does not take
PATIENCE = timedelta(days=3)  # how long an outage may last before what waits is given up
BREATH = timedelta(milliseconds=20)  # between two looks that found nothing
INWARD = frozenset({"in"})  # the queue of what was put off: it only comes in
SOON = 1.0  # seconds: a job due that soon is waited for with its lane in hand

Perform = Callable[[Leased], Awaitable[str | None]]
"""Do a job and return its result; raises a `SendError`."""


class Worker:
    """Does the jobs of some queues. `kinds` maps a kind of job to what performs it."""

    def __init__(
        self,
        database: Database,
        *,
        queues: Collection[str],
        kinds: Mapping[str, Perform],
        clock: Clock,
        settled: Callable[[Session, Collection[Settled], datetime], None],
        paces: Mapping[str, Pace] | None = None,
    ) -> None:
        self.queues = set(queues)
        self.owner = leases.new_owner()
        self._database = database
        self._kinds = kinds
        self.clock = clock
        self._paces = paces or {}
        self._buckets: dict[str, Bucket] = {}
        self._note_settled = settled
        self._wake = asyncio.Event()
        self._held: dict[str, _Hold] = {}  # lanes under lease
        self._results: list[tuple[_Hold | None, list[Settled], asyncio.Future[None]]] = []
        self._flush = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self.ended: Counter[tuple[str, str]] = Counter()  # tries since the start, by kind of job and how it stood then
        self._draining = False
        self._closed = True  # until the database says that something may be said

    def wake(self, queues: set[str] | None = None) -> None:
        """Look for due jobs now."""
        if queues is None or queues & self.queues:
            self._wake.set()

    def serves(self, queue: str) -> bool:
        """Say whether a job of a queue may be given to this worker in the transaction that puts it."""
        return queue in self._serving() and not self._draining

    def _serving(self) -> set[str]:
        """Return the queues whose jobs may be done: only what comes in, while nothing may be said."""
        return self.queues & INWARD if self._closed else self.queues

    def committed(self, notes: Sequence[object]) -> None:
        """Begin what a transaction gave to this worker, and remember when the rest is due."""
        begun: dict[str, tuple[_Hold, list[Leased]]] = {}
        for noted in notes:
            match noted:
                case Taken(lane=lane, epoch=epoch, at=at):
                    left = at + LEASE - self.clock()  # the clock, for this may be told much later
                    begun[lane] = _Hold(lane, epoch, _until(left)), []
                case Leased():
                    begun[noted.lane][1].append(noted)
                case Waits(due_at=due_at):
                    self._wake_at(due_at)
                case _:
                    pass
        for hold, line in begun.values():
            self._begin(hold, line)

    @property
    def idle(self) -> bool:
        """Whether no lane is in hand."""
        return not self._held

    async def run(self) -> None:
        """Work until cancelled; what is in hand then is left to the next process's look-up."""
        await self._when_possible(lambda: self._database.run(leases.free_dead_leases))
        self._database.lessee = self
        async with asyncio.TaskGroup() as group:
            group.create_task(self._settle_results())
            group.create_task(self._renew())
            while True:
                await self._when_possible(self._lease)
                await self._sleep()

    async def drain(self, patience: float = 3.0) -> None:
        """Begin nothing new and wait for what is in hand, so that its outcome is known."""
        self._draining = True
        self._database.lessee = None
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=patience)
        for task in self._tasks:
            task.cancel()

    async def _lease(self) -> None:
        """Lease all that is due, and remember when the next is."""
        self._wake.clear()
        while not self._draining:
            now, until = self.clock(), _until()
            held = list(self._held)
            leased, due = await self._database.run(functools.partial(self._look, now=now, held=held))
            lines = _by_lane(leased)
            for lane, line in lines.items():
                self._begin(_Hold(lane, line[0].epoch, until), line)
            if due is not None:
                self._wake_at(max(due, now + BREATH))
            if len(lines) < LANES_AT_ONCE:
                return

    def _look(self, session: Session, now: datetime, held: Collection[str]) -> tuple[list[Leased], datetime | None]:
        if self._closed:
            self._closed = outgoing.closed_since(session) is not None
        queues = self._serving()
        leased = leases.lease(session, queues, self.owner, now, besides=held)
        return leased, leases.next_due(session, queues, self.owner)

    def _begin(self, hold: "_Hold", line: list[Leased]) -> None:
        newest = self._held.get(hold.lane)
        if newest is None or newest.epoch < hold.epoch:  # an older lease can be told later
            self._held[hold.lane] = hold
        self._start(hold, line)

    def _start(self, hold: "_Hold", line: list[Leased]) -> None:
        task = asyncio.create_task(self._work(hold, line))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _wake_at(self, due_at: datetime) -> None:
        """Look for due jobs at an instant; those after the next poll are found by it."""
        wait = (due_at - self.clock()).total_seconds()
        if wait <= 0:
            self._wake.set()
        elif wait < POLL:
            asyncio.get_running_loop().call_later(wait, self._wake.set)

    async def _sleep(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL):  # not wait_for, which may swallow a cancellation (Python 3.11)
                await self._wake.wait()
        if self._draining:
            await asyncio.sleep(POLL)

    async def _work(self, hold: "_Hold", line: list[Leased]) -> None:
        settled: list[Settled] = []
        for index, job in enumerate(line):
            if self._draining or not await self._ready(hold, job):
                settled += [_spare(left, left.due_at) for left in line[index:]]
                break
            with fence.under(hold):
                outcome = await self._perform(job)
            self.ended[job.kind, outcome.state] += 1
            settled.append(outcome)
            if outcome.state == "waiting":
                settled += [_spare(left, left.due_at) for left in line[index + 1 :]]
                break
            if index + 1 < len(line):  # people may answer to it while the rest of the line takes its time
                self._hand_in(None, settled)
                settled = []
        await self._hand_in(hold, settled)

    def _hand_in(self, hold: "_Hold | None", settled: list[Settled]) -> asyncio.Future[None]:
        """Have outcomes written down, and a lane given back with them."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._results.append((hold, settled, done))
        self._flush.set()
        return done

    async def _ready(self, hold: "_Hold", job: Leased) -> bool:
        """Wait for the job's time and the lane's pace; False when that is too long or the lease too short."""
        wait = (job.due_at - self.clock()).total_seconds()
        if wait > SOON:
            return False
        pace = self._paces.get(hold.lane.split(":", 1)[0])
        if pace is not None:
            wait = max(wait, self._buckets.setdefault(hold.lane, Bucket(pace)).delay())
        if wait > 0:
            await asyncio.sleep(wait)
        return time.monotonic() < hold.until

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
        except Unavailable as error:
            return self._later(job, str(error), None, counts=False)
        except Exception as error:  # a fault of ours must not stop the lane: it is kept with its reason
            reason = in_short(error)
            log.error("job_crashed", kind=job.kind, lane=job.lane, job=job.id, reason=reason)
            return self._later(job, reason, None, counts=True, unknown=True)

    def _later(
        self, job: Leased, reason: str, retry_after: float | None, *, counts: bool, unknown: bool = False
    ) -> Settled:
        now = self.clock()
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
            holds = [hold for hold, _, _ in batch if hold is not None]
            until = _until()
            follows = await self._when_possible(functools.partial(self._settle, settled, holds))
            self._go_on(holds, follows, until)
            for _, _, done in batch:
                if not done.done():  # whoever waited was ended by a stop that had no more patience
                    done.set_result(None)

    def _go_on(self, holds: Sequence["_Hold"], follows: Next, until: float) -> None:
        """Let lanes go, but for those in which there is more to do."""
        lines = _by_lane(follows.jobs)
        for hold in holds:
            line = lines.get(hold.lane)
            if line and line[0].epoch == hold.epoch:
                hold.until = until
                self._start(hold, line)
            elif self._held.get(hold.lane) is hold:
                del self._held[hold.lane]
        if follows.due_at is not None:
            self._wake_at(follows.due_at)

    async def _settle(self, settled: list[Settled], holds: Sequence["_Hold"]) -> Next:
        now, go_on = self.clock(), not self._draining
        lanes: dict[str, int] = {}
        for hold in holds:
            lanes[hold.lane] = max(hold.epoch, lanes.get(hold.lane, 0))

        def work(session: Session) -> Next:
            self._note_settled(session, settled, now)
            return leases.settle(session, settled, lanes, self.owner, now, go_on=go_on)

        return await self._database.run(work)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW)
            lanes = {lane: hold.epoch for lane, hold in self._held.items()}
            if not lanes:
                continue
            until = _until()
            now = self.clock()
            try:
                ours = await self._database.run(functools.partial(leases.renew, lanes=lanes, owner=self.owner, now=now))
            except Unavailable:
                continue
            for lane in ours & self._held.keys():
                if self._held[lane].epoch == lanes[lane]:
                    self._held[lane].until = until

    async def _when_possible(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run work against the database, again and again while it cannot be written."""
        delay = 0.1
        while True:
            try:
                return await work()
            except Unavailable:
                await asyncio.sleep(delay)
                delay = min(5.0, delay * 2)


@dataclass(slots=True)
class _Hold:
    """A lane under lease, by its epoch, and until when something may be sent to it, in monotonic time."""

    lane: str
    epoch: int
    until: float


def _by_lane(jobs: Iterable[Leased]) -> dict[str, list[Leased]]:
    lines: dict[str, list[Leased]] = {}
    for job in jobs:
        lines.setdefault(job.lane, []).append(job)
    return lines


def _until(left: timedelta = LEASE) -> float:
    return time.monotonic() + left.total_seconds() - SAFETY


def _spare(job: Leased, due_at: datetime) -> Settled:
    return Settled(job, "waiting", due_at=due_at, unknown=job.again, spared=True)
