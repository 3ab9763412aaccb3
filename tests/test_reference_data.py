"""The shipped reference data holds together: ids, references, dates, places, and no personal data."""

import csv
import re
import runpy
import tomllib
import unicodedata
from collections import Counter, defaultdict
from datetime import date
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from babel import Locale

from scripts import administrative_map

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "config" / "reference"
ROUTING = ROOT / "config" / "routing"
Row = dict[str, str]

ORGANISATION_COLUMNS = (
    "id,kind,name,short_name,country,subdivision,city,address,territory,parent,successor,timezone,opening_hours,"
    "phone,email,website,languages,visibility,status,source,checked_on"
).split(",")
COMPETENCE_COLUMNS = (
    "organisation,role,topic,country,territory,place,direction,legal_basis,valid_from,valid_to"
).split(",")
KINDS = (
    "region prefecture sous_prefecture police_prefecture representation_etat embassy consulate_general consulate "
    "honorary_consulate representation ministry body ccpd other"
).split()
ROLES = "prefect cdpr ambassador consul asi head deputy desk frontier_ambassador regional_ambassador member".split()
TOPICS = (
    "visa sejour eloignement asile nationalite etat_civil protection_consulaire securite entraide_judiciaire economie "
    "cooperation_transfrontaliere cooperation_decentralisee deplacement_officiel formation mobilite crise "
    "circulation_frontaliere autre"
).split()
LAND_BORDERS = {
    "BE": "59 02 08 55 54",
    "LU": "54 57",
    "DE": "57 67 68",
    "CH": "68 90 25 39 01 74",
    "IT": "74 73 05 04 06",
    "MC": "06",
    "ES": "66 09 31 65 64",
    "AD": "66 09",
    "BR": "973",
    "SR": "973",
    "SX": "978",
}
TODAY = "2026-11-23"
CODE = r"(\d\d|2[ab]|9[78]\d)"
IDS = {
    "region": r"region-[a-z-]+",
    "prefecture": f"prefecture-{CODE}",
    "representation_etat": r"prefecture-9[78]\d",
    "sous_prefecture": f"sous-prefecture-{CODE}-[a-z-]+",
    "police_prefecture": r"prefecture-de-police-[a-z]+",
    "embassy": r"ambassade-[a-z]{2}",
    "consulate_general": r"consulat-[a-z-]+",
    "consulate": r"consulat-[a-z-]+",
    "honorary_consulate": r"consulat-honoraire-[a-z-]+",
    "representation": r"(representation|bureau)-[a-z-]+",
    "ministry": r"ministere-[a-z-]+",
    "body": r"organe-[a-z0-9-]+",
    "ccpd": r"ccpd-[a-z-]+",
    "other": r"prefecture-984",
}
OVERSEAS = "975 977 978 984 986 987 988".split()
WITHOUT_A_POST = {"AF", "KP", "NE", "SD", "SY", "YE"}
"""Where no French post works today: the ministry answers."""

FRONTIER_AMBASSADOR = "ministere-ambassadeur-frontieres:frontier_ambassador"
DEPARTEMENTS = [f"{number:02}" for number in range(1, 96) if number != 20] + [
    "2A",
    "2B",
    "971",
    "972",
    "973",
    "974",
    "976",
]


