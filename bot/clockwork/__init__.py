"""The one place that runs what is due: one function a kind, one transaction a thing, exactly once.

A failure costs its own thing a delay and nothing else. What lies in the future is not looked at.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

import structlog
from sqlalchemy.orm import Session

from bot import due
from bot.context import Scope, World
from bot.db import Database
from bot.due import Item
from bot.errors import Unavailable, in_short
from bot.outbox import Destinations, Outbox

log = structlog.get_logger()

AT_ONCE = 32  # things done side by side; on SQLite they share a commit
PASSES = 100  # of a tick at most: the next one goes on
REST = {True: 0.5, False: 0.15}  # between two things of a calm kind, of the time that one took; SQLite has one writer
LONGEST_REST = 0.1  # seconds
_SOONEST = timedelta(seconds=1)  # after which the same can be due again: a tick ends


@dataclass(frozen=True, slots=True)
class Ring:
    """What is due: its key, and the instant at which it was meant to be done."""

    key: str
    meant_at: datetime


Again: TypeAlias = datetime | None  # when the same is due again


@dataclass(frozen=True, slots=True)
class Kind:
    """How a kind of thing is done. `lock` locks what it is about before anything else, as those do who change it.

    Of what is `calm`, thousands may be due at once and nobody waits for one of them: they are done one by one, each
    followed by a rest, so that who asks meanwhile is answered as ever.
    """

    run: Callable[[Scope, Ring], Again]
    lock: Callable[[Session, str], object] = lambda _session, _key: None
    calm: bool = False


@dataclass(frozen=True, slots=True)
class Clockwork:
    """Does what is due."""

    database: Database
    world: World
    destinations: Destinations
    kinds: Mapping[str, Kind]

    async def tick(self, now: datetime, only: Collection[str] = ()) -> int:
        """Do all that is due, or all of some kinds; return how much was done.

        Raises `Unavailable` when the database failed.
        """
        count = 0
        rest = REST[self.database.sqlite]
        for _ in range(PASSES):
            items = await self.database.run(lambda session: due.found(session, now, AT_ONCE, only))
            if not items:
                break
            calm = [item for item in items if self._is_calm(item)]
            count += sum(await asyncio.gather(*(self._do(item, now) for item in items if item not in calm)))
            for item in calm:
                began = time.monotonic()
                count += await self._do(item, now)
                await asyncio.sleep(min((time.monotonic() - began) * rest, LONGEST_REST))
        return count

    def _is_calm(self, item: Item) -> bool:
        kind = self.kinds.get(item.kind)
        return kind is not None and kind.calm

    async def _do(self, item: Item, now: datetime) -> bool:
        try:
            return await self.database.run(lambda session: self._once(session, item, now))
        except Unavailable:
            raise
        except Exception as error:  # whatever it is, it costs this thing alone
            log.error("due_failed", kind=item.kind, key=item.key, tries=item.tries + 1, reason=in_short(error))
            await self.database.run(lambda session: due.put_off(session, item, now))
            return False

    def _once(self, session: Session, item: Item, now: datetime) -> bool:
        kind = self.kinds[item.kind]
        kind.lock(session, item.key)
        if not due.claim(session, item):
            return False
        scope = Scope(
            session=session,
            now=now,
            outbox=Outbox(session, self.world.catalogues, self.destinations, now),
            world=self.world,
            key=f"due/{item.kind}/{item.key}/{secrets.token_hex(6)}",
        )
        again = kind.run(scope, Ring(item.key, item.meant_at))
        if again is not None:
            due.put(session, item.kind, item.key, max(again, now + _SOONEST))
        return True
