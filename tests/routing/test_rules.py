"""The hard rules in many phrasings, and what only looks like them."""

import csv
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from bot.routing.decide import route
from bot.routing.model import Assignment, Question
from tests.routing.shipped import directory, rules

TODAY = date(2026, 11, 23)

ADVISED = [
    ("ofpra", "prefecture-67", "Peut-on appeler l'ambassade d'Iran pour confirmer l'identité d'un demandeur d'asile ?"),
    ("ofpra", "prefecture-67", "une réfugiée érythréenne veut un passeport de son pays"),
    ("ofpra", "prefecture-67", "le BPI afghan demande un acte de mariage, on l'envoie à son consulat ?"),
    ("ofpra", "prefecture-67", "Vérifier auprès de Damas le diplôme d'un réfugié"),
    ("ofpra", "prefecture-67", "dubliné soudanais, faut il prevenir khartoum"),
    ("ofpra", "prefecture-67", "Asylum seeker from Eritrea needs a birth certificate, shall we write to Asmara?"),
    ("ofpra", "prefecture-67", "La protection subsidiaire a été accordée à un Malien, il veut voyager au Mali"),
    ("ofpra", "prefecture-67", "il a deposé une demande d asile hier et son consulat nous appelle"),
    ("ofpra", "prefecture-67", "CNDA : décision favorable pour un Turc, suite ?"),
    ("ofpra", "prefecture-67", "apatride kurde de Syrie, état civil"),
    ("ofpra", "prefecture-67", "protection temporaire ukrainienne : renouvellement"),
    ("ofpra", "prefecture-67", "réunification familiale d'une Somalienne réfugiée, les enfants sont à Nairobi"),
    (
        "ofpra",
        "prefecture-67",
        "une Iranienne dit craindre des persécutions si elle rentre, on prévient son ambassade ?",
    ),
    ("ofpra", "prefecture-67", "l'OFPRA demande l'adresse d'un Tchétchène"),
    ("ofpra", "prefecture-67", "faut il un visa pour la famille d'un réfugié sri lankais"),
    ("ofpra", "prefecture-67", "reconnaissance de la qualité de réfugié : effets sur le passeport syrien"),
    (
        "ofpra",
        "prefecture-67",
        "le demandeur d asile veut se marier, sa mairie réclame un certificat de coutume d irak",
    ),
    ("foreign_consulate", "prefecture-69", "lpc ivoirien en attente, retenu au cra de lyon"),
    ("foreign_consulate", "prefecture-69", "Qui délivre le laissez-passer consulaire pour un Guinéen sous OQTF ?"),
    ("foreign_consulate", "prefecture-69", "le consulat du maroc ne reconnait pas notre retenu, que faire"),
    ("foreign_consulate", "prefecture-69", "Audition consulaire de trois Algériens mardi au centre de rétention"),
    ("foreign_consulate", "prefecture-69", "Comment obtenir un document de voyage pour un Gambien à éloigner ?"),
    ("foreign_consulate", "prefecture-69", "laisser-passer consulaire bangladais, vol le 12"),
    ("foreign_consulate", "prefecture-69", "Un Colombien gardé à vue demande que son consulat soit averti"),
    (
        "foreign_consulate",
        "prefecture-69",
        "Identification d'un étranger sans papiers par les autorités consulaires tunisiennes avant éloignement",
    ),
    (
        "foreign_consulate",
        "prefecture-69",
        "An Albanian detainee has no passport, which consulate issues the travel document for his removal?",
    ),
    ("foreign_consulate", "prefecture-69", "sauf-conduit pour éloigner un Égyptien"),
    ("justice", "prefecture-59", "commission rogatoire pour la Belgique, transmission"),
    ("justice", "prefecture-59", "Qui transmet une demande d'extradition vers le Maroc ?"),
    ("justice", "prefecture-59", "mandat d arret europeen lituanien, personne interpellée à lille"),
    ("justice", "prefecture-59", "Un père a emmené sa fille en Tunisie sans l'accord de la mère"),
    ("justice", "prefecture-59", "Le détenu veut finir de purger sa peine aux Pays-Bas : transfèrement"),
    ("justice", "prefecture-59", "Entraide judiciaire pénale avec le Canada, canal ?"),
    ("justice", "prefecture-59", "la maman est partie en pologne avec les enfants malgré le jugement"),
    ("justice", "prefecture-59", "signifier un jugement à Bruxelles"),
    ("justice", "prefecture-59", "enlèvement international d'enfant vers le Brésil"),
    ("justice", "prefecture-59", "letters rogatory to Spain"),
    ("public_service", None, "comment refaire mon passeport svp"),
    ("public_service", None, "je voudrais renouveler ma carte de séjour, je suis étudiante marocaine"),
    ("public_service", None, "mon mari est tunisien, quel visa pour lui ?"),
    ("public_service", None, "J'ai perdu mon permis de conduire en Espagne"),
    ("public_service", None, "my visa was refused, what can I do"),
    ("public_service", None, "où en est ma demande de naturalisation"),
    ("ccpd", "prefecture-67", "un véhicule volé vient de passer à Kehl, qui appeler tout de suite ?"),
    ("ccpd", "prefecture-67", "contrôle en cours, plaque allemande, identité du titulaire ?"),
    ("ccpd", "prefecture-67", "Course-poursuite vers l'Allemagne maintenant, prévenir les collègues allemands"),
    ("foreign_consulate", "prefecture-67", "rdv au consulat de tunisie a strasbourg pour identifier un retenu"),
    ("foreign_consulate", "prefecture-67", "Obtention d'un LPC malien : délais"),
    (
        "foreign_consulate",
        "prefecture-67",
        "le consulat d'Algérie veut auditionner notre retenu au CRA de Geispolsheim",
    ),
    ("foreign_consulate", "prefecture-67", "Reconnaissance consulaire d'un Sénégalais avant expulsion"),
    ("foreign_consulate", "prefecture-67", "une Espagnole hospitalisée veut joindre son consulat"),
    ("justice", "prefecture-67", "CRI à exécuter en Suisse"),
    ("justice", "prefecture-67", "le juge demande l'audition d'un témoin à Karlsruhe par commission rogatoire"),
    ("justice", "prefecture-67", "Extradition d'un Moldave écroué à Strasbourg"),
    ("justice", "prefecture-67", "exequatur d'un jugement de divorce marocain"),
    ("justice", "prefecture-67", "Comment faire exécuter en Italie une décision de pension alimentaire ?"),
]

