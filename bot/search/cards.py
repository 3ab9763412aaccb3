"""What a look-up shows: the lines of an organisation's or a person's card."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from bot.card import Words
from bot.directory.confirming import CHECKED
from bot.directory.tables import Organisation, Person
from bot.search.vcard import Property, vcard
from bot.search.view import View
from bot.texts import Row, Text, escape
from bot.worktime.calendar import Calendar, Exceptional, state
from bot.worktime.holidays import Place
from bot.worktime.hours import parse

HOLDERS = 5  # of an office, shown at most

Pair = tuple[Words, Words]


def of_organisation(view: View, row: Organisation, role: str) -> Iterator[Pair]:
    """Yield the lines of an organisation's card, or of one of its offices."""
    if role:
        yield from _holders(view, row, role)
    yield from _told(view, row, ("phone", "email"))
    yield from _address(view, row)
    yield from _told(view, row, ("website",))
    there = clock(view, row)
    if there is not None:
        yield Text.of("lookup.there"), there
    yield Text.of("lookup.checked"), _freshness(view, row)


def of_person(view: View, row: Person) -> Iterator[Pair]:
    """Yield the lines of a person's card."""
    held = view.postings(row.id)
    for posting in held:
        organisation = view.organisation(posting.organisation)
        if organisation is not None:
            yield Text.of("lookup.office"), office(posting.role, organisation.name)
    yield from _told(view, row, ("phone", "email"))
    absence = _absence(view, row)
    if absence is not None:
        yield Text.of("lookup.absent"), absence
    at = view.organisation(held[0].organisation) if held else None
    there = clock(view, at) if at is not None else None
    if there is not None:
        yield Text.of("lookup.there"), there
    confirmed = _confirmed(view, row)
    if confirmed is not None:
        yield Text.of("lookup.checked"), confirmed


def office(role: str, name: str) -> Words:
    """Return an office in words."""
    if not role or role == "member":
        return escape(name)
    return Text.of("office", role=Text.of(f"role.{role}"), name=name)


def full_name(row: Person) -> str:
    """Return how a person is called."""
    return f"{row.given_name} {row.family_name}".strip() or row.id


def clock(view: View, row: Organisation) -> Words | None:
    """Return what time it is there and whether somebody is; None where the zone is not known."""
    if not row.timezone:
        return None
    zone, place = ZoneInfo(row.timezone), Place(row.country, row.subdivision)
    local = view.now.astimezone(zone)
    notes: list[Words] = [Text.of("lookup.local_time", time=local.time())]
    told = view.value(row, "opening_hours") if row.status == "open" else ""
    hours = parse(told) if told else None
    own = view.own_days(row) if row.status == "open" else ()
    if hours is not None:
        found = state(Calendar(hours, row.timezone, place, own), view.now)
        notes.append(_state(view, open_=found.open, until=found.until, zone=zone))
    notes += _of_day(place, own, local.date(), hours_known=hours is not None)
    if told and hours is None:
        notes.append(Text.of("lookup.hours", hours=told))
    return Text.of("lookup.notes", notes=Row(notes))


def _of_day(place: Place, own: Sequence[Exceptional], day: date, *, hours_known: bool) -> Iterator[Text]:
    """Yield why nobody may be there on a day: the office's own closure, else the weekend and a holiday."""
    said = next((it for it in own if it.is_for(day)), None)
    if said is not None:
        if not said.open:
            yield Text.of("lookup.shut", day=said.last)
        return
    if not hours_known and place.is_weekend(day):
        yield Text.of("lookup.weekend")
    holiday = place.holiday(day)
    if holiday is not None:
        yield Text.of("lookup.holiday", name=holiday.fr, name_en=holiday.en)


def _state(view: View, *, open_: bool, until: datetime | None, zone: ZoneInfo) -> Text:
    if until is None:
        return Text.of("lookup.open" if open_ else "lookup.closed")
    local = until.astimezone(zone)
    key = "lookup.open_until" if open_ else "lookup.closed_until"
    if local.date() == view.now.astimezone(zone).date():
        when = Text.of("lookup.at", time=local.time())
    else:
        when = Text.of("lookup.on", day=local.date(), time=local.time())
    same = local.utcoffset() == until.astimezone(ZoneInfo(view.zone)).utcoffset()
    return Text.of(key, when=when) if same else Text.of(f"{key}_yours", when=when, yours=until)


def _told(view: View, row: Organisation | Person, fields: Sequence[str]) -> Iterator[Pair]:
    for field in fields:
        value = view.value(row, field)
        if value:
            yield Text.of(f"lookup.{field}"), escape(value)


def _address(view: View, row: Organisation) -> Iterator[Pair]:
    address, city = view.value(row, "address"), view.value(row, "city")
    where = address if city.casefold() in address.casefold() else ", ".join(it for it in (address, city) if it)
    if where:
        country = view.countries.get(view.value(row, "country"))
        named = (
            country
            and country.fr != where
            and Text.of("lookup.where", where=where, country=country.fr, country_en=country.en)
        )
        yield Text.of("lookup.address"), named or escape(where)


def _holders(view: View, row: Organisation, role: str) -> Iterator[Pair]:
    people = view.holders(row.id, role)
    if not people:
        reached = view.value(row, "phone") or view.value(row, "email")
        yield Text.of("lookup.holder"), Text.of("lookup.nobody" if reached else "lookup.unheld")
    for person in people[:HOLDERS]:
        how = _absence(view, person)
        name = full_name(person)
        yield Text.of("lookup.holder"), Text.of("lookup.holder_away", name=name, how=how) if how else escape(name)


def _absence(view: View, row: Person) -> Text | None:
    absence, other = view.absence(row), view.replacing(row)
    if absence is None:
        return None
    who = Text.of("lookup.replaced_by", name=full_name(other)) if other else Text.of("lookup.not_replaced")
    return (
        Text.of("lookup.away_until", day=absence.until, who=who) if absence.until else Text.of("lookup.away", who=who)
    )


def _freshness(view: View, row: Organisation) -> Text:
    if row.checked_on is None:
        return Text.of("lookup.never_checked")
    stale = view.now.date() - row.checked_on > CHECKED
    return Text.of("lookup.stale" if stale else "lookup.fresh", day=row.checked_on)


def _confirmed(view: View, row: Person) -> Text | None:
    found = view.confirmation(row)
    if found is None:
        return None
    if found.overdue_at <= view.now:
        return Text.of("lookup.unconfirmed", day=view.day(found.since))
    return Text.of("lookup.confirmed" if found.confirmed else "lookup.entered", day=view.day(found.since))


def to_keep(view: View, row: Organisation | Person) -> str:
    """Return a vCard of what may be seen."""
    reached: list[Property] = [("TEL", [view.value(row, "phone")]), ("EMAIL", [view.value(row, "email")])]
    if isinstance(row, Organisation):
        place = ["", "", view.value(row, "address"), view.value(row, "city"), "", "", view.value(row, "country")]
        more: list[Property] = [
            ("ADR", place),
            ("URL", [view.value(row, "website")]),
            ("TZ", [view.value(row, "timezone")]),
        ]
        return vcard(row.name, [("KIND", ["org"]), ("UID", [f"passerelle:{row.id}"]), *reached, *more])
    held = view.postings(row.id)
    at = view.organisation(held[0].organisation) if held else None
    name = [row.family_name, row.given_name, "", "", ""]
    work: list[Property] = [("ORG", [at.name if at else ""]), ("ROLE", [held[0].role if held else ""])]
    return vcard(full_name(row), [("N", name), ("UID", [f"passerelle:{row.id}"]), *work, *reached])
