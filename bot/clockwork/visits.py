"""What the clock makes of a visit: the prefects of the border are associated, reminded, and read in one brief.

A visit is looked at after each change of its event; each of those who have a part in it is then looked at by itself, so
that one whose office is closed, or who has no room yet, keeps nobody waiting.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from bot import due
from bot.agenda import associates, visit_cards
from bot.agenda.associates import Associate, Visit, as_told, concerned, expected_by, is_visit, progress, reminders
from bot.agenda.cards import View, title_of, when
from bot.agenda.keeping import CHANGED
from bot.agenda.tables import Event
from bot.agenda.visit_cards import Prepared
from bot.card import Button, Buttons, Card, Paragraph
from bot.clockwork import Again, Ring
from bot.clockwork.views import view_at
from bot.context import Scope
from bot.conversation.telling import region_of
from bot.conversation.timing import quiet_until
from bot.directory.rooms import rooms_of
from bot.directory.tables import Room
from bot.documents.briefs import Brief
from bot.message import Address, File
from bot.outbox import Post
from bot.texts import Markdown, Text

ASSOCIATE: Final = "associate"  # the kind of due things that looks at one who has a part in a visit
LOOKED_FOR: Final = timedelta(hours=6)  # between two looks for a room of an organisation that has none
URGENT: Final = timedelta(hours=24)  # a visit that is so near is spoken of at night too


def look(ctx: Scope, event: Event) -> Again:
    """Settle who has a part in a visit, and send the brief round once it is complete or due."""
    visit = ctx.session.get(Visit, event.id)
    begun = event.when.begins(event.zone) <= ctx.now
    if visit is None:
        if begun or event.state == "cancelled" or event.visibility == "own":
            return None  # who are to know of one that is for its own is for those who entered it to say
        prepared = associate(ctx, event)
        return prepared.visit.due_at if prepared is not None else None
    if not begun:
        _settle(ctx, event, visit)
    rows = associates.of(ctx.session, event.id)
    given, asked = progress(rows)
    complete = asked > 0 and (given == asked or visit.due_at <= ctx.now)
    if complete and event.state != "cancelled":
        visit.briefed = True
    ring(ctx, event)
    return visit.due_at if not visit.briefed and event.state != "cancelled" else None


def associate(ctx: Scope, event: Event) -> Prepared | None:
    """Give those whom a visit concerns their part in it; None where it concerns no border. They are told by day."""
    if not is_visit(event.details, ctx.world.borders):
        return None
    begins = event.when.begins(event.zone)
    visit = ctx.session.get(Visit, event.id)
    if visit is None:
        due_at = expected_by(begins, ctx.now, ctx.world.zone)
        visit = Visit(event=event.id, starts=begins, due_at=due_at)
        ctx.session.add(visit)
        ctx.session.flush()
    _settle(ctx, event, visit)
    ring(ctx, event)
    return prepared(ctx, event)


def prepared(ctx: Scope, event: Event) -> Prepared | None:
    """Return a visit with all who have a part in it; None where nobody was associated."""
    visit = ctx.session.get(Visit, event.id)
    return Prepared(event, visit, associates.of(ctx.session, event.id)) if visit is not None else None


def ring(ctx: Scope, event: Event) -> None:
    """Let each of those who have a part be looked at now."""
    for row in associates.of(ctx.session, event.id):
        due.hasten(ctx.session, ASSOCIATE, f"{event.id} {row.organisation}", ctx.now)


def _settle(ctx: Scope, event: Event, visit: Visit) -> None:
    """Let those have a part whom the visit concerns as it is now."""
    known = {row.organisation: row for row in associates.of(ctx.session, event.id)}
    wanted = {it.organisation: it for it in concerned(event.details, ctx.world.borders, ctx.directory(), ctx.today)}
    if not is_visit(event.details, ctx.world.borders):
        wanted = {}
    for id_, it in wanted.items():
        row = known.get(id_)
        if row is None:
            row = Associate(event=event.id, organisation=id_, part=it.part)
            ctx.session.add(row)
        row.released = False
        if row.card is None:
            room = _room(ctx, row)
            row.holder = room.organisation if room is not None else None
    for id_, row in known.items():
        if id_ not in wanted:
            row.released = True
    begins = event.when.begins(event.zone)
    if visit.starts != begins:
        visit.starts = begins
        if not visit.fixed:
            visit.due_at = expected_by(begins, ctx.now, ctx.world.zone)
    ctx.session.flush()


def look_at(ctx: Scope, ring: Ring) -> Again:
    """Tell one of those who have a part what it does not know yet; return when to look again."""
    number, _, organisation = ring.key.partition(" ")
    event = ctx.session.get(Event, int(number))
    row = ctx.session.get(Associate, (int(number), organisation))
    found = prepared(ctx, event) if event is not None else None
    if found is None or row is None:
        return None
    begins = found.event.when.begins(found.event.zone)
    to = _lies_in(ctx, row)
    if to is None:
        return _ask(ctx, found, row, begins)
    _draw(ctx, found, row, to)
    while (news := _news(found, row, ctx.now)) is not None:
        wait = quiet_until(ctx, row.holder, urgent=begins - ctx.now < URGENT)
        if wait is not None:
            return wait
        _tell(ctx, found, row, to, news)
    waits = (*(reminders(row.asked_at or ctx.now, found.visit.due_at) if row.waited_for else ()), begins)
    return min((at for at in waits if at > ctx.now), default=None)


def _ask(ctx: Scope, found: Prepared, row: Associate, begins: datetime) -> Again:
    """Say the card of a part for the first time, in its organisation's room or its region's; wait for one."""
    row.holder = row.card = None
    if begins <= ctx.now or row.released or found.event.state == "cancelled":
        return None
    room = _room(ctx, row)
    if room is None or room.organisation is None:
        return min(ctx.now + LOOKED_FOR, begins)
    wait = quiet_until(ctx, room.organisation, urgent=begins - ctx.now < URGENT)
    if wait is not None:
        return wait
    to = Address(room.platform, room.room)
    row.holder, row.asked_at, row.told = room.organisation, row.asked_at or ctx.now, as_told(found.event, row)
    row.shown = visit_cards.state_of(found, row, ctx.now)
    row.card = ctx.say(to, visit_cards.of_part(view_at(ctx, to), found, row), "part")
    due.hasten(ctx.session, CHANGED, str(row.event), ctx.now)  # the others see that it is reached
    waits = reminders(row.asked_at or ctx.now, found.visit.due_at) if row.waited_for else (begins,)
    return min((at for at in waits if at > ctx.now), default=begins)


def _room(ctx: Scope, row: Associate) -> Room | None:
    """Return the room of an organisation; a prefecture without one is reached in its region's."""
    offices = (row.organisation, region_of(ctx, row.organisation) if row.part == "asked" else None)
    return next((room for it in offices if it is not None for room in rooms_of(ctx.session, it)[:1]), None)