DANGER = [
    ("prefecture-06", "un homme menace de sauter du viaduc à Menton, sa femme est italienne"),
    ("prefecture-06", "des gens sont coincés sous les décombres d'un immeuble à Gênes"),
    ("prefecture-06", "Un enfant se noie à la plage de Vintimille"),
    ("prefecture-06", "coup de feu à la gare de Vintimille, deux blessés"),
    ("prefecture-06", "Une bombe vient d'exploser à Turin, beaucoup de victimes"),
    ("prefecture-06", "avalanche côté italien, trois skieurs ensevelis"),
    ("prefecture-06", "accident de car sur l'autoroute à Savone, des morts"),
    ("prefecture-06", "un ressortissant me dit qu'il va se tuer, il est à Milan"),
    ("prefecture-06", "prise d'otages dans une banque de San Remo"),
    ("prefecture-06", "il ne respire plus, il est à Monaco"),
    ("prefecture-06", "randonneurs perdus dans la neige col de Tende, hypothermie"),
    ("prefecture-06", "fusillade en cours à Gênes"),
    ("prefecture-06", "a boat is sinking off Monaco, people in the water"),
    ("prefecture-06", "hostages in a hotel in Turin"),
    ("prefecture-06", "Incendie à l'hôpital de Vintimille, patients piégés"),
    ("prefecture-67", "Une mère nous écrit que son fils de 16 ans veut mourir, il est à Kehl"),
    ("prefecture-67", "explosion à la raffinerie de Karlsruhe, des blessés graves"),
    ("prefecture-67", "un forcené retranché avec un couteau dans le train pour Bâle"),
    ("prefecture-67", "effondrement d'un pont à Fribourg-en-Brisgau, des voitures en dessous, plusieurs morts"),
    ("prefecture-67", "Deux enfants tombés dans le Rhin, on ne les voit plus"),
    ("prefecture-67", "mon collègue fait un arrêt cardiaque à l'aéroport de Zurich"),
    ("prefecture-67", "un camion fonce dans la foule à Offenbourg, morts et blessés"),
    ("prefecture-67", "Un homme poignardé sur le pont de l'Europe"),
    ("prefecture-67", "SOS bus en feu près de Rastatt avec des lycéens dedans"),
    ("prefecture-67", "grenade lancée dans un bar à Berlin, victimes françaises possibles"),
    ("prefecture-67", "A man with a gun is in the German school, shots fired"),
    ("prefecture-67", "school bus crashed near Freiburg, children injured"),
    ("prefecture-67", "quelqu'un est enfermé dans un camion frigorifique et appelle à l'aide"),
    ("prefecture-67", "l'otage est toujours dans le consulat"),
    ("prefecture-67", "inondation à Trèves, des gens sur les toits, trois morts"),
    ("prefecture-67", "un enfant est tombé à l'eau à Kehl"),
    ("prefecture-67", "Trois personnes à l'eau devant Kehl, le projet de ponton a coulé avec elles"),
]

