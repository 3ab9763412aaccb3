"""Training open to both ministries: a catalogue, seats, a waiting list that moves up by itself, who was there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import time, timedelta

from bot.agenda import finding, keeping, rights, seats, sessions
from bot.agenda import training_cards as cards
from bot.agenda.borders import EVERYTHING
from bot.agenda.finding import Where, Window
from bot.agenda.line import understood
from bot.agenda.model import resolved
from bot.agenda.offer import Offer, offered
from bot.agenda.seats import Enrolment, Training
from bot.agenda.sessions import Session
from bot.agenda.tables import Event
from bot.card import Button, Buttons, Card, Paragraph, Reply, Words
from bot.clockwork import training as clock
from bot.command import command, first_word
from bot.context import Context
from bot.directory.days import local_day
from bot.errors import UserError
from bot.grammar import Rest
from bot.interpret import spelled
from bot.rights import Denied
from bot.texts import Markdown, Text, unescaped
from handlers.agenda import asker, here

AHEAD = 365  # days of sessions that are listed
SHOWN = 10
MARKED = 20  # people whose presence is asked with a button each
_EVERYTHING = ("tout", "toutes", "all")


@command("formation", alias="training", right="reader", private=True)
def training(ctx: Context, quoi: Rest = "") -> Reply:
    """Show the sessions that are open to you, or one (`formation E-12`); `formation tout` shows all."""
    word, rest = first_word(quoi)
    act = _ACTS.get(spelled(word))
    if act is not None:
        return act(ctx, rest.strip())
    if keeping.NUMBER.fullmatch(word) and not rest.strip():
        return shown(ctx, _numbered(ctx, word))
    return _catalogue(ctx, quoi.strip())


def shown(ctx: Context, event: Event, said: Text | None = None) -> Card:
    """Return a session with what this person may do."""
    it = _session(ctx, event)
    card = cards.one(here(ctx), it, ctx.world.corps, _buttons(ctx, it))
    return card if said is None else replace(card, blocks=(Paragraph(said), *card.blocks))


def _catalogue(ctx: Context, words: str) -> Card:
    view, own = here(ctx), asker(ctx)
    every = spelled(words) in _EVERYTHING
    where = Where(ctx.world.rules, view.directory, ctx.world.borders)
    around = EVERYTHING if every or not words else finding.window(words, own.today, own.organisation, where).around
    window = Window(own.today, AHEAD, around, frozenset({"training"}))
    events = finding.coming(ctx.session, ctx.actor, window, view.zone)
    by_event = sessions.of(ctx.session, events, ctx.actor.person)
    found = [by_event[event.id] for event in events]
    fit = [it for it in found if every or _ministry_fits(ctx, it.training)]
    hidden = len(found) - len(fit)
    buttons = [Button(Text.of("button.open_event", number=it.event.number), "formation", it.event.number) for it in fit]
    if hidden:
        buttons.append(Button(Text.of("button.training_all", count=hidden), "formation", "tout"))
    if not fit:
        row = (Buttons(tuple(buttons)),) if buttons else ()
        return Card(None, (Paragraph(Text.of("training.none")), *row))
    return cards.catalogue(view, fit[:SHOWN], [*buttons[:SHOWN], *(buttons[-1:] if hidden else ())])


def _session(ctx: Context, event: Event) -> Session:
    return sessions.of(ctx.session, [event], ctx.actor.person)[event.id]


def _buttons(ctx: Context, it: Session) -> Sequence[Button]:
    event, row, number = it.event, it.training, it.event.number
    found: list[Button] = []
    if row is not None and event.state != "cancelled":
        if it.mine is not None and event.when.begins(event.zone) > ctx.now:
            found.append(Button(Text.of("button.training_leave"), "formation", f"quitter {number}"))
        elif it.mine is None and it.is_open(ctx.now):
            key = "button.training_wait" if it.free == 0 else "button.training_enrol"
            found.append(Button(Text.of(key), "formation", f"inscrire {number}", "primary"))
    if row is not None and rights.may(ctx.actor, "participants", event):
        found.append(Button(Text.of("button.training_list"), "formation", f"liste {number}"))
        if event.when.begins(event.zone) <= ctx.now:
            found.append(Button(Text.of("button.training_presence"), "formation", f"presence {number}"))
    found.append(Button(Text.of("button.visit_event"), "agenda", number))
    return found


def _add(ctx: Context, line: str) -> Card:
    """Offer a session: the event, then its conditions, separated by semicolons."""
    rights.check(ctx.actor, "add")
    head, _, conditions = unescaped(line).partition(";")
    if not head.strip():
        raise UserError("training.how")
    details = understood(head, asker(ctx), ctx.world.rules, ctx.directory())
    offer = offered(conditions, asker(ctx).today, ctx.world.corps)
    made = keeping.add(ctx.session, ctx.actor, replace(details, kind="training"), ctx.now, sealed=ctx.sealed)
    _offer(ctx, made, offer)
    return shown(ctx, made, Text.of("training.added", number=Markdown(made.number)))


def _change(ctx: Context, line: str) -> Card:
    """Set the conditions of a session: `formation régler E-12 ; 30 places`."""
    number, conditions = first_word(line.replace(";", " ; ", 1))
    event = _numbered(ctx, number)
    rights.check(ctx.actor, "change", event)
    row = ctx.session.get(Training, event.id)
    if not conditions.strip(" ;"):
        raise UserError("training.how_to_change", number=event.number)
    before = _offer_of(row, event) if row is not None else Offer()
    _offer(ctx, event, offered(unescaped(conditions), asker(ctx).today, ctx.world.corps, before))
    return shown(ctx, event, Text.of("training.changed", number=Markdown(event.number)))


def _offer(ctx: Context, event: Event, offer: Offer) -> None:
    row = ctx.session.get(Training, event.id)
    if row is None:
        row = Training(event=event.id)
        ctx.session.add(row)
    last = offer.closes_on
    row.closes_at = resolved(last + timedelta(days=1), time(), event.zone) if last is not None else None
    row.seats, row.approval = offer.seats, offer.approval
    row.ministries, row.corps = " ".join(offer.ministries), " ".join(offer.corps)
    ctx.session.flush()
    seats.settle(ctx.session, event, row, ctx.now)
    keeping.ring(ctx.session, event, ctx.now)


def _offer_of(row: Training, event: Event) -> Offer:
    last = local_day(event.zone, row.closes_at - timedelta(minutes=1)) if row.closes_at is not None else None
    return Offer(row.seats, last, tuple(row.ministries.split()), tuple(row.corps.split()), row.approval)


def _enrol(ctx: Context, line: str) -> Card:
    """Request a seat: `formation inscrire E-12`; who must say their corps is asked for it."""
    number, corps = first_word(line)
    event, row = _offered(ctx, number)
    rights.check(ctx.actor, "answer", event)
    person = ctx.actor.person
    if person is None:
        raise UserError("training.who")
    if not _ministry_fits(ctx, row):
        raise UserError("training.not_for_you", number=event.number, who=cards.open_to(row, ctx.world.corps))
    wanted = row.corps.split()
    if wanted and corps not in wanted:
        if corps:
            raise UserError("training.not_for_you", number=event.number, who=cards.open_to(row, ctx.world.corps))
        return _which_corps(ctx, event, wanted)
    approved = person in {it.id for it in clock.superiors(ctx, ctx.actor.organisation)}
    enrolment = seats.enrol(
        ctx.session, event, row, person, ctx.now, organisation=ctx.actor.organisation, corps=corps, approved=approved
    )
    clock.noted(event, enrolment)
    keeping.ring(ctx.session, event, ctx.now)
    return shown(ctx, event, Text.of(f"training.done.{enrolment.state}", number=Markdown(event.number)))


def _which_corps(ctx: Context, event: Event, wanted: Sequence[str]) -> Card:
    corps = [ctx.world.corps[it] for it in wanted if it in ctx.world.corps]
    buttons = [
        Button(Text.of("training.corps", name=it.fr, name_en=it.en), "formation", f"inscrire {event.number} {it.id}")
        for it in corps
    ]
    none = Button(Text.of("button.training_none"), "formation", f"inscrire {event.number} autre")
    ask = Paragraph(Text.of("training.which_corps", number=Markdown(event.number)))
    return Card(None, (ask, Buttons((*buttons, none))))


def _leave(ctx: Context, number: str) -> Card:
    """Give one's seat or request back."""
    event, row = _offered(ctx, number)
    mine = seats.find(ctx.session, event.id, ctx.actor.person) if ctx.actor.person is not None else None
    if mine is None:
        raise UserError("training.not_enrolled", number=event.number)
    seats.leave(ctx.session, event, row, mine, ctx.now)
    keeping.ring(ctx.session, event, ctx.now)
    return shown(ctx, event, Text.of("training.done.left", number=Markdown(event.number)))


