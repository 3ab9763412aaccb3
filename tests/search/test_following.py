"""The index follows the directory, in this process and in others."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert
from sqlalchemy.orm import Session

from bot.db import Database
from bot.directory import keeping
from bot.directory.confirming import EVERY
from bot.directory.current import NAMED, changed
from bot.directory.history import Author
from bot.directory.identity import OPERATOR
from bot.directory.importing import store
from bot.directory.reading import read
from bot.directory.tables import Organisation, Person, Posting
from bot.errors import NotYet
from bot.search.current import Finder
from tests.search.conftest import NOW, Directory, actor


def named(session: Session, id_: str, family_name: str) -> None:
    session.merge(Person(id=id_, given_name="Agente", family_name=family_name, visibility="network"))


def test_a_change_is_found_at_once_by_every_process(directory: Directory) -> None:
    other = Directory(directory.database, directory.finder._rules())
    assert [d.first("agente zwickau") for d in (directory, other)].count(("neue", None)) == 0
    directory.change(lambda s: named(s, "neue", "Zwickau"), people={"neue"})
    assert [d.first("zwickau") for d in (directory, other)] == [("neue", None)] * 2
    directory.change(lambda s: named(s, "neue", "Quedlinburg"), people={"neue"})
    assert [d.first("quedlinburg") for d in (directory, other)] == [("neue", None)] * 2
    assert "neue" not in [hit.id for hit in directory.find("zwickau")]
    directory.change(lambda s: s.delete(s.get_one(Person, "neue")), people={"neue"})
    assert "neue" not in [hit.id for hit in directory.find("quedlinburg")]


def test_a_corrected_card_is_all_that_other_processes_read_anew(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = Database(directory.database.url)
    other = Directory(beside, directory.finder._rules())
    for each in (directory, other):
        assert each.first("modele est") == ("cdpr-ge", "cdpr")
        each.finder.read_from(each.database, NOW)
    monkeypatch.setattr(Finder, "_make", lambda _self: pytest.fail("a full index is made for one card"))
    author = Author(NOW, "card", "cdpr-ge")
    own = actor("member", person="cdpr-ge")

    def correct(session: Session) -> None:
        mine = keeping.card(session, own, "", author)
        assert not keeping.correct(
            session, mine, {"family_name": "Quedlinburg", "phone": "+33 3 88 55 66 77"}, author, EVERY
        )

    def close(session: Session) -> None:
        coordinator = actor("coordinator", person="consul-m")
        card = keeping.card(session, coordinator, "consulat-munich", author)
        assert not keeping.correct(session, card, {"phone": "+49 89 555 66 77"}, author, EVERY)

    directory.database.run_now(correct)
    directory.database.run_now(close)
    for each in (directory, other):
        (hit,) = each.find("quedlinburg", limit=1)
        assert (hit.id, hit.role, hit.phone) == ("cdpr-ge", "cdpr", "+33 3 88 55 66 77")
        assert each.first("+49 89 555 66 77") == ("consulat-munich", None)
    beside.close()


def test_an_import_of_a_few_rows_is_read_alone_and_a_prefecture_with_what_it_names(
    directory: Directory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory.find("munich")
    made: list[str] = []
    monkeypatch.setattr(Finder, "_make", lambda _self: made.append("all"))
    directory.finder.read_from(directory.database, NOW)

    def bring(name: str, text: str) -> None:
        (tmp_path / name).write_text(text, "utf-8")
        assert not store(directory.database, read([tmp_path / name]), Author(NOW, "import")).errors

    bring("people.csv", "id,given_name,family_name\nneue,Agente,Quedlinburg\n")
    assert (directory.first("quedlinburg"), made) == (("neue", None), [])
    bring("organisations.csv", "id,phone\nprefecture-67,+33 3 88 21 67 68\n")
    assert (directory.first("+33 3 88 21 67 68"), made) == (("prefecture-67", None), [])
    bring("organisations.csv", "id,city\nprefecture-67,Wissembourg\n")
    directory.find("sous-prefecture wissembourg")
    assert made, "its sous-prefectures are called by it too"


def test_a_posting_begins_and_ends_at_midnight_of_the_place(directory: Directory) -> None:
    def post(session: Session) -> None:
        named(session, "neue", "Quedlinburg")
        session.flush()
        session.add(
            Posting(
                person="neue",
                organisation="ambassade-jp",
                role="deputy",
                start=date(2026, 11, 23),
                end=date(2026, 11, 23),
            )
        )
        session.add(
            Posting(
                person="neue",
                organisation="ambassade-us",
                role="deputy",
                start=date(2026, 11, 24),
                end=date(2026, 11, 24),
            )
        )

    directory.change(post, people={"neue"})
    expected = {  # in Tokyo midnight is at 15:00 UTC, in Washington at 05:00
        datetime(2026, 11, 22, 14, 59, tzinfo=UTC): None,
        datetime(2026, 11, 22, 15, tzinfo=UTC): "ambassade-jp",
        datetime(2026, 11, 23, 14, 59, tzinfo=UTC): "ambassade-jp",
        datetime(2026, 11, 23, 15, tzinfo=UTC): None,
        datetime(2026, 11, 24, 4, 59, tzinfo=UTC): None,
        datetime(2026, 11, 24, 5, tzinfo=UTC): "ambassade-us",
        datetime(2026, 11, 25, 4, 59, tzinfo=UTC): "ambassade-us",
        datetime(2026, 11, 25, 5, tzinfo=UTC): None,
    }
    assert {at: directory.find("quedlinburg", at=at)[0].organisation for at in expected} == expected


def test_an_organisation_that_changes_takes_its_people_along(directory: Directory) -> None:
    assert directory.first("modele est strasbourg") == ("cdpr-ge", "cdpr")

    def move(session: Session) -> None:
        session.get_one(Organisation, "region-grand-est").city = "Wissembourg"

    directory.change(move, organisations={"region-grand-est"})
    assert directory.find("modele est wissembourg")[0].sure
    assert directory.first("prefecture region wissembourg") == ("region-grand-est", None)

    def hide(session: Session) -> None:
        session.get_one(Organisation, "region-grand-est").visibility = "own"

    directory.change(hide, organisations={"region-grand-est"})
    member = actor("member")
    assert "region-grand-est" not in [hit.id for hit in directory.find("prefecture region wissembourg", member)]
    (hit,) = directory.find("agente modele est", member, limit=1)
    assert (hit.id, hit.organisation, hit.role) == ("cdpr-ge", None, None)


def test_what_changed_and_what_is_read_anew_find_the_same(directory: Directory) -> None:
    directory.find("munich")
    directory.change(lambda s: named(s, "neue", "Zwickau"), people={"neue"})
    queries = ("agente zwickau", "zwikcau", "agente", "munich", "modele est")
    newer = [[(hit.id, hit.role) for hit in directory.find(query)[:1]] for query in queries]
    again = Directory(directory.database, directory.finder._rules())
    assert newer == [[(hit.id, hit.role) for hit in again.find(query)[:1]] for query in queries]


def test_many_changes_make_a_new_index_beside(directory: Directory) -> None:
    directory.finder.read_from(directory.database, NOW)
    with pytest.raises(NotYet) as early:
        directory.first("consulat munich")
    early.value.made()
    assert directory.first("consulat munich") == ("consulat-munich", None)
    rows = [
        {"id": f"p-{n}", "given_name": "Agente", "family_name": f"Zwickau{chr(97 + n % 26)}"} for n in range(NAMED + 1)
    ]
    directory.change(lambda s: s.execute(insert(Person), rows), people={row["id"] for row in rows})
    assert directory.first("consulat munich") == ("consulat-munich", None), "the old one answers meanwhile"
    directory.finder.wait()
    assert directory.find("agente zwickaub")[0].name == "Agente Zwickaub"


def test_what_is_undone_was_never_found(directory: Directory) -> None:
    directory.find("munich")

    def undone(session: Session) -> None:
        named(session, "neue", "Zwickau")
        session.flush()
        changed(session, people={"neue"})
        seen = directory.finder.find(session, "zwickau", limit=1, visible_to=OPERATOR, at=NOW)
        assert [hit.id for hit in seen] == ["neue"]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        directory.database.run_now(undone)
    directory.change(lambda s: named(s, "other", "Quedlinburg"), people={"other"})
    assert directory.first("quedlinburg") == ("other", None)
    assert "neue" not in [hit.id for hit in directory.find("zwickau")]


def test_without_a_beside_the_next_look_up_reads_all(directory: Directory) -> None:
    directory.find("munich")
    directory.database.run_now(lambda s: named(s, "neue", "Zwickau"))
    directory.database.run_now(changed)
    assert directory.first("zwickau") == ("neue", None)


def test_forgotten_changes_are_noticed(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.directory.current.KEPT", 3)
    directory.find("munich")
    for number in range(6):
        directory.change(lambda s, n=number: named(s, f"neue-{n}", "Zwickau"), people={f"neue-{number}"})
    assert {hit.id for hit in directory.find("zwickau", limit=10) if hit.sure} == {f"neue-{n}" for n in range(6)}