NO_DANGER = [
    ("prefecture-06", "Exercice d'évacuation après un séisme simulé avec l'Italie"),
    ("prefecture-06", "Commémoration de l'attentat de Nice avec les autorités italiennes"),
    ("prefecture-06", "Convention de secours en montagne avec le Piémont, avalanche de 2018"),
    ("prefecture-06", "Acte de décès d'un skieur mort dans une avalanche à Bardonnèche"),
    ("prefecture-06", "Formation aux premiers secours pour les victimes d'attentats avec Turin"),
    ("prefecture-06", "Bilan des noyades de l'été dernier à Vintimille"),
    ("prefecture-06", "Assurance après l'incendie d'un camion italien"),
    ("prefecture-06", "Retour d'expérience sur l'accident du tunnel"),
    ("prefecture-06", "Étude sur les feux de forêt en Ligurie"),
    ("prefecture-06", "Projet d'hôpital commun : urgences et accidents de la route"),
    ("prefecture-67", "Menaces de mort reçues par un élu il y a trois mois, l'auteur vit à Kehl"),
    ("prefecture-67", "Plan de prévention des inondations du Rhin supérieur"),
    ("prefecture-67", "Trafic d'armes avec la Suisse"),
    ("prefecture-67", "accidents du travail des frontaliers"),
    ("prefecture-67", "indemnisation d'un accident de chasse en Allemagne"),
    ("prefecture-67", "Association des victimes de l'attentat de Berlin invitée à la cérémonie"),
    ("prefecture-67", "Commission d'enquête sur l'incendie de l'usine de Bâle"),
    ("prefecture-67", "Les pompiers allemands veulent un exercice commun sur un incendie de forêt"),
    ("prefecture-67", "Le certificat de décès d'un noyé retrouvé dans le Rhin"),
    ("prefecture-67", "Coopération sur les secours aux blessés en montagne"),
    ("prefecture-67", "Séisme de 1356 : exposition à Bâle"),
    ("prefecture-67", "Statistiques des accidents de la route des motards allemands"),
    ("prefecture-67", "Une délégation de 12 personnes à l'hôtel de Kehl, qui contacter ?"),
    ("prefecture-67", "Le projet de crèche commune est en danger de mort, le Land se retire"),
    ("prefecture-67", "Passeport, acte et papiers brûlés : lequel refaire en premier ? Elle est de Kehl"),
]