def rows_of(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def organisations() -> list[Row]:
    return [row for path in sorted(REFERENCE.rglob("organisations.csv")) for row in rows_of(path)]


@cache
def competences() -> list[Row]:
    return [row for path in sorted(REFERENCE.rglob("competences.csv")) for row in rows_of(path)]


@cache
def countries() -> list[Row]:
    return rows_of(ROUTING / "countries.csv")


@cache
def places() -> list[Row]:
    return rows_of(ROUTING / "places.csv") + rows_of(ROUTING / "places_france.csv")


def words(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text.replace("œ", "oe").replace("Œ", "Oe"))
    return " ".join(re.findall(r"[a-z0-9]+", decomposed.encode("ascii", "ignore").decode().lower()))


@cache
def containing(place: str) -> frozenset[str]:
    """The place and those that contain it."""
    return frozenset([place, *(row["region"] for row in places() if row["name"] == place and row["region"])])


@cache
def competences_by_country() -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in competences():
        found[row["country"]].append(row)
    return found


@cache
def region_of(territory: str) -> str:
    return next((row["parent"] for row in organisations() if row["id"] == f"prefecture-{territory.lower()}"), "")


def answering(  # the rule of config/reference/README.md, written again in its plainest form
    topic: str, country: str, territory: str, place: str = "", *, on: str = TODAY, direction: str = "to_post"
) -> set[str]:
    """The offices that the most specific competences name."""
    best: dict[tuple[bool, ...], set[str]] = defaultdict(set)
    around = containing(place) if place else frozenset[str]()
    for row in [*competences_by_country()[""], *(competences_by_country()[country] if country else [])]:
        fits = (
            row["topic"] in {"", topic}
            and row["territory"] in {"", territory, region_of(territory)}
            and (not row["place"] or row["place"] in around)
            and row["direction"] in {"", "both", direction}
            and row["valid_from"] <= on
            and (not row["valid_to"] or on <= row["valid_to"])
        )
        if fits:
            named = tuple(bool(row[column]) for column in ("topic", "place", "country", "territory"))
            best[named].add(f"{row['organisation']}:{row['role']}")
    return best[max(best)] if best else set()


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
    assert readme == counts.in_readme(readme), "run scripts/reference_counts.py --write"
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
            "abbreviations.csv", "emergency.csv", "guards.toml",
        }, path  # fmt: skip
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            assert "@" not in text.replace("@etalab/", "")
            numbers = text.replace("+33 1 53 59 11 00", "")  # the crisis centre, which publishes it
            assert not re.search(r"\+\d{2}[ \d.]{6,}|\b0\d([ .]\d\d){4}\b", numbers)
            assert not re.search(r"\b(M\.|Mme|Monsieur|Madame) [A-Z]", text)
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


def test_the_map_of_france_is_complete() -> None:
    by_kind = Counter(row["kind"] for row in organisations())
    assert by_kind["region"] == 18
    prefectures = {row["territory"]: row for row in organisations() if row["kind"] == "prefecture"}
    assert sorted(DEPARTEMENTS) == sorted(code for code in prefectures if code != "975")
    assert len(DEPARTEMENTS) == 101
    assert by_kind["police_prefecture"] == 2
    assert by_kind["sous_prefecture"] > 220
    assert by_kind["ccpd"] == 10


def test_every_region_has_its_adviser() -> None:
    regions = {row["id"] for row in organisations() if row["kind"] == "region"}
    advised = {row["territory"] for row in competences() if row["role"] == "cdpr"}
    assert advised == regions
    assert all(row["organisation"] == row["territory"] for row in competences() if row["role"] == "cdpr")


@pytest.mark.parametrize("code", DEPARTEMENTS)
def test_every_departement_has_its_prefecture_and_its_adviser(code: str) -> None:
    (prefecture,) = (row for row in organisations() if row["id"] == f"prefecture-{code.lower()}")
    assert prefecture["kind"] == "prefecture"
    assert answering("autre", "", code) == {f"{prefecture['parent']}:cdpr"}
    assert answering("visa", "FR", code, direction="to_prefecture") == {f"{prefecture['id']}:desk"}


@pytest.mark.parametrize("code", OVERSEAS)
def test_a_territory_overseas_has_its_regional_ambassador(code: str) -> None:
    assert any(row["id"] == f"prefecture-{code}" and row["status"] == "open" for row in organisations())
    (answer,) = answering("cooperation_decentralisee", "", code)
    assert answer.endswith(":regional_ambassador")


