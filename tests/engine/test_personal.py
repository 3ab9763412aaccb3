"""What is an identifier of a person, what only looks like one, and what is left of a text without them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.personal import KINDS, MASK, found, is_nir, masked

FOUND = [  # made-up numbers; those with check digits have the right ones
    ("nir", "NIR 1 85 05 78 006 084 91."),
    ("nir", "Son numéro est 285012A00100157"),
    ("nir", "1.55.08.2B.123.456.26"),
    ("iban", "Virement sur FR76 3000 6000 0112 3456 7890 189 merci"),
    ("iban", "de89370400440532013000"),
    ("iban", "BE68-5390-0754-7034"),
    ("passport", "12AB34567"),
    ("identity", "passeport allemand C01X00T47"),
    ("passport", "Passeport n° 512345678"),
    ("passport", "passport number: 31 1234567"),
    ("passport", "AB1234567 délivré à Fès"),
    ("passport", "titulaire du YA 1234567"),
    ("identity", "880692310285"),
    ("identity", "CNI X4RTBPFW4"),
    ("identity", "X4RTBPFW4"),
    ("identity", "Personalausweis L01X00T471"),
    ("identity", "DNI 12345678Z"),
    ("foreigner", "9903012345"),
    ("foreigner", "n° AGDREF 99 03 012345"),
    ("foreigner", "titre de séjour n° ABC1234567"),
    ("foreigner", "99 03 012 345"),
    ("phone", "06 12 34 56 78"),
    ("phone", "0612345678"),
    ("phone", "06.12.34.56.78."),
    ("phone", "+49 69 795096-0"),
    ("phone", "(+33) 6 12 34 56 78"),
    ("phone", "0033612345678"),
    ("birth", "né le 12/03/1985"),
    ("birth", "née à Metz le 1er mars 1985"),
    ("birth", "Date de naissance : 1985-03-12"),
    ("birth", "born on 12 March 1985"),
    ("birth", "né(e) le 3.4.85"),
    ("phone", "**06** 12 *34* 56 78"),
    ("phone", "06\u00a012\u202f34\u00a056\u202f78"),
    ("phone", "06\u200b12\u200b34\u200b56\u200b78"),
    ("phone", "\\+33 6 12 34 56 78"),
    ("foreigner", "\uff19\uff19\uff10\uff13\uff10\uff11\uff12\uff13\uff14\uff15"),
]

PASSED = [
    "Q-2026-00042",
    "Voir Q-2026-00042, Q-2026-00043.",
    "Réunion le 12/03/2026 à 14 h 30",
    "du 12 mars 2026 au 3 avril 2026",
    "1 000 000 €",
    "12 345 678,90 EUR",
    "article L. 431-2 du CESEDA",
    "circulaire NOR INTV1234567C",
    "règlement (UE) 2016/679",
    "directive 2004/38/CE",
    "SIREN 732 829 320",
    "SIRET 732 829 320 00074",
    "code postal 57000 Metz",
    "1 85 05 78 006 084 92",
    "FR76 3000 6000 0112 3456 7890 188",
    "acte n° 1234/2020, registre 12",
    "né en Allemagne",
    "la naissance de son enfant, acte 85",
    "version 2.10.3-1",
    "https://example.org/acte?n=1",
    "CONSULAT GENERAL",
    "salle B12, bâtiment A3",
    "vol AF1234, train ICE 9556",
    "2026-03-16T12:00",
    "arrêté 57-2026-0312",
    "le passeport est perdu depuis 2019",
    "passeport : délai de 10 jours",
    "dossier 2026/118",
]


@pytest.mark.parametrize(("kind", "text"), FOUND)
def test_an_identifier_is_found_and_masked(kind: str, text: str) -> None:
    assert [it.kind for it in found(text)] == [kind]
    hidden = masked(text)
    assert MASK in hidden
    assert sum(c.isdigit() for c in hidden) <= 1, hidden
    assert found(hidden) == ()


@pytest.mark.parametrize("text", PASSED)
def test_what_only_looks_like_one_passes(text: str) -> None:
    assert found(text) == ()
    assert masked(text) == text


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_tried(kind: str) -> None:
    assert any(kind == known for known, _ in FOUND)


@given(sex=st.sampled_from("12"), body=st.integers(0, 10**4 - 1), place=st.sampled_from(["57", "2A", "2B", "99"]),
       order=st.integers(0, 10**6 - 1))  # fmt: skip
def test_only_the_right_key_makes_a_nir(sex: str, body: int, place: str, order: int) -> None:
    number = f"{sex}{body:04}{place}{order:06}"
    value = int(number.replace("2A", "19").replace("2B", "18"))
    right = [key for key in range(100) if is_nir(f"{number}{key:02}")]
    assert right == [97 - value % 97]


@settings(max_examples=25)
@given(st.text(max_size=80), st.sampled_from([text for _, text in FOUND]), st.text(max_size=50))
def test_nothing_breaks_it_and_masking_ends(before: str, one: str, after: str) -> None:
    for text in (before, f"{before}\n{one}\n{after}"):
        spans = [(it.start, it.end) for it in found(text)]
        assert spans == sorted(spans)
        assert all(0 <= start < end <= len(text) for start, end in spans)
        masked(text)
    assert found(f"{before}\n\n{one}\n\n{after}")


def test_a_long_text_takes_no_time() -> None:
    for text in ("9" * 20_000, "A1" * 10_000, "0 1 " * 5_000, "passeport n° " * 1_500, "né " * 6_000):
        found(text)
