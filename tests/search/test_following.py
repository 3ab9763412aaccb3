"""The index follows the directory, in this process and in others."""

import pytest
from sqlalchemy import insert
from sqlalchemy.orm import Session

from bot.directory.current import NAMED, changed, touch
from bot.directory.identity import OPERATOR
from bot.directory.tables import Organisation, Person
from tests.search.conftest import TODAY, Directory, actor


def named(session: Session, id_: str, family_name: str) -> None:
    session.merge(Person(id=id_, given_name="Agente", family_name=family_name, visibility="network"))


def test_a_change_is_found_at_once_by_every_process(directory: Directory) -> None:
    other = Directory(directory.database, directory.finder._rules)
    assert [d.first("agente zwickau") for d in (directory, other)].count(("neue", None)) == 0
    directory.change(lambda s: named(s, "neue", "Zwickau"), people={"neue"})
    assert [d.first("zwickau") for d in (directory, other)] == [("neue", None)] * 2
    directory.change(lambda s: named(s, "neue", "Quedlinburg"), people={"neue"})
    assert [d.first("quedlinburg") for d in (directory, other)] == [("neue", None)] * 2
    assert "neue" not in [hit.id for hit in directory.find("zwickau")]
    directory.change(lambda s: s.delete(s.get_one(Person, "neue")), people={"neue"})
    assert "neue" not in [hit.id for hit in directory.find("quedlinburg")]


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
    again = Directory(directory.database, directory.finder._rules)
    assert newer == [[(hit.id, hit.role) for hit in again.find(query)[:1]] for query in queries]


def test_many_changes_make_a_new_index_beside(directory: Directory) -> None:
    directory.finder.read_from(directory.database, TODAY)
    directory.finder.warm()
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
        seen = directory.finder.find(session, "zwickau", limit=1, visible_to=OPERATOR, on=TODAY)
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
    directory.database.run_now(touch)
    assert directory.first("zwickau") == ("neue", None)


def test_forgotten_changes_are_noticed(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.directory.current.KEPT", 3)
    directory.find("munich")
    for number in range(6):
        directory.change(lambda s, n=number: named(s, f"neue-{n}", "Zwickau"), people={f"neue-{number}"})
    assert {hit.id for hit in directory.find("zwickau", limit=10) if hit.sure} == {f"neue-{n}" for n in range(6)}