def test_ids_are_formed_as_promised() -> None:
    for row in organisations():
        assert re.fullmatch(IDS[row["kind"]], row["id"]), row
        if row["kind"] == "embassy":
            assert row["id"] == f"ambassade-{row['country'].lower()}"
        if row["kind"] in {"prefecture", "representation_etat", "sous_prefecture"}:
            assert f"prefecture-{row['territory'].lower()}" in row["id"]


@pytest.mark.parametrize(
    ("ident", "name", "parent"),
    [
        ("region-grand-est", "Préfecture de la région Grand Est", ""),
        ("prefecture-67", "Préfecture du Bas-Rhin", "region-grand-est"),
        ("prefecture-57", "Préfecture de la Moselle", "region-grand-est"),
        ("prefecture-28", "Préfecture d'Eure-et-Loir", "region-centre-val-de-loire"),
        ("prefecture-88", "Préfecture des Vosges", "region-grand-est"),
        ("prefecture-01", "Préfecture de l'Ain", "region-auvergne-rhone-alpes"),
        ("prefecture-84", "Préfecture de Vaucluse", "region-provence-alpes-cote-d-azur"),
        ("prefecture-974", "Préfecture de La Réunion", "region-la-reunion"),
        ("prefecture-2a", "Préfecture de la Corse-du-Sud", "region-corse"),
        ("prefecture-973", "Préfecture de la Guyane", "region-guyane"),
        ("prefecture-978", "Représentation de l'État à Saint-Martin (préfecture déléguée)", "region-guadeloupe"),
        ("prefecture-988", "Haut-commissariat de la République en Nouvelle-Calédonie", ""),
        ("prefecture-de-police-paris", "Préfecture de police de Paris", "region-ile-de-france"),
        ("sous-prefecture-67-haguenau", "Sous-préfecture de Haguenau", "prefecture-67"),
        ("sous-prefecture-76-le-havre", "Sous-préfecture du Havre", "prefecture-76"),
        ("ambassade-de", "Ambassade de France en Allemagne", ""),
        ("consulat-munich", "Consulat général de France à Munich", "ambassade-de"),
        ("consulat-honoraire-turin", "Consulat honoraire de France à Turin", "ambassade-it"),
        ("representation-ue", "Représentation permanente de la France auprès de l'Union européenne", ""),
        ("ccpd-kehl", "Centre de coopération policière et douanière de Kehl", ""),
        ("ministere-cdcs", "Centre de crise et de soutien", "ministere-meae"),
        ("organe-cct", "Comité de coopération transfrontalière (franco-allemand)", ""),
    ],
)
def test_ids_and_names_are_the_promised_ones(ident: str, name: str, parent: str) -> None:
    (row,) = (row for row in organisations() if row["id"] == ident)
    assert (row["name"], row["parent"]) == (name, parent)


@pytest.mark.parametrize("country", LAND_BORDERS)
def test_across_a_land_border_somebody_answers(country: str) -> None:
    for code in LAND_BORDERS[country].split():
        for topic in ("cooperation_transfrontaliere", "circulation_frontaliere", "etat_civil", "visa", "securite"):
            answers = answering(topic, country, code)
            assert answers, (code, country, topic)
            assert not any(answer.startswith("region-") for answer in answers), (code, country, topic, answers)
        assert len(answering("cooperation_transfrontaliere", country, code)) == 1


