"""People come and go: who has left, or is away for too long, gives what they took back to their post."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from bot import due
from bot.card import Card, Paragraph
from bot.clockwork import Again, Kind, Ring
from bot.clockwork.reminders import ASKER, PERSON, full_name, say
from bot.context import Scope
from bot.conversation import redraw
from bot.conversation.timing import quiet_until
from bot.directory import rota
from bot.directory.absences import away, stand_in
from bot.directory.days import local_day, postings_held
from bot.directory.rooms import rooms_of
from bot.directory.tables import Person, Posting
from bot.message import Address
from bot.questions import moves
from bot.questions.tables import Question
from bot.texts import Text

ROTA = "rota"  # the kind of what looks for gaps in rotas, once a day and when they change
GAP = "gap"  # the kind of a gap that an organisation is told of


def look(ctx: Scope, ring: Ring) -> Again:
    """See whether somebody is still there for what they took; return when to look again, while they have something."""
    person = ctx.session.get(Person, ring.key)
    mine = select(Question).where(Question.taken_person == ring.key, Question.state == "taken").order_by(Question.id)
    taken = ctx.session.scalars(mine.with_for_update()).all()
    if person is None or not taken:
        return None
    looks = [_look_at(ctx, person, question) for question in taken]
    return min((at for at in looks if at is not None), default=None)


def _look_at(ctx: Scope, person: Person, question: Question) -> Again:
    why, stood_in = _missing(ctx, person, question)
    if why is None:
        return _midnight(ctx, question)
    wait = quiet_until(ctx, question.placed_with, urgent=question.urgent)
    if wait is not None:
        return wait
    moves.make(ctx.session, "release", None, question, ctx.now, reason=why)
    redraw(ctx, question)
    values = {"number": question.number, "name": full_name(person)}
    words = Text.of(f"presence.{why}", **values)
    if stood_in is not None:
        words = Text.of("presence.stood_in", **values, stand_in=full_name(stood_in))
    say(ctx, question, "recipient", words, ("prendre", "repondre"), None, (stood_in,) if stood_in is not None else ())
    due.put(ctx.session, ASKER, f"{question.number} handed", ctx.now)
    return None


def _missing(ctx: Scope, person: Person, question: Question) -> tuple[str | None, Person | None]:
    """Return why somebody is no longer there for a question, None while they are; and who stands in for them."""
    here = {question.placed_with, question.recipient}
    held = {posting.organisation for posting, _ in postings_held(ctx.session, person.id, ctx.now)}
    ever = set(ctx.session.scalars(select(Posting.organisation).where(Posting.person == person.id)))
    if ever & here and not held & here:
        return "left", None
    absent = away(ctx.session, ctx.now)
    absence = absent.get(person.id)
    if absence is None:
        return None, None
    expected = local_day(_zone(ctx, question), question.due_at) if question.due_at is not None else None
    if absence.until is not None and expected is not None and absence.until < expected:
        return None, None  # they are back in time
    other = stand_in(person.id, absent)
    return "away", ctx.session.get(Person, other) if other is not None and other != person.id else None


def _zone(ctx: Scope, question: Question) -> str:
    org = ctx.directory().organisations.get(question.recipient or question.placed_with or "")
    return org.timezone if org is not None and org.timezone else ctx.world.zone


def _midnight(ctx: Scope, question: Question) -> datetime:
    zone = ZoneInfo(_zone(ctx, question))
    tomorrow = ctx.now.astimezone(zone).date() + timedelta(days=1)
    return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=zone)


def sweep(ctx: Scope, _ring: Ring) -> Again:
    """Look for gaps in all rotas, and look again tomorrow."""
    for organisation in rota.kept(ctx.session, ctx.now):
        gap = rota.next_gap(ctx.session, organisation, ctx.now)
        if gap is not None and gap.first - ctx.now.date() <= rota.AHEAD:
            due.ensure(ctx.session, GAP, organisation, ctx.now)
    return ctx.now + timedelta(days=1)


def warn_of_gap(ctx: Scope, ring: Ring) -> Again:
    """Tell an organisation once of days on which nobody will be on duty, while it is open."""
    gap = rota.next_gap(ctx.session, ring.key, ctx.now)
    rooms = rooms_of(ctx.session, ring.key)
    if gap is None or not rooms or gap.first - ctx.now.date() > rota.AHEAD:
        return None
    wait = quiet_until(ctx, ring.key, urgent=False)
    if wait is not None:
        return wait
    card = Card(None, (Paragraph(gap_words(gap)),))
    ctx.outbox.put(Address(rooms[0].platform, rooms[0].room), card, key=f"rota/{ring.key}/{gap.first}/{gap.last}")
    return None


def gap_words(gap: rota.Gap) -> Text:
    """Return in words on which days nobody is on duty."""
    if gap.last is None:
        return Text.of("rota.ends", first=gap.first)
    return Text.of("rota.gap", first=gap.first, last=gap.last)


KINDS: Mapping[str, Kind] = {PERSON: Kind(look), ROTA: Kind(sweep), GAP: Kind(warn_of_gap)}
