"""Which of the countries and territories that a text names the question is about.

A place weighs more than a country's name, and that more than a nationality: « un Marocain né à Madrid » is about Spain.
What stands next to the act, or where it was drawn up, weighs most: « acte de naissance marocain », « célébré à Rome ».
"""

from collections.abc import Iterable, Iterator

from bot.routing.asker import POSTS, Asker
from bot.routing.competence import Direction
from bot.routing.found import Found
from bot.routing.names import FRANCE, Sense
from bot.routing.reading import Reading
from bot.routing.register import Register
from bot.routing.topics import Scores

_WEIGHTS = {"country": 2.0, "city": 3.0, "region": 3.0, "passage": 3.0}
_OF_BODY = 10.0
"""A cross-border body is competent for its business, wherever its members come from."""
_DRAWN_UP = frozenset(
    "celebre celebree etabli etablie delivre delivree dresse dressee enregistre enregistree transcrit emis emise "
    "survenu survenue redige residant reside vivant incarcere detenu hospitalise decede decedee domicilie".split()
)
_LIVES = frozenset(
    "reside residant residente domicilie domiciliee habite habitant heberge hebergee hebergeant demeurant demeure loge "
    "installe installee vit vivant inscrit adresse".split()
)
_OF_RESIDENCE = frozenset({"visa", "protection_consulaire"})
"""Topics that follow where a person is, whatever their nationality."""
_OF_PARTNERS = frozenset({"economie", "deplacement_officiel"})
"""Topics where a nationality tells whose visit or money it is, and a place where they come to."""
_AND = frozenset({"et", "ou", "puis", "and", "or"})
_LINKS = frozenset({"a", "au", "aux", "en", "la", "le", "les", "l", "de", "du", "d", "des"})
_CASES = frozenset({"sejour", "eloignement", "nationalite", "visa"})


def direction(reading: Reading, scores: Scores, asker: Asker) -> Direction:
    """Return whether a question goes abroad or to a prefecture: by who asks, else by what is named.

    A post asks about another country only where it names one, and no French territory.
    """
    if asker.side == "prefecture":
        return "to_post"
    if asker.side == "post" and asker.organisation is not None and asker.organisation.kind not in POSTS:
        return "to_prefecture"
    french = any(sense.country == FRANCE for found in reading.names for sense in found.senses)
    abroad = any(
        sense.country not in {FRANCE, "", asker.country} and not (found.demonym and scores.best in _CASES)
        for found in reading.names
        for sense in found.senses
    )
    if asker.side == "post":
        return "to_post" if abroad and not french and scores.best not in _CASES else "to_prefecture"
    return "to_prefecture" if french and not abroad else "to_post"


def countries(reading: Reading, scores: Scores, asker: Asker) -> tuple[Sense, ...]:
    """Return the country that is meant, several when they are as good; an open name gives all its senses."""
    abroad = [found for found in reading.names if any(sense.country not in {FRANCE, ""} for sense in found.senses)]
    weighed = list(zip(_weights(abroad, reading, scores), abroad, strict=True))
    elsewhere = [pair for pair in weighed if any(sense.country != asker.country for sense in pair[1].senses)]
    senses = tuple(dict.fromkeys(_heaviest(elsewhere or weighed)))
    return senses or _doubtful(reading, asker)


def territories(reading: Reading, register: Register) -> tuple[Sense, ...]:
    """Return the French territory that is meant: a prefecture's by name, where somebody lives, else any named."""
    weighed = [
        (_nearness(found, reading), found)
        for found in reading.names
        if any(sense.country == FRANCE and sense.territory for sense in found.senses)
    ]
    senses = {sense.territory: sense for sense in _heaviest(weighed) if sense.country == FRANCE and sense.territory}
    holders = {code for territory in senses for code in register.territories_of(territory)[1:]}
    return tuple(sense for territory, sense in senses.items() if territory not in holders)


def _heaviest(weighed: Iterable[tuple[float, Found]]) -> Iterable[Sense]:
    weighed = list(weighed)
    top = max((weight for weight, _ in weighed), default=0.0)
    return _one_a_country(sense for weight, found in weighed if weight == top for sense in found.senses)


def _one_a_country(senses: Iterable[Sense]) -> Iterable[Sense]:
    first: dict[str, Sense] = {}
    for sense in senses:
        first.setdefault(sense.code, sense)
    return first.values()


def _weights(names: Iterable[Found], reading: Reading, scores: Scores) -> Iterator[float]:
    """Yield each name's weight; what a conjunction joins shares what stands before the first."""
    best = scores.best
    beside = {at for it in scores.evidence if it.topic == best for at in range(it.start, it.end + 1)}
    end, extra = -1, 0.0
    for found in names:
        between = {word.key for word in reading.words[end : found.start]} if end >= 0 else set[str]()
        if not (end >= 0 and between & _AND and between <= _AND | _LINKS):
            before = {word.key for word in reading.words[max(0, found.start - 3) : found.start]}
            lived = bool((_DRAWN_UP | _LIVES) & before)
            extra = 2.0 * lived + 3.0 * (found.demonym and found.start in beside and best not in _OF_RESIDENCE)
        people = 3.5 if best in _OF_PARTNERS else 1.0
        kind = found.senses[0].kind
        body = best == "cooperation_transfrontaliere" and kind == "body"
        yield _OF_BODY if body else extra + (people if found.demonym else _WEIGHTS.get(kind, 1.0))
        end = found.end


def _nearness(found: Found, reading: Reading) -> float:
    before = {word.key for word in reading.words[max(0, found.start - 4) : found.start]}
    if "prefecture" in before:
        return 4
    if _LIVES & before:
        return 3
    return 0.5 if {"ne", "nee"} & before else 1


def _doubtful(reading: Reading, asker: Asker) -> tuple[Sense, ...]:
    """Return the senses of a name taken as French by default, when no country is named and it is not the asker's own.

    « Guyane » is the French one, unless the question needs a country and names no other.
    """
    for found in reading.names:
        sense = found.senses[0]
        if sense.country == FRANCE and found.others and sense.territory not in asker.territories:
            return (sense, *found.others)
    return ()
