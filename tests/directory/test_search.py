"""`annuaire`: a few words find organisations and people, for those who may see them."""

from datetime import date
from itertools import starmap

import pytest

from bot.db import Database
from bot.directory.identity import OPERATOR, Actor
from bot.directory.search import search
from bot.directory.snapshot import load
from bot.directory.wording import words
from tests.directory.conftest import TODAY, Files

Found = list[tuple[str, str | None]]

COMPETENCES = """\
organisation,role,topic,country,territory,place,direction,legal_basis,valid_from,valid_to
region-exemple,cdpr,,,region-exemple,,,,,
ambassade-es,asi,securite,ES,,,,,,
ambassade-es,asi,securite,AD,,,,,,
consulat-munich,consul,etat_civil,DE,,Bavière,,,2020-01-01,2026-12-31
consulat-munich,consul,visa,DE,,Bavière,,,,2019-12-31
"""


@pytest.fixture
def directory(peopled: Files) -> Database:
    assert peopled.load(competences=COMPETENCES).added == 5
    return peopled.database


def found(database: Database, text: str, actor: Actor | None = OPERATOR, *, on: date = TODAY, limit: int = 10) -> Found:
    hits = database.run_now(lambda session: search(session, text, limit=limit, visible_to=actor, on=on))
    assert all(0 < hit.score <= 1 for hit in hits)
    return [(hit.id, hit.role) for hit in hits]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_words_find_organisations_and_offices(directory: Database) -> None:
    for text, expected in {
        "consulat munich": ("consulat-munich", None),
        "CONSULAT-GENERAL À MÜNICH": ("consulat-munich", None),
        "67": ("prefecture-67", None),
        "bas rhin": ("prefecture-67", None),
        "préf stras": ("prefecture-67", None),
        "cdpr exemple": ("region-exemple", "cdpr"),
        "cdpr 67": ("region-exemple", "cdpr"),
        "asi espagne": ("ambassade-es", "asi"),
        "ASI Andorra": ("ambassade-es", "asi"),
        "consul bavière": ("consulat-munich", "consul"),
        "préfète strasbourg": ("prefecture-67", "prefect"),
        "exemple agent": ("agent-a", "desk"),
    }.items():
        assert found(directory, text)[:1] == [expected], text
    for text in ("", "  ", "?!", "introuvable", "cdpr munich", "cdpr asi", "munich introuvable"):
        assert found(directory, text) == [], text
    assert found(directory, "x" * 100_000) == []
    assert len(found(directory, "france", limit=1)) == 1


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_competences_of_another_day_do_not_count(directory: Database) -> None:
    assert found(directory, "consul bavière", on=date(2027, 1, 1)) == []


def test_people_are_shown_to_whom_they_allow(directory: Database) -> None:
    member = Actor(None, "agent-a", None, "prefecture-67", frozenset({"member"}), None, None)
    reader = Actor(None, None, None, None, frozenset({"reader"}), None, None)
    colleague = Actor(None, None, None, "consulat-munich", frozenset({"member"}), None, None)

    def seen(actor: Actor | None) -> set[str]:
        return {hit for hit, _ in found(directory, "agent", actor)}

    assert seen(OPERATOR) == {"agent-a", "agent-b", "agent-c"}
    assert seen(member) == {"agent-a", "agent-c"}
    assert seen(colleague) == {"agent-a", "agent-b", "agent-c"}
    assert seen(reader) == {"agent-a"}
    assert seen(None) == set()
    assert found(directory, "munich", None) == [], "strangers get nothing at all"


def test_a_hit_has_what_the_card_shows(directory: Database) -> None:
    hits = directory.run_now(lambda s: search(s, "agente modele", limit=1, visible_to=OPERATOR, on=TODAY))
    (hit,) = hits
    assert (hit.kind, hit.name, hit.role, hit.organisation) == ("person", "Agente Modèle", "consul", "consulat-munich")
    assert (hit.country, hit.city, hit.phone, hit.email) == ("DE", "Munich", None, None)


def test_spelling_does_not_matter() -> None:
    pairs = [("Œuvre", "oeuvre"), ("l'Haÿ-les-Roses", "Hay les roses"), ("STRASSE", "straße"), ("’s—X", "s x")]
    assert all(starmap(lambda one, other: words(one) == words(other), pairs))
    assert words("la") == ("la",), "little words are kept when there are no others"


def test_routing_gets_a_snapshot(directory: Database) -> None:
    first, second = directory.run_now(load), directory.run_now(load)
    assert first == second
    assert list(first.organisations) == ["ambassade-es", "consulat-munich", "prefecture-67", "region-exemple"]
    assert first.organisations["prefecture-67"].parent == "region-exemple"
    visa = next(comp for comp in first.competences if comp.topic == "visa")
    assert (visa.holds(date(2019, 12, 31)), visa.holds(date(2020, 1, 1))) == (True, False)
    civil = next(comp for comp in first.competences if comp.topic == "etat_civil")
    assert (civil.holds(date(2019, 12, 31)), civil.holds(date(2020, 1, 1))) == (False, True)
