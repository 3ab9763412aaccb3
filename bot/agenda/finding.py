"""What comes: the events of some days that somebody may see, and the public holidays around them."""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from bot.agenda import rights
from bot.agenda.borders import EVERYTHING, Around, Borders, Named
from bot.agenda.dates import dated
from bot.agenda.line import KIND_OF
from bot.agenda.tables import Event
from bot.directory.identity import Actor
from bot.directory.snapshot import Snapshot
from bot.errors import UserError
from bot.routing.names import FRANCE
from bot.routing.reading import read
from bot.routing.rules import Rules
from bot.routing.spelling import keys
from bot.worktime.holidays import Holiday, Place

WEEK = 7
MONTH = 31
LONGEST = 400  # days that are looked at in one go
_MARGIN = timedelta(hours=15)  # between midnight somewhere and midnight in UTC, at most
_NEXT = re.compile(r"\b(?:la )?semaine prochaine\b|\bnext week\b", re.IGNORECASE)
_WEEK = re.compile(r"\b(?:cette )?semaine\b|\b(?:this )?week\b", re.IGNORECASE)
_MONTH = re.compile(r"\b(?:ce )?mois\b|\b(?:this )?month\b", re.IGNORECASE)
_CODE = re.compile(r"(?:dans le |departement )?(\d[\dab]\d?)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Window:
    """Which events: those of some days, of some kinds (none: all), around somebody or somewhere."""

    first: date
    days: int = WEEK
    around: Around = EVERYTHING
    kinds: frozenset[str] = frozenset()
    words: str = ""  # as they were typed, without the days

    @property
    def last(self) -> date:
        """The last of its days."""
        return self.first + timedelta(days=self.days - 1)


@dataclass(frozen=True, slots=True)
class Where:
    """What words are read with."""

    rules: Rules
    directory: Snapshot
    borders: Borders


class Known(NamedTuple):
    """An event that is held in memory, with what it is found by."""

    starts: datetime
    ends: datetime
    named: Named
    event: Event


def window(text: str, today: date, organisation: str | None, where: Where) -> Window:
    """Read a filter: « formations Allemagne », « 67 », « mois », « tout », « semaine prochaine », a date.

    Without a place it is about what lies around an organisation. Raises UserError for words that say nothing.
    """
    first, days, text = _days(text, today)
    said = keys(text)
    kinds = frozenset(KIND_OF[k] for key in said for k in (key, key.rstrip("s")) if k in KIND_OF)
    rest = [key for key in said if key not in KIND_OF and key.rstrip("s") not in KIND_OF]
    if not rest:
        around = where.borders.around(organisation, where.directory)
    elif rest in (["tout"], ["tous"], ["toutes"], ["all"], ["everything"]):
        around = EVERYTHING
    else:
        around = _around(text, " ".join(rest), where)
    return Window(first, days, around, kinds, " ".join(text.split()))


def coming(session: Session, actor: Actor, asked: Window, zone: str) -> list[Event]:
    """Return the events of some days that somebody may see, by when they begin for somebody in a zone."""
    columns = (Event.id, Event.kind, Event.countries, Event.territories, Event.bodies, Event.organisers)
    near = session.execute(select(*columns).where(*_span(asked)))  # most are elsewhere, and whole rows cost the most
    ids = [id_ for id_, kind, *named in near if _is_chosen(asked, kind, names(*named))]
    rows = session.scalars(select(Event).where(Event.id.in_(ids))) if ids else ()
    return rights.seen(actor, _in_order(rows, asked, zone))


def among(known: Iterable[Known], actor: Actor, asked: Window, zone: str) -> list[Event]:
    """Return the same as `coming`, of events that are held in memory in the order in which they begin."""
    since, until = _instants(asked)
    near = itertools.takewhile(lambda it: it.starts < until, known)
    found = (it.event for it in near if it.ends >= since and _is_chosen(asked, it.event.kind, it.named))
    return rights.seen(actor, _in_order(found, asked, zone))


def between(session: Session, asked: Window, zone: str) -> list[Event]:
    """Return all events that touch some days, as a zone has them, by when they begin there."""
    return _in_order(session.scalars(select(Event).where(*_span(asked))), asked, zone)


def _span(asked: Window) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    since, until = _instants(asked)
    return Event.starts < until, Event.ends >= since


def _instants(asked: Window) -> tuple[datetime, datetime]:
    """Return between which instants some days lie, wherever they are."""
    since = datetime.combine(asked.first, time(), UTC) - _MARGIN
    return since, datetime.combine(asked.last, time(), UTC) + timedelta(days=1) + _MARGIN


def _in_order(rows: Iterable[Event], asked: Window, zone: str) -> list[Event]:
    touching = (row for row in rows if row.when.day(zone) <= asked.last and row.when.last_day(zone) >= asked.first)
    return sorted(touching, key=lambda row: (row.when.begins(zone), not row.whole_days, row.id))


def names(*lists: str) -> Named:
    """Return whom an event names by the lists of its row: countries, territories, bodies, organisers."""
    return Named(*(tuple(it.split()) for it in lists))


def _is_chosen(asked: Window, kind: str, named: Named) -> bool:
    """Whether an event is of the kinds and places that are asked for."""
    return (not asked.kinds or kind in asked.kinds) and asked.around.holds(named)


def holidays(places: Sequence[Place], first: date, last: date) -> Iterator[tuple[date, Holiday, Sequence[Place]]]:
    """Yield the public holidays of some days: the day, its names, and the places that keep it under these names."""
    for shift in range((last - first).days + 1):
        day = first + timedelta(days=shift)
        names: dict[Holiday, list[Place]] = {}
        for place in places:
            name = place.holiday(day)
            if name is not None:
                names.setdefault(name, []).append(place)
        yield from ((day, name, kept) for name, kept in names.items())


def _days(text: str, today: date) -> tuple[date, int, str]:
    plain = " ".join(keys(text))
    monday = today + timedelta(days=7 - today.weekday())
    for pattern, first, days in ((_NEXT, monday, WEEK), (_WEEK, today, WEEK), (_MONTH, today, MONTH)):
        if pattern.search(text):
            return first, days, pattern.sub(" ", text)
    found = dated(text, today) if plain else None
    if found is None:
        return today, WEEK, text
    days = min(LONGEST, (found.last - found.first).days + 1)
    return found.first, days if days > 1 else WEEK, found.rest


def _around(text: str, left: str, where: Where) -> Around:
    """Return what lies around the place that a text names; `left` is what of it names no kind."""
    code = _CODE.fullmatch(left)
    reading = read(text, where.rules)
    senses = [sense for name in reading.names for sense in name.senses[:1] if not name.open]
    territory = code[1].upper() if code is not None else next((it.territory for it in senses if it.territory), "")
    if territory in where.rules.territories:
        return where.borders.of_territory(territory, where.directory)
    country = next((it.country for it in senses if it.country not in {FRANCE, ""}), "")
    if country:
        return where.borders.of_country(country)
    organisation = text.strip()
    if organisation in where.directory.organisations:
        return where.borders.around(organisation, where.directory)
    raise UserError("agenda.no_such_filter", words=text.strip()[:60])


def of_places(found: Sequence[Place]) -> Mapping[str, tuple[str, ...]]:
    """Return places by country: its parts, none where all of it is meant."""
    by_country: dict[str, list[str]] = {}
    for place in found:
        by_country.setdefault(place.country, []).append(place.subdivision)
    return {country: tuple(filter(None, parts)) for country, parts in by_country.items()}
