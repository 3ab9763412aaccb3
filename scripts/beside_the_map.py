"""What INSEE's map does not say of the French half of the reference data, and where it is known from.

The zones and holidays of the territories overseas, the State's representations there, the police prefectures, names
that are also words. `administrative_map` puts it together with the map.
"""

from dataclasses import dataclass

PREFECTS = "Décret n° 2004-374 du 29 avril 2004 relatif aux pouvoirs des préfets"
UNVERIFIED = "connaissance générale, à vérifier"

USED_LIAISONS = {"41": "de ", "47": "de ", "82": "de ", "84": "de "}
"""Where the State writes otherwise than INSEE's article suggests: préfecture de Loir-et-Cher, de Vaucluse…"""

TIMEZONES = {
    "971": "America/Guadeloupe",
    "972": "America/Martinique",
    "973": "America/Cayenne",
    "974": "Indian/Reunion",
    "975": "America/Miquelon",
    "976": "Indian/Mayotte",
    "977": "America/St_Barthelemy",
    "978": "America/Marigot",
    "984": "Indian/Reunion",
    "986": "Pacific/Wallis",
    "987": "Pacific/Tahiti",
    "988": "Pacific/Noumea",
}
SUBDIVISIONS = {
    "67": "6AE",
    "68": "6AE",
    "975": "PM",
    "977": "BL",
    "978": "MF",
    "984": "TF",
    "986": "WF",
    "987": "PF",
    "988": "NC",
}
"""ISO 3166-2 codes that decide on public holidays, where they are not the code of the département."""


@dataclass(frozen=True, slots=True)
class Overseas:
    """A representation of the State outside the départements."""

    kind: str
    name: str
    city: str
    parent: str = ""


OVERSEAS = {
    "975": Overseas("prefecture", "Préfecture de Saint-Pierre-et-Miquelon", "Saint-Pierre"),
    "977": Overseas(
        "representation_etat",
        "Représentation de l'État à Saint-Barthélemy (préfecture déléguée)",
        "Gustavia",
        "region-guadeloupe",
    ),
    "978": Overseas(
        "representation_etat",
        "Représentation de l'État à Saint-Martin (préfecture déléguée)",
        "Marigot",
        "region-guadeloupe",
    ),
    "984": Overseas(
        "other",
        "Administration supérieure des Terres australes et antarctiques françaises",
        "Saint-Pierre (La Réunion)",
    ),
    "986": Overseas("representation_etat", "Administration supérieure des îles Wallis et Futuna", "Mata-Utu"),
    "987": Overseas("representation_etat", "Haut-commissariat de la République en Polynésie française", "Papeete"),
    "988": Overseas("representation_etat", "Haut-commissariat de la République en Nouvelle-Calédonie", "Nouméa"),
}


@dataclass(frozen=True, slots=True)
class Police:
    """A police prefecture, and what it does instead of the prefecture of its département."""

    id: str
    name: str
    city: str
    code: str
    parent: str
    source: str
    topics: dict[str, str]
    """What it answers for, each with its legal basis."""


POLICE = (
    Police(
        "prefecture-de-police-paris",
        "Préfecture de police de Paris",
        "Paris",
        "75",
        "region-ile-de-france",
        f"{PREFECTS}, art. 73",
        {
            "sejour": UNVERIFIED,
            "eloignement": UNVERIFIED,
            "nationalite": UNVERIFIED,
            "securite": "Code de la sécurité intérieure, art. L. 122-1",
        },
    ),
    Police(
        "prefecture-de-police-marseille",
        "Préfecture de police des Bouches-du-Rhône",
        "Marseille",
        "13",
        "region-provence-alpes-cote-d-azur",
        f"{PREFECTS}, art. 78-3",
        {"securite": f"{PREFECTS}, art. 78-3"},
    ),
)

WEAK = frozenset(
    "ain aisne allier apt aube auch aude autun bar beaune blaye briey cher clermont cognac creuse "
    "die dole doubs drome eure foix gap gard gers gex indre issoire jura laon langres le-blanc lens "
    "lot lure manche marne nice nord oise orne pau sens somme tarn tours tulle "
    "ussel valence var vendee vienne vire vichy yonne".split()
)
"""Slugs of names that are also words, rivers or foreign places: they count only where they are used as a place."""
