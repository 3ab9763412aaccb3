"""Hints on PostgreSQL that a queue of another process has work. Who misses one finds the work at its next look."""

import asyncio
from collections.abc import Callable, Collection
from typing import Final

import structlog
from sqlalchemy import func, select
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from bot.errors import in_short

log = structlog.get_logger()

CHANNEL: Final = "passerelle"
AGAIN: Final = 2.0  # seconds until a broken connection is made anew


def give(session: Session, queues: Collection[str]) -> None:
    """Tell whoever listens, when this transaction commits."""
    if session.get_bind().dialect.name == "postgresql":
        for queue in sorted(queues):
            session.execute(select(func.pg_notify(CHANNEL, queue)))


async def take(url: str, heard: Callable[[set[str]], None]) -> None:
    """Listen until cancelled, on a connection of its own."""
    import psycopg  # noqa: PLC0415 -- only with PostgreSQL

    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(address, autocommit=True, connect_timeout=5) as connection:
                await connection.execute(f"LISTEN {CHANNEL}".encode())
                async for told in connection.notifies():
                    heard({told.payload})
        except psycopg.Error as error:
            log.info("hints_not_heard", reason=in_short(error))
        await asyncio.sleep(AGAIN)
