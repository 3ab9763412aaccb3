"""Small values that a platform keeps between starts: its place in the stream of events."""

from collections.abc import Callable, Mapping
from functools import cache

from sqlalchemy import String, Text, bindparam, delete, select
from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.db import Base, Database, insert_into, insert_on

REFUSED = "refused:"  # before a person's account, whose new identity an operator has not agreed to


class Remembered(Base):
    """One value of one platform."""

    __tablename__ = "remembered"
    platform: Mapped[str] = mapped_column(String(20), primary_key=True)
    name: Mapped[str] = mapped_column(String(300), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


def remember(session: Session, platform: str, values: Mapping[str, str | None]) -> None:
    """Keep values; None forgets one."""
    rows = [{"platform": platform, "name": name, "value": value} for name, value in values.items()]
    kept = [row for row in rows if row["value"] is not None]
    gone = [row["name"] for row in rows if row["value"] is None]
    connection = session.connection()
    if kept:
        connection.execute(_keeping(connection.dialect.name), kept)
    if gone:
        connection.execute(_FORGET, {"of": platform, "names": gone})


def remember_first(session: Session, platform: str, name: str, value: str) -> bool:
    """Keep a value unless there is one; False when another transaction was first."""
    insert = insert_into(session, Remembered).values(platform=platform, name=name, value=value)
    kept = session.execute(
        insert.on_conflict_do_nothing(index_elements=["platform", "name"]).returning(Remembered.name)
    )
    return kept.first() is not None


_FORGET = delete(Remembered).where(
    Remembered.platform == bindparam("of"), Remembered.name.in_(bindparam("names", expanding=True))
)


@cache
def _keeping(dialect: str) -> Insert:
    insert = insert_on(dialect, Remembered)
    return insert.on_conflict_do_update(index_elements=["platform", "name"], set_={"value": insert.excluded.value})


class PlatformMemory:
    """The memory of one platform, as `bot.platforms.Memory` asks for it."""

    def __init__(self, database: Database, platform: str, require: Callable[[Session], None] | None = None) -> None:
        """Keep values for a platform; `require` raises `Unavailable` in a transaction that must not keep any."""
        self._database = database
        self._platform = platform
        self._require = require

    async def get(self, name: str) -> str | None:
        """Return a value, None when there is none."""
        where = (Remembered.platform == self._platform, Remembered.name == name)
        return await self._database.run(lambda s: s.scalar(select(Remembered.value).where(*where)))

    async def set(self, values: Mapping[str, str | None]) -> None:
        """Keep values in one transaction."""
        await self._database.run(lambda s: self._set(s, values))

    def _set(self, session: Session, values: Mapping[str, str | None]) -> None:
        if self._require is not None:
            self._require(session)
        remember(session, self._platform, values)
