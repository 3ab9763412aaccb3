"""The words by which countries, places and topics are called."""

import tomllib
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from babel import Locale

from scripts import administrative_map
from tests.reference.rows import COMPETENCE_COLUMNS, ROUTING, TOPICS, countries, organisations, places, rows_of, words


def test_countries_have_their_words() -> None:
    codes = set(map(str, Locale("fr").territories))
    assert len({row["iso2"] for row in countries()}) == len(countries()) > 195
    for row in countries():
        assert row["iso2"] in codes, row
        every = [row["name"], *(word for key in ("synonyms", "capital", "cities") for word in row[key].split("|"))]
        assert set(filter(None, row["weak"].split("|"))) <= set(every), row
        assert all(word == word.strip() for word in every), row


@pytest.mark.parametrize(
    ("word", "iso2"),
    [
        ("allemandes", "DE"), ("rfa", "DE"), ("nigérienne", "NE"), ("nigériane", "NG"), ("guyanien", "GY"),
        ("dominiquaise", "DM"), ("dominicains", "DO"), ("turque", "TR"), ("grecque", "GR"), ("malgaches", "MG"),
        ("burkinabè", "BF"), ("angleterre", "GB"), ("hollande", "NL"), ("birmanie", "MM"), ("surinam", "SR"),
        ("sud-coréenne", "KR"), ("équato-guinéen", "GQ"), ("tchéquie", "CZ"), ("rdc", "CD"), ("swaziland", "SZ"),
    ],
)  # fmt: skip
def test_a_word_names_its_country(word: str, iso2: str) -> None:
    named = {
        row["iso2"]
        for row in countries()
        for key in ("name", "synonyms", "demonyms")
        if words(word) in map(words, row[key].split("|"))
    }
    assert named == {iso2}


def test_a_word_with_two_meanings_is_listed_as_ambiguous() -> None:
    meanings: dict[str, set[str]] = defaultdict(set)
    for row in countries():
        for key in ("name", "synonyms", "demonyms", "capital", "cities"):
            for word in filter(None, row[key].split("|")):
                meanings[words(word)].add(row["iso2"])
    for row in places():
        code = row["territory"]
        if row["kind"] in {"region", "basin"} and row["country"] in {"FR", ""}:
            continue  # a region that is one département has its name
        for word in filter(None, [row["name"], *row["aliases"].split("|")]):
            meanings[words(word)].add(f"FR-{code}" if row["country"] == "FR" else row["country"])
    listed = {words(row["word"]) for row in rows_of(ROUTING / "ambiguous.csv")}
    assert sorted(word for word, found in meanings.items() if len(found) > 1 and word not in listed) == []


def test_ambiguous_words_have_known_candidates() -> None:
    iso = {row["iso2"] for row in countries()}
    french = {f"FR-{row['territory']}" for row in organisations() if row["country"] == "FR"}
    for row in rows_of(ROUTING / "ambiguous.csv"):
        candidates = row["candidates"].split()
        assert candidates, row
        assert set(candidates) <= iso | french, row
        assert not row["default"] or row["default"] in candidates, row


def test_places_lie_somewhere() -> None:
    iso = {row["iso2"] for row in countries()} | {"FR"}
    french = {row["territory"] for row in organisations() if row["country"] == "FR"}
    containers = {row["name"] for row in places()} | {row["territory"] for row in places()} | {""}
    for row in places():
        assert row["kind"] in {"region", "departement", "city", "passage", "body", "basin"}, row
        assert row["country"] in iso or row["kind"] == "basin", row
        assert not row["territory"] or row["territory"] in french, row
        assert row["territory"] or row["country"] != "FR", row
        assert row["region"] in containers, row
        assert row["weak"] in {"", "yes"}, row


def test_topics_have_words_and_weights() -> None:
    topics = tomllib.loads((ROUTING / "topics.toml").read_text(encoding="utf-8"))
    assert sorted(topics) == sorted(TOPICS)
    for name, topic in topics.items():
        assert topic["label"], name
        assert topic["label_en"], name
        assert name == "autre" or len(topic["words"]) >= 15, name
        spelled = [words(word) for word in topic["words"]]
        assert len(set(spelled)) == len(spelled), [word for word, count in Counter(spelled).items() if count > 1]
        assert all(0.5 <= weight <= 4 for weight in topic["words"].values()), name


def test_contexts_hold_the_word() -> None:
    contexts = tomllib.loads((ROUTING / "context.toml").read_text(encoding="utf-8"))
    names = [name for kind in ("initials", "everyday") for name in contexts.pop(kind)]
    assert all("{mot}" in phrase for phrases in contexts.values() for phrase in phrases)
    assert names
    assert not any("{mot}" in name for name in names)


def test_the_generator_spells_french_names(tmp_path: Path) -> None:
    assert administrative_map.of_town("Le Havre") == "du Havre"
    assert administrative_map.of_town("Les Andelys") == "des Andelys"
    assert administrative_map.of_town("Altkirch") == "d'Altkirch"
    assert administrative_map.of_town("La Flèche") == "de La Flèche"
    assert administrative_map.slug("Provence-Alpes-Côte d'Azur") == "provence-alpes-cote-d-azur"
    administrative_map.write(tmp_path / "row.csv", [administrative_map.Competence(organisation="a", role="desk", territory="67",
                                                                direction="both", legal_basis="b")])  # fmt: skip
    assert (tmp_path / "row.csv").read_text(encoding="utf-8").splitlines()[0].split(",") == COMPETENCE_COLUMNS
