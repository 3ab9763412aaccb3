"""A job given up because its room is closed to us: the room's loss is handled like any event."""

import hashlib

from bot.clock import Clock
from bot.dispatch import Dispatcher
from bot.leases import Settled
from bot.message import Address, RoomChange, User


class Lost:
    """Tells the dispatcher, once for each job given up for that reason."""

    def __init__(self, dispatcher: Dispatcher, clock: Clock) -> None:
        self._dispatcher = dispatcher
        self._clock = clock

    async def __call__(self, settled: Settled) -> None:
        """Handle a job that failed for good."""
        if settled.job.kind != "say" or not (settled.error or "").startswith("gone: "):
            return
        platform, room = settled.job.args["to"][:2]
        name = hashlib.sha256(settled.job.key.encode()).hexdigest()[:32]
        author = User(platform, "passerelle", insider=True)
        await self._dispatcher.receive(
            RoomChange(id=f"gone-{name}", at=self._clock(), author=author, to=Address(platform, room), change="removed")
        )
