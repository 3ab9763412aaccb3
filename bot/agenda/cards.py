"""The cards of the agenda: some days, and one event. Words only; who sees what is settled before."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot import personal
from bot.agenda.borders import FRANCE
from bot.agenda.finding import Window, of_places
from bot.agenda.model import When
from bot.agenda.participation import ANSWERS, Answer
from bot.agenda.tables import Event, Participation
from bot.card import Block, Button, Buttons, Card, Fields, Paragraph, Words
from bot.directory.snapshot import Snapshot
from bot.routing.rules import Rules
from bot.texts import Lines, Markdown, Row, Text, city, escape
from bot.worktime.holidays import Holiday, Place

SHOWN = 15  # events of a list
OFFERED = 5  # of them with a button

Closed = tuple[date, Holiday, Sequence[Place]]
Pair = tuple[Words, Words]


@dataclass(frozen=True, slots=True)
class View:
    """For whom cards are drawn: their zone, what names things, and whether words of encrypted rooms may stand here."""

    zone: str
    now: datetime
    directory: Snapshot
    rules: Rules
    encrypted: bool


def days(view: View, asked: Window, events: Sequence[Event], closed: Sequence[Closed]) -> Card:
    """Return what comes, day by day."""
    shown = events[:SHOWN]
    by_day: dict[date, list[Words]] = {}
    for day, name, places in closed:
        by_day.setdefault(day, []).append(closed_line(view, name, places))
    for event in shown:
        day = max(asked.first, event.when.day(view.zone))
        by_day.setdefault(day, []).append(line(view, event, day))
    blocks: list[Block] = [
        Paragraph(Text.of("agenda.day", day=day, items=Lines(by_day[day])), theirs=True) for day in sorted(by_day)
    ]
    if not events:
        blocks.append(Paragraph(Text.of("agenda.nothing")))
    if len(events) > SHOWN:
        blocks.append(Paragraph(Text.of("agenda.more", count=len(events) - SHOWN)))
    title = Text.of("agenda.title", first=asked.first, last=asked.last)
    return Card(title, (*blocks, Buttons(tuple(_list_buttons(view, asked, shown)))))


def one(
    view: View, event: Event, counts: Mapping[str, int], own: Participation | None, buttons: Sequence[Button]
) -> Card:
    """Return the card of an event; `own` is what its reader answered."""
    blocks: list[Block] = []
    if event.state != "confirmed":
        blocks.append(Paragraph(state(event)))
    blocks.append(Fields(tuple(_fields(view, event, counts, own))))
    blocks += noted(view, event)
    title = Text.of("agenda.event_title", number=Markdown(event.number), title=title_of(view, event))
    return Card(title, (*blocks, *((Buttons(tuple(buttons)),) if buttons else ())))


def participants(view: View, event: Event, answers: Sequence[Answer], names: Mapping[str, str]) -> Card:
    """Return who comes, for those who organise it."""
    title = Text.of("agenda.event_title", number=Markdown(event.number), title=title_of(view, event))
    if not answers:
        return Card(title, (Paragraph(Text.of("agenda.nobody_answered")),))
    blocks: list[Block] = []
    for answer in ANSWERS:
        lines = [_answer(view, it, names) for it in answers if it.answer == answer]
        if lines:
            said = Text.of(f"agenda.answered.{answer}", count=len(lines))
            blocks.append(Paragraph(Text.of("agenda.group", said=said, items=Lines(lines))))
    return Card(title, tuple(blocks))


def when(view: View, value: When) -> Text:
    """Return when something is, in its reader's zone, and in its own where clocks differ."""
    if value.whole_days:
        first, last = value.starts.date(), value.last
        return Text.of("agenda.on", day=first) if first == last else Text.of("agenda.days", first=first, last=last)
    said = _times(value, view.zone)
    there, here = (value.starts.astimezone(ZoneInfo(zone)) for zone in (value.zone, view.zone))
    if there.utcoffset() == here.utcoffset():
        return said
    named = {"city": city(value.zone, "fr"), "city_en": city(value.zone, "en_GB")}
    return Text.of("agenda.two_zones", said=said, there=there.time(), **named)


def _times(value: When, zone: str) -> Text:
    begins, ends = (at.astimezone(ZoneInfo(zone)) for at in (value.starts, value.ends))
    if begins == ends:
        return Text.of("agenda.at", day=begins.date(), time=begins.time())
    if begins.date() == value.last_day(zone):
        return Text.of("agenda.from_to", day=begins.date(), begins=begins.time(), ends=ends.time())
    return Text.of("agenda.until", begins=value.starts, ends=value.ends)


def line(view: View, event: Event, day: date, marks: Sequence[Words] | None = None) -> Text:
    """Return an event in a line of a day; `marks` stand at its end, its state where they are not given."""
    value = event.when
    parts: list[Words] = []
    if not value.whole_days and value.day(view.zone) == day:
        parts.append(Text.of("agenda.clock", time=value.starts.astimezone(ZoneInfo(view.zone)).time()))
    parts.append(Text.of("agenda.named", title=title_of(view, event)))
    place = shown_words(view, event, event.place)
    if place:
        parts.append(Markdown(escape(place)))
    if value.last_day(view.zone) > day:
        parts.append(Text.of("agenda.lasts", day=value.last_day(view.zone)))
    parts += [state(event)] if marks is None and event.state != "confirmed" else marks or ()
    return Text.of("agenda.line", parts=Row(parts), number=Markdown(event.number))


