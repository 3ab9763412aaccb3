"""Reminders of events: who comes, or may, or stands in, is told the day before and the hour before, by their clock.

The day before is at nine; the hour before, where that would be at night, is the evening before. What was told is kept
with the answer, as the beginning that it was told for: an event that moves is told of again. That it moves, changes its
place or is cancelled, and that somebody is to stand in, is told at once, by day; where seats are given,
`bot.clockwork.training` does.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from bot.agenda import cards, rights
from bot.agenda.cards import View
from bot.agenda.participation import REMIND
from bot.agenda.seats import Training
from bot.agenda.tables import Event, Participation
from bot.card import Button, Card, Paragraph
from bot.clockwork import Again, Kind, Ring
from bot.context import Scope
from bot.directory.accounts import account_address, address_of
from bot.directory.identity import Actor, known, of_room
from bot.directory.rooms import rooms_of
from bot.directory.tables import Person
from bot.message import Address
from bot.texts import Reader, Text
from bot.worktime.wall import resolved

MORNING, EVENING = time(9), time(21)
NIGHT = (22, 7)  # from this hour to that one nobody is told anything
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Guest:
    """Who is reminded, where, in which language and by whose clock."""

    actor: Actor
    to: Address
    reader: Reader


def look(ctx: Scope, ring: Ring) -> Again:
    """Remind whom it is time to remind of an event; return when to look again."""
    event = _event(ctx.session, ring.key)
    if event is None:
        return None
    come = or_(Participation.answer.in_(("yes", "maybe")), Participation.stand_in.is_not(None))
    rows = ctx.session.scalars(select(Participation).where(Participation.event == event.id, come)).all()
    seated = ctx.session.get(Training, event.id) is not None
    return min((at for row in rows for at in _look_at(ctx, event, row, seated=seated)), default=None)


def _look_at(ctx: Scope, event: Event, row: Participation, *, seated: bool) -> Iterator[datetime]:
    """Tell one guest what they do not know; yield when there is something to tell next."""
    guest = _guest(ctx, row)
    if not seated and row.informed != event.facts:
        yield from _inform(ctx, event, row, guest)
    if event.state != "cancelled":
        yield from _remind(ctx, event, row, guest)


def _inform(ctx: Scope, event: Event, row: Participation, guest: Guest | None) -> Iterator[datetime]:
    """Tell a guest what became of an event, or that they stand in; yield the morning, where it is night."""
    if guest is not None and event.when.begins(guest.reader.zone) > ctx.now:
        morning = _morning(ctx.now, guest.reader.zone)
        if morning is not None and event.when.begins(guest.reader.zone) > morning:
            yield morning
            return
        if rights.may(guest.actor, "see", event):
            _say(ctx, event, guest, _news(ctx, event, row), f"{event.id}/{row.who}/{ctx.key}")
    row.informed = event.facts


def _news(ctx: Scope, event: Event, row: Participation) -> Text:
    if event.state == "cancelled":
        return Text.of("agenda.news.cancelled")
    if row.stand_in is None or row.informed:
        return Text.of("agenda.news.changed")
    sender = ctx.session.get(Person, row.person or "")
    name = f"{sender.given_name} {sender.family_name}".strip() if sender is not None else ""
    return Text.of("agenda.news.stand_in", who=name or Text.of("agenda.an_agent"))


def _morning(now: datetime, zone: str) -> datetime | None:
    """Return when the night is over that it is in a zone, None by day."""
    local = now.astimezone(ZoneInfo(zone))
    if NIGHT[1] <= local.hour < NIGHT[0]:
        return None
    return resolved(local.date() + (_DAY if local.hour >= NIGHT[0] else timedelta(0)), time(NIGHT[1]), zone)


def moments(event: Event, zone: str) -> tuple[datetime, datetime | None]:
    """Return when somebody in a zone is reminded the day before and the hour before; of whole days only the former."""
    eve = event.when.day(zone) - _DAY
    before = resolved(eve, MORNING, zone)
    if event.whole_days:
        return before, None
    at = event.starts - _HOUR
    local = at.astimezone(ZoneInfo(zone))
    if NIGHT[1] <= local.hour < NIGHT[0]:
        return before, at
    return before, resolved(local.date() - (_DAY if local.hour < NIGHT[1] else timedelta(0)), EVENING, zone)


def _remind(ctx: Scope, event: Event, row: Participation, guest: Guest | None) -> Iterator[datetime]:
    """Remind one guest of what is due; yield when something is due next."""
    zone = guest.reader.zone if guest is not None else ctx.world.zone
    day, hour = moments(event, zone)
    begins = event.when.begins(zone)
    useful = hour or begins
    for name, at, until in (("day_for", day, min(useful, begins)), ("hour_for", hour, begins)):
        if at is None or getattr(row, name) == event.starts:
            continue
        if at > ctx.now:
            yield at
            continue
        setattr(row, name, event.starts)
        if guest is not None and row.at < at and ctx.now < until and rights.may(guest.actor, "see", event):
            lead = _lead(ctx, event, guest.reader.zone)
            _say(ctx, event, guest, lead, f"{event.id}/{row.who}/{name}/{event.starts.isoformat()}")


def _say(ctx: Scope, event: Event, guest: Guest, lead: Text, key: str) -> None:
    view = View(guest.reader.zone, ctx.now, ctx.directory(), ctx.world.rules, encrypted=ctx.outbox.encrypted(guest.to))
    buttons = [Button(Text.of("button.agenda_event"), "agenda", event.number, "primary")]
    if event.state != "cancelled":
        buttons.append(Button(Text.of("button.agenda_not_coming"), "agenda", f"non {event.number}"))
    card = cards.one(view, event, {}, None, buttons)
    said = Card(card.title, (Paragraph(lead), *card.blocks), guest.to.audience)
    ctx.outbox.for_reader(guest.reader).put(guest.to, said, key=f"remind/{key}")


def _lead(ctx: Scope, event: Event, zone: str) -> Text:
    today = ctx.now.astimezone(ZoneInfo(zone)).date()
    if event.when.day(zone) > today:
        return Text.of("agenda.remind.tomorrow")
    if event.whole_days:
        return Text.of("agenda.remind.today")
    return Text.of("agenda.remind.soon", time=event.starts.astimezone(ZoneInfo(zone)).time())


def _guest(ctx: Scope, row: Participation) -> Guest | None:
    """Return who comes by an answer: the stand-in, if there is one; None where they cannot be reached."""
    person = ctx.session.get(Person, row.stand_in or row.person or "")
    if person is not None:
        actor, to = known(ctx.session, person, ctx.now), address_of(person, ctx.world.platforms)
        return _reached(ctx, actor, to)
    actor = of_room(row.organisation) if row.organisation else None
    platform, _, account = row.who.partition(":")
    to = account_address(platform, account) if platform in ctx.world.platforms else None
    rooms = rooms_of(ctx.session, row.organisation) if row.organisation and to is None else []
    if rooms:
        to = Address(rooms[0].platform, rooms[0].room)
    return _reached(ctx, actor, to) if actor is not None else None


def _reached(ctx: Scope, actor: Actor, to: Address | None) -> Guest | None:
    if to is None or not actor.rights:
        return None
    org = ctx.directory().organisations.get(actor.organisation or "")
    zone = actor.zone or (org.timezone if org is not None else "") or ctx.world.zone
    alone = org.language if org is not None and to.alone else ""
    return Guest(actor, to, Reader(actor.language or alone or ctx.outbox.reader(to).language, zone))


def _event(session: Session, key: str) -> Event | None:
    return session.scalar(select(Event).where(Event.id == int(key)).with_for_update())


KINDS: Mapping[str, Kind] = {REMIND: Kind(look, _event)}
