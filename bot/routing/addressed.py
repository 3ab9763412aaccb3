"""A post or a police and customs centre called by its name: « consulat général de Munich », « CCPD de Kehl ».

Whoever is named is meant, before any country or place: the name tells where, and who answers what nobody else there is
in charge of by name (visas are pooled, whichever consulate is named).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.directory.snapshot import Org
from bot.routing.found import Found
from bot.routing.names import FRANCE
from bot.routing.reading import Reading
from bot.routing.register import Register
from bot.routing.spelling import keys

_CONSULATES = ("consulate_general", "consulate", "embassy", "honorary_consulate")
_EMBASSIES = ("embassy",)
_CENTRES = ("ccpd",)
_CALLED = {
    **dict.fromkeys(("consulat", "consul", "consule", "consulate", "cg", "cgf", "consulaire"), _CONSULATES),
    **dict.fromkeys(("ambassade", "ambassadeur", "ambassadrice", "embassy", "ambassador"), _EMBASSIES),
    **dict.fromkeys(("ccpd", "douaniere"), _CENTRES),
}
_BETWEEN = frozenset("general generale de du d la le l a au aux en france francais francaise section of in at".split())
_REACH = 6
_ROLES = {"embassy": "ambassador", "ccpd": "desk"}


@dataclass(frozen=True, slots=True)
class Addressed:
    """The organisation that is called by its name, the role that answers there, and the city in its name."""

    organisation: Org
    role: str
    city: Found


def addressed(reading: Reading, register: Register, asker: str) -> Addressed | None:
    """Return who is called by name, None where nobody is, or several are; the organisation that asks is not asked."""
    found = {it.organisation.id: it for it in _all(reading, register) if it.organisation.id != asker}
    return next(iter(found.values())) if len(found) == 1 else None


def _all(reading: Reading, register: Register) -> Iterator[Addressed]:
    for name in reading.names:
        if name.demonym or name.senses[0].country in {FRANCE, ""}:
            continue
        for kind in _kinds(name, reading):
            if its := register.abroad.get((kind, keys(name.written))):
                yield Addressed(its[0], _ROLES.get(kind, "consul"), name)
                break


def _kinds(name: Found, reading: Reading) -> tuple[str, ...]:
    """Return which kinds of organisation the words before a name may call."""
    for word in reversed(reading.words[max(0, name.start - _REACH) : name.start]):
        if word.key in _CALLED:
            return _CALLED[word.key]
        if word.key not in _BETWEEN:
            break
    return ()
