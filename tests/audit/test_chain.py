"""The chain of the audit log: every change, gap, new order and cut is found and named, on both databases."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from bot.audit import chain
from bot.audit.chain import Fault, Head, Verdict
from bot.audit.recording import alias, record
from bot.audit.tables import Alias, Content, Entry
from bot.db import Database

NOON = datetime(2026, 3, 16, 12, tzinfo=UTC)
WRITTEN = 12


def write(session: Session, number: int) -> None:
    content = {"number": number, "words": "mots à effacer"}
    record(session, NOON + timedelta(seconds=number), "test.act", actor=f"person:p{number % 3}", content=content)


@pytest.fixture
def log(shipped: Database) -> Database:
    """A sealed log."""
    for number in range(WRITTEN):
        shipped.run_now(lambda s, n=number: write(s, n))
    chain.seal_all(shipped)
    return shipped


def verified(database: Database, head: Head | None = None) -> Verdict:
    return database.reading(lambda session: chain.verify(session, head))


def row_at(database: Database, position: int) -> int:
    found = database.run_now(lambda s: s.scalar(select(Entry.id).where(Entry.position == position)))
    assert found is not None
    return found


def test_a_log_that_nobody_touched_is_whole(log: Database) -> None:
    found = verified(log)
    assert (found.fault, found.waiting, found.erased) == (None, 0, 0)
    assert found.head == log.run_now(chain.head)
    assert found.head.position == WRITTEN
    assert verified(log, found.head).fault is None


def test_what_is_not_sealed_yet_is_counted_and_its_content_checked(log: Database) -> None:
    log.run_now(lambda s: write(s, 99))
    assert verified(log).waiting == 1
    log.run_now(lambda s: s.execute(update(Content).where(Content.content.contains("99")).values(content="{}")))
    fault = verified(log).fault
    assert fault is not None
    assert fault.what == "content"


@pytest.mark.parametrize(
    "change",
    [
        {"action": "test.other"},
        {"actor": "person:somebody"},
        {"about": "question:Q-2026-00001"},
        {"at": NOON},
        {"digest": "0" * 64},
        {"hash": "0" * 64},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_change_is_named_where_it_is(log: Database, change: dict[str, object]) -> None:
    log.run_now(lambda s: s.execute(update(Entry).where(Entry.position == 5).values(**change)))
    assert verified(log).fault == Fault(5, row_at(log, 5), "changed")


def test_a_changed_content_is_named(log: Database) -> None:
    row = row_at(log, 7)
    log.run_now(lambda s: s.execute(update(Content).where(Content.entry == row).values(content='{"number":0}')))
    assert verified(log).fault == Fault(7, row, "content")


def test_a_deletion_is_named(log: Database) -> None:
    log.run_now(lambda s: s.execute(delete(Entry).where(Entry.position == 4)))
    assert verified(log).fault == Fault(4, None, "missing")


def test_a_deletion_that_closes_the_gap_is_named(log: Database) -> None:
    def closing(session: Session) -> None:
        session.execute(delete(Entry).where(Entry.position == 4))
        for position in range(5, WRITTEN + 1):
            session.execute(update(Entry).where(Entry.position == position).values(position=position - 1))

    log.run_now(closing)
    assert verified(log).fault == Fault(4, row_at(log, 4), "changed")


def test_another_order_is_named(log: Database) -> None:
    def swap(session: Session) -> None:
        for before, after in ((6, 100), (7, 6), (100, 7)):
            session.execute(update(Entry).where(Entry.position == before).values(position=after))

    log.run_now(swap)
    assert verified(log).fault == Fault(6, row_at(log, 6), "changed")


def test_an_entry_put_in_between_is_named(log: Database) -> None:
    def insert(session: Session) -> None:
        for position in range(WRITTEN, 8, -1):
            session.execute(update(Entry).where(Entry.position == position).values(position=position + 1))
        write(session, 3)
        session.execute(update(Entry).where(Entry.position.is_(None)).values(position=9, hash="0" * 64))

    log.run_now(insert)
    assert verified(log).fault == Fault(9, row_at(log, 9), "changed")


def test_what_was_cut_off_is_found_with_a_head_that_was_kept(log: Database) -> None:
    kept = log.run_now(chain.head)
    log.run_now(lambda s: s.execute(delete(Entry).where(Entry.position > 9)))
    assert verified(log).fault is None  # nothing in the log itself can show it
    assert verified(log, kept).fault == Fault(10, None, "truncated")


def test_a_log_that_was_written_anew_is_found_with_a_head_that_was_kept(log: Database) -> None:
    kept = log.run_now(chain.head)

    def rewrite(session: Session) -> None:
        session.execute(update(Entry).values(position=None, hash=None))
        session.execute(update(Entry).where(Entry.id == session.scalar(select(Entry.id).limit(1))).values(action="x"))

    log.run_now(rewrite)
    chain.seal_all(log)
    assert verified(log).fault is None
    assert verified(log, kept).fault == Fault(kept.position, row_at(log, kept.position), "rewritten")


def test_the_chain_is_sound_without_contents_and_aliases(log: Database) -> None:
    kept = log.run_now(chain.head)
    log.run_now(lambda s: s.execute(delete(Content)))
    log.run_now(lambda s: s.execute(delete(Alias)))
    found = verified(log, kept)
    assert (found.fault, found.erased) == (None, WRITTEN)


def test_entries_name_nobody_and_repeat_nothing(log: Database) -> None:
    rows = log.run_now(lambda s: s.execute(select(Entry.actor, Entry.about, Entry.action, Entry.digest)).all())
    assert all(":p" not in row.actor and "mots" not in str(row) for row in rows)
    assert len({row.actor for row in rows}) == 3
    assert len({row.digest for row in rows}) == WRITTEN


def test_an_alias_is_drawn_once(log: Database) -> None:
    assert len({log.run_now(lambda s: alias(s, "account:U1")) for _ in range(3)}) == 1
    assert log.run_now(lambda s: alias(s, "question:Q-2026-00001")) == "question:Q-2026-00001"


def test_an_act_that_is_undone_leaves_no_entry(log: Database) -> None:
    def undone(session: Session) -> None:
        savepoint = session.begin_nested()
        write(session, 99)
        savepoint.rollback()

    log.run_now(undone)
    assert verified(log).waiting == 0


async def test_many_write_and_seal_at_once_and_the_chain_has_one_order(shipped: Database) -> None:
    others = [Database(shipped.url) for _ in range(2)]

    async def writer(database: Database, start: int) -> None:
        for number in range(start, start + 20):
            await database.run(lambda s, n=number: write(s, n))

    async def sealer(database: Database) -> None:
        for _ in range(20):
            await database.run(chain.seal)
            await asyncio.sleep(0.005)

    async with asyncio.TaskGroup() as group:
        for number, database in enumerate([shipped, *others] * 2):
            group.create_task(writer(database, number * 20))
            group.create_task(sealer(database))
    head = chain.seal_all(shipped)
    for other in others:
        other.close()
    found = verified(shipped, head)
    assert (found.fault, found.head.position, found.waiting) == (None, 120, 0)


@pytest.mark.parametrize("given", ["", "5", "x:ff", "5:ff", f"-1:{'a' * 64}", f"5:{'Z' * 64}"])
def test_what_is_no_head_is_refused(given: str) -> None:
    assert chain.parse(given) is None


def test_a_head_is_read_as_it_is_written(log: Database) -> None:
    head = log.run_now(chain.head)
    assert chain.parse(str(head)) == head


def test_a_frozen_sealer_keeps_no_writer_waiting(new_url: Callable[[str], str]) -> None:
    """Whoever seals and stands still holds up other sealers' turns, and nothing else."""
    url = new_url("postgresql")
    frozen, other = Database(url), Database(url)
    other.run_now(lambda s: write(s, 1))
    with Session(frozen.engine) as session:
        chain.seal(session)
        other.run_now(lambda s: s.execute(text("SET LOCAL lock_timeout = '1s'")) and write(s, 2))
        assert other.run_now(chain.seal) == 0
        session.commit()
    assert chain.seal_all(other).position == 2
    frozen.close()
    other.close()
