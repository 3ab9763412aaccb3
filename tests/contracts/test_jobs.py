"""What a job is promised, on both databases: order in its lane, no repeat, honest states, nobody else's delay."""

import asyncio
import contextlib
import functools
import threading
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import jobs
from bot.clock import system_clock
from bot.db import Database
from bot.errors import NotSent, OutcomeUnknown, Refused
from bot.jobs import hints, leases
from bot.jobs.pace import Pace
from bot.jobs.tables import ORDER, Job, Lane, Leased
from bot.jobs.upkeep import look, mend
from bot.jobs.worker import Worker
from tests.servers.postgres import Postgres

NOON = datetime(2026, 3, 16, 12, tzinfo=UTC)


def put(database: Database, key: str, lane: str = "a", **more: Any) -> None:
    now = more.pop("now", None) or system_clock()
    database.run_now(lambda s: jobs.put(s, "do", {"n": key}, lane=lane, queue="q", key=key, now=now, **more))


def state(database: Database, key: str) -> Job:
    return database.run_now(lambda s: s.query(Job).filter_by(key=key).one())


class Doing:
    """Performs jobs by writing them down; `plan` may say otherwise for a key, once per listed outcome."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.again: dict[str, bool] = {}
        self.plan: dict[str, list[Exception]] = {}
        self.waits: dict[str, asyncio.Event] = {}

    async def __call__(self, job: Leased) -> str:
        if job.lane in self.waits:
            await self.waits[job.lane].wait()
        self.again[job.key] = job.again
        outcomes = self.plan.get(job.key)
        if outcomes:
            raise outcomes.pop(0)
        self.done.append(job.key)
        return f"id-{job.key}"


@contextlib.asynccontextmanager
async def working(database: Database, doing: Doing, **more: Any) -> AsyncGenerator[Worker]:
    worker = Worker(
        database, queues={"q"}, kinds={"do": doing}, clock=system_clock, settled=lambda s, x, now: None, **more
    )
    database.woken = worker.wake
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        await worker.drain(1)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(condition: Callable[[], bool], seconds: float = 5) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


async def test_jobs_of_a_lane_are_done_in_order_and_once(shipped: Database) -> None:
    for n in range(30):
        put(shipped, f"{n:02}")
    put(shipped, "07")
    doing = Doing()
    async with working(shipped, doing):
        await until(lambda: len(doing.done) == 30)
    assert doing.done == [f"{n:02}" for n in range(30)]
    assert state(shipped, "07").state == "sent"
    assert state(shipped, "07").result == "id-07"


async def test_words_said_earlier_go_before_those_that_wait(shipped: Database) -> None:
    put(shipped, "card")
    for second in (2, 1, 3, 0):
        put(shipped, f"said-{second}", source_at=NOON + timedelta(seconds=second))
    doing = Doing()
    async with working(shipped, doing):
        await until(lambda: len(doing.done) == 5)
    assert doing.done == ["card", "said-0", "said-1", "said-2", "said-3"]


async def test_a_stop_that_has_no_more_patience_is_no_crash(shipped: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    put(shipped, "a1")
    asked, go_on = asyncio.Event(), asyncio.Event()
    async with working(shipped, Doing()) as worker:
        settle = worker._settle

        async def slow(*args: Any) -> object:
            asked.set()
            await go_on.wait()
            return await settle(*args)

        monkeypatch.setattr(worker, "_settle", slow)
        await asked.wait()
        await worker.drain(0)
        await asyncio.sleep(0)
        go_on.set()
        await until(lambda: state(shipped, "a1").state == "sent")
        await asyncio.sleep(0.05)  # a crash ends the worker, and with it this test


async def test_a_failure_for_now_keeps_the_order_and_delays_no_other_lane(shipped: Database) -> None:
    doing = Doing()
    doing.plan["a1"] = [NotSent("busy", retry_after=0.4), OutcomeUnknown("cut")]
    for key in ("a1", "a2", "b1", "b2"):
        put(shipped, key, lane=key[0])
    async with working(shipped, doing):
        await until(lambda: len(doing.done) == 4)
    assert doing.done == ["b1", "b2", "a1", "a2"]
    assert doing.again["a1"], "after an unknown outcome the next try must look first"
    assert not doing.again["a2"]


async def test_a_dead_letter_lets_the_others_flow(shipped: Database) -> None:
    doing = Doing()
    doing.plan["1"] = [Refused("too large")]
    put(shipped, "1")
    put(shipped, "2")
    async with working(shipped, doing):
        await until(lambda: doing.done == ["2"] and state(shipped, "1").state == "failed")
    assert state(shipped, "1").error == "too large"
    assert [f.name for f in shipped.run_now(lambda s: look(s, system_clock()))] == ["jobs_failed"]


async def test_a_fault_of_ours_is_kept_with_its_reason(shipped: Database) -> None:
    doing = Doing()
    doing.plan["1"] = [ZeroDivisionError("oops")]
    put(shipped, "1")
    async with working(shipped, doing):
        await until(lambda: doing.done == ["1"])
    assert doing.again["1"]


async def test_a_message_that_is_never_taken_is_given_up_at_last(
    shipped: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.jobs.worker.ATTEMPTS", 3)
    monkeypatch.setattr("bot.jobs.worker.LONGEST_BACKOFF", 0.01)
    doing = Doing()
    doing.plan["1"] = [NotSent("no")] * 9
    put(shipped, "1")
    async with working(shipped, doing):
        await until(lambda: state(shipped, "1").state == "failed")
    assert len(doing.plan["1"]) == 6


async def test_an_outage_costs_no_attempt(shipped: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.jobs.worker.ATTEMPTS", 2)
    monkeypatch.setattr("bot.jobs.worker.LONGEST_BACKOFF", 0.01)
    doing = Doing()
    doing.plan["1"] = [NotSent("down", outage=True)] * 6
    put(shipped, "1")
    async with working(shipped, doing):
        await until(lambda: doing.done == ["1"])


async def test_a_lane_is_paced_and_the_others_are_not(shipped: Database) -> None:
    doing = Doing()
    for n in range(4):
        put(shipped, f"slow{n}", lane="slow:x")
    put(shipped, "free", lane="free:x")
    started = asyncio.get_running_loop().time()
    async with working(shipped, doing, paces={"slow": Pace(rate=10, burst=1)}):
        await until(lambda: len(doing.done) == 5)
    assert doing.done[:2] in (["slow0", "free"], ["free", "slow0"])
    assert asyncio.get_running_loop().time() - started > 0.28


async def test_a_job_put_while_the_worker_sleeps_is_done_at_once(
    shipped: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.jobs.worker.POLL", 60.0)
    doing = Doing()
    async with working(shipped, doing):
        await asyncio.sleep(0.3)
        now = system_clock()
        await shipped.run(lambda s: jobs.put(s, "do", {}, lane="a", queue="q", key="k", now=now))
        await until(lambda: doing.done == ["k"], 2)


async def test_what_a_dead_process_was_doing_is_looked_at_again(shipped: Database) -> None:
    put(shipped, "1")
    shipped.run_now(lambda s: leases.lease(s, {"q"}, f"{leases._HOST}/999999999/dead", system_clock()))
    assert state(shipped, "1").state == "sending"
    doing = Doing()
    async with working(shipped, doing):
        await until(lambda: doing.done == ["1"], 2)
    assert doing.again["1"]


async def test_a_lease_that_ran_out_is_taken_over(shipped: Database) -> None:
    put(shipped, "1", now=NOON)
    assert shipped.run_now(lambda s: leases.lease(s, {"q"}, "elsewhere/1/x", NOON))
    later = NOON + jobs.LEASE + timedelta(seconds=1)
    assert not shipped.run_now(lambda s: leases.lease(s, {"q"}, "here/2/y", NOON + timedelta(seconds=1)))
    assert [j.again for j in shipped.run_now(lambda s: leases.lease(s, {"q"}, "here/2/y", later))] == [True]
    assert shipped.run_now(lambda s: leases.renew(s, {"a": 1}, "elsewhere/1/x", later)) == set()


def test_the_end_of_anothers_lease_is_known_and_ones_own_lanes_are_not_due(shipped: Database) -> None:
    put(shipped, "k", now=NOON)
    due = functools.partial(leases.next_due, queues={"q"})
    assert shipped.run_now(lambda s: due(s, owner="me")) == NOON
    shipped.run_now(lambda s: leases.lease(s, {"q"}, "another", NOON))
    assert shipped.run_now(lambda s: due(s, owner="me")) == NOON + jobs.LEASE
    assert shipped.run_now(lambda s: due(s, owner="another")) is None


async def test_a_deep_lane_does_not_hide_the_others(shipped: Database) -> None:
    for n in range(jobs.JOBS_AT_ONCE + 10):
        put(shipped, f"deep{n:04}", lane="deep", now=NOON)
    put(shipped, "other", lane="other", now=NOON + timedelta(seconds=1))
    leased = shipped.run_now(lambda s: leases.lease(s, {"q"}, "me/1/x", NOON + timedelta(minutes=1)))
    assert "other" in {job.key for job in leased}
    assert [j.key for j in leased if j.lane == "deep"] == [f"deep{n:04}" for n in range(jobs.JOBS_AT_ONCE // 2)]


async def test_the_auditor_finds_what_a_lane_forgot(shipped: Database) -> None:
    put(shipped, "1", now=NOON)

    def forget(session: Session) -> None:
        session.get_one(Lane, "a").due_at = None

    shipped.run_now(forget)
    later = NOON + timedelta(minutes=10)
    assert [f.name for f in shipped.run_now(lambda s: look(s, later))] == ["jobs_late"]
    assert shipped.run_now(lambda s: mend(s, later)) == 1
    assert shipped.run_now(lambda s: leases.lease(s, {"q"}, "me/1/x", later))


async def test_a_cancelled_rewriting_is_not_done(shipped: Database) -> None:
    put(shipped, "edit-1", target="card")
    shipped.run_now(lambda s: jobs.cancel(s, "a", "card", "do"))
    put(shipped, "edit-2", target="card")
    doing = Doing()
    async with working(shipped, doing):
        await until(lambda: doing.done == ["edit-2"])
    assert state(shipped, "edit-1").state == "cancelled"


async def test_a_platform_that_is_back_gets_what_waits_at_once(shipped: Database) -> None:
    doing = Doing()
    doing.plan["1"] = [NotSent("down", retry_after=3600, outage=True)]
    put(shipped, "1")
    async with working(shipped, doing) as worker:
        await until(lambda: not doing.plan["1"])
        await until(lambda: worker.idle)
        now = system_clock()
        await shipped.run(lambda s: leases.hurry(s, "q", now))
        await until(lambda: doing.done == ["1"], 2)


def test_what_is_put_while_a_lane_is_given_back_is_not_forgotten(new_url: Callable[[str], str]) -> None:
    database = Database(new_url("postgresql"))

    def add(session: Session, key: str) -> None:
        jobs.put(session, "do", {}, lane="a", queue="q", key=key, now=NOON)

    with Session(database.engine) as session, session.begin():
        add(session, "1")
    with Session(database.engine) as session, session.begin():
        (job,) = leases.lease(session, {"q"}, "me/1/x", NOON)

    def settle() -> None:
        with Session(database.engine) as session, session.begin():
            leases.settle(session, [leases.Settled(job, "sent", result="1")], {"a": job.epoch}, "me/1/x", NOON)

    with Session(database.engine) as slow:
        slow.begin()
        add(slow, "2")
        giving_back = threading.Thread(target=settle)
        giving_back.start()
        giving_back.join(0.5)
        slow.commit()
        giving_back.join()
    with Session(database.engine) as session:
        assert leases.next_due(session, {"q"}, "nobody") is not None
    database.close()


def test_transactions_that_say_something_in_the_same_two_rooms_do_not_lock_each_other_out(
    new_url: Callable[[str], str],
) -> None:
    database = Database(new_url("postgresql"))

    def add(session: Session, lane: str) -> None:
        jobs.put(session, "do", {}, lane=lane, queue="q", key=f"{id(session)}/{lane}", now=NOON)

    with Session(database.engine) as one, Session(database.engine) as other:
        for lane, opposite in (("a", "b"), ("b", "a")):
            add(one, lane)
            add(other, opposite)
        writers = [threading.Thread(target=session.commit) for session in (one, other)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join(0.5)
        assert not any(writer.is_alive() for writer in writers)
    assert database.run_now(lambda s: s.query(Job).count()) == 4
    database.close()


def test_words_said_earlier_go_before_those_that_are_held_even_in_a_lane_at_work(shipped: Database) -> None:
    ms = timedelta(milliseconds=1)

    def say(key: str, said: int, at: int) -> None:
        more: dict[str, Any] = {
            "due_at": NOON + (at + 200) * ms,
            "target": "1/recipient",
            "source_at": NOON + said * ms,
        }
        put(shipped, key, now=NOON + at * ms, **more)

    say("w0", 0, 0)
    say("w2", 120, 130)
    assert [j.key for j in shipped.run_now(lambda s: leases.lease(s, {"q"}, "me/1/x", NOON + 201 * ms))] == ["w0"]
    say("w1", 100, 205)
    order = shipped.run_now(lambda s: list(s.scalars(select(Job.key).order_by(ORDER, Job.id))))
    assert order == ["w0", "w1", "w2"]


def test_a_lane_in_hand_is_not_leased_again_by_the_same_process(shipped: Database) -> None:
    put(shipped, "1", now=NOON)
    assert shipped.run_now(lambda s: leases.lease(s, {"q"}, "me/1/x", NOON))
    later = NOON + 2 * jobs.LEASE
    assert not shipped.run_now(lambda s: leases.lease(s, {"q"}, "me/1/x", later, besides=["a"]))
    assert shipped.run_now(lambda s: leases.lease(s, {"q"}, "other/1/x", later))


def test_who_lost_a_lane_does_not_speak_for_who_has_it(shipped: Database) -> None:
    put(shipped, "1", now=NOON)
    later = NOON + timedelta(seconds=20)
    [mine] = shipped.run_now(lambda s: leases.lease(s, {"q"}, "stalled/1/x", NOON))
    shipped.run_now(lambda s: leases.lease(s, {"q"}, "second/1/x", later))
    spared = leases.Settled(mine, "waiting", due_at=later, spared=True)
    shipped.run_now(lambda s: leases.settle(s, [spared], {"a": mine.epoch}, "stalled/1/x", later))
    [third] = shipped.run_now(lambda s: leases.lease(s, {"q"}, "third/1/x", later + timedelta(seconds=20)))
    assert third.again


def test_who_lost_a_lane_and_has_it_anew_does_not_begin_its_jobs_twice(shipped: Database) -> None:
    put(shipped, "1", now=NOON)
    later = NOON + timedelta(seconds=20)
    [late] = shipped.run_now(lambda s: leases.lease(s, {"q"}, "me/1/x", NOON))
    [anew] = shipped.run_now(lambda s: leases.lease(s, {"q"}, "me/1/x", later))
    assert anew.again
    spared = leases.Settled(late, "waiting", due_at=later, spared=True)
    held = {"a": late.epoch}
    follows = shipped.run_now(lambda s: leases.settle(s, [spared], held, "me/1/x", later, go_on=True))
    assert not follows.jobs
    assert state(shipped, "1").state == "sending"
    assert shipped.run_now(lambda s: leases.renew(s, held, "me/1/x", later)) == set()
    assert shipped.run_now(lambda s: leases.renew(s, {"a": anew.epoch}, "me/1/x", later)) == {"a"}


async def test_a_lease_taken_with_a_job_lasts_whatever_instant_its_transaction_is_about(shipped: Database) -> None:
    """A tick goes on for long, and all that it does is about the instant at which it began."""
    doing = Doing()
    doing.waits["a"] = asyncio.Event()
    async with working(shipped, doing) as worker:
        await until(lambda: shipped.lessee is worker)
        put(shipped, "0", "a")
        await until(lambda: worker.idle is False)
        doing.waits["a"].set()
        await until(lambda: worker.idle)
        long_ago = system_clock() - timedelta(minutes=1)
        doing.waits["a"].clear()
        await shipped.run(lambda s: jobs.put(s, "do", {}, lane="a", queue="q", key="1", now=long_ago))
        lane = shipped.run_now(lambda s: s.get_one(Lane, "a"))
        assert lane.leased_until is not None
        assert lane.leased_until > system_clock()
        doing.waits["a"].set()
        await until(lambda: doing.done == ["0", "1"])
    assert not doing.again["1"]


async def test_work_that_nobody_was_told_of_is_found_at_the_next_look(
    shipped: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hint is lost without a word when its connection dies."""
    monkeypatch.setattr("bot.jobs.worker.POLL", 0.1)
    doing = Doing()
    async with working(shipped, doing):
        await asyncio.sleep(0.2)
        with contextlib.closing(Database(shipped.url)) as other:
            await asyncio.to_thread(put, other, "k")
        await until(lambda: doing.done == ["k"], 2)


