"""Names are read however they are typed, and never as another country's."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.routing.identifiers import identifiers, masked
from bot.routing.mending import skeleton
from bot.routing.reading import read
from bot.routing.spelling import keys, words
from tests.routing.shipped import rules


def countries(text: str) -> set[str]:
    return set(read(text, rules()).countries)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # typed badly
        ("un ressortisant aglérien", {"DZ"}),
        ("une marocianne de casablaca", {"MA"}),
        ("acte sénégalis", {"SN"}),
        ("en Allmagne", {"DE"}),
        ("lallemagne", {"DE"}),
        ("cotedivoire", {"CI"}),
        ("Alle magne", {"DE"}),
        ("République domincaine", {"DO"}),
        ("burkina fasso", {"BF"}),
        ("bjr pb ds un doc tunisien svp", {"TN"}),
        # in English
        ("a German national born in Accra", {"DE", "GH"}),
        ("two Swiss and three Moroccans", {"CH", "MA"}),
        ("a Congolese applicant", {"CG", "CD"}),
        ("tell us about the US university", {"US"}),
        ("please tell us", set[str]()),
        # no place at all
        ("acte traduit de l'italien", set[str]()),
        ("une formation d'espagnol", set[str]()),
        ("la convention de La Haye", set[str]()),
        ("notre bureau rue de Rome", set[str]()),
        ("latino-américain", set[str]()),
        ("40 tonnes d'eau", set[str]()),
        ("le canton verse une part", set[str]()),
        ("la grève des douanes", set[str]()),
        ("Niger, pas Nigeria", {"NE"}),
        ("M. Marocco vit ici", set[str]()),
        ("Mme Niger et Monsieur France", set[str]()),
        # a word of every day, the people of a town, and a town that holds another's name
        ("deux bergers sur la ligne de crête", set[str]()),
        ("la médina de Tunis", {"TN"}),
        ("le consul honoraire en Crète", {"GR"}),
        ("un étudiant nancéen", set[str]()),
        ("un élu de Saint-Martin-de-Ré", set[str]()),
        ("jumelage de Vienne-le-Château", set[str]()),
        # initials
        ("un ressortissant US", {"US"}),
        ("les us et coutumes", set[str]()),
        ("Us, Val-d'Oise", set[str]()),
        # cross-border bodies
        ("le comité de coopération frontalière franco-italien", {"IT"}),
        ("la plénière du CRFG", set[str]()),
    ],
)
def test_what_a_text_names(text: str, expected: set[str]) -> None:
    assert countries(text) == expected


def test_a_number_beside_a_name_tells_the_departement() -> None:
    assert read("Châtellerault (Vienne 86)", rules()).names[-1].senses[0].code == "FR-86"


def test_home_settles_what_is_open_when_another_country_is_named() -> None:
    found = read("la Cerdagne et l'Andorre", rules(), home=("66", "region-occitanie"))
    assert found.countries == ("AD",)


single_names = sorted(
    {
        (run, frozenset(sense.code for sense in name.senses))
        for meanings in rules().names._meanings
        for run, name in meanings.items()
        if " " not in run and not name.weak and len(run) >= 7
    }
)


@settings(max_examples=60)
@given(st.sampled_from(single_names), st.data())
def test_one_error_never_makes_another_country(named: tuple[str, frozenset[str]], data: st.DataObject) -> None:
    name, codes = named
    at = data.draw(st.integers(1, len(name) - 2))
    letter = data.draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz"))
    typed = data.draw(
        st.sampled_from(
            [
                name[:at] + name[at + 1 :],
                name[:at] + letter + name[at + 1 :],
                name[:at] + letter + name[at:],
                name[:at] + name[at + 1] + name[at] + name[at + 2 :],
            ]
        )
    )
    known = {sense.code for found in read(typed, rules()).names for sense in found.senses}
    spelled_so = {
        code for other, its in single_names if other == typed or skeleton(other) == skeleton(typed) for code in its
    }
    near = {code for other, its in single_names if abs(len(other) - len(typed)) <= 1 for code in its}
    assert known <= codes | spelled_so | near


@pytest.mark.parametrize(
    "word", ["niger", "nigeria", "autriche", "australie", "dominique", "guyane", "guyana", "iran", "irak"]
)
def test_a_word_that_is_known_is_never_mended(word: str) -> None:
    assert rules().mender.mend(words(word))[0].key == word


def test_an_abbreviation_is_spelled_out_and_quoted_as_written() -> None:
    found = rules().mender.mend(words("le rdv"))
    assert [word.key for word in found] == ["le", "rendez", "vous"]
    assert {word.written for word in found} == {"le", "rdv"}


@settings(max_examples=100)
@given(st.text(max_size=80))
def test_mending_keeps_what_was_written(text: str) -> None:
    mended = rules().mender.mend(words(text))
    assert "".join(dict.fromkeys("".join(keys(word.key)) for word in mended)) is not None
    assert {word.at for word in mended} <= {word.at for word in words(text)}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("M. Jean DUPONT, né le 12/03/1980", "M. …, né le …"),
        ("passeport 19AB12345, tél. 06 12 34 56 78", "passeport …, tél. …"),
        ("écrire à jeanne.exemple@exemple.fr", "écrire à …"),
        ("IBAN FR76 3000 6000 0112 3456 7890 189", "IBAN …"),
        ("+49 30 590 03 90 00", "…"),
        ("l'acte n° 1234 de 1998, OQTF du 12 mars 2024, 67000 Strasbourg", None),
        ("Q-2026-00042", None),
    ],
)
def test_identifiers_are_masked(text: str, left: str | None) -> None:
    assert masked(text) == (left or text)
    assert bool(identifiers(text)) == (left is not None)


@given(st.text(max_size=120))
def test_what_is_masked_has_no_identifier_left_of_its_own(text: str) -> None:
    spans = [(it.start, it.end) for it in identifiers(text)]
    assert spans == sorted(spans)
    assert all(one[1] <= other[0] for one, other in pairwise(spans))
