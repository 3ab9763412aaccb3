"""What was deleted is still in the database's file until its pages are written anew: so they are."""

import time
from typing import Final

from sqlalchemy import delete
from sqlalchemy.orm import Session

from bot.db import Base, Database
from bot.directory.current import Stamp

_WISHED: Final = "compact"
_PATIENCE: Final = 20.0  # seconds that readers may keep the log of changes from being emptied


def wish(session: Session) -> None:
    """Let the file be written anew after this transaction, by whoever ticks next."""
    session.merge(Stamp(name=_WISHED, value=1))


def take_wish(session: Session) -> bool:
    """Say whether the file is to be written anew, once."""
    return bool(session.execute(delete(Stamp).where(Stamp.name == _WISHED).returning(Stamp.name)).all())


def compact(database: Database) -> bool:
    """Write the database's file anew, without what was deleted, beside a running bot; say whether that could be done.

    SQLite rewrites the file and empties its log of changes. PostgreSQL rewrites each table; what it has archived of its
    own log is the administrator's to forget.
    """
    return _sqlite(database) if database.sqlite else _postgresql(database)


def _sqlite(database: Database) -> bool:
    connection = database.engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("VACUUM")
        until = time.monotonic() + _PATIENCE
        while True:
            busy, _, _ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if not busy or time.monotonic() > until:
                return not busy
            time.sleep(0.1)
    finally:
        connection.close()


def _postgresql(database: Database) -> bool:
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in Base.metadata.sorted_tables:
            connection.exec_driver_sql(f'VACUUM FULL "{table.name}"')
    return True
