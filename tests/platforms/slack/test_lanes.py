"""Whatever arrives when, and whoever gives up: one at a time, the earliest said first, and nobody waits for ever."""

import asyncio
import contextlib

from hypothesis import example, given
from hypothesis import strategies as st

from bot.platforms.slack.lanes import Lane

Times = st.lists(st.integers(min_value=0, max_value=5), min_size=1, max_size=8)


@example(said_at=[1, 1, 0], gone={2, 3}, late=0)  # who gives up at once with whom they wait for
@given(said_at=Times, gone=st.sets(st.integers(min_value=0, max_value=7)), late=st.integers(min_value=0, max_value=5))
async def test_turns_are_had_in_order_of_what_was_said(said_at: list[int], gone: set[int], late: int) -> None:
    lane, had, busy = Lane(), list[tuple[int, int]](), False

    async def take(number: int, ts: int, settle: float) -> None:
        nonlocal busy
        async with lane.turn(ts, settle=settle):
            assert not busy, "two at once"
            busy = True
            try:
                await asyncio.sleep(0)
            finally:
                busy = False
            had.append((ts, number))

    tasks = [asyncio.create_task(take(n, ts, 0.002)) for n, ts in enumerate(said_at)]
    tasks.append(asyncio.create_task(take(len(said_at), late, 0)))
    await asyncio.sleep(0)
    for number in gone & set(range(len(tasks))):
        tasks[number].cancel()
    async with asyncio.timeout(5):
        await asyncio.gather(*tasks, return_exceptions=True)
    assert had == sorted(had)
    assert {number for _, number in had} == set(range(len(tasks))) - gone


async def test_whoever_gives_up_as_its_turn_comes_hands_it_on() -> None:
    lane = Lane()

    async def take() -> None:
        async with lane.turn(1):
            await asyncio.sleep(0)

    async with lane.turn(0):
        second, third = asyncio.create_task(take()), asyncio.create_task(take())
        await asyncio.sleep(0)
    second.cancel()  # it was called a moment ago and has not woken up yet
    async with asyncio.timeout(1):
        await third
    with contextlib.suppress(asyncio.CancelledError):
        await second
    assert second.cancelled()
