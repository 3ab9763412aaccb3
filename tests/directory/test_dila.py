"""The State's open directory in all its shapes: the same rows come of each, and no person of any."""

import bz2
import csv
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select

from bot.directory.cells import country_names
from bot.directory.importing import apply
from bot.directory.reading import read
from bot.directory.snapshot import load
from bot.directory.tables import Organisation, Person
from tests.directory.conftest import Files, faults

Record = dict[str, Any]

PREFECTURE: Record = {
    "id": "0b2d8ed7-0000-4000-8000-000000000067",
    "nom": "Préfecture - Bas-Rhin",
    "type_organisme": "Préfecture, sous-préfecture",
    "pivot": [
        {"type_service_local": "prefecture", "code_insee_commune": ["67482"]},
        {"type_service_local": "prefecture_region", "code_insee_commune": ["67482"]},
    ],
    "code_insee_commune": "67482",
    "adresse": [
        {"type_adresse": "Adresse postale", "numero_voie": "BP 1", "code_postal": "67073", "nom_commune": "Strasbourg"},
        {
            "type_adresse": "Adresse",
            "complement1": "Hôtel",
            "complement2": "",
            "numero_voie": "5 place Exemple",
            "service_distribution": None,
            "code_postal": "67000",
            "nom_commune": "Strasbourg",
            "pays": "",
        },
    ],
    "telephone": [{"valeur": "03 88 00 00 00", "description": ""}],
    "adresse_courriel": ["prenom.nom@example.gouv.fr", "pref-contact@example.gouv.fr"],
    "site_internet": [{"libelle": "", "valeur": "https://www.bas-rhin.example.fr"}],
    "plage_ouverture": [
        {
            "nom_jour_debut": "Lundi",
            "nom_jour_fin": "Vendredi",
            "valeur_heure_debut_1": "08:30:00",
            "valeur_heure_fin_1": "12:00:00",
            "valeur_heure_debut_2": "13:30:00",
            "valeur_heure_fin_2": "16:00:00",
            "commentaire": "",
        },
        {"nom_jour_debut": "Samedi", "nom_jour_fin": "", "valeur_heure_debut_1": "9:00", "valeur_heure_fin_1": "11:30"},
    ],
    "affectation_personne": [
        {
            "fonction": "Préfète",
            "telephone": "",
            "personne": {"nom": "NOM", "prenom": "Prénom", "adresse_courriel": ["Prenom.Nom@example.gouv.fr"]},
        }
    ],
    "date_modification": "05/02/2026 09:15:00",
    "texte_reference": [],
    "mission": "",
    "siret": None,
}
EMBASSY: Record = {
    "id": "0b2d8ed7-0000-4000-8000-000000000001",
    "nom": "Ambassade de France près le Saint-Siège",
    "type_organisme": "Ambassade ou mission diplomatique",
    "pivot": [],
    "adresse": [{"numero_voie": "1 via Esempio", "nom_commune": "Rome", "pays": "Italie"}],
    "telephone": [{"valeur": "+39 06 000"}],
    "adresse_courriel": [],
    "plage_ouverture": None,
    "date_modification": "2026-03-01T08:00:00+00:00",
}
OTHERS: list[Record] = [
    {"nom": "Mairie - Exemple", "pivot": [{"type_service_local": "mairie", "code_insee_commune": ["67001"]}]},
    {
        "nom": "Ambassade d’Exemple",
        "type_organisme": "Ambassade ou mission diplomatique",
        "adresse": [{"pays": "France"}],
    },
]
RECORDS = [PREFECTURE, EMBASSY, *OTHERS]


def strung(record: Record) -> Record:
    """A record as the API has it: each list a string, what is empty an empty string or null."""
    return {
        name: json.dumps(value, ensure_ascii=False) if isinstance(value, list) and value else value or ""
        for name, value in record.items()
    }