@pytest.mark.parametrize(
    ("topic", "country", "territory", "place", "expected"),
    [
        ("etat_civil", "DE", "57", "Sarre", "consulat-francfort:consul"),
        ("etat_civil", "DE", "57", "Sarrebruck", "consulat-francfort:consul"),
        ("cooperation_transfrontaliere", "DE", "57", "Sarre", "consulat-sarrebruck:consul"),
        ("cooperation_transfrontaliere", "DE", "67", "", "consulat-stuttgart:consul"),
        ("visa", "DE", "75", "Munich", "consulat-francfort:consul"),
        ("protection_consulaire", "DE", "33", "Munich", "consulat-munich:consul"),
        ("protection_consulaire", "DE", "57", "Sarre", "consulat-sarrebruck:consul"),
        ("protection_consulaire", "DE", "33", "Karlsruhe", "consulat-stuttgart:consul"),
        ("protection_consulaire", "ES", "64", "Irun", "consulat-bilbao:consul"),
        ("protection_consulaire", "ES", "33", "Séville", "consulat-seville:consul"),
        ("etat_civil", "PL", "33", "Cracovie", "ambassade-pl:consul"),
        ("etat_civil", "US", "33", "La Nouvelle-Orléans", "consulat-houston:consul"),
        ("visa", "HU", "33", "", "ambassade-at:consul"),
        ("visa", "KP", "33", "", "ambassade-cn:consul"),
        ("etat_civil", "KP", "33", "", "ministere-fae:desk"),
        ("etat_civil", "PY", "33", "", "ambassade-ar:consul"),
        ("etat_civil", "JM", "33", "", "ambassade-pa:consul"),
        ("deplacement_officiel", "BS", "33", "", "ambassade-pa:ambassador"),
        ("deplacement_officiel", "BZ", "33", "", "ambassade-gt:ambassador"),
        ("deplacement_officiel", "MW", "33", "", "ambassade-za:ambassador"),
        ("etat_civil", "SV", "33", "", "ambassade-gt:consul"),
        ("etat_civil", "CV", "33", "", "consulat-dakar:consul"),
        ("etat_civil", "SS", "33", "", "ambassade-et:consul"),
        ("protection_consulaire", "GL", "33", "", "consulat-nuuk:consul"),
        ("protection_consulaire", "AU", "988", "Melbourne", "consulat-melbourne:consul"),
        ("etat_civil", "AU", "988", "Melbourne", "consulat-sydney:consul"),
        ("securite", "DE", "67", "", "ambassade-de:asi"),
        ("crise", "DE", "67", "", "ccpd-kehl:desk"),
        ("etat_civil", "ES", "64", "Bilbao", "consulat-madrid:consul"),
        ("cooperation_transfrontaliere", "ES", "64", "Irun", "consulat-bilbao:consul"),
        ("cooperation_transfrontaliere", "ES", "66", "", "consulat-barcelone:consul"),
        ("visa", "ES", "66", "Barcelone", "consulat-madrid:consul"),
        ("securite", "AD", "09", "", "ambassade-es:asi"),
        ("etat_civil", "CH", "74", "Lausanne", "consulat-geneve:consul"),
        ("etat_civil", "CH", "68", "Bâle", "consulat-zurich:consul"),
        ("visa", "CH", "68", "Bâle", "consulat-geneve:consul"),
        ("etat_civil", "IT", "06", "Vintimille", "consulat-milan:consul"),
        ("visa", "IT", "06", "Vintimille", "ambassade-it:consul"),
        ("visa", "LU", "57", "", "consulat-bruxelles:consul"),
        ("etat_civil", "LU", "57", "", "ambassade-lu:consul"),
        ("etat_civil", "BE", "59", "", "consulat-bruxelles:consul"),
        ("visa", "SX", "978", "", "ambassade-do:consul"),
        ("etat_civil", "DM", "971", "", "ambassade-lc:consul"),
        ("protection_consulaire", "CA", "975", "", "consulat-moncton:consul"),
        ("economie", "GY", "973", "", "ambassade-gy:ambassador"),
        ("crise", "JP", "33", "", "ambassade-jp:ambassador"),
        ("crise", "", "33", "", "ministere-cdcs:desk"),
        (
            "cooperation_transfrontaliere",
            "",
            "74",
            "Conseil du Léman",
            "ministere-ambassadeur-frontieres:frontier_ambassador",
        ),
        ("cooperation_decentralisee", "", "972", "", "ministere-ambassadeur-antilles-guyane:regional_ambassador"),
        ("eloignement", "DZ", "13", "", "ministere-dgef:desk"),
        ("autre", "", "67", "", "region-grand-est:cdpr"),
    ],
)
def test_the_most_precise_competence_answers(
    topic: str, country: str, territory: str, place: str, expected: str
) -> None:
    assert answering(topic, country, territory, place) == {expected}


