"""What is said in one conversation is taken one at a time, the earliest said first, however Slack hands it over.

Slack promises no order: payloads of several connections, and those sent again, may overtake each other. What belongs to
a conversation therefore waits a moment that nobody notices, for what was said before it and is still on its way.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import count

ON_ITS_WAY = 0.1  # seconds

_numbers = count()


@dataclass(order=True, slots=True)
class _Place:
    said_at: float
    number: int
    turn: asyncio.Future[None] = field(compare=False)
    settled: bool = field(default=False, compare=False)


class Lane:
    """The queue of one conversation, in order of what Slack calls `ts`, and of arrival where that is the same."""

    def __init__(self) -> None:
        self._places: list[_Place] = []
        self._taken = False

    @asynccontextmanager
    async def turn(self, said_at: float, *, settle: float = 0.0) -> AsyncGenerator[None]:
        """Wait for one's turn and keep it: `settle` seconds, and until whatever was said before has had its own.

        `said_at` counts seconds since 1970 at Slack's clock. What arrives still later than that has missed its place.
        """
        place = _Place(said_at, next(_numbers), asyncio.get_running_loop().create_future())
        heappush(self._places, place)
        try:
            if settle:
                await asyncio.sleep(settle)
            place.settled = True
            self._call_next()
            await place.turn
        except BaseException:
            self._leave(place)
            raise
        try:
            yield
        finally:
            self._give_back()

    def _call_next(self) -> None:
        while not self._taken and self._places and self._places[0].settled:
            place = heappop(self._places)
            if not place.turn.done():  # else whoever waited there has given up, and has not woken up to leave yet
                self._taken = True
                place.turn.set_result(None)

    def _leave(self, place: _Place) -> None:
        if place.turn.done() and not place.turn.cancelled():
            self._give_back()
            return
        if place in self._places:
            self._places.remove(place)
            heapify(self._places)
        self._call_next()

    def _give_back(self) -> None:
        self._taken = False
        self._call_next()
