"""`directory import`: upsert by key, all or nothing, each bad line with its reason."""

import json
from typing import TypeVar

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.db import Database
from bot.directory.parsed import Problem, Result
from bot.directory.reading import read
from bot.directory.tables import Absence, Competence, Organisation, Person, Posting, Room
from bot.texts import Catalogues, Reader, Text
from tests.directory.conftest import CLOSED, COMPETENCES, OPEN, ORGANISATIONS, PEOPLE, POSTINGS, Files, faults

T = TypeVar("T")


def counts(result: Result) -> tuple[int, int, int]:
    assert result.errors == ()
    return result.added, result.changed, result.closed


def all_of(database: Database, table: type[T]) -> list[T]:
    return database.run_now(lambda session: list(session.scalars(select(table))))


def test_rows_are_added_changed_and_otherwise_stay(peopled: Files) -> None:
    assert counts(peopled.load(organisations="id,kind,name\nprefecture-67,prefecture,Autre nom\n")) == (0, 1, 0)
    rows = {row.id: row for row in all_of(peopled.database, Organisation)}
    assert len(rows) == 4
    assert rows["prefecture-67"].name == "Autre nom"
    assert rows["prefecture-67"].city == "Strasbourg", "a column that the file lacks stays"


def test_an_empty_cell_empties(peopled: Files) -> None:
    assert counts(peopled.load(people="id,phone,slack_id\nagent-a,,\n")) == (0, 1, 0)
    person = next(row for row in all_of(peopled.database, Person) if row.id == "agent-a")
    assert (person.phone, person.slack_id, person.given_name) == ("", None, "Agent")


def test_the_same_files_again_change_nothing(peopled: Files) -> None:
    assert counts(peopled.load(organisations=ORGANISATIONS, people=PEOPLE, postings=POSTINGS)) == (0, 0, 0)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_spreadsheets_of_every_kind_are_read(files: Files, mark: bytes, separator: str, newline: str) -> None:
    content = ORGANISATIONS.replace(",", separator).replace("\n", newline).encode()
    assert counts(files.load(organisations=mark + content)) == (4, 0, 0)


def test_a_folder_is_searched_at_every_depth(files: Files) -> None:
    files.write("a/organisations.csv", ORGANISATIONS)
    files.write("b/c/people.csv", PEOPLE)
    files.write("notes.txt", "anything")
    parsed = read([files.folder, files.folder / "a/organisations.csv"])
    assert [sheet.name for sheet in parsed.sheets] == ["a/organisations.csv", "b/c/people.csv"]
    assert parsed.problems == ()


def test_a_dry_run_says_the_same_and_stores_nothing(peopled: Files) -> None:
    named = {
        "organisations": "id,status\nprefecture-67,closed\n",
        "people": "id,given_name\nagent-d,Agent\nagent-a,Agente\n",
    }
    dry = peopled.load(named, dry_run=True)
    assert len(all_of(peopled.database, Person)) == 3
    assert peopled.load(named) == dry
    assert counts(dry) == (1, 1, 1)


def test_one_bad_line_and_nothing_is_stored(files: Files) -> None:
    result = files.load(organisations=ORGANISATIONS, people=PEOPLE + "agent-d,,,,,de,,,\n", postings=POSTINGS)
    assert faults(result) == [("people.csv", 5, "language", "de", "import.not_one_of")]
    assert (result.added, result.changed, result.closed) == (0, 0, 0)
    assert all_of(files.database, Organisation) == []


def test_ends_are_counted_as_closed(peopled: Files) -> None:
    assert counts(peopled.load(absences="person,start,end\nagent-a,2026-01-01,\n")) == (1, 0, 0)
    closing = {
        "organisations": "id,status\nconsulat-munich,closed\nprefecture-67,suspended\n",
        "postings": "person,organisation,role,start,end\nagent-a,prefecture-67,desk,2024-01-01,2026-08-31\n",
        "absences": "person,start,end\nagent-a,2026-01-01,2026-01-31\n",
    }
    assert counts(peopled.load(closing)) == (0, 1, 3)
    again = closing | {"postings": closing["postings"].replace("08-31", "09-30")}
    assert counts(peopled.load(again)) == (0, 1, 0), "an end that moves closes nothing"


