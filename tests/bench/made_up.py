"""A directory of any size that nobody lives in, and what hurried people type to find it; all from a seed.

Names are put together from French syllables, frequent ones more often, as names are. Typing knows nothing of how the
search works: a finger slips on an AZERTY keyboard, wherever it is.
"""

import random
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice

from sqlalchemy import insert
from sqlalchemy.orm import Session

from bot.directory.tables import Organisation, Person, Posting

GIVEN = (
    "Marie Jean Pierre Michel Anne Jacques Nathalie Isabelle Philippe Alain Catherine Sylvie François Françoise Laurent "
    "Christine Nicolas Sandrine Éric Véronique Stéphane Valérie Christophe Céline David Aurélie Julien Émilie Thomas "
    "Camille Hélène Benoît Zoé Inès Maël Loïc Gaëlle Jérôme Clément Amélie Raphaël Élodie Rémi Noémie Théo Chloé Hugo "
    "Agnès Bérénice Cyril Delphine Edwige Fabien Gwenaëlle Hervé Irène Joël Karine Ludovic Mathilde Norbert Odile "
    "Pascale Quentin Régine Solène Tiphaine Ugo Vianney Wilfried Xavier Yannick Zélie Anne-Marie Jean-Luc Marie-Claude"
).split()
FIRST = (
    "Bau Bel Ber Bois Bour Bren Cal Car Cha Char Chau Che Cla Cor Cou Cre Dau Del Des Du Dur Fau Fer Fla Fon Four Fro "
    "Gal Gau Ger Gi Gou Gra Gri Gui Har Hu Jau Jou La Lan Lau Le Lem Ler Lo Mal Mar Mau Mer Mon Mor Mou Nau Pau Per Pi "
    "Poi Por Pru Ra Re Ri Ro Rou Rous Sau Sel Ser Sou Ta Ter Thi Tou Tri Va Ver Vi Vil"
).split()
MIDDLE = "ba be bi cha che co da de di fa fe ga gue la le li ma me mi na ne no que ra re ri ro sa se ta te ti va ve vi".split()
LAST = (
    "lain lard let lier lin lot mand mard mont nard nat neau nel net nier nin not quet rand rard reau ret rier rin rot "
    "sard seau sel sier sin son tard teau tel tier tin ton trand trel vain val vard vel vier vin bert chard dieu ger gnac"
).split()
SAINTS = "Martin Aubin Cyr Denis Flour Gilles Hilaire Julien Lô Maixent Nazaire Omer Pierre Quentin Rémy Yon".split()
RIVERS = (
    "Aire Brenne Cère Dive Erdre Flèche Gère Huisne Isle Jalle Lèze Maye Nère Oust Py Rance Sèvre Tille Vire".split()
)
KINDS = (
    ("sous_prefecture", "Sous-préfecture", "SP"),
    ("consulate_general", "Consulat général", "CG"),
    ("consulate", "Consulat", "Consulat"),
    ("ministry", "Bureau", "Bureau"),
)
COUNTRIES = "FR DE ES IT BE CH LU GB PT MA DZ TN SN BR CA US".split()
ROLES = "desk head deputy consul asi member".split()
STARTED = date(2020, 1, 1)
_KEYBOARD = ("azertyuiop", "qsdfghjklm", "wxcvbn")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class MadeUp:
    """An entry: an organisation (no family name), or a person at one."""

    id: str
    kind: str
    given: str
    family: str
    role: str
    organisation: str
    title: str  # how its kind is called
    city: str
    country: str

    @property
    def text(self) -> str:
        """All that is said of it."""
        return f"{self.given} {self.family} {self.role} {self.title} {self.city} {self.country}"


@dataclass(frozen=True, slots=True)
class Typed:
    """A query, and the entries that are what was meant."""

    text: str
    meant: frozenset[str]