def _approve(ctx: Context, line: str) -> Card:
    return _decide(ctx, line, yes=True)


def _refuse(ctx: Context, line: str) -> Card:
    return _decide(ctx, line, yes=False)


def _decide(ctx: Context, line: str, *, yes: bool) -> Card:
    """Approve or refuse somebody's request, as their superior."""
    number, person = first_word(line)
    event, row = _offered(ctx, number)
    mine = seats.find(ctx.session, event.id, person.strip())
    heads = {it.id for it in clock.superiors(ctx, mine.organisation)} if mine is not None else set[str]()
    if mine is None or not rights.approves(ctx.actor, mine.person, heads):
        raise Denied("training.approve", "training.not_superior")
    seats.decide(ctx.session, event, row, mine, ctx.actor.person, ctx.now, yes=yes)
    keeping.ring(ctx.session, event, ctx.now)
    key = "training.approved" if yes else "training.refused"
    name = clock.name_of(ctx, mine.person)
    return Card(None, (Paragraph(Text.of(key, name=name, number=Markdown(event.number))),))


def _list(ctx: Context, number: str, said: Text | None = None) -> Card:
    """Show who is enrolled, to those who organise it."""
    event, _ = _offered(ctx, number)
    rights.check(ctx.actor, "participants", event)
    rows = seats.of(ctx.session, event.id)
    who: Mapping[int, Words] = {row.id: _called(ctx, row) for row in rows}
    card = cards.enrolled(here(ctx), _session(ctx, event), rows, who)
    return card if said is None else replace(card, blocks=(Paragraph(said), *card.blocks))


