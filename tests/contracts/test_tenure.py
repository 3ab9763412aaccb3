"""What only one process may do: one at a time, each in a term of its own, and the last one's word does not count."""

import asyncio
import os
import socket
import time
from datetime import UTC, datetime, timedelta

import pytest

from bot import jobs
from bot.clock import system_clock
from bot.db import Database
from bot.errors import Unavailable
from bot.jobs import leases, tenure
from bot.jobs.peers import Peers, living
from bot.jobs.tables import Lane
from bot.jobs.tenure import LENGTH, Office, Term
from bot.memory import PlatformMemory

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = NOON + LENGTH + timedelta(seconds=1)
HERE, THERE = "here/1/a", "there/1/b"


def take(database: Database, owner: str, now: datetime = NOON, above: int = 0) -> Term | None:
    return database.run_now(lambda s: tenure.take(s, "matrix", owner, now, above=above))


def taken(database: Database, owner: str, now: datetime = NOON) -> Term:
    term = take(database, owner, now)
    assert term is not None
    return term


def test_one_holds_it_until_its_time_is_over(shipped: Database) -> None:
    first = taken(shipped, HERE)
    assert take(shipped, THERE) is None
    assert take(shipped, THERE, NOON + LENGTH / 2) is None
    assert shipped.run_now(lambda s: tenure.renew(s, first, NOON + LENGTH / 2))
    assert take(shipped, THERE, LATER) is None, "it was renewed"
    second = taken(shipped, THERE, LATER + LENGTH)
    assert second.epoch == first.epoch + 1
    assert not shipped.run_now(lambda s: tenure.renew(s, first, LATER + LENGTH)), "who comes back is told"
    with pytest.raises(Unavailable, match="another process holds matrix"):
        shipped.run_now(lambda s: tenure.require(s, first))
    shipped.run_now(lambda s: tenure.require(s, second))


def test_who_goes_politely_is_followed_at_once_and_an_old_goodbye_changes_nothing(shipped: Database) -> None:
    first = taken(shipped, HERE)
    shipped.run_now(lambda s: tenure.end(s, first))
    second = taken(shipped, THERE)
    shipped.run_now(lambda s: tenure.end(s, first))
    assert take(shipped, HERE) is None
    shipped.run_now(lambda s: tenure.require(s, second))


def test_a_dead_process_of_this_host_is_followed_at_once(shipped: Database) -> None:
    taken(shipped, f"{socket.gethostname()}/999999999/x")
    assert take(shipped, THERE) is not None


def test_what_lies_on_disk_knows_of_terms_too(shipped: Database) -> None:
    """A database restored from a copy must not count again what is on disk already."""
    term = take(shipped, HERE, above=41)
    assert term is not None
    assert term.epoch == 42


def test_what_the_last_holder_had_in_hand_goes_to_the_next(shipped: Database) -> None:
    taken(shipped, HERE)
    for lane, queue in (("matrix:r", "matrix"), ("slack:c", "slack")):
        shipped.run_now(
            lambda s, lane=lane, queue=queue: jobs.put(s, "say", {}, lane=lane, queue=queue, key=lane, now=NOON)
        )
    assert len(shipped.run_now(lambda s: leases.lease(s, {"matrix", "slack"}, HERE, NOON))) == 2
    taken(shipped, THERE, LATER)
    owners = shipped.run_now(lambda s: {lane.name: lane.owner for lane in s.query(Lane)})
    assert owners == {"matrix:r": None, "slack:c": HERE}
    [job] = shipped.run_now(lambda s: leases.lease(s, {"matrix"}, THERE, NOON))
    assert job.again, "it may have been said"


async def test_a_memory_keeps_nothing_of_an_old_term(shipped: Database) -> None:
    old, new = (Office(shipped, "matrix", owner, lambda: NOON) for owner in (HERE, THERE))
    stale, memory = (PlatformMemory(shipped, "matrix", office.require) for office in (old, new))
    with pytest.raises(Unavailable):
        await stale.set({"sync": "before any term"})
    await old.waited_for(lambda: 0, lambda: None)
    await stale.set({"sync": "t1"})
    shipped.run_now(lambda s: tenure.take(s, "matrix", THERE, LATER))
    with pytest.raises(Unavailable):
        await stale.set({"sync": "t0"})
    assert await memory.get("sync") == "t1"


async def test_a_holder_that_is_replaced_stops_and_one_that_is_not_goes_on(
    shipped: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tenure, "RENEW", 0.02)
    office = Office(shipped, "matrix", HERE, system_clock)
    hold = await office.waited_for(lambda: 0, lambda: None)
    kept = asyncio.create_task(office.kept(hold))
    await asyncio.sleep(0.1)
    assert not kept.done()
    hold.until = time.monotonic() - 1  # it was frozen, and nobody came: it is renewed, or taken anew
    shipped.run_now(lambda s: tenure.take(s, "matrix", THERE, system_clock() + LENGTH + LENGTH))
    async with asyncio.timeout(2):
        await kept


async def test_who_stands_by_is_told_once_and_begins_when_it_can(
    shipped: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tenure, "LOOK", 0.01)
    held = taken(shipped, THERE, system_clock())
    told: list[None] = []
    waiting = asyncio.create_task(
        Office(shipped, "matrix", HERE, system_clock).waited_for(lambda: 0, lambda: told.append(None))
    )
    await asyncio.sleep(0.1)
    assert (waiting.done(), len(told)) == (False, 1)
    shipped.run_now(lambda s: tenure.end(s, held))
    async with asyncio.timeout(2):
        assert (await waiting).term.epoch == held.epoch + 1


async def test_who_stands_by_begins_when_a_term_ends_and_no_look_later(
    shipped: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tenure, "LOOK", 60.0)
    held = taken(shipped, THERE, system_clock() - LENGTH + timedelta(seconds=0.2))
    async with asyncio.timeout(2):
        hold = await Office(shipped, "matrix", HERE, system_clock).waited_for(lambda: 0, lambda: None)
    assert hold.term.epoch == held.epoch + 1


async def test_processes_know_of_one_another(shipped: Database) -> None:
    one, two = (
        Peers(shipped, owner, "r1", system_clock) for owner in (f"{socket.gethostname()}/{os.getppid()}/a", THERE)
    )
    assert not one.alone, "not until it is known"
    tasks = [asyncio.create_task(one.run())]
    async with asyncio.timeout(2):
        while not one.alone:
            await asyncio.sleep(0.01)
        tasks.append(asyncio.create_task(two.run()))
        while two.around.others != 1 or two.alone:
            await asyncio.sleep(0.01)
    assert abs(two.around.ahead) < timedelta(seconds=1)
    assert [p.owner for p in shipped.run_now(lambda s: living(s, THERE, system_clock()))] == [one._owner]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert shipped.run_now(lambda s: living(s, "", system_clock())) == [], "who goes politely is not waited for"
