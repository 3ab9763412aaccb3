"""`person export` and `person erase` as an operator uses them, down to the bytes of the database's file."""

import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import Run, one_line

FILES = {
    "people.csv": "id,given_name,family_name,email\nid-ondoyante,Ondoyante,Xyloquartz,o@quartz.example.org\n",
    "postings.csv": "person,organisation,role,start,end\nid-ondoyante,prefecture-57,desk,2020-01-01,\n",
}
SAID = "question Un acte de naissance de Sarrebruck est-il authentique ? Dossier Zorglonde.\nannuaire moi\n"
TRACES = (b"Ondoyante", b"Xyloquartz", b"quartz.example", b"id-ondoyante", b"Zorglonde")


@pytest.fixture
def used(passerelle: Run, url: str, tmp_path: Path) -> Path:
    """The file of a database in which somebody left traces."""
    folder = tmp_path / "directory"
    folder.mkdir()
    for name, content in FILES.items():
        (folder / name).write_text(content)
    passerelle("directory", "import", folder)
    passerelle("rights", "grant", "id-ondoyante", "editor")
    passerelle("console", "--as", "id-ondoyante", "--room", "prefecture-57", stdin=SAID)
    return Path(url.removeprefix("sqlite:///"))


def lies_in(file: Path) -> set[bytes]:
    bytes_ = b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*"))
    return {trace for trace in TRACES if trace in bytes_}


def test_what_is_kept_is_given(passerelle: Run, used: Path) -> None:
    found = passerelle("person", "export", "id-ondoyante", "--json").json
    assert found["person"][0]["family_name"] == "Xyloquartz"
    assert "Zorglonde" in found["questions"][0]["text"]
    assert found["rights"] == [{"person": "id-ondoyante", "right": "editor"}]
    readable = passerelle("person", "export", "id-ondoyante").out
    assert "family_name: Xyloquartz" in readable
    counts = passerelle("person", "export", "id-ondoyante", "--dry-run", "--json").json
    assert counts["questions"] == 1
    listed = [entry["action"] for entry in passerelle("audit", "list", "--json").json]
    assert listed.count("person.export") == 2, "a dry run leaves no trace"


def test_a_dry_run_of_an_erasure_says_what_would_go_and_keeps_it(passerelle: Run, used: Path) -> None:
    assert lies_in(used) == set(TRACES)
    counts = passerelle("person", "erase", "id-ondoyante", "--dry-run", "--json").json
    assert (counts["questions"], counts["person"], counts["granted_right"]) == (1, 1, 1)
    assert passerelle("person", "export", "id-ondoyante").status == 0


def test_an_erasure_leaves_nothing_in_the_file(passerelle: Run, used: Path, tmp_path: Path) -> None:
    head = passerelle("audit", "head").out.strip()
    found = passerelle("person", "erase", "id-ondoyante")
    assert (found.status, found.err) == (0, "")
    assert lies_in(used) == set()
    assert passerelle("audit", "verify", "--head", head).status == 0
    listed = passerelle("audit", "list", "--json").json
    assert [entry["about"].partition(":")[0] for entry in listed if entry["action"] == "person.erase"] == ["person"]
    assert passerelle("person", "export", "id-ondoyante").status == 1
    passerelle("directory", "export", tmp_path / "out")
    exported = b"".join(file.read_bytes() for file in (tmp_path / "out").iterdir())
    assert not any(trace in exported for trace in TRACES)
    assert passerelle("directory", "search", "xyloquartz").status == 1
    with sqlite3.connect(used) as database:
        assert database.execute("SELECT state, text FROM question").fetchall() == [("cancelled", "")]
    database.close()


@pytest.mark.parametrize("action", ["export", "erase"])
def test_nobody_of_that_id(passerelle: Run, url: str, action: str) -> None:
    found = passerelle("person", action, "no_body")
    assert found.status == 1
    assert "« no_body »" in one_line(found.err)
