"""Who may bring which rows into the directory by chat, and take which away."""

import itertools
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.directory import scopes
from bot.directory.exporting import Part, export, export_vcards
from bot.directory.files import FILES, ORGANISATIONS, PEOPLE
from bot.directory.history import Author
from bot.directory.planning import Plan, Terms, plan
from bot.directory.reading import read
from bot.directory.rights import RIGHTS
from bot.directory.scopes import Scope
from bot.directory.visibility import FIELDS, level
from bot.rights import TABLE
from tests.directory.conftest import COMPETENCES, OPEN, Files

NOW = datetime(2026, 3, 14, 12, tzinfo=UTC)
AUTHOR = Author(NOW, "import", "agent-b", "@b:example.org")
EDITOR = Scope(level("editor"), frozenset({"consulat-munich"}))  # where agent-b is consul
COORDINATOR = Scope(level("coordinator"), frozenset())

BEYOND = {
    "somebody else's agent": ("people", "id,phone\nagent-a,+33 8\n"),
    "the same, as they are": ("people", "id,phone\nagent-a,+33 1 00 00 00 00\n"),
    "somebody new, of nowhere": ("people", "id,given_name\nrecrue,Agent\n"),
    "somebody who left": ("people", "id,phone\nagent-c,+33 8\n"),
    "another organisation": ("organisations", "id,phone\nprefecture-67,+33 3\n"),
    "one more organisation": ("organisations", "id,kind,name\nconsulat-x,consulate,X\n"),
    "somebody else's agent at one's own office": (
        "postings",
        "person,organisation,role,start\nagent-a,consulat-munich,desk,2026-03-01\n",
    ),
    "one's own agent elsewhere": (
        "postings",
        "person,organisation,role,start\nagent-b,prefecture-67,desk,2026-03-01\n",
    ),
    "a room": ("rooms", "organisation,platform,room\nconsulat-munich,matrix,!x:example.org\n"),
    "a competence": ("competences", f"{COMPETENCES}{OPEN}"),
    "somebody else's absence": ("absences", "person,start,end\nagent-a,2026-03-01,2026-03-02\n"),
    "another office's closure": ("closures", "organisation,start,end\nprefecture-67,2026-05-15,2026-05-15\n"),
    "another office's rota": ("duties", "organisation,person,start,end\nprefecture-67,agent-b,2026-05-15,2026-05-15\n"),
}
TOO_MUCH = {  # one's own rows, but for these columns
    "an account": ("people", "id,matrix_id\nagent-b,@x:example.org\n", "administrator"),
    "the same account": ("people", "id,matrix_id\nagent-b,@agent.b:example.org\n", "administrator"),
    "its status": ("organisations", "id,status\nconsulat-munich,closed\n", "coordinator"),
    "its place": ("organisations", "id,city\nconsulat-munich,Berlin\n", "coordinator"),
}


def planned(files: Files, scope: Scope, **contents: str) -> Plan:
    paths = [files.write(f"{name}.csv", content) for name, content in contents.items()]
    parsed = read(paths)
    return files.database.run_now(lambda session: plan(session, parsed, author=AUTHOR, terms=Terms(scope)))


@pytest.mark.parametrize("what", BEYOND)
def test_an_editor_brings_nothing_of_others(peopled: Files, what: str) -> None:
    file, content = BEYOND[what]
    made = planned(peopled, EDITOR, **{file: content})
    assert {error.reason.key for error in made.result.errors} == {"import.not_yours"}, made.result
    assert {error.line for error in made.result.errors} == {2}
    assert planned(peopled, COORDINATOR, **{file: content}).result.errors == ()


