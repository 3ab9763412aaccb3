"""`directory export`: all files, sorted, harmless in a spreadsheet; imported again, nothing changes."""

import csv
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from bot.directory import rooms
from bot.directory.exporting import export, export_vcards
from bot.directory.files import DIRECTIONS, FILES, KINDS, PLATFORMS, ROLES, STATUSES, TOPICS, VISIBILITIES
from bot.directory.importing import apply
from bot.directory.parsed import Result
from bot.directory.reading import read
from tests.directory.conftest import NOON, Files

TRICKS = ["=1+1", "+33 1 00 00", "-x", "@x", "'=x", "''+x", "'s-Gravenhage", "'", 'a"b', "a,b;c", "-", "é\u202fœ"]


def exported(files: Files) -> dict[str, list[list[str]]]:
    folder = files.folder / "out"
    files.database.run_now(lambda session: export(session, folder))
    rows = {}
    for path in folder.iterdir():
        with path.open(encoding="utf-8", newline="") as stream:
            rows[path.name] = list(csv.reader(stream))
    return rows


def test_the_export_is_read_again_without_a_change(peopled: Files) -> None:
    peopled.load(
        absences="person,start,end,stand_in\nagent-a,2026-01-01,,agent-b\n",
        rooms="organisation,platform,room,language,relay_unencrypted\nprefecture-67,matrix,!a:example.org,,yes\n",
        competences="organisation,role,topic,country,territory,place,direction,legal_basis,valid_from,valid_to\n"
        "consulat-munich,consul,,DE,,Bavière,,,2020-01-01,\n",
    )
    peopled.database.run_now(lambda session: rooms.note(session, "slack", "C1", encrypted=False))
    peopled.database.run_now(lambda session: rooms.link(session, "consulat-munich", "slack", "C2", NOON))
    rows = exported(peopled)
    assert sorted(rows) == sorted(file.name for file in FILES)
    assert all(table[1:] == sorted(table[1:]) for name, table in rows.items() if name != "rooms.csv")
    assert stat.S_IMODE((peopled.folder / "out/people.csv").stat().st_mode) == 0o600
    parsed = read([peopled.folder / "out"])
    result = peopled.database.run_now(lambda session: apply(session, parsed))
    assert (result.added, result.changed, result.closed, result.errors) == (0, 0, 0, ())
    exported(peopled)  # over the old files


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_no_cell_is_a_formula_and_every_cell_comes_back(files: Files) -> None:
    path = files.folder / "people.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["id", "family_name"], *[[f"p{n:02}", t] for n, t in enumerate(TRICKS)]])
    typed = ["p98", "'+33 1"], ["p99", "+33 1"]
    with path.open("a", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(typed)
    parsed = read([path])
    files.database.run_now(lambda session: apply(session, parsed))
    cells = [row[2] for row in exported(files)["people.csv"][1:]]
    assert not [cell for cell in cells if cell[:1] in "=+-@\t\r"]
    assert cells[-2:] == ["'+33 1", "'+33 1"], "with the apostrophe or without"
    again = read([files.folder / "out"])

    def twice(session: Session) -> Result:
        return apply(session, again)

    assert files.database.run_now(twice).changed == 0


def test_an_empty_directory_gives_headers(files: Files) -> None:
    assert all(len(table) == 1 for table in exported(files).values())


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("write", [export, export_vcards])
def test_what_an_import_would_not_bear_in_one_file_comes_in_parts(
    peopled: Files, monkeypatch: pytest.MonkeyPatch, write: Callable[[Session, Path], None]
) -> None:
    folder = peopled.folder / "parts"
    monkeypatch.setattr("bot.directory.exporting.LINES", 1_020)  # with what is left free: twenty lines
    people = "id,given_name\n" + "".join(f"p{n:02},Agent\n" for n in range(50))
    peopled.load(people=people)
    peopled.database.run_now(lambda session: write(session, folder))
    parts = sorted(path.name for path in folder.iterdir() if path.name.startswith("people-"))
    assert len(parts) > 1
    assert all(path.read_bytes().count(b"\n") <= 20 for path in folder.iterdir())
    again = peopled.database.run_now(lambda session: apply(session, read([folder])))
    assert (again.added, again.changed, again.errors) == (0, 0, ())
    monkeypatch.setattr("bot.directory.exporting.LINES", 200_000)
    peopled.database.run_now(lambda session: write(session, folder))
    assert not [path for path in folder.iterdir() if "-" in path.name], "parts of before are not read with it"


def test_the_guide_has_every_column_and_every_value() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "directory.md").read_text()
    for file in FILES:
        needed = " ".join(column.name for column in file.columns if column.required and not column.key)
        row = f"| `{file.name}` | `{' '.join(file.by_name)}` | `{' '.join(file.key)}` |"
        assert (f"{row} `{needed}` |" if needed else row) in guide
    for name, values in (
        ("kind", KINDS),
        ("role", ROLES),
        ("topic", TOPICS),
        ("platform", PLATFORMS),
        ("direction", DIRECTIONS),
        ("visibility", VISIBILITIES),
        ("status", STATUSES),
    ):
        assert f"| `{name}` | `{' '.join(values)}`" in guide
