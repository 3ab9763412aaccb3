"""What a digest holds, as a value: events and what became of them, who is closed, questions. Words: `cards`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Literal, TypeAlias

from sqlalchemy import bindparam, select

from bot.agenda import finding, rights, sessions
from bot.agenda.ahead import Ahead
from bot.agenda.borders import Around
from bot.agenda.finding import Where, Window
from bot.agenda.sessions import Session
from bot.agenda.tables import Event, Participation
from bot.context import Scope
from bot.digests.readers import Audience
from bot.digests.tables import Digest, Told, Wish
from bot.directory.identity import Actor
from bot.directory.snapshot import Org
from bot.directory.tables import Closure
from bot.directory.visibility import Owned, sees
from bot.questions import queue
from bot.questions.queue import Page
from bot.worktime.holidays import Holiday, Place

Mark: TypeAlias = Literal["new", "moved", "changed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Item:
    """An event, on the first of the days shown on which it is; `before` is when the last digest said it would begin."""

    event: Event
    day: date
    mark: Mark | None = None
    before: datetime | None = None
    answer: str | None = None  # what its reader said of it
    session: Session | None = None  # where it has seats: how many are free, and whether its reader asked for one


@dataclass(frozen=True, slots=True)
class Closing:
    """A session, on the last day on which its reader can ask for a seat."""

    session: Session
    day: date


@dataclass(frozen=True, slots=True)
class Shut:
    """An organisation that closes on days of its own, the first and the last included."""

    organisation: Org
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Content:
    """All that a digest says, and what it will have told then."""

    asked: Window
    items: Sequence[Item]
    elsewhere: Sequence[Item]  # that the last digest told of and that are no longer on these days
    closing: Sequence[Closing]
    holidays: Sequence[tuple[date, Holiday, Sequence[Place]]]
    shut: Sequence[Shut]
    questions: Page
    late: int
    told: Told

    @property
    def empty(self) -> bool:
        """Whether there is nothing to say."""
        coming = self.items or self.elsewhere or self.closing or self.holidays or self.shut
        return not (coming or self.questions.count)


def gathered(ctx: Scope, digest: Digest, reader: Audience, today: date) -> Content:
    """Return what a digest holds on a day."""
    wish, last = digest.wish, digest.last
    asked = window(ctx, wish, reader.actor.organisation, today)
    ahead = ctx.world.ahead.get(ctx.session, ctx.now)
    rows = finding.among(ahead.events, reader.actor, asked, reader.zone)
    found = [item for row in rows if (item := _item(row, max(today, row.when.day(reader.zone)), last)) is not None]
    gone = list(_elsewhere(ctx, reader, rows, last, today))
    answers = _answers(ctx, reader.actor, found)
    seated = sessions.of(ctx.session, [item.event for item in found], reader.actor.person)
    items = [replace(item, answer=answers.get(item.event.id), session=seated.get(item.event.id)) for item in found]
    wanted = not asked.kinds or "holiday" in asked.kinds
    scope: queue.Scope = "mine" if reader.actor.person is not None else "post"
    account = reader.account
    questions = queue.page(ctx.session, reader.actor, account, scope, ctx.now, topics=wish.topics)
    return Content(
        asked=asked,
        items=items,
        elsewhere=gone,
        closing=list(_closing(ctx, reader, asked, ahead)),
        holidays=list(finding.holidays(asked.around.places, asked.first, asked.last)) if wanted else [],
        shut=list(_shut(ctx, reader.actor, asked)) if wanted else [],
        questions=questions,
        late=_late(ctx, reader, scope, wish.topics) if questions.count else 0,
        told=_told(asked, ahead.newest, [*rows, *(item.event for item in gone)]),
    )


def window(ctx: Scope, wish: Wish, organisation: str | None, today: date) -> Window:
    """Return which events are asked for from a day on. Raises UserError for a filter that says nothing."""
    where = Where(ctx.world.rules, ctx.directory(), ctx.world.borders)
    asked = finding.window(wish.words, today, organisation, where)
    return Window(today, wish.horizon, asked.around, asked.kinds, asked.words)


def _item(event: Event, day: date, last: Told | None) -> Item | None:
    """Return an event with what became of it; None for what was told to be cancelled, or never told of at all."""
    known = last.events.get(event.id) if last is not None else None
    cancelled = event.state == "cancelled"
    if known is None:
        fresh = last is not None and (day <= last.until or event.id > last.newest)
        return None if cancelled else Item(event, day, "new" if fresh else None)
    sequence, starts, was_cancelled = known
    if cancelled:
        return None if was_cancelled else Item(event, day, "cancelled")
    if starts != event.starts:
        return Item(event, day, "moved", starts)
    return Item(event, day, "changed" if sequence != event.sequence or was_cancelled else None)


def _elsewhere(ctx: Scope, reader: Audience, rows: Sequence[Event], last: Told | None, today: date) -> Iterator[Item]:
    """Yield what was told to come and has been moved out of these days, or cancelled there."""
    midnight = datetime.combine(today, time(), UTC)
    here = {row.id for row in rows}
    known = last.events.items() if last is not None else ()
    missing = [id_ for id_, (_, starts, gone) in known if id_ not in here and not gone and starts >= midnight]
    if not missing:
        return
    found = ctx.session.scalars(select(Event).where(Event.id.in_(missing)).order_by(Event.starts, Event.id)).all()
    for event in rights.seen(reader.actor, found):
        item = _item(event, event.when.day(reader.zone), last)
        if item is not None and item.mark in ("moved", "cancelled"):
            yield item


def _late(ctx: Scope, reader: Audience, scope: queue.Scope, topics: tuple[str, ...]) -> int:
    return queue.late(ctx.session, reader.actor, reader.account, ctx.now, within=scope, topics=topics)


def _told(asked: Window, newest: int, events: Sequence[Event]) -> Told:
    return Told(asked.last, newest, {it.id: (it.sequence, it.starts, it.state == "cancelled") for it in events})


def _answers(ctx: Scope, actor: Actor, items: Sequence[Item]) -> Mapping[int, str]:
    """Return what the reader answered, by event."""
    if actor.person is None or not items:
        return {}
    mine = select(Participation.event, Participation.answer).where(
        Participation.person == actor.person, Participation.event.in_([item.event.id for item in items])
    )
    return {row.event: row.answer for row in ctx.session.execute(mine)}


def _closing(ctx: Scope, reader: Audience, asked: Window, ahead: Ahead) -> Iterator[Closing]:
    """Yield the sessions that are open to the reader, on the last day of their enrolment, where that is soon."""
    events = ahead.ending(reader.actor, asked)
    found = sessions.of(ctx.session, events, reader.actor.person)
    for it in (found[event.id] for event in events):
        day = it.last_day(reader.zone)
        if (
            day is not None
            and asked.first <= day <= asked.last
            and it.mine is None
            and it.is_open(ctx.now)
            and sessions.fits(ctx.session, reader.actor, ctx.directory(), it.training, ctx.now)
        ):
            yield Closing(it, day)


def _shut(ctx: Scope, actor: Actor, asked: Window) -> Iterator[Shut]:
    """Yield who around the reader closes on days of their own."""
    days = {"first": asked.first, "last": asked.last}
    for row in ctx.session.connection().execute(_CLOSED, days):
        org = ctx.directory().organisations.get(row.organisation)
        if (
            org is not None
            and _near(org, asked.around, actor)
            and sees(actor, Owned("organisation", org.visibility, {org.id}))
        ):
            yield Shut(org, max(row.start, asked.first), row.end)


_CLOSED = (  # made once: to make a statement anew costs as much as to execute it
    select(Closure.organisation, Closure.start, Closure.end)
    .where(Closure.open.is_(False), Closure.start <= bindparam("last"), Closure.end >= bindparam("first"))
    .order_by(Closure.start, Closure.organisation)
)


def _near(org: Org, around: Around, actor: Actor) -> bool:
    own = org.id in {*around.organisations, actor.organisation}
    return around.everything or own or org.country in around.countries or org.territory in around.territories
