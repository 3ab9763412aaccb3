"""The rows of the shipped reference data, and the rule by which competences answer, in its plainest form."""

import csv
import re
import unicodedata
from collections import defaultdict
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
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
