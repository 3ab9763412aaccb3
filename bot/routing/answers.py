"""Who may answer a question: one option for each thing that is meant, each topic and each competence that ties."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from bot.directory.snapshot import Comp, Snapshot
from bot.routing.addressed import Addressed
from bot.routing.asker import Asker
from bot.routing.competence import Direction, InCharge, Where, best, border_countries, in_force
from bot.routing.meaning import countries, territories
from bot.routing.model import Recipient
from bot.routing.names import FRANCE, Sense
from bot.routing.reading import Reading
from bot.routing.register import Register
from bot.routing.rules import Rules
from bot.routing.topics import OTHER, Scores

_BORDER = frozenset({"cooperation_transfrontaliere", "circulation_frontaliere"})
"""Topics that concern the neighbour across the asker's border when no country is named."""


_OF_CENTRES = frozenset({"securite", "crise", "circulation_frontaliere"})
"""Topics that a police and customs centre takes when it is called by name."""

BY_RULE_ONLY = frozenset({"asile", "entraide_judiciaire"})
"""Topics that go to nobody of the network: where no rule found them, it is something else."""


@dataclass(frozen=True, slots=True)
class Case:
    """All that a decision rests on."""

    rules: Rules
    directory: Snapshot
    register: Register
    on: date
    reading: Reading
    scores: Scores
    asker: Asker
    direction: Direction
    addressed: Addressed | None = None

    @property
    def best(self) -> str:
        """The most probable topic, of those that need no rule."""
        return next((topic for topic, _ in self.scores.ranked if topic not in BY_RULE_ONLY), OTHER)


@dataclass(frozen=True, slots=True)
class Option:
    """One possible recipient, with the sense and the topic that lead to it."""

    sense: Sense | None
    topic: str
    charge: InCharge


def options(case: Case, topics: Iterable[str], *, nowhere: bool = False) -> Iterator[Option]:
    """Yield who may answer, for each thing that is meant and each topic; `nowhere`: as if no place were named."""
    abroad = case.direction == "to_post"
    senses = () if nowhere else _meant(case)
    named = {sense.country for sense in senses} or set(case.rules.countries)
    rows = in_force(case.register, case.direction, {*named, FRANCE}, case.on)
    border = near(case)
    for topic in topics:
        meant: Iterable[Sense | None] = senses
        if not senses and abroad and topic in _BORDER:
            meant = [Sense(code, "country") for code in border_countries(rows, topic, border)]
        for sense in meant or [None]:
            for charge in _in_charge(case, rows, topic, sense, border):
                yield Option(sense, topic, charge)


def _meant(case: Case) -> tuple[Sense, ...]:
    if case.direction == "to_post":
        if case.addressed:
            return case.addressed.city.senses[:1]
        return countries(case.reading, case.scores, case.asker)
    return territories(case.reading, case.register)


def _in_charge(
    case: Case, rows: tuple[Comp, ...], topic: str, sense: Sense | None, border: frozenset[str]
) -> tuple[InCharge, ...]:
    if sense and sense.country == FRANCE:
        rows = in_force(case.register, "to_prefecture", {FRANCE}, case.on)
        where = Where(FRANCE, territories=frozenset(case.register.territories_of(sense.territory)))
        return best(rows, topic, where, "to_prefecture", case.register, case.asker.id)
    country = sense.country if sense else ""
    where = Where(country, *case.reading.places_in(country, sense), border)
    found = best(rows, topic, where, case.direction, case.register, case.asker.id)
    return _called(case, found) if case.addressed and case.direction == "to_post" else found


def _called(case: Case, found: tuple[InCharge, ...]) -> tuple[InCharge, ...]:
    """Return who is called by name, where nobody else is in charge of the topic itself or several are."""
    called = case.addressed
    if called is None:
        return found
    if among := tuple(it for it in found if it.recipient.organisation == called.organisation.id):
        return among
    own = any(it.by and it.by.topic for it in found)
    if own and not (called.organisation.kind == "ccpd" and {it.by.topic for it in found if it.by} <= _OF_CENTRES):
        return found
    return (InCharge(Recipient(called.organisation.id, called.role), None),)


def near(case: Case) -> frozenset[str]:
    """Return the stretches of border concerned: where a passage or body named lies, else the asker's.

    A prefecture names other French places too (where somebody was born): only those of its own region count.
    """
    senses = [sense for found in case.reading.names for sense in found.senses if sense.territory]
    crossed = [sense for sense in senses if sense.country != FRANCE]
    own: set[str] = set() if crossed else set(case.asker.territories)
    for sense in crossed or senses:
        around = case.register.territories_of(sense.territory)
        if crossed or not own or own.intersection(around):
            own.update(around)
    return frozenset(own)


def neighbours(case: Case) -> frozenset[str]:
    """Return the countries across the border of the territories concerned."""
    border = near(case)
    rows = (row for rows in case.register.by_country.values() for row in rows)
    return frozenset(row.country for row in rows if row.country not in {"", FRANCE} and row.territory in border)


def across(case: Case) -> tuple[InCharge, ...]:
    """Return the prefectures across the border of the post that asks."""
    codes = (row.territory for row in case.register.by_organisation.get(case.asker.id, ()))
    senses = [Sense(FRANCE, "territory", territory=code) for code in dict.fromkeys(codes) if code]
    return tuple(charge for sense in senses for charge in _in_charge(case, (), OTHER, sense, frozenset()))
