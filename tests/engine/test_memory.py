"""What a platform keeps between starts, on both databases."""

from sqlalchemy.orm import Session

from bot.db import Database
from bot.memory import PlatformMemory, remember


async def test_a_value_is_kept_changed_and_forgotten(shipped: Database) -> None:
    memory = PlatformMemory(shipped, "matrix")
    assert await memory.get("token") is None
    await memory.set({"token": "s1", "other": "x"})
    await memory.set({"token": "s2"})
    assert await memory.get("token") == "s2"
    await memory.set({"token": None, "never": None})
    assert await memory.get("token") is None
    assert await memory.get("other") == "x"


async def test_it_outlives_the_process_and_belongs_to_one_platform(shipped: Database) -> None:
    await PlatformMemory(shipped, "matrix").set({"token": "s1"})
    again = Database(shipped.url)
    assert await PlatformMemory(again, "matrix").get("token") == "s1"
    assert await PlatformMemory(again, "slack").get("token") is None
    again.close()


async def test_it_is_kept_with_the_transaction_or_not_at_all(shipped: Database) -> None:
    def work(session: Session) -> None:
        remember(session, "slack", {"ts": "1.5"})
        raise ZeroDivisionError

    try:
        await shipped.run(work)
    except ZeroDivisionError:
        pass
    assert await PlatformMemory(shipped, "slack").get("ts") is None