NO_RULE = [
    ("prefecture-69", "Un Lyonnais a perdu ses papiers à Tunis et demande un laissez-passer pour rentrer"),
    ("prefecture-69", "laissez-passer consulaire pour une touriste française volée à Prague"),
    ("prefecture-69", "Deux étudiants français ont perdu leur passeport à Dublin"),
    ("prefecture-69", "Prévenir le consulat de France à Munich de la visite du préfet"),
    ("prefecture-67", "Formation des agents à l'accueil des demandeurs d'asile avec nos voisins allemands"),
    ("prefecture-67", "Visite du ministre allemand au centre d'accueil des réfugiés"),
    ("prefecture-67", "Un jumelage pour aider une ville qui accueille des réfugiés au Liban"),
]


PHRASINGS = Path(__file__).parent / "phrasings.csv"
"""What officials may write: the rule that it calls (whom the advice names, `refuse`, `emergency`), or `none`."""


def ask(text: str, asker: str | None) -> Assignment:
    return route(Question(text, asker), rules(), directory(), TODAY)


@pytest.mark.parametrize(("to", "asker", "text"), ADVISED)
def test_a_rule_is_called(to: str, asker: str | None, text: str) -> None:
    found = ask(text, asker)
    assert (found.decision, found.advice_to, found.recipient) == ("advise", to, None)


@pytest.mark.parametrize(("asker", "text"), DANGER)
def test_danger_is_answered_and_alerts_a_post(asker: str, text: str) -> None:
    found = ask(text, asker)
    assert found.urgent
    assert found.topic == "crise"
    assert found.advice_to in {"emergency", "ccpd", "crisis_centre"}
    assert "112" in str(found.advice)


@pytest.mark.parametrize(("asker", "text"), NO_DANGER)
def test_what_is_past_or_planned_is_no_danger(asker: str, text: str) -> None:
    assert not ask(text, asker).urgent


@pytest.mark.parametrize(("asker", "text"), NO_RULE)
def test_no_rule_is_called(asker: str, text: str) -> None:
    assert ask(text, asker).decision in {"route", "ask"}


@pytest.mark.parametrize("asker", [None, "prefecture-75", "ambassade-es"])
def test_danger_across_the_border_alerts_the_post_of_the_district_and_names_that_borders_centre(
    asker: str | None,
) -> None:
    found = ask("Coups de feu à Kehl, plusieurs blessés", asker)
    assert found.recipient is not None
    assert (found.recipient.organisation, found.advice_to) == ("consulat-stuttgart", "ccpd")
    assert "Kehl" in str(found.advice)


def called(found: Assignment) -> str:
    if found.urgent:
        return "emergency"
    return {"refuse": "refuse", "advise": found.advice_to or ""}.get(found.decision, "none")


@pytest.mark.parametrize(
    "rule", ["refuse", "emergency", "ofpra", "foreign_consulate", "justice", "ccpd", "public_service", "none"]
)
def test_every_phrasing_calls_its_rule_and_no_other(rule: str) -> None:
    with PHRASINGS.open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["rule"] == rule]
    assert rows
    assert [row["text"] for row in rows if called(ask(row["text"], row["from"] or None)) != rule] == []


def test_who_asks_for_asylum_is_rescued_but_no_post_abroad_hears_of_it() -> None:
    found = ask("Un demandeur d'asile afghan menace de sauter du toit, sa famille est à Kaboul", "prefecture-67")
    assert found.urgent
    assert found.recipient is not None
    assert directory().organisations[found.recipient.organisation].kind not in {"embassy", "consulate_general"}


def test_every_number_has_a_source_and_the_day_it_was_read_or_says_that_nobody_has() -> None:
    with (files("config") / "routing" / "emergency.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["country"] for row in rows if not row["checked_on"] and "à vérifier" not in row["source"]} == set()
    neighbours = {"BE", "LU", "DE", "CH", "IT", "ES", "AD", "GB", "NL", "SX"}
    assert neighbours <= {row["country"] for row in rows if row["checked_on"]}


def test_the_crisis_centre_is_told_by_its_number() -> None:
    assert "+33 1 53 59 11 00" in str(ask("Prise d'otages dans un hôtel à Bamako", "prefecture-35").advice)
