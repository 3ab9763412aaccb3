"""`directory` and `rights`: files in and out, searching, and who may do what."""

import csv
import json
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Run, one_line

PEOPLE = (
    "id,given_name,family_name,email,visibility\n"
    "agent-a,Agent,Exemple,a@example.org,all\n"
    "agent_b,Autre,Exemple,b@example.org,own\n"
)
POSTINGS = "person,organisation,role,start,end\nagent-a,prefecture-67,desk,2020-01-01,\n"


@pytest.fixture
def files(folder: Path, url: str) -> Path:
    """A folder with two people, one of them in office."""
    made = folder / "files"
    made.mkdir()
    (made / "people.csv").write_text(PEOPLE)
    (made / "postings.csv").write_text(POSTINGS)
    return made


# --- import


def test_an_import_says_what_it_did_and_again_does_nothing(passerelle: Run, files: Path) -> None:
    assert passerelle("directory", "import", files, "--json").json == {
        "added": 3,
        "changed": 0,
        "closed": 0,
        "errors": [],
    }
    again = passerelle("directory", "import", files)
    assert (again.status, again.out, again.err) == (0, "added 0, changed 0, closed 0\n", "")


def test_a_dry_run_says_what_would_be_done_and_does_nothing(passerelle: Run, files: Path) -> None:
    tried = passerelle("directory", "import", files, "--dry-run")
    assert tried.status == 0
    assert tried.out.splitlines() == [
        "would be added 3, changed 0, closed 0",
        "+ people.csv agent-a",
        "+ people.csv agent_b",
        "+ postings.csv agent-a prefecture-67 desk 2020-01-01",
    ]
    assert passerelle("directory", "import", files, "--dry-run", "--json").json["added"] == 3
    assert passerelle("directory", "import", files, "--json").json["added"] == 3


def test_an_import_touches_no_more_rows_than_it_may(passerelle: Run, files: Path) -> None:
    assert passerelle("directory", "import", files, "--at-most", "1", "--json").json["added"] == 3
    (files / "people.csv").write_text(PEOPLE.replace("Exemple", "Autrement"))
    refused = passerelle("directory", "import", files, "--at-most", "1")
    assert (refused.status, refused.out) == (1, "")
    assert "2 lignes seraient modifiées ou closes, plus que la limite donnée (1)" in one_line(refused.err)
    assert passerelle("directory", "import", files, "--at-most", "2", "--json").json["changed"] == 2


def test_one_bad_line_stores_nothing_and_is_named(passerelle: Run, files: Path) -> None:
    (files / "people.csv").write_text(PEOPLE + "agent c,X,Y,,all\nagent-d,X,Y,,nobody\n")
    found = passerelle("directory", "import", files, "--json")
    assert found.status == 1
    first, second = found.json["errors"]
    assert (found.json["added"], found.json["changed"], found.json["closed"]) == (0, 0, 0)
    assert (first["file"], first["line"], first["column"], first["value"]) == ("people.csv", 4, "id", "agent c")
    assert second["reason"] == "doit être l’un de : all, network, own"
    assert found.err.splitlines()[1] == (
        "people.csv, line 5, visibility: 'nobody' doit être l’un de : all, network, own"
    )
    (files / "people.csv").write_text(PEOPLE)
    assert passerelle("directory", "import", files, "--json").json["added"] == 3


def test_single_files_in_any_order_and_what_is_not_there(passerelle: Run, files: Path) -> None:
    assert passerelle("directory", "import", files / "postings.csv", files / "people.csv").status == 0
    found = passerelle("directory", "import", "nowhere.csv")
    assert found.status == 1
    assert "nowhere.csv" in one_line(found.err)
    assert passerelle("directory", "import", files / "people.csv", "nowhere").status == 1


def test_a_dry_run_shows_what_is_before_and_after(passerelle: Run, files: Path) -> None:
    passerelle("directory", "import", files)
    (files / "people.csv").write_text("id,email\nagent-a,new@example.org\n")
    tried = passerelle("directory", "import", files / "people.csv", "--dry-run").out.splitlines()
    assert tried[1:] == ["~ people.csv agent-a: email 'a@example.org' → 'new@example.org'"]
    many = "".join(f"agent-{n},x\n" for n in range(150))
    (files / "people.csv").write_text("id,given_name\n" + many)
    assert passerelle("directory", "import", files / "people.csv", "--dry-run").out.splitlines()[-1] == "… and 50 more"


def test_the_states_directory_is_read_and_what_is_not_ours_left_out(passerelle: Run, folder: Path, url: str) -> None:
    pivot = [{"type_service_local": "prefecture", "code_insee_commune": ["67482"]}]
    records = [{"nom": "Préfecture", "pivot": json.dumps(pivot), "telephone": ""}, {"nom": "Mairie", "pivot": ""}]
    (folder / "export.json").write_text(json.dumps(records))
    found = passerelle("directory", "import", folder / "export.json", "--json")
    assert (found.status, found.json["changed"]) == (0, 1)
    assert one_line(found.err) == "passerelle: 1 records of other services left out"


@pytest.mark.parametrize("watched", [True, False])
def test_a_long_import_shows_its_progress_at_a_terminal(
    passerelle: Run, files: Path, monkeypatch: pytest.MonkeyPatch, watched: bool
) -> None:
    (files / "postings.csv").unlink()
    rows = "".join(f"agent-{n},Agent,Exemple,,\n" for n in range(4_500))
    (files / "people.csv").write_text("id,given_name,family_name,email,visibility\n" + rows)
    monkeypatch.setattr("bot.cli.files._REDRAW", 0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: watched)
    found = passerelle("directory", "import", files, "--dry-run", "--json")
    assert found.json["added"] == 4_500
    shown = [f"\r\x1b[K{words}" for words in ("people.csv: 2,000", "people.csv: 4,000", "…", "")]
    assert found.err == ("".join(shown) if watched else "")


