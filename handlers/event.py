"""Entering and changing an event: in one line, in a form, or from a message."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from bot.agenda import keeping, rights
from bot.agenda.line import concerned, scheduled, seat_of, understood, zone_of
from bot.agenda.model import KINDS, VISIBILITIES, Details, When
from bot.agenda.tables import Event
from bot.card import Card, Choice, Errors, Field, Form, Paragraph, Reply
from bot.command import command, first_word
from bot.context import Context
from bot.errors import UserError
from bot.grammar import Rest
from bot.interpret import spelled
from bot.message import Invocation
from bot.texts import Text, unescaped
from handlers.agenda import asker, for_all, shown

_NOTHING: Mapping[str, str] = {}
_CHANGE = ("modifier", "edit")
_FIELDS = ("titre", "quand", "lieu", "type", "pour", "liens", "visibilite", "note")


@command("evenement", alias="event")
def event(ctx: Context, quoi: Rest = "") -> Reply:
    """Enter an event: `evenement 12 mars 14h Strasbourg CCT plénière`, or a form where there are forms."""
    rights.check(ctx.actor, "add")
    form: Mapping[str, str] = ctx.inbound.form if isinstance(ctx.inbound, Invocation) else _NOTHING
    word, rest = first_word(quoi)
    known = keeping.numbered(ctx.session, ctx.actor, rest) if spelled(word) in _CHANGE else None
    if known is not None:
        rights.check(ctx.actor, "change", known)
        if known.sealed and not ctx.inbound.encrypted:  # a form shows the words that it is to change
            raise UserError("agenda.sealed_change", number=known.number)
    if form:
        return _submitted(ctx, known, {name: unescaped(form.get(name, "")).strip() for name in _FIELDS})
    if isinstance(ctx.inbound, Invocation) and ctx.inbound.trigger is not None and (known or not _complete(ctx, quoi)):
        return _form(ctx, known, quoi)
    if known is not None:
        return _how(known)
    if not quoi.strip():
        raise UserError("agenda.how")
    return _added(ctx, understood(unescaped(quoi), asker(ctx), ctx.world.rules, ctx.directory()))


def _added(ctx: Context, details: Details) -> Reply:
    made = keeping.add(ctx.session, ctx.actor, details, ctx.now, sealed=ctx.sealed)
    if ctx.to.surface != "room" or made.visibility == "own":
        return shown(ctx, made, Text.of("agenda.added", number=made.number))
    ctx.say(ctx.to, for_all(ctx, made), "event")
    return None


def _complete(ctx: Context, line: str) -> bool:
    """Whether a line says enough. What comes from a message is looked over in a form first."""
    if not line.strip() or getattr(ctx.inbound, "pressed", None) is not None:
        return False
    try:
        understood(unescaped(line), asker(ctx), ctx.world.rules, ctx.directory())
    except UserError:
        return False
    return True


def _submitted(ctx: Context, known: Event | None, values: Mapping[str, str]) -> Reply:
    wrong: list[tuple[str, Text]] = []
    if not values["titre"]:
        wrong.append(("titre", Text.of("form.required")))
    before = known.details if known is not None else None
    seat = seat_of(values["lieu"], ctx.world.rules)
    same_place = before is not None and before.place == values["lieu"]
    zone = before.when.zone if before is not None and same_place else zone_of(seat, ctx.directory()) or asker(ctx).zone
    when = before.when if before is not None else None
    if before is None or values["quand"] != _spelled(before.when) or zone != before.when.zone:
        try:
            when = scheduled(values["quand"], asker(ctx), zone)
        except UserError as error:
            wrong.append(("quand", error.text))
    if wrong or when is None:
        return Errors(tuple(wrong))
    details = _from(ctx, before, when, values)
    if known is None:
        return _added(ctx, details)
    keeping.change(ctx.session, ctx.actor, known, details, ctx.now, sealed=ctx.sealed)
    return shown(ctx, known, Text.of("agenda.changed", number=known.number))


def _from(ctx: Context, before: Details | None, when: When, values: Mapping[str, str]) -> Details:
    """Return what a form says. Whom it concerns is read from its field, and from the place of a new event."""
    said = values["pour"] if before is not None else f"{values['pour']} , {values['lieu']} , {values['titre']}"
    found = concerned(said, ctx.world.rules, ctx.directory())
    own = (ctx.actor.organisation,) if ctx.actor.organisation else ()
    return Details(
        title=values["titre"],
        when=when,
        kind=values["type"] if values["type"] in KINDS else "other",
        place=values["lieu"],
        note=values["note"],
        countries=found.countries,
        territories=found.territories,
        bodies=found.bodies,
        organisers=before.organisers if before is not None else own,
        links=tuple(it for it in values["liens"].split() if it.startswith(("https://", "http://"))),
        visibility=values["visibilite"] if values["visibilite"] in VISIBILITIES else "network",
        state=before.state if before is not None else "confirmed",
    )


def _form(ctx: Context, known: Event | None, line: str) -> Form:
    values = _values(ctx, known.details) if known is not None else _guessed(ctx, line)
    choices = {
        "type": tuple(Choice(it, Text.of(f"agenda.kind.{it}")) for it in KINDS),
        "visibilite": tuple(Choice(it, Text.of(f"agenda.visibility.{it}")) for it in VISIBILITIES),
    }
    return Form(
        command="evenement",
        line=f"modifier {known.number}" if known is not None else "",
        title=Text.of("form.evenement.title"),
        submit=Text.of("form.evenement.submit"),
        intro=Text.of("form.evenement.intro"),
        fields=tuple(
            Field(
                name=name,
                label=Text.of(f"form.evenement.{name}"),
                kind="choice" if name in choices else "text" if name == "note" else "line",
                value=values.get(name, ""),
                choices=choices.get(name, ()),
                optional=name not in ("titre", "quand", "type", "visibilite"),
            )
            for name in _FIELDS
        ),
    )


def _guessed(ctx: Context, line: str) -> Mapping[str, str]:
    """Return what a line lets guess, for a person to look over."""
    text = unescaped(line).strip()
    try:
        return _values(ctx, understood(text, asker(ctx), ctx.world.rules, ctx.directory()))
    except UserError:
        head, _, note = text.partition("\n")
        return {"titre": head[:200], "note": note.strip(), "type": "other", "visibilite": "network"}


def _values(ctx: Context, details: Details) -> Mapping[str, str]:
    countries = [label.fr for code in details.countries if (label := ctx.world.rules.countries.get(code)) is not None]
    return {
        "titre": details.title,
        "quand": _spelled(details.when),
        "lieu": details.place,
        "type": details.kind,
        "pour": ", ".join((*details.territories, *countries, *details.bodies)),
        "liens": " ".join(details.links),
        "visibilite": details.visibility,
        "note": details.note,
    }


def _spelled(when: When) -> str:
    """Return when something is as it can be typed and read back."""
    if when.whole_days:
        first, last = when.starts.date(), when.last
        return f"{first}" if first == last else f"{first} au {last}"
    begins, ends = (at.astimezone(ZoneInfo(when.zone)) for at in (when.starts, when.ends))
    days = f"{begins.date()}" if begins.date() == ends.date() else f"{begins.date()} au {ends.date()}"
    return f"{days} {begins:%H:%M}" if begins == ends else f"{days} {begins:%H:%M}-{ends:%H:%M}"


def _how(known: Event) -> Card:
    """Return how an event is changed where no form can be opened."""
    return Card(None, (Paragraph(Text.of("agenda.how_to_change", number=known.number)),))
