"""The rows of the reference data hold together: columns, references, sources, counts, and no personal data."""

import csv
import re
import runpy
from collections import Counter
from datetime import date
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from babel import Locale

from tests.reference.rows import (
    COMPETENCE_COLUMNS,
    KINDS,
    ORGANISATION_COLUMNS,
    REFERENCE,
    ROLES,
    ROOT,
    ROUTING,
    TODAY,
    TOPICS,
    competences,
    organisations,
    places,
)


def test_columns_are_those_of_the_directory_files() -> None:
    for path in REFERENCE.rglob("*.csv"):
        columns = {"organisations.csv": ORGANISATION_COLUMNS, "competences.csv": COMPETENCE_COLUMNS}[path.name]
        with path.open(encoding="utf-8", newline="") as file:
            assert next(csv.reader(file)) == columns


def test_every_organisation_is_whole() -> None:
    ids = {row["id"] for row in organisations()}
    assert len(ids) == len(organisations())
    codes = set(map(str, Locale("fr").territories))
    for row in organisations():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", row["id"]), row
        assert row["kind"] in KINDS, row
        assert row["name"], row
        assert row["city"], row
        assert row["country"] in codes, row
        assert not row["parent"] or row["parent"] in ids, row
        assert not row["successor"] or row["successor"] in ids, row
        assert row["visibility"] == "all", row
        assert row["status"] in {"open", "closed", "suspended"}, row
        assert re.fullmatch(r"fr( [a-z]{2})*", row["languages"]), row
        assert re.fullmatch(r"[0-9A-Z]{0,3}", row["subdivision"]), row
        ZoneInfo(row["timezone"])


def test_what_was_not_read_says_so() -> None:
    for row in organisations():
        assert row["source"], row
        assert bool(row["checked_on"]) == ("connaissance générale" not in row["source"]), row
        assert not row["checked_on"] or date.fromisoformat(row["checked_on"]) <= date.fromisoformat(TODAY), row
    for basis in [*(row["source"] for row in organisations()), *(row["legal_basis"] for row in competences())]:
        assert basis not in {"", "à vérifier"}
        assert "connaissance générale" not in basis or basis.endswith("connaissance générale, à vérifier"), basis


def test_the_counts_in_the_readme_are_those_of_the_rows() -> None:
    counts = SimpleNamespace(**runpy.run_path(str(ROOT / "scripts" / "reference_counts.py")))
    readme = (REFERENCE / "README.md").read_text(encoding="utf-8")
    assert readme == counts.in_readme(readme), "run python -m scripts.reference_counts --write"
    assert f"| {len(organisations())} |" in counts.tables()
    assert f"| {len(competences())} |" in counts.tables()


@pytest.mark.parametrize(
    ("basis", "column"),
    [
        ("INSEE, code officiel géographique 2026", "INSEE"),
        ("Loi n° 2013-659 ; ambafrance-uk.org", "texte officiel"),
        ("be.ambafrance.org ; Décret n° 79-433", "site public"),
        ("Arrêté du 3 février 2026, selon francais-du-monde.org", "presse et autres"),
        ("Sénat, rapport l17-281", "Parlement"),
        ("fr.wikipedia.org (état de 2022)", "encyclopédie"),
        ("lepetitjournal.com, 22 avril 2015", "presse et autres"),
        ("INSEE ; siège : connaissance générale, à vérifier", "connaissance générale"),
    ],
)
def test_a_row_rests_on_the_first_source_it_names(basis: str, column: str) -> None:
    assert runpy.run_path(str(ROOT / "scripts" / "reference_counts.py"))["rests_on"](basis) == column


def test_there_is_no_personal_data() -> None:
    for path in [*REFERENCE.rglob("*"), *ROUTING.rglob("*")]:
        assert path.is_dir() or path.suffix == ".md" or path.name in {
            "organisations.csv", "competences.csv", "countries.csv", "places.csv", "places_france.csv",
            "ambiguous.csv", "topics.toml", "context.toml", "towns.csv", "examples.csv", "model.txt", "everyday.txt",
            "abbreviations.csv", "emergency.csv", "guards.toml", "confidence.toml", "classes.toml",
        }, path  # fmt: skip
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            assert "@" not in text.replace("@etalab/", "")
            numbers = text.replace("+33 1 53 59 11 00", "")  # the crisis centre, which publishes it
            assert not re.search(r"\+\d{2}[ \d.]{6,}|\b0\d([ .]\d\d){4}\b", numbers)
            assert not re.search(r"\b(M\.|Mme|Monsieur|Madame) [A-Z]\w", text)
    for row in organisations():
        assert not row["phone"], row
        assert not row["email"], row


def test_every_competence_refers_to_something() -> None:
    ids = {row["id"] for row in organisations()}
    regions = {row["id"] for row in organisations() if row["kind"] == "region"}
    codes = set(map(str, Locale("fr").territories))
    territories = {row["territory"] for row in organisations()} | regions
    named = {row["name"] for row in places()}
    for row in competences():
        assert row["organisation"] in ids, row
        assert row["role"] in ROLES, row
        assert not row["topic"] or row["topic"] in TOPICS, row
        assert row["topic"] not in {"asile", "entraide_judiciaire"}, row
        assert not row["country"] or row["country"] in codes, row
        assert not row["territory"] or row["territory"] in territories, row
        assert not row["place"] or row["place"] in named, row
        assert row["direction"] in {"to_post", "to_prefecture", "both"}, row
        first, last = (date.fromisoformat(row[key]) if row[key] else None for key in ("valid_from", "valid_to"))
        assert first is None or last is None or first <= last, row


def test_no_competence_is_given_twice() -> None:
    key = [column for column in COMPETENCE_COLUMNS if column != "legal_basis"]
    counts = Counter(tuple(row[column] for column in key) for row in competences())
    assert [given for given, count in counts.items() if count > 1] == []
