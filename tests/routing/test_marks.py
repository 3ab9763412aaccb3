"""Marked texts are refused before anything is written; ordinary words that look alike pass."""

import sys
import time
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.routing.marks import marked
from bot.routing.spelling import plain

MARKED = [
    # the two levels of today
    "SECRET",
    "Secret",
    "secret",
    "TRÈS SECRET",
    "Très Secret",
    "tres secret",
    "TRES-SECRET",
    "Très  secret : la réunion est avancée.",
    "SECRET - Note pour l'ambassade à Berlin",
    "SECRET\nLa délégation arrive lundi.",
    "Secret\nDe : cabinet du préfet\nA : ambassade",
    "[SECRET] Qui peut vérifier ce passeport allemand ?",
    "(Secret) qui répond pour la Sarre ?",
    "Bonjour,\nSecret\nvoici la note",
    "Objet : SECRET",
    "Classification : secret",
    "Document classifié secret, à transmettre à Rome",
    "Note classée Secret sur la frontière",
    "mention « secret » en haut de page",
    "Niveau Secret. Voir la pièce jointe.",
    "Voici un document SECRET pour le consulat",
    "Nous avons une note Secret à transmettre",
    "Ceci est SECRET, merci de répondre vite",
    "Visite du ministre à Rome – SECRET",
    "Visite du ministre à Rome / SECRET / à traiter",
    # the ones before 2021
    "SECRET DÉFENSE",
    "secret défense",
    "Secret-Défense",
    "secret-defense",
    "Très Secret Défense",
    "TRÈS SECRET-DÉFENSE",
    "CONFIDENTIEL DÉFENSE",
    "Confidentiel Défense",
    "confidentiel-défense",
    "un vieux dossier Confidentiel  Défense de 2012",
    "documents confidentiels défense",
    # protection marks
    "DIFFUSION RESTREINTE",
    "Diffusion Restreinte",
    "diffusion restreinte",
    "note en diffusion restreinte",
    "Diffusion\nrestreinte",
    "SPÉCIAL FRANCE",
    "Spécial France",
    "spécial-france",
    "[DR]",
    "[dr] relevé de la réunion",
    "(DR) Qui répond pour l'Espagne ?",
    "DR",
    "DR : qui répond pour l'Espagne ?",
    "DR - relevé de décisions",
    "DR\nQui répond pour l'Espagne ?",
    "DR Qui répond pour l'Espagne ?",
    "Mention : DR",
    "Message DR, à ne pas diffuser",
    "La note est DR.",
    "Relevé de la commission — DR",
    "D.R.",
    "DR-SF",
    "DR / Spécial France",
    "marqué DR par le poste",
    # allies
    "NATO SECRET",
    "NATO CONFIDENTIAL",
    "nato restricted",
    "OTAN SECRET",
    "SECRET OTAN",
    "OTAN CONFIDENTIEL",
    "OTAN RESTREINT",
    "COSMIC TRÈS SECRET",
    "COSMIC TOP SECRET",
    "RESTREINT UE/EU RESTRICTED",
    "Restreinte UE",
    "EU RESTRICTED",
    "CONFIDENTIEL UE/EU CONFIDENTIAL",
    "SECRET UE / EU SECRET",
    "TRÈS SECRET UE/EU TOP SECRET",
    "R-UE/EU-R",
    "VS-NfD",
    "VS – Nur für den Dienstgebrauch",
    # disguised
    "S E C R E T",
    "s.e.c.r.e.t",
    "S-E-C-R-E-T",
    "D I F F U S I O N   R E S T R E I N T E",
    "T R È S   S E C R E T",
    "Diffu-\nsion restreinte",
    "**SECRET**",
    "*Diffusion* _Restreinte_",
    "**S**ECRET **D**ÉFENSE",
    "~DIFFUSION~ `RESTREINTE`",
    "\\*SECRET\\*",
    "# SECRET",
    "> Diffusion restreinte\n> note",
    "DIFFUSION\\_RESTREINTE",
    "note_SECRET_2026.pdf",
    "S\u200bE\u200bC\u200bR\u200bE\u200bT",
    "SEC\u00adRET DÉ\u00adFENSE",
    "Diffusion\u00a0Restreinte",
    "Diffusion\u202fRestreinte\ufeff",
    "ＤＩＦＦＵＳＩＯＮ　ＲＥＳＴＲＥＩＮＴＥ",
    "ＳＥＣＲＥＴ",
    "𝐒𝐄𝐂𝐑𝐄𝐓",
    "🅂🄴🄲🅁🄴🅃",
    "Ⓢⓔⓒⓡⓔⓣ Ⓓⓔⓕⓔⓝⓢⓔ",
    "ЅЕСRЕТ",
    "DIFFUSIОN RЕSTRЕINTЕ",
    "TRE\u0300S SECRET",
    "Confidentiel De\u0301fense",
    "【SECRET】 note",
    "S\u0336E\u0336C\u0336R\u0336E\u0336T\u0336",
]