@pytest.mark.parametrize("what", TOO_MUCH)
def test_some_columns_need_more_than_their_rows(peopled: Files, what: str) -> None:
    file, content, right = TOO_MUCH[what]
    made = planned(peopled, EDITOR, **{file: content})
    assert [(e.reason.key, e.column) for e in made.result.errors] == [
        ("import.right_needed", content[3:].split("\n")[0])
    ]
    assert planned(peopled, Scope(level(right), frozenset()), **{file: content}).result.errors == ()
    unseen = planned(peopled, COORDINATOR, **{file: content}).result.errors
    assert bool(unseen) == (what == "an account"), "who sees a column may leave it as it is"


def test_an_editor_brings_what_is_of_their_office(peopled: Files) -> None:
    made = planned(
        peopled,
        EDITOR,
        organisations="id,kind,name,phone\nconsulat-munich,consulate_general,Consulat général à Munich,+49 1\n",
        people="id,given_name,phone\nagent-b,Agente,+49 2\nrecrue,Agent,\n",
        postings="person,organisation,role,start\nrecrue,consulat-munich,desk,2026-03-01\n",
        absences="person,start,end,stand_in\nagent-b,2026-04-01,2026-04-02,recrue\n",
        closures="organisation,start,end\nconsulat-munich,2026-05-15,2026-05-15\n",
        duties="organisation,person,start,end\nconsulat-munich,agent-b,2026-05-15,2026-05-15\n",
    )
    assert made.result.errors == ()
    assert (made.result.added, made.result.changed) == (5, 2)


@pytest.mark.parametrize("right", RIGHTS)
@pytest.mark.parametrize("office", ["consulat-munich", "prefecture-67", None])
def test_what_one_takes_away_one_may_bring_back_and_it_changes_nothing(
    peopled: Files, right: str, office: str | None, tmp_path: Path
) -> None:
    scope = Scope(level(right), frozenset({office} if office else ()))
    for write, name in ((export, "csv"), (export_vcards, "vcf")):
        folder = tmp_path / name
        folder.mkdir()
        peopled.database.run_now(lambda s, write=write, folder=folder: write(s, folder, Part(scope, NOW)))
        text = "".join(path.read_text() for path in folder.iterdir())
        for secret, needs in (("@agent.b:", "coordinator"), ("T0EX:U0AGENTA", "coordinator")):
            assert secret not in text or scope.level >= level(needs)
        if right in ("reader", "member") or (right == "editor" and office is None):
            assert [path.name for path in folder.iterdir() if path.suffix == ".csv"] == []
            assert "agent-" not in text
            continue
        assert ("agent-a" in text) == (scope.level >= level("coordinator") or office == "prefecture-67")
        assert ("agent-b" in text) == (scope.level >= level("coordinator") or office == "consulat-munich")
        parsed = read([folder])
        terms = Terms(scope)
        made = peopled.database.run_now(lambda s, p=parsed, t=terms: plan(s, p, author=AUTHOR, terms=t))
        assert (made.result.errors, made.result.added, made.result.changed) == ((), 0, 0)


def test_the_table_names_every_file_and_only_columns_that_there_are() -> None:
    acts = {scopes.act_of(file) for file in FILES}
    more = {act for columns in scopes.COLUMNS.values() for act in columns.values()}
    assert {act for act in TABLE if act.startswith("import.")} == acts | more
    for file in FILES:
        assert set(scopes.COLUMNS.get(file.name, ())) <= set(file.by_name)
        row = TABLE[scopes.act_of(file)]
        assert level("editor") <= level(row.get("organisation", row["any"])), "who only reads brings nothing"
    assert set(ORGANISATIONS.by_name) <= set(FIELDS["organisation"])
    assert set(PEOPLE.by_name) <= set(FIELDS["person"])


def test_a_file_that_the_table_lacks_is_denied(monkeypatch: pytest.MonkeyPatch) -> None:
    for file in FILES:
        monkeypatch.delitem(TABLE, scopes.act_of(file))  # type: ignore[arg-type]
    for file, own in itertools.product(FILES, (True, False)):
        assert not scopes.may_bring(Scope(level("administrator"), frozenset()), file, own=own)