def packed_tar(text: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:bz2", format=tarfile.PAX_FORMAT) as archive:
        for name, content in (("lisez-moi.txt", b"rien"), ("2026-données_local.json", text)):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def packed_zip(text: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("dossier/données.json", text)
    return stream.getvalue()


def dumped(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode()


SHAPES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "API export": ("export.json", lambda: dumped([strung(r) for r in RECORDS])),
    "API answer": ("answer.json", lambda: dumped({"total_count": 4, "results": [strung(r) for r in RECORDS]})),
    "API lines": ("export.jsonl", lambda: b"\n".join(json.dumps(strung(r)).encode() for r in RECORDS)),
    "older API": ("old.json", lambda: dumped({"nhits": 4, "records": [{"fields": strung(r)} for r in RECORDS]})),
    "dump": ("dump.json", lambda: b"\xef\xbb\xbf" + dumped({"service": RECORDS})),
    "dump, packed": ("all.tar.bz2", lambda: packed_tar(dumped({"service": RECORDS}))),
    "dump, zipped": ("all.zip", lambda: packed_zip(dumped({"service": RECORDS}))),
}


def loaded(files: Files, name: str, content: bytes) -> tuple[int, int, int, list[Any]]:
    parsed = read([files.write(name, content)], lambda: files.database.run_now(load).organisations)
    result = files.database.run_now(lambda session: apply(session, parsed))
    return result.added, result.changed, parsed.left_out, faults(result)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gives_the_same_rows(peopled: Files, shape: str) -> None:
    name, content = SHAPES[shape]
    assert loaded(peopled, name, content()) == (1, 2, 2, [])
    rows = {row.id: row for row in peopled.database.run_now(lambda s: list(s.scalars(select(Organisation))))}
    own, region, embassy = rows["prefecture-67"], rows["region-exemple"], rows["ambassade-va"]
    assert own.name == "Préfecture du Bas-Rhin", "the directory's own name stays"
    assert own.address == "Hôtel\n5 place Exemple\n67000 Strasbourg"
    assert (own.phone, own.email) == ("+33 3 88 00 00 00", "pref-contact@example.gouv.fr")
    assert own.opening_hours == "Mo-Fr 08:30-12:00,13:30-16:00; Sa 09:00-11:30"
    assert (str(own.checked_on), own.edited) == ("2026-02-05", True)
    assert own.website == "https://www.bas-rhin.example.fr"
    assert (region.phone, region.name) == (own.phone, "Préfecture de la région Exemple")
    assert (embassy.kind, embassy.country, embassy.city, str(embassy.checked_on)) == (
        "embassy",
        "VA",
        "Rome",
        "2026-03-01",
    )
    assert embassy.address == "1 via Esempio\nRome\nItalie"
    names = {row.family_name for row in peopled.database.run_now(lambda s: list(s.scalars(select(Person))))}
    assert "NOM" not in names
    assert "Prénom" not in " ".join(row.source + row.address + row.name for row in rows.values())
    assert loaded(peopled, name, content()) == (0, 0, 2, []), "again, nothing changes"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_is_bad_is_named_by_the_number_of_its_record(peopled: Files) -> None:
    bad = EMBASSY | {
        "nom": "Ambassade de France",
        "adresse": [{"pays": "Atlantide"}],
        "site_internet": [{"valeur": "x y"}],
    }
    *_, problems = loaded(peopled, "x.json", dumped([PREFECTURE, bad]))
    assert problems == [
        ("x.json", 2, "country", "Atlantide", "import.bad_country"),
        ("x.json", 2, "website", "x y", "import.bad_website"),
    ]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        (b"[]", 0, "import.not_dila"),
        (b"{}", 0, "import.not_dila"),
        (b"", 0, "import.not_dila"),
        (b'[{"nom": "x"}, 3]', 2, "import.bad_json"),
        (b'[{"nom": "x"}, {"nom": ', 2, "import.bad_json"),
        (b'{"nom": NaN, "a": ' + b"9" * 5000 + b"}", 1, "import.bad_json"),
        (b'[{"nom": "\xff"}]', 0, "import.not_utf8"),
        (b"[" * 100_000, 1, "import.bad_json"),
        (b'[{"nom":' + b'{"a":' * 100_000, 1, "import.bad_json"),
        (b'[{"nom":"' + b"x" * 3_000_000 + b'"}]', 1, "import.bad_json"),
    ],
)
def test_what_is_no_such_document_is_refused(peopled: Files, content: bytes, line: int, reason: str) -> None:
    *_, problems = loaded(peopled, "x.json", content)
    assert [(found[1], found[4]) for found in problems] == [(line, reason)]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_lists_within_strings_may_be_broken(peopled: Files) -> None:
    odd = {
        "nom": "x",
        "pivot": "[" * 5000,
        "adresse": '[{"pays"',
        "telephone": "[1, null, {}]",
        "type_organisme": "Ambassade",
    }
    assert loaded(peopled, "x.json", dumped([odd])) == (0, 0, 1, [])


