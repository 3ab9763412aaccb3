"""The agenda: what comes around here, one event, who takes part, one's own calendar feed."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from bot.agenda import cards, finding, keeping, participation, publishing, rights
from bot.agenda.cards import View
from bot.agenda.finding import Where
from bot.agenda.line import Asker, scheduled
from bot.agenda.seats import Training
from bot.agenda.tables import Event
from bot.card import Button, Buttons, Card, Paragraph, Reply
from bot.command import command, first_word
from bot.context import Context
from bot.conversation.telling import tell_person
from bot.directory.days import ZONE, local_day
from bot.directory.tables import Person
from bot.errors import UserError
from bot.grammar import Rest
from bot.interpret import spelled
from bot.search.hits import meant
from bot.texts import Markdown, Text
from handlers import calendars

_ANSWERS = {"oui": "yes", "yes": "yes", "non": "no", "no": "no", "peut-etre": "maybe", "maybe": "maybe"}
_REVOKE = ("revoquer", "revoke", "stop")


@command("agenda", right="reader", private=True)
def agenda(ctx: Context, quoi: Rest = "") -> Reply:
    """Show the coming week around here, or do something with one event: `agenda E-12`, `agenda oui E-12` ….

    What is none of its words is a filter: `agenda formations Allemagne`, `agenda mois`, `agenda tout`.
    """
    word, rest = first_word(quoi)
    act = _ACTS.get(spelled(word))
    if act is not None:
        return act(ctx, rest.strip())
    if spelled(word) in _ANSWERS:
        return _answer(ctx, _ANSWERS[spelled(word)], rest)
    if keeping.NUMBER.fullmatch(word) and not rest.strip():
        return shown(ctx, keeping.numbered(ctx.session, ctx.actor, word))
    return _coming(ctx, quoi.strip())


def here(ctx: Context) -> View:
    """Return for whom cards of the agenda are drawn here."""
    zone = ctx.actor.zone or ctx.outbox.reader(ctx.to).zone
    return View(zone, ctx.now, ctx.directory(), ctx.world.rules, encrypted=ctx.inbound.encrypted)


def asker(ctx: Context) -> Asker:
    """Return from where something is written."""
    zone = ctx.actor.zone or ctx.outbox.reader(ctx.to).zone or ZONE
    return Asker(local_day(zone, ctx.now), zone, ctx.actor.organisation)


def shown(ctx: Context, event: Event, said: Text | None = None) -> Card:
    """Return the card of an event, with what this person may do to it."""
    counts = participation.counts(ctx.session, event)
    own = participation.of(ctx.session, ctx.actor, event)
    card = cards.one(here(ctx), event, counts, own, _buttons(ctx, event))
    return card if said is None else replace(card, blocks=(Paragraph(said), *card.blocks))


def for_all(ctx: Context, event: Event) -> Card:
    """Return the card of an event as everybody in a room may see it: with the buttons of who takes part."""
    view = replace(here(ctx), zone=ctx.outbox.reader(replace(ctx.to, audience=None)).zone)
    seated = ctx.session.get(Training, event.id) is not None
    buttons = (Button(Text.of("button.training_open"), "formation", event.number, "primary"),)
    shown_by = buttons if seated else _answering(event)
    return cards.one(view, event, participation.counts(ctx.session, event), None, shown_by)


def _coming(ctx: Context, words: str) -> Card:
    view, own = here(ctx), asker(ctx)
    where = Where(ctx.world.rules, view.directory, ctx.world.borders)
    asked = finding.window(words, own.today, own.organisation, where)
    events = finding.coming(ctx.session, ctx.actor, asked, view.zone)
    wanted = not asked.kinds or "holiday" in asked.kinds
    closed = list(finding.holidays(asked.around.places, asked.first, asked.last)) if wanted else []
    return cards.days(view, asked, events, closed)


def _answer(ctx: Context, answer: str, number: str) -> Reply:
    event = keeping.numbered(ctx.session, ctx.actor, number)
    if ctx.session.get(Training, event.id) is not None:
        return _seat(ctx, event, answer)
    before = participation.of(ctx.session, ctx.actor, event)
    sent = before.stand_in if before is not None else None
    row = participation.give(ctx.session, ctx.actor, event, answer, ctx.now)
    if sent is not None and row.stand_in is None:
        _tell(ctx, sent, event, "spared")
    if answer == "no":
        for left in participation.declined(ctx.session, ctx.actor, event):
            _tell(ctx, left.person, event, "declined")
    said = Text.of(f"agenda.noted.{answer}", number=event.number)
    if answer != "no" or ctx.actor.organisation is None:
        return shown(ctx, event, said)
    colleagues = list(participation.colleagues(ctx.session, ctx.actor, ctx.now).items())[: participation.OFFERED]
    if not colleagues:
        return shown(ctx, event, said)
    buttons = [
        Button(Text.of("button.agenda_send", name=name), "agenda", f"remplacer {event.number} {id_}")
        for id_, name in colleagues
    ]
    return Card(None, (Paragraph(said), Paragraph(Text.of("agenda.who_instead")), Buttons(tuple(buttons))))


def _tell(ctx: Context, person: str | None, event: Event, what: str) -> None:
    """Tell a stand-in that they are not needed, or who sent one that they do not come."""
    row = ctx.session.get(Person, person or "")
    who = ctx.actor.name or Text.of("agenda.an_agent")
    words = Text.of(f"agenda.stand_in.{what}", who=who, number=Markdown(event.number))
    label = Text.of("button.agenda_stand_in" if what == "declined" else "button.agenda_event")
    button = Button(label, "agenda", f"non {event.number}" if what == "declined" else event.number)
    tell_person(ctx, row, Card(None, (Paragraph(words), Buttons((button,)))), f"{what}/{person}")


def _seat(ctx: Context, event: Event, answer: str) -> Reply:
    """Let an answer mean what it can where seats are given: a request for one, or giving it back."""
    if answer == "maybe":
        raise UserError("training.no_maybe", number=event.number)
    act = "inscrire" if answer == "yes" else "quitter"
    return ctx.world.commands["formation"].handler(ctx, f"{act} {event.number}")


def _replace(ctx: Context, line: str) -> Card:
    """Let somebody come instead: `agenda remplacer E-12 NOM`."""
    number, name = first_word(line)
    event = keeping.numbered(ctx.session, ctx.actor, number)
    if ctx.session.get(Training, event.id) is not None:
        raise UserError("training.no_stand_in", number=event.number)
    person = _colleague(ctx, name.strip())
    participation.send(ctx.session, ctx.actor, event, person, ctx.now)
    row = ctx.session.get_one(Person, person)
    called = f"{row.given_name} {row.family_name}".strip() or row.id
    return shown(ctx, event, Text.of("agenda.sent", number=event.number, name=called))


def _colleague(ctx: Context, name: str) -> str:
    colleagues = participation.colleagues(ctx.session, ctx.actor, ctx.now)
    if name in colleagues:
        return name
    hits = [hit for hit in ctx.find(name, limit=20) if hit.kind == "person" and hit.id in colleagues] if name else []
    if not hits or len(meant(hits)) > 1:
        raise UserError("agenda.no_colleague", person=name[:80])
    return hits[0].id


def _who(ctx: Context, number: str) -> Card:
    event = keeping.numbered(ctx.session, ctx.actor, number)
    found = participation.answers(ctx.session, ctx.actor, event)
    people = {id_ for it in found for id_ in (it.person, it.stand_in) if id_}
    rows = [row for id_ in people if (row := ctx.session.get(Person, id_)) is not None]
    names = {row.id: f"{row.given_name} {row.family_name}".strip() or row.id for row in rows}
    return cards.participants(here(ctx), event, found, names)


def _cancel(ctx: Context, line: str) -> Reply:
    """Cancel an event, once that was confirmed: others have it in their calendars."""
    number, sure = first_word(line)
    event = keeping.numbered(ctx.session, ctx.actor, number)
    rights.check(ctx.actor, "change", event)
    if spelled(sure) not in ("oui", "yes"):
        yes = Button(Text.of("button.agenda_cancel_sure"), "agenda", f"annuler {event.number} oui", "danger")
        title = cards.title_of(here(ctx), event)
        ask = Paragraph(Text.of("agenda.cancel_sure", number=event.number, title=title), theirs=True)
        return Card(None, (ask, Buttons((yes,))))
    keeping.cancel(ctx.session, ctx.actor, event, ctx.now)
    return shown(ctx, event, Text.of("agenda.cancelled", number=event.number))


def _confirm(ctx: Context, number: str) -> Card:
    event = keeping.numbered(ctx.session, ctx.actor, number)
    keeping.confirm(ctx.session, ctx.actor, event, ctx.now)
    return shown(ctx, event, Text.of("agenda.confirmed", number=event.number))


def _move(ctx: Context, line: str) -> Card:
    """Move an event: `agenda déplacer E-12 14 mars 15h`; without an end it lasts as long as before."""
    number, words = first_word(line)
    event = keeping.numbered(ctx.session, ctx.actor, number)
    rights.check(ctx.actor, "change", event)
    before = event.when
    when = scheduled(words, asker(ctx), before.zone)
    if not re.search(r"[-–]|\b(?:au|à|to)\b.*\d.*\d", words) and not when.whole_days and not before.whole_days:
        when = replace(when, ends=when.starts + (before.ends - before.starts))
    keeping.change(ctx.session, ctx.actor, event, replace(event.details, when=when), ctx.now)
    return shown(ctx, event, Text.of("agenda.moved", number=event.number))


def _show(ctx: Context, number: str) -> Reply:
    """Show an event to everybody here."""
    event = keeping.numbered(ctx.session, ctx.actor, number)
    ctx.say(ctx.to, for_all(ctx, event), "event")
    return None


def _feed(ctx: Context, words: str) -> Card:
    """Give this person a private address for their calendar program, or end all of theirs."""
    if spelled(words) in _REVOKE:
        return Card(None, (Paragraph(Text.of("agenda.feed_revoked", count=publishing.revoke(ctx.session, ctx.actor))),))
    if ctx.to.surface == "room" and ctx.to.platform == "matrix" and ctx.actor.person is None:
        raise UserError("agenda.feed_privately")  # nobody there could be told alone
    own = asker(ctx)
    finding.window(words, own.today, own.organisation, Where(ctx.world.rules, ctx.directory(), ctx.world.borders))
    reader = replace(ctx.outbox.reader(ctx.to), zone=own.zone)
    secret = publishing.publish(ctx.session, ctx.actor, ctx.to, words, reader, ctx.now)
    url = f"{ctx.world.public_url.rstrip('/')}/calendar/{secret}.ics"
    revoke = Button(Text.of("button.agenda_revoke"), "agenda", "abonnement révoquer", "danger")
    return Card(
        Text.of("agenda.feed_title"), (Paragraph(Text.of("agenda.feed", url=Markdown(url))), Buttons((revoke,)))
    )


def _buttons(ctx: Context, event: Event) -> Sequence[Button]:
    """Return what somebody may do: answer, change, see who comes, show it to the others."""
    live = event.state != "cancelled" and event.when.over(event.zone) >= ctx.now
    seated = ctx.session.get(Training, event.id) is not None
    found = list(_answering(event)) if live and not seated and rights.may(ctx.actor, "answer", event) else []
    if seated:
        found.append(Button(Text.of("button.training_open"), "formation", event.number, "primary"))
    if event.kind == "visit":
        found.append(Button(Text.of("button.visit_state"), "visite", event.number))
    if rights.may(ctx.actor, "participants", event):
        found.append(Button(Text.of("button.agenda_who"), "agenda", f"qui {event.number}"))
    if rights.may(ctx.actor, "change", event):
        found.append(Button(Text.of("button.agenda_edit"), "evenement", f"modifier {event.number}"))
        if event.state in ("planned", "cancelled"):
            found.append(Button(Text.of("button.agenda_confirm"), "agenda", f"confirmer {event.number}"))
        if event.state != "cancelled":
            found.append(Button(Text.of("button.agenda_cancel"), "agenda", f"annuler {event.number}"))
    if ctx.to.surface == "room" and ctx.to.platform != "console" and event.visibility != "own":
        found.append(Button(Text.of("button.montrer"), "agenda", f"montrer {event.number}"))
    return found


def _answering(event: Event) -> Sequence[Button]:
    return (
        Button(Text.of("button.agenda_yes"), "agenda", f"oui {event.number}", "primary"),
        Button(Text.of("button.agenda_no"), "agenda", f"non {event.number}"),
        Button(Text.of("button.agenda_maybe"), "agenda", f"peut-être {event.number}"),
    )


def _add(ctx: Context, line: str) -> Reply:
    return ctx.world.commands["evenement"].handler(ctx, line)


def _edit(ctx: Context, line: str) -> Reply:
    return ctx.world.commands["evenement"].handler(ctx, f"modifier {line}")


_ACTS: Mapping[str, Callable[[Context, str], Reply]] = {
    **dict.fromkeys(("ajouter", "add"), _add),
    **dict.fromkeys(("modifier", "edit"), _edit),
    **dict.fromkeys(("remplacer", "replace", "stand-in"), _replace),
    **dict.fromkeys(("qui", "who"), _who),
    **dict.fromkeys(("annuler", "cancel"), _cancel),
    **dict.fromkeys(("confirmer", "confirm"), _confirm),
    **dict.fromkeys(("deplacer", "move"), _move),
    **dict.fromkeys(("montrer", "show"), _show),
    **dict.fromkeys(("abonnement", "feed"), _feed),
    **dict.fromkeys(("abonner", "suivre", "subscribe", "follow"), calendars.follow),
    **dict.fromkeys(("calendriers", "calendars"), calendars.listed),
    **dict.fromkeys(("desabonner", "unsubscribe"), calendars.leave),
}
