"""The key store of each term: it begins with what the last one knew, and the last holder cannot touch it."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.errors import ConfigurationError
from bot.platforms.matrix import stores

DEVICE = "@bot:example.org DEVICE"


def write(file: Path, word: str) -> None:
    with closing(sqlite3.connect(file)) as store:
        store.execute("CREATE TABLE IF NOT EXISTS word (said)")
        store.execute("INSERT INTO word VALUES (?)", (word,))
        store.commit()


def words(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as store:
        return [word for (word,) in store.execute("SELECT said FROM word")]


def test_a_term_begins_with_what_the_last_one_knew(tmp_path: Path) -> None:
    first = stores.of_term(tmp_path, DEVICE, 1)
    write(first, "one")
    second = stores.of_term(tmp_path, DEVICE, 2)
    assert words(second) == ["one"]
    write(first, "too late")
    write(second, "two")
    assert words(stores.of_term(tmp_path, DEVICE, 2)) == ["one", "two"], "a restart in the same term goes on"
    assert words(stores.of_term(tmp_path, DEVICE, 7)) == ["one", "two"]
    assert sorted(file.name[-5:] for file in tmp_path.glob("*.db")) == ["-2.db", "-7.db"], "the one before is kept"
    assert stores.last_epoch(tmp_path) == 7
    assert {file.stat().st_mode & 0o777 for file in tmp_path.glob("*.db")} == {0o600}


def test_a_transaction_that_its_holder_did_not_end_is_undone_in_the_copy(tmp_path: Path) -> None:
    """A frozen process may hold the file locked, with half a transaction in it, for ever."""
    first = stores.of_term(tmp_path, DEVICE, 1)
    write(first, "whole")
    frozen = sqlite3.connect(first, isolation_level=None)
    frozen.execute("PRAGMA cache_size=1")
    frozen.execute("BEGIN EXCLUSIVE")
    frozen.executemany("INSERT INTO word VALUES (?)", [("half " * 500,)] * 50)  # beyond its cache: in the file
    assert Path(f"{first}-journal").exists()
    assert words(stores.of_term(tmp_path, DEVICE, 2)) == ["whole"]
    frozen.execute("COMMIT")
    frozen.close()
    assert words(stores.of_term(tmp_path, DEVICE, 2)) == ["whole"]


def test_who_comes_back_late_disturbs_nobody(tmp_path: Path) -> None:
    write(stores.of_term(tmp_path, DEVICE, 1), "one")
    write(stores.of_term(tmp_path, DEVICE, 3), "three")
    late = stores.of_term(tmp_path, DEVICE, 2)
    assert words(late) == ["one"]
    write(late, "late")
    assert words(stores.of_term(tmp_path, DEVICE, 4)) == ["one", "three"]


def test_other_devices_have_their_own(tmp_path: Path) -> None:
    write(stores.of_term(tmp_path, DEVICE, 1), "one")
    assert stores.of_term(tmp_path, "@bot:example.org OTHER", 2).stat().st_size == 0
    assert words(stores.of_term(tmp_path, DEVICE, 3)) == ["one"]
    assert stores.last_epoch(tmp_path / "nowhere") == 0


def test_two_bots_in_one_folder_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = stores.of_term(tmp_path, DEVICE, 1)
    write(first, "one")
    monkeypatch.setattr(stores, "TRIES", 3)
    monkeypatch.setattr(stores.time, "sleep", lambda _: None)
    original = stores.shutil.copyfile

    def and_somebody_writes(source: Path, target: Path) -> None:
        original(source, target)
        os.utime(first)

    monkeypatch.setattr(stores.shutil, "copyfile", and_somebody_writes)
    with pytest.raises(ConfigurationError, match="one folder is for one bot"):
        stores.of_term(tmp_path, DEVICE, 2)
