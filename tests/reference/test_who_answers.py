"""Who answers across each border and in each country; nobody is sent to a closed post."""

from collections import defaultdict

import pytest

from tests.reference.rows import (
    LAND_BORDERS,
    TODAY,
    WITHOUT_A_POST,
    Row,
    answering,
    competences,
    countries,
    organisations,
)


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