# --- export


def test_what_is_exported_as_vcards_changes_nothing(passerelle: Run, files: Path) -> None:
    passerelle("directory", "import", files)
    passerelle("directory", "export", "cards", "--format", "vcard")
    assert sorted(path.name for path in Path("cards").iterdir()) == ["organisations.vcf", "people.vcf"]
    found = passerelle("directory", "import", "cards", "--json")
    assert (found.json, found.err) == ({"added": 0, "changed": 0, "closed": 0, "errors": []}, "")


def test_what_is_exported_can_be_imported_elsewhere(
    passerelle: Run, files: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passerelle("directory", "import", files)
    found = passerelle("directory", "export", "out/there")
    assert (found.status, found.out) == (0, "exported to out/there\n")
    assert passerelle("directory", "import", "out/there", "--json").json["changed"] == 0
    monkeypatch.setenv("PASSERELLE_DATABASE_URL", f"sqlite:///{folder}/other.db")
    assert passerelle("directory", "import", "out/there", "--json").json == {
        "added": 3,
        "changed": 0,
        "closed": 0,
        "errors": [],
    }
    with Path("out/there/people.csv").open(encoding="utf-8") as stream:
        assert [row["id"] for row in csv.DictReader(stream)] == ["agent-a", "agent_b"]


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_where_nothing_can_be_written_is_told(passerelle: Run, url: str, place: str) -> None:
    Path("file").write_text("")
    found = passerelle("directory", "export", place)
    assert found.status == 1
    assert "file" in one_line(found.err)


# --- search


def test_search_gives_the_promised_keys_best_first(passerelle: Run, url: str) -> None:
    found = passerelle("directory", "search", "consulat", "munich", "--json")
    assert found.status == 0
    first = found.json[0]
    keys = "kind id name role organisation country city phone email score".split()
    assert list(first) == keys
    assert (first["kind"], first["id"], first["country"]) == ("organisation", "consulat-munich", "DE")
    scores = [hit["score"] for hit in found.json]
    assert scores == sorted(scores, reverse=True)


def test_a_role_at_a_place_is_found_while_nobody_is_entered(passerelle: Run, url: str) -> None:
    first = passerelle("directory", "search", "cdpr grand est", "--json").json[0]
    assert (first["id"], first["role"]) == ("region-grand-est", "cdpr")


def test_search_on_a_fresh_database(passerelle: Run, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("PASSERELLE_DATABASE_URL", f"sqlite:///{folder}/fresh.db")
    assert passerelle("directory", "search", "metz", "--json").json


def test_search_shows_no_more_than_asked_and_no_more_than_one_may_see(passerelle: Run, files: Path) -> None:
    passerelle("directory", "import", files)
    assert len(passerelle("directory", "search", "consulat", "--limit", "3", "--json").json) == 3
    assert passerelle("directory", "search", "autre exemple", "--json").json[0]["id"] == "agent_b"
    hidden = passerelle("directory", "search", "autre exemple", "--as", "agent-a", "--json")
    assert "agent_b" not in [hit["id"] for hit in hidden.json]
    stranger = passerelle("directory", "search", "metz", "--as", "agent_x")
    assert (stranger.status, one_line(stranger.err)) == (
        1,
        "passerelle: L’annuaire ne connaît personne sous « agent_x ».",
    )


def test_nothing_found_is_said(passerelle: Run, url: str) -> None:
    found = passerelle("directory", "search", "xyzzy")
    assert (found.status, found.out, found.err) == (1, "", "passerelle: nothing found for xyzzy\n")
    assert passerelle("directory", "search", "xyzzy", "--json").json == []


def test_people_read_a_line_a_hit(passerelle: Run, files: Path) -> None:
    passerelle("directory", "import", files)
    line = passerelle("directory", "search", "agent exemple").out.splitlines()[0]
    assert "agent-a" in line
    assert "a@example.org" in line


# --- rights


def test_rights_are_granted_listed_and_revoked(passerelle: Run, files: Path) -> None:
    passerelle("directory", "import", files)
    assert passerelle("rights", "grant", "agent-a", "administrator").out == "agent-a: administrator\n"
    assert passerelle("rights", "grant", "agent-a", "administrator").out == "agent-a: administrator (already)\n"
    passerelle("rights", "grant", "agent_b", "editor")
    assert passerelle("rights", "list").out == "agent-a  administrator\nagent_b  editor\n"
    assert passerelle("rights", "list", "--json").json == [
        {"person": "agent-a", "right": "administrator"},
        {"person": "agent_b", "right": "editor"},
    ]
    assert passerelle("rights", "revoke", "agent-a", "administrator").out == "agent-a: no longer administrator\n"
    assert passerelle("rights", "revoke", "agent-a", "administrator").out == "agent-a was not administrator\n"
    assert json.loads(passerelle("rights", "list", "--json").out) == [{"person": "agent_b", "right": "editor"}]


@pytest.mark.parametrize("action", ["grant", "revoke"])
def test_rights_of_somebody_unknown(passerelle: Run, url: str, action: str) -> None:
    found = passerelle("rights", action, "no_body", "editor")
    assert found.status == 1
    assert "« no_body »" in one_line(found.err)