@pytest.mark.parametrize(
    ("country", "codes", "cooperation", "civil_status", "visa"),
    [
        ("BE", "59 02 08 55 54", "ambassade-be", "consulat-bruxelles", "consulat-bruxelles"),
        ("GB", "59 62", "ambassade-gb", "consulat-londres", "consulat-londres"),
        ("LU", "54 57", "ambassade-lu", "ambassade-lu", "consulat-bruxelles"),
        ("DE", "57", "consulat-sarrebruck", "consulat-francfort", "consulat-francfort"),
        ("DE", "67 68", "consulat-stuttgart", "consulat-munich", "consulat-francfort"),
        ("CH", "68", "consulat-zurich", "consulat-zurich", "consulat-geneve"),
        ("CH", "90 25 39 01 74", "consulat-geneve", "consulat-geneve", "consulat-geneve"),
        ("IT", "74 73 05 04 06", "consulat-milan", "consulat-milan", "ambassade-it"),
        ("IT", "2A 2B", "ambassade-it", "ambassade-it", "ambassade-it"),
        ("MC", "06", "ambassade-mc", "ambassade-mc", "ambassade-mc"),
        ("ES", "66 09 31 65", "consulat-barcelone", "consulat-madrid", "consulat-madrid"),
        ("ES", "64", "consulat-bilbao", "consulat-madrid", "consulat-madrid"),
        ("AD", "66 09", "ambassade-ad", "ambassade-ad", "ambassade-ad"),
        ("BR", "973", "ambassade-br", "ambassade-br", "ambassade-br"),
        ("SR", "973", "ambassade-sr", "ambassade-sr", "ambassade-sr"),
        ("GY", "973", "ambassade-gy", "ambassade-sr", "ambassade-sr"),
        ("SX", "978 977", "ambassade-nl", "consulat-amsterdam", "ambassade-do"),
        ("AG", "971 972", "ambassade-lc", "ambassade-lc", "ambassade-lc"),
        ("KM", "976 974", "ambassade-km", "ambassade-km", "ambassade-km"),
        ("MG", "976 974", "ambassade-mg", "consulat-tananarive", "consulat-tananarive"),
        ("MU", "974", "ambassade-mu", "ambassade-mu", "ambassade-mu"),
        ("SC", "974", "ambassade-sc", "ambassade-sc", "ambassade-sc"),
        ("CA", "975", "ambassade-ca", "consulat-moncton", "consulat-montreal"),
        ("AU", "988", "ambassade-au", "consulat-sydney", "consulat-sydney"),
        ("NZ", "987 988", "ambassade-nz", "ambassade-nz", "ambassade-nz"),
        ("VU", "988", "ambassade-vu", "ambassade-vu", "ambassade-vu"),
        ("FJ", "986 988", "ambassade-fj", "ambassade-fj", "ambassade-fj"),
    ],
)
def test_each_stretch_of_border_has_its_posts(
    country: str, codes: str, cooperation: str, civil_status: str, visa: str
) -> None:
    topics = {"cooperation_transfrontaliere": cooperation, "etat_civil": civil_status, "visa": visa}
    for code in codes.split():
        for topic, expected in topics.items():
            assert {answer.split(":")[0] for answer in answering(topic, country, code)} == {expected}, (code, topic)


def test_a_region_s_own_question_without_a_country_stays_with_its_adviser() -> None:
    assert answering("autre", "", "region-grand-est") == {"region-grand-est:cdpr"}


def test_the_past_is_kept_with_its_dates() -> None:
    assert answering("economie", "GY", "973", on="2025-08-31") == {"ambassade-sr:ambassador"}
    assert answering("economie", "GY", "973", on="2025-09-01") == {"ambassade-gy:ambassador"}
    assert answering("etat_civil", "NE", "75") == {"ministere-fae:desk"}
    assert answering("etat_civil", "GL", "75", on="2026-02-05") == {"ambassade-dk:consul"}