def directory(size: int, seed: int) -> list[MadeUp]:
    """Return so many entries, one in twenty an organisation."""
    draw = random.Random(f"entries {seed}")
    families = list(_distinct(draw, max(50, size // 6), _family))
    cities = list(_distinct(draw, max(10, size // 60), _city))
    organisations = [_organisation(draw, number, cities) for number in range(max(1, size // 20))]
    people = [_person(draw, number, families, organisations) for number in range(size - len(organisations))]
    return [*organisations, *people]


def _distinct(draw: random.Random, count: int, make: Callable[[random.Random], str]) -> Iterator[str]:
    seen: set[str] = set()
    while len(seen) < count:
        name = make(draw)
        if name not in seen:
            seen.add(name)
            yield name


def _family(draw: random.Random) -> str:
    name = draw.choice(FIRST) + "".join(draw.choices(MIDDLE, k=draw.choice((0, 1, 1, 2)))) + draw.choice(LAST)
    return f"{draw.choice(('Le', 'De', 'La'))} {name}" if draw.random() < 0.05 else name


def _city(draw: random.Random) -> str:
    town = draw.choice(FIRST) + draw.choice(MIDDLE) + draw.choice(LAST)
    match draw.randrange(4):
        case 0:
            return f"Saint-{draw.choice(SAINTS)}-{draw.choice(('sur', 'les', 'en'))}-{town}"
        case 1:
            return f"{town}-sur-{draw.choice(RIVERS)}"
        case _:
            return town


def _organisation(draw: random.Random, number: int, cities: list[str]) -> MadeUp:
    kind, title, _ = draw.choice(KINDS)
    city = draw.choice(cities)
    return MadeUp(f"o-{number}", kind, "", "", "", f"o-{number}", title, city, draw.choice(COUNTRIES))


def _person(draw: random.Random, number: int, families: list[str], organisations: list[MadeUp]) -> MadeUp:
    at = draw.choice(organisations)
    frequent = int(len(families) * draw.random() ** 2)  # some names are borne by many
    return MadeUp(
        f"p-{number}",
        "person",
        draw.choice(GIVEN),
        families[frequent],
        draw.choice(ROLES),
        at.id,
        at.title,
        at.city,
        at.country,
    )


def fill(session: Session, entries: list[MadeUp]) -> None:
    """Put entries into the tables."""
    short = {title: abbreviation for _, title, abbreviation in KINDS}
    rows = iter(entries)
    while part := list(islice(rows, 20_000)):
        organisations = [
            {
                "id": it.id,
                "kind": it.kind,
                "name": f"{it.title} de {it.city}",
                "short_name": f"{short[it.title]} {it.city}",
                "country": it.country,
                "city": it.city,
                "phone": f"+33 1 {_spelled(number)}",
                "timezone": "Europe/Paris",
            }
            for number, it in enumerate(part)
            if not it.family
        ]
        people = [it for it in part if it.family]
        if organisations:
            session.execute(insert(Organisation), organisations)
        if people:
            session.execute(
                insert(Person),
                [
                    {
                        "id": it.id,
                        "given_name": it.given,
                        "family_name": it.family,
                        "email": f"{bare(it.given)}.{bare(it.family)}@example.org".replace(" ", "-"),
                        "phone": f"+33 6 {_spelled(int(it.id[2:]))}",
                        "visibility": "network",
                    }
                    for it in people
                ],
            )
            session.execute(
                insert(Posting),
                [
                    {"person": it.id, "organisation": it.organisation, "role": it.role, "start": STARTED}
                    for it in people
                ],
            )
    session.connection().exec_driver_sql("ANALYZE")  # an import does so too


def _spelled(number: int) -> str:
    digits = f"{number % 10**8:08}"
    return " ".join(digits[at : at + 2] for at in range(0, 8, 2))


def bare(text: str) -> str:
    """Return a text without capitals and accents."""
    decomposed = unicodedata.normalize("NFKD", text.replace("œ", "oe").lower())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def typed(entries: list[MadeUp], count: int, typos: int, seed: int) -> list[Typed]:
    """Return what people type who look for some of these, with so many slips in each query."""
    draw = random.Random(f"queries {seed} {typos}")
    meant: dict[str, set[str]] = {}
    wanted = [(it, _spelling(draw, it)) for it in draw.sample(entries, min(count, len(entries)))]
    texts = {text for _, text in wanted}
    for it in entries:
        for text in _spellings(it):
            if text in texts:
                meant.setdefault(text, set()).add(it.id)
    return [Typed(_slipped(draw, text, typos), frozenset(meant[text])) for _, text in wanted]


def _spellings(it: MadeUp) -> tuple[str, ...]:
    if not it.family:
        return (bare(f"{it.title} {it.city}"),)
    return (
        bare(f"{it.given} {it.family}"),
        bare(f"{it.family} {it.given}"),
        bare(f"{it.family} {it.city}"),
    )


def _spelling(draw: random.Random, it: MadeUp) -> str:
    return draw.choice(_spellings(it))


def _slipped(draw: random.Random, text: str, typos: int) -> str:
    """Let fingers slip on letters, never twice on the same."""
    places = [at for at, letter in enumerate(text) if letter.isalpha()]
    letters = list(text)
    for at in sorted(draw.sample(places, typos), reverse=True):
        letter = letters[at]
        match draw.randrange(4):
            case 0:
                letters[at] = ""
            case 1:
                letters[at] = letter + draw.choice((letter, *_neighbours(letter)))
            case 2:
                letters[at] = draw.choice(_neighbours(letter))
            case _:
                if at + 1 < len(letters):
                    letters[at : at + 2] = [letters[at + 1], letters[at]]
    return "".join(letters)


def _neighbours(letter: str) -> tuple[str, ...]:
    for row in _KEYBOARD:
        at = row.find(letter)
        if at >= 0:
            return tuple(row[max(0, at - 1) : at] + row[at + 1 : at + 2])
    return tuple(_LETTERS)
