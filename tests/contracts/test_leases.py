"""Who works on a lane: leases end with their holder, and nobody speaks for who has them now."""

import asyncio
import functools
import threading
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy.orm import Session

from bot import jobs
from bot.clock import system_clock
from bot.db import Database
from bot.jobs import leases
from bot.jobs.tables import Job, Lane
from tests.contracts.doing import NOON, Doing, put, state, until, working


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