UNMARKED = [
    "",
    "Bonjour",
    "Secret professionnel : que peut dire l'assistante sociale au consulat ?",
    "le secret professionnel est-il opposable au poste ?",
    "SECRET PROFESSIONNEL ET CONSULAT",
    "La mention du secret médical bloque la transmission du dossier.",
    "Secret médical : l'hôpital de Fribourg refuse",
    "secret bancaire au Luxembourg",
    "le secret fiscal suisse",
    "secret des affaires",
    "le secret de l'instruction",
    "Secret de l'instruction : le parquet refuse",
    "secret d'État",
    "secret statistique",
    "le secret partagé entre services",
    "secrétariat général",
    "SECRÉTARIAT GÉNÉRAL AUX AFFAIRES RÉGIONALES",
    "Le secrétaire général de la préfecture",
    "la secrétaire du consul",
    "ambassade, secrétariat : 01 02",
    "autres secrétaires d'État",
    "lettres secrètes",
    "il est venu secrètement",
    "une clause secrète du contrat",
    "ils se sont mariés en secret à Alger",
    "L'enfant a été emmené EN SECRET au Maroc",
    "un service secret étranger",
    "les services secrets",
    "un agent secret",
    "vote à bulletin secret des Français de l'étranger",
    "scrutin secret",
    "le code secret de sa carte",
    "il a gardé le secret.",
    "ce n'est un secret pour personne",
    "son jardin secret",
    "un passage secret à la frontière",
    "titre confidentiel",
    "à titre strictement confidentiel",
    "information confidentielle du demandeur",
    "Confidentiel : le demandeur est malade",
    "la clause de confidentialité",
    "le ministère de la défense allemand",
    "attaché de défense à Rome",
    "le conseil de défense se réunit",
    "Dr Martin",
    "DR MARTIN",
    "Dr. Martin, expert auprès du tribunal de Fribourg",
    "Certificat du Dr Lefèvre, médecin à Bâle",
    "(Dr Martin)",
    "le certificat médical : Dr Martin, Genève",
    "DR2",
    "dossier DR2-114",
    "le DR de l'OFII à Strasbourg",
    "la DR OFII nous répond lundi",
    "DR OFII Strasbourg : qui contacter ?",
    "docteur en droit, Dr h.c.",
    "DREAL Grand Est",
    "DRFiP, DRAC et DREETS",
    "la DRM",
    "M. D. R., né à Alger",
    "accès restreint au site",
    "réunion en format restreint UE-Turquie",
    "une liste de diffusion",
    "diffusion au public restreint",
    "la diffusion de l'arrêté est restreinte aux maires",
    "un vol spécial France-Mali",
    "l'envoyé spécial France 2",
    "représentation de la France auprès de l'OTAN",
    "il a eu un visa UE",
    "restricted area at the airport",
    "classement du dossier confidentiel",
    "Classe 3 : permis allemand",
    "une SF d'assistance",
    "acte de naissance allemand : est-il authentique ?",
    "QUI RÉPOND POUR UN ACTE DE NAISSANCE ALLEMAND ?",
    "QUEL CONSULAT POUR UN SECRET BIEN GARDÉ ?",
    "Qui vérifie un acte d'état civil de Sarrebruck ?",
]


@pytest.mark.parametrize("text", MARKED)
def test_marks_are_found(text: str) -> None:
    assert marked(text)


@pytest.mark.parametrize("text", UNMARKED)
def test_ordinary_words_are_no_marks(text: str) -> None:
    assert not marked(text)


@pytest.mark.parametrize("text", [text for text in MARKED if len(text) > 5])
def test_a_mark_is_found_inside_a_long_message(text: str) -> None:
    prose = "Le bureau des étrangers demande qui peut répondre. " * 20
    assert marked(f"{prose}\n{text}\n{prose}")


strong = st.sampled_from(
    ["Très Secret", "Secret Défense", "Confidentiel Défense", "Diffusion Restreinte", "OTAN SECRET"]
)
noise = st.text(st.sampled_from("\u200b\u200d\u00ad\u2060\ufeff*`~\u0301"), max_size=2)


@settings(max_examples=50)
@given(
    strong,
    st.lists(noise, min_size=40, max_size=40),
    st.sampled_from([" ", "  ", "-", "\n", "\u00a0", " / ", "_"]),
    st.integers(0, 2),
)
@example("Très Secret", [""] * 40, " ", 0)
def test_disguise_changes_nothing(mark: str, between: list[str], gap: str, case: int) -> None:
    spelled = [str.upper, str.lower, str.title][case](mark).replace(" ", gap)
    assert marked("".join(c + n for c, n in zip(spelled, between, strict=False)))
    assert marked(unicodedata.normalize("NFD", spelled))


@given(st.text(max_size=300))
def test_any_text_gets_an_answer(text: str) -> None:
    assert marked(text) in {True, False}
    assert plain(text).isascii()


PROSE = "Le bureau demande à l'ambassade si l'acte de naissance de l'intéressé, né à Fribourg, est authentique. "

HOSTILE = {
    "words": "secret professionnel " * 5_000,
    "initials": "DR Martin " * 10_000,
    "spaces": "S" + " " * 100_000 + "E",
    "letters": "S E C R E " * 10_000,
    "long word": "s" * 100_000,
    "lines": "\n" * 100_000,
    "brackets": "[(" * 50_000 + "secret professionnel",
    "dashes": "- " * 50_000 + "dr martin",
    "accents": "e" + "\u0301\u0316" * 50_000,
    "expanding": "\ufdfa" * 100_000,
    "many scripts": "".join(map(chr, range(0x3400, 0x3400 + 5_000))) * 20,
    "almost": "diffusion restreint\u200be? " * 4_000,
    "special": "vol spécial france " * 5_000,
}


def _seconds(text: str) -> float:
    start = time.thread_time()
    marked(text)
    return time.thread_time() - start


def test_a_page_takes_less_than_a_millisecond() -> None:
    page = (PROSE * 100)[:10_000]
    measured = 1 if sys.gettrace() is None else 3  # coverage slows what it watches
    assert min(_seconds(page) for _ in range(20)) < 0.001 * measured


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_text_takes_linear_time(kind: str) -> None:
    text = HOSTILE[kind]
    small = min(_seconds(text[: len(text) // 4]) for _ in range(2))
    assert _seconds(text) < min(1, 16 * max(small, 0.002))
