"""`backup`, `restore`, `outbox`: what lasts is taken beside a running bot and comes back, and nothing is said twice."""

from pathlib import Path

import pytest

from bot import jobs
from bot.clock import system_clock
from bot.db import Database
from tests.cli.conftest import Run, one_line

KEY = "une longue clé de sauvegarde"


@pytest.fixture(autouse=True)
def configured(url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSERELLE_BACKUP__KEY", KEY)
    monkeypatch.setenv("PASSERELLE_DATA_DIR", str(folder / "data"))
    (folder / "data" / "matrix").mkdir(parents=True)
    (folder / "data" / "matrix" / "identity").write_text("seeds")


def elsewhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"sqlite:///{folder}/elsewhere.db"
    monkeypatch.setenv("PASSERELLE_DATABASE_URL", url)
    monkeypatch.setenv("PASSERELLE_DATA_DIR", str(folder / "elsewhere"))
    return url


def test_a_backup_comes_back_elsewhere_and_its_outbox_waits(
    passerelle: Run, url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(url)
    now = system_clock()
    database.run_now(lambda s: jobs.put(s, "say", {}, lane="slack:C1", queue="slack", key="k", now=now))
    database.close()
    assert passerelle("backup", "b.passerelle").status == 0
    assert Path("b.passerelle").stat().st_mode & 0o777 == 0o600
    again = passerelle("backup", "b.passerelle")
    assert (again.status, one_line(again.err)) == (
        1,
        "passerelle: b.passerelle is there already; expected the name of a new file",
    )
    assert passerelle("restore", "b.passerelle", "--check").out.startswith("ok: the backup of ")
    refused = passerelle("restore", "b.passerelle")
    assert (refused.status, "move it away" in one_line(refused.err)) == (1, True)

    elsewhere(folder, monkeypatch)
    assert passerelle("restore", "b.passerelle").status == 0
    assert (folder / "elsewhere" / "matrix" / "identity").read_text() == "seeds"
    listed = passerelle("outbox", "list").out.splitlines()
    assert listed[0].startswith("held back since ")
    assert listed[1].startswith("slack: 1 waiting since ")
    assert passerelle("outbox", "release").out == "ok: 1 released\n"
    assert passerelle("outbox", "list").out.splitlines()[0] == "nothing is held back"
    assert passerelle("outbox", "release").status == 1


def test_another_key_opens_nothing_and_is_not_told(passerelle: Run, folder: Path) -> None:
    passerelle("backup", "b.passerelle")
    Path("key").write_text("une autre clé, tout aussi longue\n")
    found = passerelle("restore", "b.passerelle", "--check", "--key-file", "key")
    assert one_line(found.err) == "passerelle: the backup cannot be read: the key does not open it"
    assert passerelle("backup", "c.passerelle", "--key-file", "key").status == 0
    assert passerelle("restore", "c.passerelle", "--check", "--key-file", "key").status == 0


def test_what_is_wrong_is_told_in_a_line(passerelle: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "No such file" in one_line(passerelle("restore", "nowhere", "--check").err)
    Path("picture").write_bytes(b"GIF89a")
    assert "no backup of Passerelle's" in one_line(passerelle("restore", "picture", "--check").err)
    monkeypatch.setenv("PASSERELLE_BACKUP__KEY", "court")
    assert "backup.key: too short" in one_line(passerelle("backup", "b").err)
    assert not list(folder.glob("b*")), "nothing half is left"
    monkeypatch.delenv("PASSERELLE_BACKUP__KEY")
    assert "backup.key: missing" in one_line(passerelle("backup", "b").err)