def closed_line(view: View, holiday: Holiday, places: Sequence[Place]) -> Text:
    """Return a public holiday in a line of its day."""
    return Text.of("agenda.closed", name=holiday.fr, name_en=holiday.en, where=tuple(_where(view, places)))


def _where(view: View, places: Sequence[Place]) -> Iterator[Text]:
    for country, parts in of_places(places).items():
        if country == FRANCE and parts:  # of France only the reader's own part is asked for
            yield Text.of("agenda.here")
            continue
        named = country_of(view, country)
        yield Text.of("agenda.parts", country=named, parts="/".join(parts)) if parts else named


def country_of(view: View, code: str) -> Text:
    """Return the name of a country."""
    if code == FRANCE:
        return Text.of("lookup.country", country="France", country_en="France")
    label = view.rules.countries.get(code)
    return Text.of("lookup.country", country=label.fr if label else code, country_en=label.en if label else code)


def _fields(view: View, event: Event, counts: Mapping[str, int], own: Participation | None) -> Iterator[Pair]:
    yield Text.of("agenda.field.when"), when(view, event.when)
    yield from located(view, event)
    yield Text.of("agenda.field.kind"), Text.of(f"agenda.kind.{event.kind}")
    details = event.details
    if details.organisers:
        yield Text.of("agenda.field.organisers"), _named(view, details.organisers)
    concerned = [*_territories(view, details.territories), *(country_of(view, it) for it in details.countries)]
    concerned += [Markdown(escape(name_of(view, it))) for it in details.bodies]
    if concerned:
        yield Text.of("agenda.field.concerns"), Text.of("agenda.list", items=tuple(concerned))
    if details.links and is_open(view, event):
        links = tuple(Markdown(f"<{link}>") for link in details.links)
        yield Text.of("agenda.field.links"), Text.of("agenda.list", items=links)
    if any(counts.values()):
        yield Text.of("agenda.field.answers"), Text.of("agenda.counts", **{name: counts[name] for name in ANSWERS})
    if own is not None:
        yield Text.of("agenda.field.own"), Text.of(f"agenda.own.{own.answer}")


def _territories(view: View, codes: Sequence[str]) -> Iterator[Words]:
    for code in codes:
        yield Markdown(escape(view.rules.territories.get(code, code)))


def _named(view: View, organisations: Sequence[str]) -> Text:
    return Text.of("agenda.list", items=tuple(Markdown(escape(name_of(view, it))) for it in organisations))


def name_of(view: View, organisation: str) -> str:
    """Return how an organisation is called in short."""
    found = view.directory.organisations.get(organisation)
    return (found.short_name or found.name) if found is not None else organisation


def _answer(view: View, it: Answer, names: Mapping[str, str]) -> Text:
    who = names.get(it.person or "") or Text.of("agenda.an_agent")
    organisation = name_of(view, it.organisation) if it.organisation else "—"
    if it.stand_in:
        return Text.of("agenda.replaced", who=who, organisation=organisation, by=names.get(it.stand_in, it.stand_in))
    return Text.of("who", name=who, organisation=organisation)


def state(event: Event) -> Text:
    """Return what state an event is in."""
    if event.state == "moved" and event.moved_from is not None:
        if event.whole_days:
            return Text.of("agenda.state.moved_from", before=Text.of("agenda.on", day=event.moved_from.date()))
        return Text.of("agenda.state.moved_from", before=Text.of("agenda.instant", at=event.moved_from))
    return Text.of(f"agenda.state.{event.state}")


def title_of(view: View, event: Event) -> Words:
    """Return what an event is called where its words may stand, else that they stand elsewhere."""
    title = shown_words(view, event, event.title)
    if not title:
        return Text.of("agenda.sealed_title")
    english = shown_words(view, event, event.title_en)
    return Text.of("agenda.own_title", title=title, title_en=english) if english else title


def shown_words(view: View, event: Event, text: str) -> str:
    """Return some of an event's words as they may stand here.

    In clear there are none of what an encrypted room keeps, and no identifiers of persons.
    """
    if is_open(view, event):
        return text if view.encrypted else personal.masked(text)
    return ""


def is_open(view: View, event: Event) -> bool:
    """Whether an event's words may stand here."""
    return view.encrypted or not event.sealed


def located(view: View, event: Event) -> Iterator[Pair]:
    """Yield where an event is, as a field of a card."""
    place = shown_words(view, event, event.place)
    if place:
        yield Text.of("agenda.field.place"), escape(place)


def noted(view: View, event: Event) -> Iterator[Block]:
    """Yield what is noted with an event."""
    note = shown_words(view, event, event.note)
    if note:
        yield Paragraph(escape(note), quote=True, theirs=True)


def _list_buttons(view: View, asked: Window, shown: Sequence[Event]) -> Iterator[Button]:
    for event in shown[:OFFERED]:
        label = Text.of("agenda.event_button", number=event.number, title=title_of(view, event))
        yield Button(label, "agenda", event.number)
    after = asked.first + timedelta(days=asked.days)
    until = after + timedelta(days=asked.days - 1)
    yield Button(Text.of("button.agenda_next"), "agenda", f"{after} au {until} {asked.words}".strip())
    yield Button(Text.of("button.agenda_add"), "evenement", "", "primary")
