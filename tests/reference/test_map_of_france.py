"""The map of France is whole: regions, départements, ids as promised, and the script that makes it."""

import re
from collections import Counter

import pytest

from tests.reference.rows import DEPARTEMENTS, IDS, OVERSEAS, answering, competences, organisations


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
