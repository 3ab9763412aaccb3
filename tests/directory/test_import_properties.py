"""Whatever a file holds: no exception, bounded time, all or nothing, and an export that says the same."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert
from sqlalchemy.orm import Session

from bot.db import Database
from bot.directory import cells, files
from bot.directory.exporting import export, export_vcards
from bot.directory.importing import apply
from bot.directory.parsed import Result
from bot.directory.reading import read
from tests.directory.conftest import create

Places = tuple[Database, Path]

ORGANISATIONS = ["prefecture-67", "region-exemple", "consulat-munich", "organe", "É", ""]
PEOPLE = ["agent-a", "agent-b", "agent-c", "É", ""]
TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
LINES = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=12)
TRICKS = ["+33 1", "=x", "'=x", "'s", "-", "nom", ""]
WORDS: dict[cells.Read, list[str]] = {
    cells.day: ["", "2026-01-01", "2026-12-31", "2025-06-30", "31/12/2026", "2026-02-30"],
    cells.country: ["", "DE", "fr", "XX"],
    cells.timezone: ["", "Europe/Paris", "Paris"],
    cells.territory: ["", "67", "2a", "region-exemple", "20"],
    cells.languages: ["", "fr", "fr  de", "!"],
    cells.language: ["", "fr", "en", "de"],
    cells.yes_or_no: ["", "yes", "no", "oui"],
    cells.opening_hours: ["", "Mo-Fr 09:00-12:00", "24/7", 'Mo "x"', "demain"],
    cells.email: ["", "a@example.org", "+b@example.org", "nobody"],
    cells.website: ["", "https://example.org", "ftp://x"],
    cells.matrix_account: ["", "@a:example.org", "@b:example.org", "a"],
    cells.account: ["", "U1", "U2", "!a:example.org", "a b"],
}
ENUMS = {
    "kind": ["prefecture", "body", "castle"],
    "role": ["consul", "desk", "king"],
    "topic": ["", "visa", "tax"],
    "platform": ["matrix", "slack", "telex"],
    "direction": ["", "both", "to_post"],
    "status": ["", "open", "closed"],
    "visibility": ["", "all", "own"],
}


def cell(column: files.Column, *, good: bool) -> st.SearchStrategy[str]:
    ids = ORGANISATIONS if column.refers == "organisation" else PEOPLE + ORGANISATIONS[:-2]
    known = ids if column.read is cells.identifier else ENUMS.get(column.name) or WORDS.get(column.read) or TRICKS
    drawn = st.sampled_from([word for word in known if not good or _reads(column, word)])
    return drawn | (LINES.filter(str.strip) if good else TEXTS) if known is TRICKS else drawn


@st.composite
def tables(draw: st.DrawFn, file: files.File, *, good: bool) -> bytes:
    """A file as `file` has it; when `good`, most rows are as they should be."""
    row = st.tuples(*(cell(column, good=good) for column in file.columns))
    key = [file.columns.index(file.by_name[name]) for name in file.key]
    once = (lambda row: tuple(row[at].strip() for at in key)) if good else None
    rows = draw(st.lists(row, min_size=1, max_size=4, unique_by=once))
    stream = io.StringIO()
    csv.writer(stream).writerows([[column.name for column in file.columns], *rows])
    return stream.getvalue().encode()


def _reads(column: files.Column, value: str) -> bool:
    try:
        cells.sound(value)
        plain = cells.bare(value)
        return bool(column.read(plain) or True) if plain else not column.required
    except cells.BadCell:
        return False


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    folder = tmp_path_factory.mktemp("properties")
    create(f"sqlite:///{folder}/directory.db")
    (folder / "in").mkdir()
    return Database(f"sqlite:///{folder}/directory.db"), folder


class _Undo(Exception):
    pass


def undone(database: Database, work: Callable[[Session], object]) -> None:
    """Run in a transaction that is rolled back, so that examples do not see one another."""

    def transaction(session: Session) -> None:
        work(session)
        raise _Undo

    with pytest.raises(_Undo):
        database.run_now(transaction)


SEEDS = {
    files.ORGANISATIONS: "id,kind,name\nprefecture-67,prefecture,X\nregion-exemple,region,Y\n"
    "consulat-munich,consulate,Z\n",
    files.PEOPLE: "id,slack_id\nagent-a,U1\nagent-b,\n",
}


def put(folder: Path, contents: dict[files.File, bytes]) -> None:
    for file in files.FILES:
        path = folder / "in" / file.name
        path.unlink(missing_ok=True)
        if file in contents:
            path.write_bytes(contents[file])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(files.FILES), st.binary(max_size=300) | st.text(max_size=200).map(str.encode), st.booleans())
def test_any_bytes_are_read_without_an_exception(
    places: Places, file: files.File, content: bytes, headed: bool
) -> None:
    _, folder = places
    header = ",".join(column.name for column in file.columns).encode() + b"\n"
    put(folder, {file: header + content if headed else content})
    read([folder / "in"])


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_an_import_is_all_or_nothing_and_its_export_says_the_same(places: Places, data: st.DataObject) -> None:
    database, folder = places
    good = data.draw(st.integers(0, 3)) > 0
    chosen = data.draw(st.sets(st.sampled_from(files.FILES), min_size=1, max_size=4))
    contents = {file: data.draw(tables(file, good=good)) for file in files.FILES if file in chosen}

    seen: list[Result] = []

    def work(session: Session) -> None:
        put(folder, {file: text.encode() for file, text in SEEDS.items()})
        assert apply(session, read([folder / "in"])).errors == ()
        export(session, folder / "before")
        put(folder, contents)
        parsed = read([folder / "in"])
        dry = apply(session, parsed, dry_run=True)
        export(session, folder / "after")
        assert texts(folder / "before") == texts(folder / "after")
        result = apply(session, parsed)
        seen.append(result)
        assert result == dry
        export(session, folder / "after")
        if result.errors or not (result.added or result.changed or result.closed):
            assert texts(folder / "before") == texts(folder / "after")
        export_vcards(session, folder / "cards")
        for exported in ("after", "cards"):
            again = apply(session, read([folder / exported]))
            assert (again.added, again.changed, again.closed, again.errors) == (0, 0, 0, ())

    undone(database, work)
    event(f"{good=} stored={not seen[0].errors} {bool(seen[0].added)} {bool(seen[0].changed)} {bool(seen[0].closed)}")


def texts(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@given(TEXTS)
def test_every_cell_comes_back_from_an_export(value: str) -> None:
    value = value.strip()
    assert cells.bare(cells.guard(value)) == value
    assert cells.guard(value)[:1] not in tuple("=+-@\t\r")


def test_the_real_reference_data_is_a_directory(places: Places) -> None:
    parsed = read([Path(__file__).parents[2] / "config" / "reference"])
    errors = []
    undone(places[0], lambda session: errors.extend(apply(session, parsed, shipped=True).errors))
    assert errors == []


HELD = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=60) | st.sampled_from(TRICKS)
SEVERAL_LINES = st.lists(HELD, max_size=4).map("\n".join)


def held(column: files.Column) -> st.SearchStrategy[cells.Value]:
    """Anything that a column may hold, however it came there."""
    if column.read is cells.day:
        return st.dates()
    if column.read is cells.yes_or_no:
        return st.booleans()
    words = ENUMS.get(column.name) or WORDS.get(column.read)
    said = st.sampled_from(words) if words else SEVERAL_LINES if column.read is cells.text else HELD
    return said.map(str.strip).filter(lambda text: _reads(column, cells.guard(text))).map(column.value)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_the_directory_holds_comes_back_from_its_exports(places: Places, data: st.DataObject) -> None:
    """Rows are put into the tables themselves: longer, odder than any file of ours brought them."""
    database, folder = places
    rows: dict[files.File, list[dict[str, cells.Value]]] = {file: [] for file in files.FILES}
    for file in (files.ORGANISATIONS, files.PEOPLE):
        ids = data.draw(
            st.lists(
                st.from_regex(cells.IDENTIFIER, fullmatch=True).map(lambda t: t[:100]),
                min_size=1,
                max_size=3,
                unique_by=str.lower,
            )
        )
        for number, id_ in enumerate(ids):
            row = {
                c.name: data.draw(held(c))
                for c in file.columns
                if c.refers is None and c.name not in ("id", "territory")
            }
            if file is files.PEOPLE:
                row |= {"slack_id": f"U{number}", "matrix_id": None}
            rows[file].append({**row, "id": id_})
    longest = data.draw(st.sampled_from(["=", "-", "é", ",", "\n=", '"']))
    rows[files.ORGANISATIONS][0]["address"] = (longest * 10_000).encode()[:10_000].decode(errors="ignore").strip()
    for person in rows[files.PEOPLE]:
        start, end = sorted([data.draw(st.dates()), data.draw(st.dates())])
        organisation = data.draw(st.sampled_from(rows[files.ORGANISATIONS]))
        posting = {"person": person["id"], "organisation": organisation["id"], "role": "desk", "start": start}
        rows[files.POSTINGS].append({**posting, "end": data.draw(st.sampled_from([end, None]))})

    def work(session: Session) -> None:
        for file, held_ in rows.items():
            if held_:
                session.execute(insert(file.table), held_)
        for write, name in ((export, "csv"), (export_vcards, "vcf")):
            write(session, folder / name)
            again = apply(session, read([folder / name]))
            assert (again.added, again.changed, again.closed, again.errors, again.differences) == (0, 0, 0, (), ())
        for path in (folder / "csv").iterdir():
            with path.open(encoding="utf-8", newline="") as stream:
                assert not [cell for row in csv.reader(stream) for cell in row if cell[:1] in tuple("=+-@\t\r")]

    undone(database, work)
