"""What a job is promised, on both databases: order in its lane, no repeat, honest states, nobody else's delay."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import jobs
from bot.clock import system_clock
from bot.db import Database
from bot.errors import NotSent, OutcomeUnknown, Refused
from bot.jobs import leases
from bot.jobs.pace import Pace
from bot.jobs.tables import ORDER, Job, Lane
from bot.jobs.upkeep import look, mend
from tests.contracts.doing import NOON, Doing, put, state, until, working


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
