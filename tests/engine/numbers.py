"""A number kept in the database, as a test reads and writes it."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.db import Database
from bot.directory.current import Stamp


def value(database: Database, name: str) -> int | None:
    return database.run_now(lambda s: s.scalar(select(Stamp.value).where(Stamp.name == name)))


def set_(session: Session, name: str, number: int) -> None:
    session.merge(Stamp(name=name, value=number))