def _called(ctx: Context, row: Enrolment) -> Words:
    name = clock.name_of(ctx, row.person)
    corps = ctx.world.corps.get(row.corps)
    return Text.of("training.with_corps", name=name, corps=corps.fr, corps_en=corps.en) if corps is not None else name


def _presence(ctx: Context, line: str) -> Card:
    """Note who was there: `formation présence E-12 tous`, then who was not."""
    number, rest = first_word(line)
    event, _ = _offered(ctx, number)
    rights.check(ctx.actor, "participants", event)
    if event.when.begins(event.zone) > ctx.now:
        raise UserError("training.not_yet", number=event.number)
    rows = [row for row in seats.of(ctx.session, event.id) if row.state == "seat"]
    word, person = first_word(rest)
    if spelled(word) in _EVERYTHING or spelled(word) == "tous":
        for row in rows:
            row.attended = True
    elif spelled(word) in _PRESENT:
        found = next((row for row in rows if row.person == person.strip()), None)
        if found is None:
            raise UserError("training.not_enrolled_who", person=person.strip()[:80])
        found.attended = _PRESENT[spelled(word)]
    ctx.session.flush()
    card = _list(ctx, number)
    return replace(card, blocks=(*card.blocks, Buttons(tuple(_marks(ctx, event, rows)))))


def _marks(ctx: Context, event: Event, rows: Sequence[Enrolment]) -> Sequence[Button]:
    every = Button(Text.of("button.training_everybody"), "formation", f"presence {event.number} tous", "primary")
    some = [
        Button(
            Text.of("button.training_absent" if row.attended is not False else "button.training_present", name=name),
            "formation",
            f"presence {event.number} {'absent' if row.attended is not False else 'present'} {row.person}",
        )
        for row in rows[:MARKED]
        for name in (clock.name_of(ctx, row.person),)
    ]
    return [every, *some]


def _ministry_fits(ctx: Context, row: Training | None) -> bool:
    return sessions.fits(ctx.session, ctx.actor, ctx.directory(), row, ctx.now)


def _numbered(ctx: Context, number: str) -> Event:
    event = keeping.numbered(ctx.session, ctx.actor, number)
    if event.kind != "training":
        raise UserError("training.no_training", number=event.number)
    return event


def _offered(ctx: Context, number: str) -> tuple[Event, Training]:
    event = _numbered(ctx, first_word(number)[0])
    row = ctx.session.get(Training, event.id)
    if row is None:
        raise UserError("training.just_come", number=event.number)
    return event, row


_PRESENT: Mapping[str, bool] = {"absent": False, "present": True}
_ACTS: Mapping[str, Callable[[Context, str], Reply]] = {
    **dict.fromkeys(("ajouter", "add"), _add),
    **dict.fromkeys(("regler", "set"), _change),
    **dict.fromkeys(("inscrire", "enrol", "enroll"), _enrol),
    **dict.fromkeys(("quitter", "leave"), _leave),
    **dict.fromkeys(("accord", "approve"), _approve),
    **dict.fromkeys(("refus", "refuse"), _refuse),
    **dict.fromkeys(("liste", "list"), _list),
    **dict.fromkeys(("presence", "attendance"), _presence),
}