@pytest.mark.parametrize(
    ("commune", "written", "expected"),
    [
        ("97105", "0590 99 00 00", "+590 5 90 99 00 00"),
        ("2A004", "04.95.00.00.00", "+33 4 95 00 00 00"),
        ("67482", "3939", "3939"),
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_telephones_can_be_dialled_from_abroad(files: Files, commune: str, written: str, expected: str) -> None:
    record = {
        "nom": "Préfecture",
        "pivot": [{"type_service_local": "prefecture", "code_insee_commune": [commune]}],
        "telephone": [{"valeur": written}],
    }
    assert loaded(files, "x.json", dumped([record]))[3] == []
    [row] = files.database.run_now(lambda s: list(s.scalars(select(Organisation))))
    assert row.phone == expected
    assert row.id == f"prefecture-{commune[: 3 if commune.startswith('97') else 2].lower()}"


def test_bz2_without_its_end_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "x.tar.bz2"
    path.write_bytes(bz2.compress(b"x" * 100_000)[:-20])
    assert [problem.reason.key for problem in read([path]).problems] == ["import.damaged_archive"]


def as_the_state_has_it(row: dict[str, str]) -> Record | None:
    """A record of an organisation of the shipped map, as far as the State's directory would say it."""
    abroad = "" if row["country"] == "FR" else country_names()[row["country"]]
    record: Record = {"nom": row["name"], "adresse": [{"nom_commune": row["city"], "pays": abroad}]}
    commune = row["territory"] + ("01" if len(row["territory"]) == 3 else "001")
    kinds = {"prefecture": "prefecture", "representation_etat": "prefecture", "sous_prefecture": "sous_pref"}
    if row["kind"] in kinds:
        return record | {"pivot": [{"type_service_local": kinds[row["kind"]], "code_insee_commune": [commune]}]}
    if row["kind"] in ("embassy", "consulate_general"):
        return record | {"type_organisme": "Ambassade ou mission diplomatique"}
    return None


def test_every_office_of_the_shipped_map_is_recognised(tmp_path: Path) -> None:
    reference = Path(__file__).parents[2] / "config" / "reference"
    shipped: dict[str, dict[str, str]] = {}
    for path in reference.rglob("organisations.csv"):
        with path.open(encoding="utf-8", newline="") as stream:
            shipped |= {row["id"]: row for row in csv.DictReader(stream)}
    known = {id_: SimpleNamespace(parent=row["parent"] or None) for id_, row in shipped.items()}
    expected = [(id_, as_the_state_has_it(row)) for id_, row in shipped.items() if row["status"] == "open"]
    asked = [(id_, record) for id_, record in expected if record is not None]
    (tmp_path / "x.json").write_bytes(dumped([record for _, record in asked]))
    parsed = read([tmp_path / "x.json"], lambda: known)  # type: ignore[arg-type, return-value]
    found = {row["id"] for sheet in parsed.sheets for _, row in sheet.dicts()}
    assert len(asked) > 550
    assert {id_ for id_, _ in asked} ^ found == set()