def test_a_last_day_closes_the_competence_that_was_open(peopled: Files) -> None:
    assert counts(peopled.load(competences=COMPETENCES + OPEN)) == (1, 0, 0)
    assert counts(peopled.load(competences=COMPETENCES + CLOSED)) == (0, 0, 1)
    assert [str(row.valid_to) for row in all_of(peopled.database, Competence)] == ["2026-12-31"]
    assert counts(peopled.load(competences=COMPETENCES + CLOSED)) == (0, 0, 0)


def test_a_competence_whose_two_forms_are_named_is_two(peopled: Files) -> None:
    assert counts(peopled.load(competences=COMPETENCES + OPEN)) == (1, 0, 0)
    assert counts(peopled.load(competences=COMPETENCES + OPEN + CLOSED)) == (1, 0, 0)
    assert counts(peopled.load(competences=COMPETENCES + CLOSED + OPEN)) == (0, 0, 0)


def test_a_release_changes_only_what_nobody_edited(files: Files) -> None:
    first = ORGANISATIONS.replace("\n", ",v1\n").replace("phone,v1", "phone,source")
    assert counts(files.load(shipped=True, organisations=first, competences=COMPETENCES + OPEN)) == (5, 0, 0)
    files.load(organisations="id,phone\nprefecture-67,17\n")
    files.load(organisations="id,kind,name\norgane-a-nous,body,Organe\n")
    second = first.replace("v1", "v2") + "organe-a-nous,body,Autre,,,,,,,open,,v2\n"
    assert counts(files.load(shipped=True, organisations=second)) == (0, 3, 0)
    rows = {row.id: row for row in all_of(files.database, Organisation)}
    assert (rows["prefecture-67"].source, rows["prefecture-67"].edited) == ("v1", True)
    assert (rows["consulat-munich"].source, rows["consulat-munich"].edited) == ("v2", False)
    assert rows["organe-a-nous"].name == "Organe"


def test_a_release_does_not_reopen_what_somebody_closed(files: Files) -> None:
    files.load(shipped=True, organisations=ORGANISATIONS, competences=COMPETENCES + OPEN)
    assert counts(files.load(competences=COMPETENCES + CLOSED)) == (0, 0, 1)
    assert counts(files.load(shipped=True, competences=COMPETENCES + OPEN)) == (0, 0, 0)
    later = CLOSED.replace("2026-12-31", "2027-06-30")
    assert counts(files.load(shipped=True, competences=COMPETENCES + later)) == (0, 0, 0)


def test_two_people_may_exchange_their_accounts(peopled: Files) -> None:
    swap = "id,matrix_id\nagent-a,@agent.b:example.org\nagent-b,@agent.a:example.org\nagent-d,\n"
    assert counts(peopled.load(people=swap)) == (1, 2, 0)
    given = "id,matrix_id\nagent-0,@agent.a:example.org\nagent-b,\n"
    assert counts(peopled.load(people=given)) == (1, 1, 0)


def test_rooms_keep_what_the_bot_saw(peopled: Files) -> None:
    rooms = "organisation,platform,room,language,relay_unencrypted\nprefecture-67,matrix,!a:example.org,fr,yes\n"
    assert counts(peopled.load(rooms=rooms)) == (1, 0, 0)

    def see(session: Session) -> None:
        session.get_one(Room, ("matrix", "!a:example.org")).encrypted = True

    peopled.database.run_now(see)
    assert counts(peopled.load(rooms=rooms.replace("yes", "no"))) == (0, 1, 0)
    (room,) = all_of(peopled.database, Room)
    assert (room.encrypted, room.relay_unencrypted, room.state) == (True, False, "open")


def test_the_json_has_words_and_no_markdown() -> None:
    texts = Catalogues({"fr": {"import.not_one_of": "attendu : {expected}"}, "en": {}})
    problem = Problem("people.csv", 2, "kind", "x", Text.of("import.not_one_of", expected=("a_b", "c")))
    data = Result(0, 0, 0, (problem,)).as_json(lambda words: texts.render(words, Reader()))
    assert json.loads(json.dumps(data)) == {
        "added": 0,
        "changed": 0,
        "closed": 0,
        "errors": [{"file": "people.csv", "line": 2, "column": "kind", "value": "x", "reason": "attendu : a_b, c"}],
    }


def test_the_last_day_is_kept_for_all_kinds_of_rows(peopled: Files) -> None:
    peopled.load(absences="person,start,end,stand_in\nagent-a,2026-01-01,,agent-b\n")
    assert [row.stand_in for row in all_of(peopled.database, Absence)] == ["agent-b"]
    assert sum(row.end is None for row in all_of(peopled.database, Posting)) == 2
