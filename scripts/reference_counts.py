"""Count what the rows of the reference data rest on, and keep the tables of ``config/reference/README.md`` true.

    python -m scripts.reference_counts           # prints the tables
    python -m scripts.reference_counts --write   # puts them into the README, between its two marks

A row rests on the first source that its ``source`` (an organisation) or ``legal_basis`` (a competence) names. What is
general knowledge anywhere in that text counts as general knowledge, and what was read through a newspaper as press.
"""

import argparse
import csv
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

Row = dict[str, str]

REFERENCE = Path(__file__).resolve().parent.parent / "config" / "reference"
BEGIN, END = "<!-- comptes -->\n", "<!-- fin des comptes -->\n"

GENERAL, PRESS, TO_CONFIRM = "connaissance générale", "presse et autres", "à vérifier"
SOURCES = {
    "INSEE": r"INSEE",
    "texte officiel": r"Arrêté|Décret|Loi|Convention|Code|Accord du",
    "site public": (
        r"Liste des noms de domaine|gouv\.fr|gouvernement\.fr|ambafrance|consulfrance|diplo\.de|Ministère|Présidence|"
        r"Communiqué"
    ),
    "Parlement": r"Sénat|Assemblée nationale",
    "encyclopédie": r"wiki",
}
COLUMNS = (*SOURCES, PRESS, GENERAL)

KINDS = {
    "region": "préfectures de région",
    "prefecture": "préfectures",
    "sous_prefecture": "sous-préfectures",
    "police_prefecture": "préfectures de police",
    "representation_etat": "représentations de l'État outre-mer",
    "embassy": "ambassades",
    "consulate_general": "consulats généraux",
    "consulate": "consulats",
    "honorary_consulate": "consulats honoraires",
    "representation": "représentations permanentes et bureaux",
    "ministry": "services des ministères",
    "body": "instances transfrontalières",
    "ccpd": "CCPD",
    "other": "autres",
}
ROLES = {
    "cdpr": "conseiller diplomatique",
    "ambassador": "ambassadeur",
    "consul": "consul",
    "asi": "attaché de sécurité intérieure",
    "desk": "service",
    "head": "chef de bureau",
    "frontier_ambassador": "ambassadeur aux frontières",
    "regional_ambassador": "ambassadeur délégué à la coopération régionale",
}


def rests_on(basis: str) -> str:
    """Name the column of a row by its ``source`` or ``legal_basis``."""
    if GENERAL in basis:
        return GENERAL
    if ", selon " in basis:
        return PRESS
    named = {name: found.start() for name, pattern in SOURCES.items() if (found := re.search(pattern, basis))}
    return min(named, key=named.__getitem__, default=PRESS)


def table(title: str, labels: dict[str, str], rows: Iterable[tuple[str, str]]) -> str:
    """Draw one table from the kind and the basis of each row."""
    counts: Counter[tuple[str, str]] = Counter()
    for kind, basis in rows:
        confirm = [TO_CONFIRM] if TO_CONFIRM in basis else []
        counts.update((name, column) for name in (kind, "") for column in ("", rests_on(basis), *confirm))
    head = [title, "total", *COLUMNS, f"dont {TO_CONFIRM}"]
    lines = [head, ["---", *["---:"] * (len(head) - 1)]]
    for kind, label in [*labels.items(), ("", "**ensemble**")]:
        cells = [counts[kind, column] for column in ("", *COLUMNS, TO_CONFIRM)]
        if cells[0]:
            lines.append([label, *(str(cell or "") for cell in cells)])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def tables() -> str:
    """Draw the table of the organisations and that of the competences."""
    organisations = [(row["kind"], row["source"]) for row in _rows("organisations.csv")]
    competences = [(row["role"], row["legal_basis"]) for row in _rows("competences.csv")]
    return table("organisations", KINDS, organisations) + "\n" + table("compétences, par fonction", ROLES, competences)


def in_readme(text: str) -> str:
    """Return the README with the tables of today between its marks."""
    before, rest = text.split(BEGIN)
    return before + BEGIN + tables() + END + rest.split(END)[1]


def _rows(name: str) -> list[Row]:
    found: list[Row] = []
    for path in sorted(REFERENCE.rglob(name)):
        with path.open(encoding="utf-8", newline="") as file:
            found += csv.DictReader(file)
    return found


def main() -> None:
    """Print the tables, or write them."""
    parser = argparse.ArgumentParser(description="Count what the rows of the reference data rest on.")
    parser.add_argument("--write", action="store_true", help="put the tables into config/reference/README.md")
    if parser.parse_args().write:
        readme = REFERENCE / "README.md"
        readme.write_text(in_readme(readme.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print(tables(), end="")


if __name__ == "__main__":
    main()
