"""What the clock makes of training: who moved up is told, superiors are asked, lists are closed, presence is noted."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from bot import due
from bot.agenda import seats
from bot.agenda.cards import title_of, when
from bot.agenda.seats import LIVE, Enrolment, Training, closes
from bot.agenda.tables import Event
from bot.card import Button, Buttons, Card, Paragraph
from bot.clockwork import Again, Ring
from bot.clockwork.views import view_at
from bot.context import Scope
from bot.conversation.ladder import office
from bot.conversation.timing import quiet_until
from bot.directory.accounts import address_of
from bot.directory.identity import reader_of
from bot.directory.rooms import rooms_of
from bot.directory.tables import Person
from bot.message import Address
from bot.texts import Markdown, Text

ENROLMENT: Final = "enrolment"  # the kind of due things that looks at somebody's request for a seat
REMINDED: Final = timedelta(days=2)  # before enrolment ends, a superior who said nothing is asked again
_NEXT: Final = {"closed": ("button.training_list", "liste"), "asked": ("button.training_presence", "presence")}
HEADS: Final = ("head", "consul", "ambassador", "prefect")


def look(ctx: Scope, event: Event) -> Again:
    """Give free seats, close the list, ask who was there; each of those who enrolled is looked at by themselves."""
    row = ctx.session.get(Training, event.id)
    if row is None:
        return None
    seats.settle(ctx.session, event, row, ctx.now)
    closing, over = closes(event, row), event.when.over(event.zone)
    row.closed = row.closed and closing <= ctx.now  # it may have been moved
    again: Again = None
    if event.state != "cancelled":
        wait = _tell_organiser(ctx, event, row, closing, over)
        again = min((at for at in (wait, closing, over) if at is not None and at > ctx.now), default=None)
    for it in seats.of(ctx.session, event.id):
        due.hasten(ctx.session, ENROLMENT, f"{event.id} {it.id}", ctx.now)
    return again


def _tell_organiser(ctx: Scope, event: Event, row: Training, closing: datetime, over: datetime) -> Again:
    """Tell who organises a session what it is time for; return when, where their office is closed now."""
    if closing <= ctx.now and not row.closed:
        seats.lapse(ctx.session, event, row, ctx.now)
    name = "asked" if over <= ctx.now else "closed" if closing <= ctx.now else None
    if name is None or getattr(row, name):
        return None
    organisation, room = _organisers_room(ctx, event)
    wait = quiet_until(ctx, organisation, urgent=False) if room is not None else None
    if wait is not None:
        return wait
    row.closed, row.asked = True, name == "asked"
    counts = seats.counts(ctx.session, event.id)
    if room is not None and counts:
        words = Text.of(
            f"training.organiser.{name}",
            number=Markdown(event.number),
            title=title_of(view_at(ctx, room), event),
            seats=counts.get("seat", 0),
            waiting=counts.get("waiting", 0),
        )
        label, act = _NEXT[name]
        button = Button(Text.of(label), "formation", f"{act} {event.number}", "primary")
        ctx.say(room, Card(None, (Paragraph(words), Buttons((button,)))), name)
    return None


def _organisers_room(ctx: Scope, event: Event) -> tuple[str | None, Address | None]:
    for organisation in event.details.organisers:
        for room in rooms_of(ctx.session, organisation)[:1]:
            return organisation, Address(room.platform, room.room)
    return None, None


def look_at(ctx: Scope, ring: Ring) -> Again:
    """Tell somebody what became of their request, and ask their superior; return when to look again."""
    event_id, _, id_ = ring.key.partition(" ")
    event, row = ctx.session.get(Event, int(event_id)), ctx.session.get(Enrolment, int(id_))
    session = ctx.session.get(Training, int(event_id))
    if event is None or row is None or session is None or event.when.over(event.zone) <= ctx.now:
        return None
    news = _news(event, row)
    asks = row.state == "asked" and event.state != "cancelled" and _asks(row, closes(event, session), ctx.now)
    if news is not None or asks:
        wait = quiet_until(ctx, row.organisation, urgent=event.when.begins(event.zone) - ctx.now < timedelta(days=1))
        if wait is not None:
            return wait
    while news is not None:
        _tell(ctx, event, row, news)
        news = _news(event, row)
    if asks:
        _ask_superior(ctx, event, row)
    again = closes(event, session) - REMINDED
    return again if row.state == "asked" and row.turned_to == 1 and again > ctx.now else None


def noted(event: Event, row: Enrolment) -> None:
    """Remember that somebody knows how their request stands: they have just been answered."""
    row.told, row.informed = row.state, event.facts


def _news(event: Event, row: Enrolment) -> str | None:
    if row.state in LIVE and row.informed not in ("", event.facts):
        return "cancelled" if event.state == "cancelled" else "changed"
    return row.state if row.state not in (row.told, "left") and event.state != "cancelled" else None


def _asks(row: Enrolment, closing: datetime, now: datetime) -> bool:
    return row.turned_to == 0 or (row.turned_to == 1 and now >= closing - REMINDED)


def _tell(ctx: Scope, event: Event, row: Enrolment, news: str) -> None:
    person = ctx.session.get_one(Person, row.person)
    row.informed = event.facts
    row.told = row.told if news in ("changed", "cancelled") else row.state
    to = _reach(ctx, person, row.organisation)
    if to is None:
        return
    view = view_at(ctx, to)
    view = replace(view, zone=person.timezone or view.zone)
    values = {"number": Markdown(event.number), "title": title_of(view, event), "when": when(view, event.when)}
    words = Text.of(f"training.told.{news}", **values)
    buttons = [Button(Text.of("button.training_open"), "formation", event.number)]
    if row.state in LIVE and event.state != "cancelled":
        buttons.append(Button(Text.of("button.training_leave"), "formation", f"quitter {event.number}"))
    _say(ctx, person, to, Card(None, (Paragraph(words), Buttons(tuple(buttons)))), news)


def _ask_superior(ctx: Scope, event: Event, row: Enrolment) -> None:
    """Ask those who head somebody's office, each alone, or their room where nobody is known."""
    row.turned_to += 1
    name = name_of(ctx, row.person)
    line = f"{event.number} {row.person}"
    buttons = (
        Button(Text.of("button.training_approve"), "formation", f"accord {line}", "primary"),
        Button(Text.of("button.training_refuse"), "formation", f"refus {line}"),
    )
    heads = [it for it in superiors(ctx, row.organisation) if it.id != row.person]
    places = [(it, to) for it in heads if (to := address_of(it, ctx.world.platforms)) is not None]
    rooms = [] if places else rooms_of(ctx.session, row.organisation or "")[:1]
    for person, to in (*places, *((None, Address(room.platform, room.room)) for room in rooms)):
        view = view_at(ctx, to)
        values = {"number": Markdown(event.number), "title": title_of(view, event), "when": when(view, event.when)}
        words = Text.of("training.ask_superior", who=name, **values)
        _say(ctx, person, to, Card(None, (Paragraph(words), Buttons(buttons))), f"superior/{to.room}")


def superiors(ctx: Scope, organisation: str | None) -> Sequence[Person]:
    """Return those who head an organisation today."""
    found = {it.id: it for role in HEADS for it in office(ctx, organisation or "", role).people}
    return list(found.values())


def name_of(ctx: Scope, person: str) -> str:
    """Return how a person is called."""
    row = ctx.session.get(Person, person)
    return f"{row.given_name} {row.family_name}".strip() or person if row is not None else person


def _reach(ctx: Scope, person: Person, organisation: str | None) -> Address | None:
    """Return where somebody is told: alone, else in the room of their office."""
    own = address_of(person, ctx.world.platforms)
    rooms = rooms_of(ctx.session, organisation or "") if own is None else []
    return Address(rooms[0].platform, rooms[0].room) if rooms else own


def _say(ctx: Scope, person: Person | None, to: Address, card: Card, name: str) -> None:
    there = ctx.outbox.reader(to)
    reader = reader_of(ctx.session, person, there, ctx.now) if person is not None and to.alone else there
    ctx.outbox.for_reader(reader).put(to, card, key=f"{ctx.key}/{name}")
