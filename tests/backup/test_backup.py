"""A backup holds everything, opens only with its key, and comes back on either database with nothing said twice."""

import io
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from bot import jobs
from bot.backup import restoring, writing
from bot.backup.sealing import PIECE, Sealer, lines
from bot.db import Base, Database
from bot.errors import ConfigurationError
from bot.jobs import outgoing
from bot.jobs.tables import Job
from bot.migrate import upgrade
from tests.servers.postgres import Postgres

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
KEY = "seize caractères au moins"


def sealed(*said: str) -> bytes:
    file = io.BytesIO()
    with Sealer(file, KEY) as sealer:
        for line in said:
            sealer.write(line)
    return file.getvalue()


def opened(content: bytes, key: str = KEY) -> list[str]:
    return list(lines(io.BytesIO(content), key))


# --- the sealed stream


def test_what_was_sealed_is_what_opens() -> None:
    said = [f"ligne {n} {os.urandom(600).hex()}" for n in range(400)]
    content = sealed(*said)
    assert len(content) > 3 * PIECE, "several pieces"
    assert opened(content) == said
    assert opened(sealed()) == []
    assert b"ligne" not in content


@pytest.mark.parametrize("at", [-1, -PIECE, 60, 30, len("passerelle backup 1\n") + 3])
def test_a_changed_byte_is_noticed(at: int) -> None:
    content = bytearray(sealed(os.urandom(PIECE).hex()))
    content[at] ^= 1
    with pytest.raises(ConfigurationError, match="cannot be read"):
        opened(bytes(content))


def test_a_piece_cut_off_or_exchanged_is_noticed() -> None:
    content = sealed(*(os.urandom(PIECE).hex() for _ in range(4)))
    head, size = len("passerelle backup 1\n") + 23 + 16, PIECE + 16
    pieces = [content[at : at + size] for at in range(head, len(content), size)]
    assert len(pieces) > 3
    for wrong in (pieces[:-1], [pieces[1], pieces[0], *pieces[2:]], [*pieces, pieces[-1]], pieces[1:]):
        with pytest.raises(ConfigurationError, match="cannot be read"):
            opened(content[:head] + b"".join(wrong))


def test_another_key_and_another_file_are_told_apart() -> None:
    with pytest.raises(ConfigurationError, match="the key does not open it"):
        opened(sealed("a"), "une autre clé, aussi longue")
    with pytest.raises(ConfigurationError, match="no backup of Passerelle's"):
        opened(b"%PDF-1.7 ...")
    with pytest.raises(ConfigurationError, match=r"backup\.key: too short"):
        Sealer(io.BytesIO(), "court")


