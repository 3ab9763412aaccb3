"""How a session is offered, as people write it: « 20 places ; inscriptions avant le 1er mars ; réservé au MEAE »."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from bot.agenda.dates import dated
from bot.agenda.seats import MOST, Corps
from bot.errors import UserError
from bot.routing.spelling import keys, plain

_SEATS = re.compile(r"^(\d{1,5})\s*(?:places?|seats?)$|^(?:places?|seats?)\s*:?\s*(\d{1,5})$")
_UNLIMITED = re.compile(r"^(?:places?|seats?)\s*:?\s*(?:illimitees?|unlimited)$|^sans limite(?: de places?)?$")
_CLOSES = re.compile(r"^(?:inscriptions?|enrol\w*)\b|^(?:date )?limite\b")
_APPROVAL = re.compile(r"^(?:avec (?:l['’ ])?)?accord\b|^approval\b|^with approval\b")
_NO_APPROVAL = re.compile(r"^sans accord\b|^no approval\b|^without approval\b")
_OPEN = re.compile(r"^(?:reservee?s?|ouverte?s?|open|for|only|pour)\b")
_ALL = re.compile(r"\b(?:tous|toutes|deux ministeres|all|everybody|both)\b")
_MINISTRIES = {
    "interieur": re.compile(r"\binterieur\b|\binterior\b|\bprefectures?\b"),
    "meae": re.compile(r"\bmeae\b|\baffaires etrangeres\b|\bforeign affairs\b|\bpostes?\b|\bquai d['’ ]orsay\b"),
}


@dataclass(frozen=True, slots=True)
class Offer:
    """Seats (None: as many as come), the last day of enrolment (None: until it begins), for whom, who approves."""

    seats: int | None = None
    closes_on: date | None = None
    ministries: tuple[str, ...] = ()
    corps: tuple[str, ...] = ()
    approval: bool = False


def offered(text: str, today: date, corps: Mapping[str, Corps], before: Offer | None = None) -> Offer:
    """Read conditions, separated by semicolons; what is not said stays as before.

    Raises UserError for one that is not understood.
    """
    offer = before or Offer()
    for part in (piece.strip() for piece in re.split(r"[;\n]", text)):
        if part:
            offer = _taken(offer, part, today, corps)
    return offer


def _taken(offer: Offer, part: str, today: date, corps: Mapping[str, Corps]) -> Offer:
    said = plain(part).casefold()
    seats = _SEATS.match(said)
    if seats is not None:
        count = int(seats[1] or seats[2])
        if not 1 <= count <= MOST:
            raise UserError("training.seats", most=MOST)
        return replace(offer, seats=count)
    if _UNLIMITED.match(said):
        return replace(offer, seats=None)
    if _CLOSES.match(said):
        found = dated(part, today)
        if found is None:
            raise UserError("agenda.no_date")
        return replace(offer, closes_on=found.first)
    if _NO_APPROVAL.match(said):
        return replace(offer, approval=False)
    if _APPROVAL.match(said):
        return replace(offer, approval=True)
    if _OPEN.match(said):
        return _opened(offer, part, said, corps)
    raise UserError("training.option", words=part[:80])


def _opened(offer: Offer, part: str, said: str, corps: Mapping[str, Corps]) -> Offer:
    """Take whom it is open to: ministries, corps, or everybody."""
    named: set[str] = set()
    left = f" {' '.join(keys(said))} "
    spelled = [(" ".join(keys(name)), it.id) for it in corps.values() for name in (it.fr, it.en)]
    for name, id_ in sorted(spelled, key=lambda it: -len(it[0])):  # « sous-préfets » are no « préfets »
        if f" {name} " in left:
            named.add(id_)
            left = left.replace(f" {name} ", "  ")
    ministries = tuple(name for name, pattern in _MINISTRIES.items() if pattern.search(left))
    if not named and not ministries and not _ALL.search(left):
        raise UserError("training.option", words=part[:80])
    return replace(offer, ministries=ministries, corps=tuple(it for it in corps if it in named))
