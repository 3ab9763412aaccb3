"""Transactions that wait together share a commit on SQLite: each is done or undone alone, and everybody is told."""

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from bot.db import WAITS, Database
from bot.errors import NotYet, Unavailable
from bot.posts import Post
from tests.engine.numbers import set_, value


async def at_once(database: Database, *works: Callable[[Session], object]) -> list[object]:
    """Ask for works while the database is busy, so that they wait for it together; return what became of each."""
    free = threading.Event()
    busy = asyncio.create_task(database.run(lambda s: free.wait(5)))
    await asyncio.sleep(0.05)
    asked = [asyncio.create_task(database.run(work)) for work in works]
    await asyncio.sleep(0.05)
    free.set()
    await busy
    return await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 10)


def setting(name: str, number: int) -> Callable[[Session], int]:
    def work(session: Session) -> int:
        set_(session, name, number)
        return number

    return work


async def test_works_that_wait_together_are_all_done(shipped: Database) -> None:
    commits: list[object] = []
    event.listen(shipped.engine, "commit", commits.append)
    assert await at_once(shipped, *(setting(f"n{n}", n) for n in range(20))) == list(range(20))
    assert [value(shipped, f"n{n}") for n in range(20)] == list(range(20))
    if shipped.sqlite:
        assert len(commits) < 5 + 20, "one commit for what waits, one for each look here"


async def test_whatever_ends_one_leaves_none_of_the_others_waiting(shipped: Database) -> None:
    class Ended(BaseException):
        """No error: what ends a process, or jumps out of a library."""

    def ends(session: Session) -> None:
        set_(session, "ended", 1)
        raise Ended

    free = threading.Event()
    busy = asyncio.create_task(shipped.run(lambda s: free.wait(5)))
    await asyncio.sleep(0.05)
    ending, other = (asyncio.create_task(shipped.run(work)) for work in (ends, setting("other", 1)))
    await asyncio.sleep(0.05)
    free.set()
    async with asyncio.timeout(5):
        assert await other == 1
        with pytest.raises(Ended):
            await ending
    await busy
    assert value(shipped, "ended") is None


async def test_one_that_fails_is_undone_alone(shipped: Database) -> None:
    def fails(session: Session) -> None:
        set_(session, "failed", 1)
        session.flush()
        raise ZeroDivisionError

    def breaks_a_rule(session: Session) -> None:
        session.add(Post(platform="p", room="r", source_id=999, at=datetime.now(UTC)))

    found = await at_once(shipped, setting("before", 1), fails, breaks_a_rule, setting("after", 2))
    assert [type(x) for x in found] == [int, ZeroDivisionError, IntegrityError, int]
    assert [value(shipped, name) for name in ("before", "failed", "after")] == [1, None, 2]


async def test_one_at_which_the_database_fails_takes_no_other_with_it(shipped: Database) -> None:
    def too_much(session: Session) -> None:
        set_(session, "failed", 1)
        session.flush()
        raise OperationalError("SELECT", {}, Exception("disk I/O error"))

    found = await at_once(shipped, setting("before", 1), too_much, setting("after", 2), too_much)
    assert [type(x) for x in found] == [int, Unavailable, int, Unavailable]
    assert [value(shipped, name) for name in ("before", "failed", "after")] == [1, None, 2]


async def test_when_the_commit_fails_everybody_is_told(database: Database) -> None:
    def refuse(_: object) -> None:
        raise OperationalError("COMMIT", {}, Exception("disk is full"))

    event.listen(database.engine, "commit", refuse)
    found = await at_once(database, setting("a", 1), setting("b", 2))
    event.remove(database.engine, "commit", refuse)
    assert [type(x) for x in found] == [Unavailable, Unavailable]
    assert (value(database, "a"), value(database, "b")) == (None, None)


async def test_a_fault_of_ours_is_told_to_who_waits_and_leaves_nobody_waiting(database: Database) -> None:
    def fault(_: object) -> None:
        raise TypeError("oops")

    event.listen(database.engine, "begin", fault)
    found = await at_once(database, setting("a", 1), setting("b", 2))
    event.remove(database.engine, "begin", fault)
    assert [type(x) for x in found] == [TypeError, TypeError]


async def test_what_is_not_made_yet_is_waited_for_in_no_transaction(shipped: Database) -> None:
    made: list[int | None] = []

    def work(session: Session) -> int:
        set_(session, "early", 1)
        if not made:
            raise NotYet(lambda: made.append(value(shipped, "early")))
        return 2

    assert await shipped.run(work) == 2
    assert made == [None], "another transaction was done meanwhile, and the first try left nothing"
    assert value(shipped, "early") == 1


async def test_what_is_never_made_is_given_up(shipped: Database) -> None:
    tries: list[None] = []

    def work(_session: Session) -> None:
        raise NotYet(lambda: tries.append(None))

    with pytest.raises(NotYet):
        await shipped.run(work)
    assert len(tries) == WAITS


async def test_who_gave_up_waiting_disturbs_nobody(database: Database) -> None:
    free = threading.Event()
    busy = asyncio.create_task(database.run(lambda s: free.wait(5)))
    await asyncio.sleep(0.05)
    impatient, patient = (asyncio.create_task(database.run(setting(name, 1))) for name in ("a", "b"))
    await asyncio.sleep(0.02)
    impatient.cancel()
    free.set()
    assert await patient == 1
    await busy
    assert value(database, "a") == 1, "it was asked for, and it is done"