async def test_hints_are_heard_again_after_their_connection_died(
    new_url: Callable[[str], str], postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.jobs.hints.AGAIN", 0.05)
    heard: list[set[str]] = []
    with contextlib.closing(Database(new_url("postgresql"))) as database:
        listening = asyncio.create_task(hints.take(database.url, heard.append))
        for _ in range(2):
            async with asyncio.timeout(5):
                while not heard:
                    await database.run(lambda s: hints.give(s, {"q"}))
                    await asyncio.sleep(0.02)
            assert heard[0] == {"q"}
            await asyncio.to_thread(database.engine.dispose)
            assert await asyncio.to_thread(postgres.kill_connections, database.url)
            heard.clear()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def test_another_process_is_told_of_its_work_at_once(
    new_url: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL; on SQLite, where there is seldom another one, it looks every second."""
    monkeypatch.setattr("bot.jobs.worker.POLL", 60.0)
    doing, url = Doing(), new_url("postgresql")
    with contextlib.closing(Database(url)) as database, contextlib.closing(Database(url)) as other:
        async with working(database, doing) as worker:
            listening = asyncio.create_task(hints.take(url, worker.wake))
            await asyncio.sleep(0.3)
            await asyncio.to_thread(put, other, "k")
            await until(lambda: doing.done == ["k"], 2)
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