def _draw(ctx: Scope, found: Prepared, row: Associate, to: Address) -> None:
    """Rewrite the card of a part where what it shows has changed."""
    state = visit_cards.state_of(found, row, ctx.now)
    if state != row.shown and row.card is not None:
        row.shown = state
        card = visit_cards.of_part(view_at(ctx, to), found, row)
        ctx.outbox.edit(row.card, card, revision=ctx.key)


def _news(found: Prepared, row: Associate, now: datetime) -> str | None:
    """Return what one of those who have a part is to be told next."""
    event, visit = found.event, found.visit
    if event.when.begins(event.zone) <= now:
        return None
    if row.told != as_told(event, row):
        return "changed"
    if event.state == "cancelled" or row.released:
        return None
    if row.part == "asked":
        waits = reminders(row.asked_at or now, visit.due_at) if row.waited_for else ()
        return "remind" if any(at <= now for at in waits[row.reminded :]) else None
    if not visit.briefed or row.read == visit.answers:
        return None
    return "brief" if row.read is None else "more"


def _tell(ctx: Scope, found: Prepared, row: Associate, to: Address, news: str) -> None:
    """Say it beneath the card, and remember that it was said."""
    event = found.event
    view = view_at(ctx, to)
    files: tuple[File, ...] = ()
    button = Button(Text.of("button.visit_event"), "agenda", event.number)
    number = Markdown(event.number)
    match news:
        case "changed":
            words = _changed(view, event, row)
            row.told = as_told(event, row)
        case "remind":
            waits = reminders(row.asked_at or ctx.now, found.visit.due_at)
            row.reminded = sum(at <= ctx.now for at in waits)
            key = "visit.overdue" if row.reminded == len(waits) else "visit.remind"
            words = Text.of(key, number=number, title=title_of(view, event), due=found.visit.due_at)
            line = f"contribuer {event.number} {row.organisation}"
            button = Button(Text.of("button.visit_contribute"), "visite", line, "primary")
        case _:
            given, asked = progress(found.associates)
            words = Text.of(f"visit.{news}", number=number, given=given, asked=asked)
            button = Button(Text.of("button.visit_brief"), "visite", f"note {event.number}")
            if news == "brief":
                files = Brief(ctx.world, view, ctx.outbox.reader(to), found).files()
            row.read = found.visit.answers
    beneath = replace(to, thread=to.thread or f"key:{row.card}")
    ctx.say(beneath, Card(None, (Paragraph(words), Buttons((button,))), files=files), f"{news}/{row.reminded}")


def _changed(view: View, event: Event, row: Associate) -> Text:
    """Return in words what became of a visit."""
    number, title = Markdown(event.number), title_of(view, event)
    if row.released:
        return Text.of("visit.told.released", number=number, title=title)
    if event.state == "cancelled":
        return Text.of("visit.told.cancelled", number=number, title=title)
    return Text.of("visit.told.changed", number=number, title=title, when=when(view, event.when))


def _lies_in(ctx: Scope, row: Associate) -> Address | None:
    """Return where the card of a part lies, None where it was not said yet or its room was lost."""
    post = ctx.session.scalar(select(Post).where(Post.key == row.card)) if row.card is not None else None
    rooms = {(room.platform, room.room) for room in rooms_of(ctx.session, row.holder or "")}
    if post is None or (post.platform, post.room) not in rooms:
        return None
    return Address(post.platform, post.room, post.thread)
