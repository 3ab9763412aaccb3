"""What is wrong with directory files is named, all of it, and nothing is named because of something else."""

from pathlib import Path

import pytest

from bot.directory.reading import read
from tests.directory.conftest import COMPETENCES, OPEN, PEOPLE, Files, faults

BAD = [
    ("organisations", "id,kind,name\nx,castle,X\n", (2, "kind", "castle", "not_one_of")),
    ("organisations", "id,kind,name\nx,body,\n", (2, "name", "", "required")),
    ("organisations", "id,kind\nx,body\n", (2, "name", None, "required")),
    ("organisations", "id,kind,name\nx y,body,X\n", (2, "id", "x y", "bad_id")),
    ("organisations", "id,kind,name,country\nx,body,X,UK\n", (2, "country", "UK", "bad_country")),
    ("organisations", "id,kind,name,timezone\nx,body,X,Paris\n", (2, "timezone", "Paris", "bad_timezone")),
    ("organisations", "id,kind,name,territory\nx,body,X,20\n", (2, "territory", "20", "bad_territory")),
    (
        "organisations",
        "id,kind,name,territory\nx,body,X,region-y\n",
        (2, "territory", "region-y", "unknown_organisation"),
    ),
    ("organisations", "id,kind,name,parent\nx,body,X,y\n", (2, "parent", "y", "unknown_organisation")),
    ("organisations", "id,kind,name,parent\nx,body,X,x\n", (2, "parent", "x", "circle")),
    ("organisations", "id,kind,name,languages\nx,body,X,français\n", (2, "languages", "français", "bad_languages")),
    ("organisations", "id,kind,name,website\nx,body,X,javascript:x\n", (2, "website", "javascript:x", "bad_website")),
    ("organisations", "id,kind,name,opening_hours\nx,body,X,tard\n", (2, "opening_hours", "tard", "bad_opening_hours")),
    ("organisations", "id,kind,name,checked_on\nx,body,X,1/2/2026\n", (2, "checked_on", "1/2/2026", "bad_date")),
    ("organisations", "id,kind,name,colour\nx,body,X,blue\n", (1, "colour", "colour", "unknown_column")),
    ("organisations", "id,kind,kind\nx,body,body\n", (1, "kind", None, "repeated_column")),
    ("organisations", "kind,name\nbody,X\n", (1, "id", None, "missing_column")),
    ("organisations", "id,kind,name\nx,body\n", (2, None, None, "wrong_number_of_cells")),
    ("organisations", "id,kind,name\nx,body,X\n\nx,body,Y\n", (4, "id", "x", "repeated")),
    ("organisations", 'id,kind,name\nx,body,"X\n', (2, None, None, "malformed")),
    ("organisations", b"id,kind,name\nx,body,\xe9\n", (2, None, None, "not_utf8")),
    ("organisations", "id,kind,name\nx,body,a\0b\n", (2, "name", "a\ufffdb", "control_character")),
    ("organisations", 'id,kind,name\nx,body,"a\nb"\n', (2, "name", "a\ufffdb", "line_break")),
    ("organisations", f"id,kind,name\nx,body,{'é' * 5001}\n", (2, "name", "é" * 100, "field_too_long")),
    ("organisations", "", (0, None, None, "empty_file")),
    ("people", "id,slack_id\nx,U0AGENTC\n", (2, "slack_id", "U0AGENTC", "account_taken")),
    ("people", "id,slack_id\nx,U1\ny,U1\n", (3, "slack_id", "U1", "repeated")),
    ("people", "id,matrix_id\nx,agent.a\n", (2, "matrix_id", "agent.a", "bad_matrix_id")),
    ("people", "id,slack_id\nx,U 1\n", (2, "slack_id", "U 1", "bad_account")),
    (
        "postings",
        "person,organisation,role,start\nx,prefecture-67,desk,2026-01-01\n",
        (2, "person", "x", "unknown_person"),
    ),
    ("postings", "person,organisation,role,start\nagent-a,prefecture-67,desk,\n", (2, "start", "", "required")),
    (
        "postings",
        "person,organisation,role,start,end\nagent-a,prefecture-67,desk,2026-02-30,\n",
        (2, "start", "2026-02-30", "bad_date"),
    ),
    (
        "postings",
        "person,organisation,role,start,end\nagent-a,prefecture-67,desk,2026-02-01,2026-01-31\n",
        (2, "end", "2026-01-31", "end_before_start"),
    ),
    ("absences", "person,start,stand_in\nagent-a,2026-01-01,agent-a\n", (2, "stand_in", "agent-a", "own_stand_in")),
    ("rooms", "platform,room\nmatrix,#salon:a.fr\n", (2, "room", "#salon:a.fr", "bad_room")),
    ("rooms", "platform,room\nslack,general\nslack,C0123ABCD\n", (2, "room", "general", "bad_room")),
    ("rooms", "platform,room,relay_unencrypted\nmatrix,!a,maybe\n", (2, "relay_unencrypted", "maybe", "not_one_of")),
    ("competences", COMPETENCES + OPEN + OPEN, (3, "repeated")),
]


@pytest.mark.parametrize(("name", "content", "expected"), BAD, ids=[f"{n} {bad[2][-1]}" for n, bad in enumerate(BAD)])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_is_wrong_is_named(peopled: Files, name: str, content: str | bytes, expected: tuple[object, ...]) -> None:
    (error,) = peopled.load_one(name, content).errors
    assert error.file == f"{name}.csv"
    assert error.reason.key == f"import.{expected[-1]}"
    assert error.line == expected[0]
    if len(expected) == 4:
        assert (error.column, error.value) == expected[1:3]


def test_all_bad_lines_are_named_and_what_hangs_on_them_is_not(files: Files) -> None:
    result = files.load(
        organisations="id,kind,name\nx,castle,X\n",
        people="id,language\na,fr\nb,de\n",
        postings="person,organisation,role,start\na,x,desk,2026-01-01\nb,x,desk,2026-01-01\nc,x,desk,01/01/2026\n"
        "d,x,desk,2026-01-01\n",
    )
    assert [error[:3] for error in faults(result)] == [
        ("organisations.csv", 2, "kind"),
        ("people.csv", 3, "language"),
        ("postings.csv", 4, "start"),
        ("postings.csv", 5, "person"),
    ]


def test_circles_of_organisations_are_refused_wherever_they_close(peopled: Files) -> None:
    result = peopled.load(organisations="id,successor\nprefecture-67,consulat-munich\nconsulat-munich,prefecture-67\n")
    assert [error[1:3] for error in faults(result)] == [(2, "successor"), (3, "successor")]
    assert peopled.load(organisations="id,parent\nregion-exemple,prefecture-67\n").errors


def test_a_place_that_is_no_file_is_named(files: Files, tmp_path: Path) -> None:
    def keys(*paths: Path) -> list[str]:
        return [problem.reason.key for problem in read(paths).problems]

    assert keys(tmp_path / "nowhere") == ["import.not_found"]
    assert keys(tmp_path / "people.csv") == ["import.not_found"]
    assert keys(files.folder) == ["import.no_file"]
    assert keys(files.write("personnes.csv", PEOPLE)) == ["import.unknown_file"]
    assert keys(tmp_path / ("n" * 5000)) == ["import.unreadable"]
    (files.folder / "people.csv").mkdir()
    assert keys(files.folder / "people.csv") == ["import.no_file"]
