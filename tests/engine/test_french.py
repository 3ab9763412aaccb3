"""French: a service's name takes its article inside a sentence, and nobody else's does."""

import csv
from pathlib import Path

import pytest

from bot import french

NAMES = [
    ("Ambassade de France en Italie", "à l’ambassade de France en Italie", "de l’ambassade de France en Italie"),
    ("Consulat général de France à Munich", "au consulat général de France à Munich", "du consulat général de"),
    ("Préfecture du Bas-Rhin", "à la préfecture du Bas-Rhin", "de la préfecture du Bas-Rhin"),
    ("Haut-commissariat de la République", "au haut-commissariat de la République", "du haut-commissariat"),
    ("GECT Pirineos", "au GECT Pirineos", "du GECT Pirineos"),
    ("Eurodistrict trinational", "à l’eurodistrict trinational", "de l’eurodistrict"),
    ("section consulaire, Ambassade de France", "à la section consulaire, Ambassade", "de la section consulaire"),
    ("Agent Exemple", "à Agent Exemple", "d’Agent Exemple"),
    ("Zoé Exemple", "à Zoé Exemple", "de Zoé Exemple"),
    ("", "à ", "de "),
    ("42", "à 42", "de 42"),
]


@pytest.mark.parametrize(("name", "to", "of"), NAMES)
def test_a_name_inside_a_sentence(name: str, to: str, of: str) -> None:
    assert french.joined("à", name).startswith(to)
    assert french.joined("de", name).startswith(of)


def test_a_name_that_begins_a_sentence() -> None:
    assert french.joined("Le", "Ambassade de France au Chili") == "L’ambassade de France au Chili"
    assert french.joined("Le", "Zoé Exemple") == "Zoé Exemple"
    assert french.joined("le", "Consulat général de France à Oran") == "le consulat général de France à Oran"


def test_every_service_of_the_shipped_directory_has_its_article() -> None:
    shipped = Path("config/reference").rglob("organisations.csv")
    names = {row["name"] for file in shipped for row in csv.DictReader(file.read_text("utf-8").splitlines())}
    assert len(names) > 600
    own_names = {name for name in names if french.joined("le", name) == name}
    assert own_names <= {"Quadripartite de Saint-Martin (Q4)"}


@pytest.mark.parametrize("city", ["Le Caire", "Oslo", "Cayenne", "Édimbourg"])
def test_a_city_and_of(city: str) -> None:
    assert french.of_city(city) in {"du Caire", "d’Oslo", "de Cayenne", "d’Édimbourg"}