# --- all that lasts


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A folder of keys, with a database in it to which somebody is writing."""
    folder = tmp_path / "data" / "matrix"
    folder.mkdir(parents=True)
    (folder / "identity").write_bytes(b"\x00seeds\xff")
    (folder / "identity.part").write_bytes(b"not yet")
    with closing(sqlite3.connect(folder / "keys-a-1.db")) as store:
        store.execute("CREATE TABLE account (pickle)")
        store.execute("INSERT INTO account VALUES ('sealed')")
        store.commit()
    return folder


@pytest.fixture
def other_url(request: pytest.FixtureRequest, tmp_path: Path, url: str) -> str:
    """An empty database of the other kind than `url`."""
    if url.startswith("postgresql"):
        return f"sqlite:///{tmp_path}/other.db"
    server: Postgres = request.getfixturevalue("postgres")
    return server.create_database()


@pytest.fixture
def other(other_url: str) -> Iterator[Database]:
    with closing(Database(other_url)) as database:
        yield database


def put(database: Database, key: str) -> None:
    database.run_now(lambda s: jobs.put(s, "say", {"words": "déjà"}, lane="slack:C1", queue="slack", key=key, now=NOW))


def contents(database: Database) -> dict[str, list[tuple[object, ...]]]:
    tables = [t for t in Base.metadata.sorted_tables if t.name not in {"process", "remembered", "lane", "tenure"}]
    return database.reading(
        lambda s: {
            t.name: [tuple(row) for row in s.execute(select(t).order_by(*t.primary_key.columns))] for t in tables
        }
    )


def backup(database: Database, keys: Path) -> bytes:
    file = io.BytesIO()
    with Sealer(file, KEY) as sealer:
        writing.write(sealer, database, keys, NOW)
    return file.getvalue()


def test_everything_comes_back_on_the_other_kind_of_database(
    shipped: Database, other: Database, keys: Path, tmp_path: Path
) -> None:
    put(shipped, "k1")
    with closing(sqlite3.connect(keys / "keys-a-1.db", isolation_level=None)) as busy:
        busy.execute("BEGIN IMMEDIATE")
        busy.execute("INSERT INTO account VALUES ('half')")  # in the middle of a transaction
        content = backup(shipped, keys)
    held = restoring.restore(lines(io.BytesIO(content), KEY), other, tmp_path / "new" / "matrix", NOW)
    assert contents(other) == contents(shipped)
    assert held.rows > 4000
    back = tmp_path / "new" / "matrix"
    assert sorted(file.name for file in back.iterdir()) == ["identity", "keys-a-1.db", "restored"]
    assert (back / "identity").read_bytes() == b"\x00seeds\xff"
    assert {file.stat().st_mode & 0o777 for file in back.iterdir()} == {0o600}
    with closing(sqlite3.connect(back / "keys-a-1.db")) as store:
        assert store.execute("SELECT pickle FROM account").fetchall() == [("sealed",)]
    put(other, "k2")  # numbers go on where they were
    assert other.run_now(lambda s: s.scalars(select(Job.key).order_by(Job.id)).all()) == ["k1", "k2"]


def test_nothing_is_said_until_it_is_released_and_then_it_is_looked_for(
    shipped: Database, other: Database, keys: Path, tmp_path: Path
) -> None:
    put(shipped, "k1")
    restoring.restore(lines(io.BytesIO(backup(shipped, keys)), KEY), other, tmp_path / "new", NOW)
    assert other.run_now(outgoing.closed_since) == NOW
    assert other.run_now(outgoing.waiting) == [("slack", 1, NOW)]
    assert other.run_now(lambda s: outgoing.release(s, drop=False)) == 1
    assert other.run_now(outgoing.closed_since) is None
    assert other.run_now(lambda s: s.scalars(select(Job.state)).all()) == ["unknown"]


def test_a_backup_is_not_restored_over_anything(shipped: Database, other: Database, keys: Path, tmp_path: Path) -> None:
    content = backup(shipped, keys)
    with pytest.raises(ConfigurationError, match="the database is not empty"):
        restoring.restore(lines(io.BytesIO(content), KEY), shipped, tmp_path / "new", NOW)
    with pytest.raises(ConfigurationError, match="holds keys already"):
        restoring.restore(lines(io.BytesIO(content), KEY), other, keys, NOW)


def test_half_a_backup_leaves_nothing_behind(shipped: Database, other: Database, keys: Path, tmp_path: Path) -> None:
    content = backup(shipped, keys)
    cut = content[: len(content) * 2 // 3]
    with pytest.raises(ConfigurationError, match="damaged or not complete"):
        restoring.verify(lines(io.BytesIO(cut), KEY))
    with pytest.raises(ConfigurationError, match="damaged or not complete"):
        restoring.restore(lines(io.BytesIO(cut), KEY), other, tmp_path / "new", NOW)
    assert not (tmp_path / "new").exists()
    upgrade(other)  # it is still empty
    assert restoring.verify(lines(io.BytesIO(content), KEY)).files == 2


def test_a_backup_of_a_newer_release_is_refused(shipped: Database, other: Database, tmp_path: Path) -> None:
    file = io.BytesIO(sealed('{"format":1,"revision":"0123456789ab","at":"2026-11-23T09:30:00+00:00"}', '{"end":0}'))
    with pytest.raises(ConfigurationError, match="newer release"):
        restoring.restore(lines(file, KEY), other, tmp_path / "new", NOW)


def test_a_backup_is_of_one_moment_while_others_write(new_url: Callable[[str], str], url: str, keys: Path) -> None:
    """What is put while the backup is being written belongs to the next one, whole."""
    with closing(Database(url)) as database:
        put(database, "before")
        file = io.BytesIO()

        class Slow(Sealer):
            def write(self, line: str) -> None:
                if '"table":"job"' in line:
                    put(database, "meanwhile")
                super().write(line)

        with Slow(file, KEY) as sealer:
            writing.write(sealer, database, keys, NOW)
    said = opened(file.getvalue())
    assert any('"before"' in line for line in said)
    assert not any('"meanwhile"' in line for line in said)
