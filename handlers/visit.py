"""Visits beyond the border: entered in a line, prepared by the prefects who share it, read in one brief."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from bot.agenda import associates, finding, keeping, rights, visit_cards
from bot.agenda.associates import LENGTH, Associate, is_visit, progress
from bot.agenda.borders import EVERYTHING
from bot.agenda.cards import title_of, when
from bot.agenda.dates import dated
from bot.agenda.finding import Where, Window
from bot.agenda.line import understood
from bot.agenda.model import resolved
from bot.agenda.tables import Event
from bot.agenda.visit_cards import Prepared
from bot.card import Block, Button, Buttons, Card, Field, Form, Paragraph, Reply
from bot.clockwork import visits
from bot.command import command, first_word
from bot.context import Context
from bot.directory.rooms import room_of
from bot.documents.briefs import Brief
from bot.errors import UserError
from bot.grammar import Rest
from bot.interpret import spelled
from bot.message import Address, Invocation
from bot.outbox import Placing
from bot.relay.holding import guard
from bot.rights import Denied
from bot.texts import Lines, Markdown, Text, unescaped
from handlers.agenda import asker, here

AHEAD = 180  # days of visits that are listed
SHOWN = 8


@command("visite", alias="visit", right="reader", private=True)
def visit(ctx: Context, quoi: Rest = "") -> Reply:
    """Show the visits to come, or one (`visite E-12`); enter one: `visite 12 mars 14h Berlin entretien`."""
    word, rest = first_word(quoi)
    act = _ACTS.get(spelled(word))
    if act is not None:
        return act(ctx, rest.strip())
    if keeping.NUMBER.fullmatch(word) and not rest.strip():
        return _shown(ctx, _numbered(ctx, word))
    if not quoi.strip() or dated(quoi, asker(ctx).today) is None:
        return _coming(ctx, quoi.strip())
    return _add(ctx, quoi)


def _add(ctx: Context, line: str) -> Reply:
    rights.check(ctx.actor, "add")
    if not line.strip():
        raise UserError("visit.how")
    details = understood(unescaped(line), asker(ctx), ctx.world.rules, ctx.directory())
    if not details.countries:
        raise UserError("visit.which_country")
    made = keeping.add(ctx.session, ctx.actor, replace(details, kind="visit"), ctx.now, sealed=ctx.sealed)
    prepared = visits.associate(ctx, made)
    if prepared is None:
        return Card(None, (Paragraph(Text.of("visit.no_border", number=Markdown(made.number))), _to_event(made)))
    return _shown(ctx, made, _entered(prepared))


def _entered(prepared: Prepared) -> Text:
    _, asked = progress(prepared.associates)
    number = Markdown(prepared.event.number)
    return Text.of("visit.entered", number=number, asked=asked, due=prepared.visit.due_at)


def _coming(ctx: Context, words: str) -> Card:
    view, own = here(ctx), asker(ctx)
    where = Where(ctx.world.rules, view.directory, ctx.world.borders)
    around = finding.window(words, own.today, own.organisation, where).around if words else EVERYTHING
    asked = Window(own.today, AHEAD, around, frozenset({"visit"}))
    found = finding.coming(ctx.session, ctx.actor, asked, view.zone)[:SHOWN]
    add = Button(Text.of("button.visit_add"), "visite", "ajouter", "primary")
    if not found:
        return Card(None, (Paragraph(Text.of("visit.none")), Buttons((add,))))
    lines = Lines(_line(ctx, event) for event in found)
    buttons = [Button(Text.of("button.open_event", number=it.number), "visite", it.number) for it in found]
    blocks: list[Block] = [Paragraph(Text.of("lines", items=lines), theirs=True), Buttons((*buttons, add))]
    return Card(Text.of("visit.coming"), tuple(blocks))


def _line(ctx: Context, event: Event) -> Text:
    view = here(ctx)
    given, asked = progress(associates.of(ctx.session, event.id))
    values = {"number": Markdown(event.number), "title": title_of(view, event), "when": when(view, event.when)}
    if event.state == "cancelled":
        return Text.of("visit.line.cancelled", **values)
    return Text.of("visit.line", **values, given=given, asked=asked) if asked else Text.of("visit.line.alone", **values)


def _shown(ctx: Context, event: Event, said: Text | None = None) -> Card:
    """Return a visit with what this person may do: all of it to those who prepare it, their own part to the others."""
    prepared = visits.prepared(ctx, event)
    if prepared is None:
        return _alone(ctx, event)
    mine = associates.parts_of(ctx.actor, prepared.associates)
    own = _own(ctx, prepared)
    if "brief" in _may(ctx, prepared, mine):
        card = visit_cards.whole(here(ctx), prepared, _buttons(ctx, prepared))
    elif own is not None:
        card = visit_cards.of_part(here(ctx), prepared, own)
    else:
        raise Denied("event.brief", "visit.not_yours", number=event.number)
    return card if said is None else replace(card, blocks=(Paragraph(said), *card.blocks))


def _may(ctx: Context, prepared: Prepared, mine: frozenset[str]) -> set[str]:
    acts: tuple[rights.Act, ...] = ("brief", "contribute", "change")
    return {act for act in acts if rights.may(ctx.actor, act, prepared.event, mine)}


def _alone(ctx: Context, event: Event) -> Card:
    """Return what is said of a visit with which nobody is associated, and how somebody would be."""
    words = Paragraph(Text.of("visit.nobody", number=Markdown(event.number)))
    if not (is_visit(event.details, ctx.world.borders) and rights.may(ctx.actor, "change", event)):
        return Card(None, (words, _to_event(event)))
    button = Button(Text.of("button.visit_associate"), "visite", f"associer {event.number}", "primary")
    return Card(None, (words, Buttons((button,))))


def _to_event(event: Event) -> Buttons:
    return Buttons((Button(Text.of("button.visit_event"), "agenda", event.number),))


def _buttons(ctx: Context, prepared: Prepared) -> list[Button]:
    number = prepared.event.number
    found = [Button(Text.of("button.visit_brief"), "visite", f"note {number}", "primary")]
    own = _own(ctx, prepared)
    if own is not None:
        label = Text.of("button.visit_contribute")
        found.append(Button(label, "visite", f"contribuer {number} {own.organisation}"))
    found.append(Button(Text.of("button.visit_event"), "agenda", number))
    return found


def _contribute(ctx: Context, line: str) -> Reply:
    """Take a contribution: `visite contribuer E-12 TEXTE`; without words, ask for them."""
    prepared, row, said = _part(ctx, line)
    form: Mapping[str, str] = ctx.inbound.form if isinstance(ctx.inbound, Invocation) else {}
    said = unescaped(form.get("texte", said)).strip()
    number = prepared.event.number
    if said:
        return _given(ctx, prepared, row, said)
    title = title_of(here(ctx), prepared.event)
    before = row.text if ctx.inbound.encrypted or not row.sealed else None
    if isinstance(ctx.inbound, Invocation) and ctx.inbound.trigger is not None:
        return Form(
            command="visite",
            line=f"contribuer {number} {row.organisation}",
            title=Text.of("form.visite.title"),
            submit=Text.of("form.visite.submit"),
            intro=Text.of("visit.prompt", number=number, title=title),
            fields=(Field("texte", Text.of("form.visite.texte"), "text", unescaped(before or "")),),
        )
    prompt = ("visite", f"contribuer {number} {row.organisation}")
    words = Text.of("visit.prompt_reply", number=number, title=title)
    placing = Placing(prompt=prompt, asked_of=ctx.inbound.author.id)
    ctx.say(_beneath(ctx), Card(None, (Paragraph(words),)), "prompt", placing)
    return None


def _given(ctx: Context, prepared: Prepared, row: Associate, said: str) -> Card:
    if len(said) > LENGTH:
        raise UserError("visit.too_long", limit=LENGTH)
    guard(ctx, said, None, row.organisation)
    _answer(ctx, prepared, row, said)
    number = Markdown(prepared.event.number)
    words = Text.of("visit.thanks.late" if prepared.visit.briefed else "visit.thanks", number=number)
    return Card(None, (Paragraph(words), Paragraph(said, quote=True, theirs=True)))


def _nothing(ctx: Context, line: str) -> Card:
    """Say that a prefecture has nothing to contribute."""
    prepared, row, _ = _part(ctx, line)
    _answer(ctx, prepared, row, "")
    return Card(None, (Paragraph(Text.of("visit.thanks.nothing", number=Markdown(prepared.event.number))),))


def _answer(ctx: Context, prepared: Prepared, row: Associate, said: str) -> None:
    row.text, row.at, row.sealed, row.cleared = said, ctx.now, ctx.sealed, ctx.cleared
    row.person, row.account = ctx.actor.person, rights.account_of(ctx.actor)
    prepared.visit.answers += 1
    ctx.session.flush()
    keeping.ring(ctx.session, prepared.event, ctx.now)


def _part(ctx: Context, line: str) -> tuple[Prepared, Associate, str]:
    """Return the visit, the part of the prefecture for which is spoken, and what is said. Raises UserError."""
    number, rest = first_word(line)
    prepared = _prepared(ctx, number)
    mine = associates.parts_of(ctx.actor, prepared.associates)
    rights.check(ctx.actor, "contribute", prepared.event, mine)
    event = prepared.event
    if event.state == "cancelled":
        raise UserError("agenda.is_cancelled", number=event.number)
    if event.when.begins(event.zone) <= ctx.now:
        raise UserError("visit.begun", number=event.number)
    asked = _asked(ctx, prepared)
    word, after = first_word(rest)
    named = next((it for it in asked if it.organisation == word), None)
    if named is not None:
        return prepared, named, after
    if len(asked) > 1:
        raise UserError("visit.for_whom", number=event.number, names=tuple(it.organisation for it in asked))
    return prepared, asked[0], rest


def _asked(ctx: Context, prepared: Prepared) -> list[Associate]:
    own = ctx.actor.organisation
    asked = [it for it in prepared.associates if it.part == "asked" and not it.released]
    return [it for it in asked if it.organisation == own] or [it for it in asked if it.holder == own]


def _own(ctx: Context, prepared: Prepared) -> Associate | None:
    if ctx.actor.organisation is None:
        return None
    return next(iter(_asked(ctx, prepared)), None)


def _brief(ctx: Context, number: str) -> Reply:
    """Hand out what has come in so far, as a document: a file is seen by all who are where it is said."""
    prepared = _prepared(ctx, number)
    event = prepared.event
    rights.check(ctx.actor, "brief", event, associates.parts_of(ctx.actor, prepared.associates))
    readers = {it.organisation for it in prepared.associates if it.part != "asked"}
    room = room_of(ctx.session, ctx.to.platform, ctx.to.room) if ctx.to.surface == "room" else None
    if ctx.to.surface == "room" and (room is None or room.organisation not in readers):
        raise UserError("visit.brief_privately", number=event.number)
    given, asked = progress(prepared.associates)
    files = Brief(ctx.world, here(ctx), ctx.outbox.reader(ctx.to), prepared).files()
    words = Text.of("visit.here_is", number=Markdown(event.number), given=given, asked=asked)
    card = Card(None, (Paragraph(words),), files=files)
    if ctx.to.surface != "room":
        return card
    ctx.say(_beneath(ctx), card, "brief")
    return None


def _beneath(ctx: Context) -> Address:
    """Return where an answer that all may see is said."""
    if ctx.to.surface != "room":
        return ctx.to
    thread = ctx.to.thread or getattr(ctx.inbound, "message_id", None) or getattr(ctx.inbound, "pressed", None)
    return replace(ctx.to, thread=thread)


def _due(ctx: Context, line: str) -> Card:
    """Say by when contributions are expected: `visite échéance E-12 10 mars`."""
    number, words = first_word(line)
    prepared = _prepared(ctx, number)
    event, row = prepared.event, prepared.visit
    rights.check(ctx.actor, "change", event)
    found = dated(words, asker(ctx).today)
    if found is None:
        raise UserError("agenda.no_date")
    at = resolved(found.first, found.begins or associates.EVENING, ctx.world.zone)
    if not ctx.now < at < event.when.begins(event.zone):
        raise UserError("visit.bad_due", number=event.number)
    row.due_at, row.fixed, row.briefed = at, True, False
    for it in prepared.associates:
        it.reminded, it.read = 0, None
    keeping.ring(ctx.session, event, ctx.now)
    return _shown(ctx, event, Text.of("visit.due_set", number=Markdown(event.number), due=at))


def _associate(ctx: Context, number: str) -> Card:
    """Associate the prefects with a visit that is for its own: they become those that it names, and may see it."""
    event = keeping.numbered(ctx.session, ctx.actor, number)
    rights.check(ctx.actor, "change", event)
    prepared = visits.associate(ctx, event)
    if prepared is None:
        raise UserError("visit.no_border", number=Markdown(event.number))
    if event.visibility == "own":
        invited = (*event.details.bodies, *(it.organisation for it in prepared.associates))
        event.take(keeping.tidy(replace(event.details, bodies=invited)))
    return _shown(ctx, event, _entered(prepared))


def _numbered(ctx: Context, number: str) -> Event:
    event = keeping.numbered(ctx.session, ctx.actor, number)
    if event.kind != "visit":
        raise UserError("visit.no_visit", number=event.number)
    return event


def _prepared(ctx: Context, number: str) -> Prepared:
    event = _numbered(ctx, number)
    found = visits.prepared(ctx, event)
    if found is None:
        raise UserError("visit.nobody", number=Markdown(event.number))
    return found


_ACTS: Mapping[str, Callable[[Context, str], Reply]] = {
    **dict.fromkeys(("ajouter", "add"), _add),
    **dict.fromkeys(("contribuer", "contribute"), _contribute),
    **dict.fromkeys(("rien", "nothing"), _nothing),
    **dict.fromkeys(("note", "brief"), _brief),
    **dict.fromkeys(("echeance", "deadline", "due"), _due),
    **dict.fromkeys(("associer", "associate"), _associate),
}
