"""An event in one line: « 12 mars 14h Strasbourg CCT plénière ». Pure: what is not understood stays in the title."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from bot.agenda.dates import Dated, dated
from bot.agenda.model import LINK, LINKS, NOTE, PLACE, TITLE, Details, When
from bot.directory.snapshot import Org, Snapshot
from bot.errors import UserError
from bot.routing.names import FRANCE, Sense
from bot.routing.reading import Found, Reading, read
from bot.routing.rules import Rules
from bot.routing.spelling import Word, keys, words
from bot.worktime.wall import resolved

_HOUR = timedelta(hours=1)
_NEVER = When(datetime.min.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC), "UTC")
_LINK = re.compile(r"<?(https?://[^\s<>|]+)(?:\|[^>]*)?>?")
_UNSURE = re.compile(
    r"\(?\b(?:à confirmer|a confirmer|sous réserve|provisoire|to be confirmed|tbc)\b\)?", re.IGNORECASE
)
_BEFORE_A_PLACE = frozenset({"a", "au", "en", "in", "at"})
_NO_PLACE = frozenset({("reunion",)})  # a meeting, unless it is « la Réunion »
_PLACES = frozenset({"city", "passage"})

_KINDS = {  # by the words that say so, stems as `words` has them
    "visit": "visite deplacement visit ministerielle",
    "training": "formation stage training seminaire seminar atelier workshop",
    "exercise": "exercice exercise simulation",
    "deadline": "echeance deadline cloture limite",
    "posting": "mutation affectation nomination installation depart posting",
    "holiday": "ferie holiday",
    "commission": "commission comite conseil conference sommet pleniere plenary committee council summit cct cig",
}
KIND_OF = {key: kind for kind, said in _KINDS.items() for key in said.split()}


@dataclass(frozen=True, slots=True)
class Asker:
    """From where a line is written: the day there, the zone of times without a place, who organises."""

    today: date
    zone: str
    organisation: str | None


def understood(text: str, asker: Asker, rules: Rules, directory: Snapshot) -> Details:
    """Read an event. Its first line says what, when and where; the others are its note.

    Raises UserError where there is no date, or nothing besides.
    """
    links = tuple(dict.fromkeys(found[1][:LINK] for found in _LINK.finditer(text)))[:LINKS]
    head, _, note = _LINK.sub(" ", text).strip().partition("\n")
    state = "planned" if _UNSURE.search(head) else "confirmed"
    found = dated(_UNSURE.sub(" ", head), asker.today)
    if found is None:
        raise UserError("agenda.no_date")
    if not words(found.rest):
        raise UserError("agenda.no_title")
    reading = read(found.rest, rules)
    names = [name for name in reading.names if _is_place(name, reading)]
    title, seat = _seated(found.rest, names)
    bodies = _bodies(reading.words, directory)
    senses = [name.senses[0] for name in names if not name.open]
    territories = dict.fromkeys(sense.territory for sense in senses if sense.territory)
    countries = dict.fromkeys(sense.country for sense in senses if sense.country not in {FRANCE, ""})
    if seat is None and bodies:
        countries.update(dict.fromkeys(it.country for it in bodies if it.country != FRANCE))
    zone = zone_of(seat, directory) or asker.zone
    return Details(
        title=title[:TITLE],
        when=_when(found, zone),
        kind=_kind(reading.words, bodies),
        place=seat.name[:PLACE] if seat is not None else "",
        note=note.strip()[:NOTE],
        countries=tuple(countries),
        territories=tuple(territories),
        bodies=tuple(it.id for it in bodies),
        organisers=(asker.organisation,) if asker.organisation else (),
        links=links,
        state=state,
    )


def concerned(text: str, rules: Rules, directory: Snapshot) -> Details:
    """Return whom words name: countries, territories, bodies and other organisations (by id or short name); no more."""
    reading = read(text, rules)
    senses = [name.senses[0] for name in reading.names if not name.open and _is_place(name, reading)]
    spoken = tuple(word.key for word in reading.words)
    by_id = [id_ for id_ in text.replace(",", " ").split() if id_ in directory.organisations]
    organisations = [it.id for it in directory.organisations.values() if it.kind != "body" and _called(it, spoken)]
    codes = [code for code in re.findall(r"(?<![\w-])\d[\dAB]\d?(?![\w-])", text.upper()) if code in rules.territories]
    return Details(
        title="",
        when=_NEVER,
        countries=tuple(dict.fromkeys(it.country for it in senses if it.country and _abroad_or_all(it))),
        territories=tuple(dict.fromkeys([*codes, *(it.territory for it in senses if it.territory)])),
        bodies=tuple(dict.fromkeys([*by_id, *(it.id for it in _bodies(reading.words, directory)), *organisations])),
    )


def placed(details: Details, rules: Rules, directory: Snapshot) -> Details:
    """Return an event that names nobody with whom its title and place name, and the kind that its title says."""
    if details.countries or details.territories or details.bodies:
        return details
    found = concerned(f"{details.title}, {details.place}", rules, directory)
    reading = read(details.title, rules)
    kind = _kind(reading.words, ()) if details.kind == "other" else details.kind
    return replace(
        details,
        countries=found.countries,
        territories=found.territories,
        bodies=tuple(id_ for id_ in found.bodies if directory.organisations[id_].kind == "body"),
        kind=kind,
    )


def seat_of(text: str, rules: Rules) -> Sense | None:
    """Return the one place that words name, None where it is none or several."""
    reading = read(text, rules)
    names = [name.senses[0] for name in reading.names if not name.open and _is_place(name, reading)]
    towns = [sense for sense in names if sense.kind in _PLACES] or names
    return towns[0] if len({sense.name for sense in towns}) == 1 else None


def scheduled(text: str, asker: Asker, zone: str) -> When:
    """Read when something is, and nothing else. Raises UserError where there is no date, or more than that."""
    found = dated(text, asker.today)
    if found is None or words(found.rest):
        raise UserError("agenda.no_date")
    return _when(found, zone)


def _abroad_or_all(sense: Sense) -> bool:
    return sense.country != FRANCE or sense.kind == "country"


def _called(organisation: Org, spoken: tuple[str, ...]) -> bool:
    short = keys(organisation.short_name)
    return len(short) > 1 and organisation.status == "open" and _within(short, spoken)


def zone_of(seat: Sense | None, directory: Snapshot) -> str | None:
    """Return the zone of a place, as the organisations there have it; None where there is none."""
    if seat is None:
        return None
    found = [it for it in directory.organisations.values() if it.timezone and it.country == (seat.country or FRANCE)]
    in_town = [it for it in found if it.city == seat.name]
    around = [it for it in found if seat.territory and it.territory == seat.territory]
    embassy = [it for it in found if it.kind == "embassy" and it.country != FRANCE]
    return next((it.timezone for it in (*in_town, *around, *embassy)), None)


def _when(found: Dated, zone: str) -> When:
    if found.begins is None:
        return When.days(found.first, found.last, zone)
    starts = resolved(found.first, found.begins, zone)
    if found.ends is None:
        return When(starts, starts + _HOUR, zone)
    ends = resolved(found.last, found.ends, zone)
    if ends <= starts:
        ends = resolved(found.last + timedelta(days=1), found.ends, zone)
    return When(starts, ends, zone)


def _is_place(name: Found, reading: Reading) -> bool:
    key = tuple(word.key for word in reading.words[name.start : name.end])
    return key not in _NO_PLACE and not name.demonym and any(sense.kind != "body" for sense in name.senses)


def _seated(text: str, names: Sequence[Found]) -> tuple[str, Sense | None]:
    """Return the title and where it is: a town that comes first, or that « à » announces, leaves the title."""
    said = words(text)
    towns = [name for name in names if not name.open and name.senses[0].kind in _PLACES]
    for name in towns:
        start, end = said[name.start].at, said[min(name.end, len(said)) - 1].at
        announced = name.start > 0 and said[name.start - 1].key in _BEFORE_A_PLACE
        if start == 0 or announced:
            return _without(text, start - announced, end) or text, name.senses[0]
    return text, towns[0].senses[0] if len(towns) == 1 else None


def _without(text: str, first: int, last: int) -> str:
    """Return a text without its words from one to another."""
    spans = [found.span() for found in re.finditer(r"[^\W_]+", text)]
    left = text[: spans[first][0]] + " " + text[spans[last][1] :]
    return re.sub(r"^[\s,;:.–-]+|[\s,;:–-]+$", "", " ".join(left.split()))


def _bodies(said: Sequence[Word], directory: Snapshot) -> list[Org]:
    spoken = tuple(word.key for word in said)
    found = [it for it in directory.organisations.values() if it.kind == "body" and it.status == "open"]
    return [it for it in found if any(_within(keys(name), spoken) for name in (it.short_name, it.name) if name)]


def _within(name: tuple[str, ...], spoken: tuple[str, ...]) -> bool:
    return any(spoken[at : at + len(name)] == name for at in range(len(spoken) - len(name) + 1))


def _kind(said: Iterable[Word], bodies: Sequence[Org]) -> str:
    kinds = [KIND_OF[key] for word in said for key in (word.key, word.key.rstrip("s")) if key in KIND_OF]
    return kinds[0] if kinds else "commission" if bodies else "other"