def test_without_a_place_germany_is_asked_back() -> None:
    assert len(answering("etat_civil", "DE", "33")) == 3


def test_a_prefecture_answers_for_its_territory() -> None:
    for topic in ("visa", "sejour", "etat_civil", "nationalite", "protection_consulaire", "securite", "crise"):
        assert answering(topic, "FR", "67", direction="to_prefecture") == {"prefecture-67:desk"}
    assert answering("sejour", "FR", "75", direction="to_prefecture") == {"prefecture-de-police-paris:desk"}
    for topic in ("cooperation_transfrontaliere", "economie"):
        assert answering(topic, "FR", "67", direction="to_prefecture") == {"region-grand-est:cdpr"}


def test_every_country_is_answered_by_an_open_post_or_by_the_ministry() -> None:
    kinds = {row["id"]: row["kind"] for row in organisations() if row["status"] == "open"}
    for country in (row["iso2"] for row in countries()):
        for topic in ("autre", "crise", "visa", "etat_civil", "protection_consulaire", "deplacement_officiel"):
            answers = answering(topic, country, "75")
            assert answers, (country, topic)
            for ident in (answer.split(":")[0] for answer in answers):
                assert ident in kinds, (country, topic, ident)
                if topic == "protection_consulaire" and country != "EH":  # contested: no post has it as its district
                    assert (kinds[ident] == "ministry") == (country in WITHOUT_A_POST), (country, ident)


def test_nobody_is_sent_to_a_closed_post() -> None:
    status = {row["id"]: row["status"] for row in organisations()}
    successor = {row["id"]: row["successor"] for row in organisations()}
    for row in competences():
        in_force = row["valid_from"] <= TODAY and (not row["valid_to"] or row["valid_to"] >= TODAY)
        assert not in_force or status[row["organisation"]] == "open", row
    for ident in (ident for ident, its in status.items() if its == "closed"):
        assert status[successor[ident]] == "open", ident
    assert {status[f"ambassade-{country.lower()}"] for country in WITHOUT_A_POST - {"KP"}} == {"suspended"}


def test_two_posts_share_a_charge_only_where_one_asks_back() -> None:
    charges: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in competences():
        if row["valid_from"] <= TODAY and (not row["valid_to"] or row["valid_to"] >= TODAY):
            key = ("topic", "country", "territory", "place", "direction")
            charges[tuple(row[column] for column in key)].append(row)
    shared = [rows for rows in charges.values() if len(rows) > 1]
    assert {rows[0]["country"] for rows in shared} == {"CH", "DE", "IT"}
    assert all(row["legal_basis"].startswith("à défaut de ") for rows in shared for row in rows)


def test_countries_have_their_words() -> None:
    codes = set(map(str, Locale("fr").territories))
    assert len({row["iso2"] for row in countries()}) == len(countries()) > 195
    for row in countries():
        assert row["iso2"] in codes, row
        assert row["locative"].startswith(("en ", "au ", "aux ", "à ", "près ")), row
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
    assert all("{mot}" in phrase for phrases in contexts.values() for phrase in phrases)


def test_the_generator_spells_french_names(tmp_path: Path) -> None:
    assert administrative_map.of_town("Le Havre") == "du Havre"
    assert administrative_map.of_town("Les Andelys") == "des Andelys"
    assert administrative_map.of_town("Altkirch") == "d'Altkirch"
    assert administrative_map.of_town("La Flèche") == "de La Flèche"
    assert administrative_map.slug("Provence-Alpes-Côte d'Azur") == "provence-alpes-cote-d-azur"
    administrative_map.write(tmp_path / "row.csv", [administrative_map.Competence(organisation="a", role="desk", territory="67",
                                                                direction="both", legal_basis="b")])  # fmt: skip
    assert (tmp_path / "row.csv").read_text(encoding="utf-8").splitlines()[0].split(",") == COMPETENCE_COLUMNS
