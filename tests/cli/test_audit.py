"""`audit verify` as an operator uses it: what was done stands there, what was touched is named, a head shows a cut."""

import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import Run, one_line

PEOPLE = "id,given_name,family_name\nagent-a,Agent,Exemple\n"


@pytest.fixture
def used(passerelle: Run, url: str, tmp_path: Path) -> Path:
    """A database in which something was done; its file."""
    (tmp_path / "people.csv").write_text(PEOPLE)
    passerelle("directory", "import", tmp_path / "people.csv")
    passerelle("rights", "grant", "agent-a", "editor")
    passerelle("rights", "revoke", "agent-a", "editor")
    passerelle("console", "--as", "agent-b", "--room", "prefecture-57", "--new", stdin="annuaire consulat munich\n")
    return Path(url.removeprefix("sqlite:///"))


def test_what_was_done_stands_there_and_is_whole(passerelle: Run, used: Path) -> None:
    listed = passerelle("audit", "list", "--json").json
    done = [(entry["actor"], entry["action"], entry["about"]) for entry in listed]
    assert done[:3] == [
        ("operator", "directory.import", ""),
        ("operator", "right.grant", "person:agent-a"),
        ("operator", "right.revoke", "person:agent-a"),
    ]
    assert {"process.start", "process.stop"} <= {action for _, action, _ in done}
    found = passerelle("audit", "verify")
    assert found.status == 0
    assert found.out.startswith(f"ok: {len(listed)} entries, 0 not sealed yet, 0 contents erased\nhead {len(listed)}:")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("UPDATE audit_entry SET action = 'x' WHERE position = 2", "entry 2 (row 2) was changed"),
        ("UPDATE audit_content SET content = '{}' WHERE entry = 2", "the content of row 2"),
        ("DELETE FROM audit_entry WHERE position = 2", "entry 2 is missing"),
    ],
)
def test_the_first_bad_row_is_named(passerelle: Run, used: Path, change: str, named: str) -> None:
    with sqlite3.connect(used) as database:
        database.execute(change)
    database.close()
    found = passerelle("audit", "verify")
    assert found.status == 1
    assert named in one_line(found.err)
    fault = passerelle("audit", "verify", "--json").json["fault"]
    assert fault["position"] == 2


def test_a_head_that_was_kept_shows_what_was_cut_off(passerelle: Run, used: Path) -> None:
    head = passerelle("audit", "head").out.strip()
    assert passerelle("audit", "verify", "--head", head).status == 0
    with sqlite3.connect(used) as database:
        database.execute("DELETE FROM audit_entry WHERE position > 2")
    database.close()
    assert passerelle("audit", "verify").status == 0
    found = passerelle("audit", "verify", "--head", head)
    assert (found.status, "cut off" in one_line(found.err)) == (1, True)


def test_what_is_no_head_is_wrong_use(passerelle: Run, url: str) -> None:
    assert passerelle("audit", "verify", "--head", "5:abc").status == 2
