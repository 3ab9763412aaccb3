"""Digests: subscribing a room or oneself, looking at one beforehand, changing, pausing, stopping it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from bot.agenda.dates import dated
from bot.agenda.line import seat_of, zone_of
from bot.card import Button, Buttons, Card, Choice, Errors, Field, Form, Paragraph, Reply
from bot.command import command, first_word
from bot.context import Context
from bot.digests import cards, content, issuing, keeping, wishes
from bot.digests.keeping import FOREVER, NUMBER
from bot.digests.phrases import rhythm_in, said
from bot.digests.readers import acts_for, audience
from bot.digests.readers import zone_of as clock_of
from bot.digests.rhythm import Rhythm
from bot.digests.tables import Digest, Wish
from bot.directory.days import local_day
from bot.directory.rooms import room_of
from bot.errors import UserError
from bot.grammar import Rest
from bot.interpret import spelled
from bot.message import Invocation
from bot.rights import Denied
from bot.texts import LANGUAGES, Text, unescaped

T = TypeVar("T")

_NOTHING: Mapping[str, str] = {}
_MINE = ("moi", "me")
_FIELDS = ("rythme", "filtre", "horizon", "sujets", "langue", "fuseau", "vide")
_HORIZONS = ("7", "14", "31", "92")


@command("digest", right="reader", private=True)
def digest(ctx: Context, quoi: Rest = "") -> Reply:
    """Subscribe to what comes, `digest chaque lundi à 8 h 67 formations`, or do something with a digest.

    In a room it is the room's; `digest moi …`, and any in a direct conversation, is one's own.
    """
    form: Mapping[str, str] = ctx.inbound.form if isinstance(ctx.inbound, Invocation) else _NOTHING
    word, rest = first_word(quoi)
    if form:
        return _submitted(ctx, rest if spelled(word) in _CHANGE else "", form, mine=spelled(word) in _MINE)
    act = _ACTS.get(spelled(word))
    if act is not None:
        return act(ctx, keeping.numbered(ctx, ctx.actor, first_word(rest)[0]), first_word(rest)[1])
    if NUMBER.fullmatch(word) and not rest.strip():
        return _shown(ctx, keeping.numbered(ctx, ctx.actor, word))
    mine = spelled(word) in _MINE
    line = unescaped(rest if mine else quoi).strip()
    if not line:
        return _overview(ctx, mine=mine)
    return _subscribed(ctx, _wished(ctx, line), mine=mine)


def _overview(ctx: Context, *, mine: bool) -> Reply:
    person = _whose(ctx, mine=mine)
    found = keeping.of_place(ctx, ctx.to, person)
    if not found and isinstance(ctx.inbound, Invocation) and ctx.inbound.trigger is not None:
        return _form(ctx, None, mine=mine)
    if person is None and not acts_for(ctx.actor, _organisation(ctx)):
        raise Denied("digest.keep", "digest.may_not")
    lines = [
        Text.of("digest.line", number=it.number, rhythm=said(it.wish.rhythm), words=it.words or "—") for it in found
    ]
    own = "moi " if mine and ctx.to.surface == "room" else ""
    offers = [
        Button(Text.of(f"button.digest_offer.{number}"), "digest", f"{own}{line}")
        for number, line in enumerate(("chaque lundi à 8 h", "jours ouvrés à 7 h 30", "le 1er du mois à 9 h"), 1)
    ]
    return cards.overview(found, lines, () if found else offers)


def _wished(ctx: Context, line: str) -> Wish:
    wish = wishes.wished(line, ctx.rules().topics, lambda name: _zone_named(ctx, name))
    content.window(ctx, wish, ctx.actor.organisation, ctx.today)  # a filter that says nothing is refused now
    return wish


def _zone_named(ctx: Context, name: str) -> str | None:
    return zone_of(seat_of(name, ctx.world.rules), ctx.directory())


def _subscribed(ctx: Context, wish: Wish, *, mine: bool) -> Card:
    person = _whose(ctx, mine=mine)
    organisation = _organisation(ctx)
    if person is None and not acts_for(ctx.actor, organisation):
        raise Denied("digest.keep", "digest.may_not")
    account = ctx.inbound.author.id if person is not None else ""
    made = keeping.add(
        ctx, wish, ctx.to, organisation=organisation, person=person, account=account, by=ctx.actor.person
    )
    return _shown(ctx, made, Text.of("digest.added" if person else "digest.added_room", number=made.number))


def _whose(ctx: Context, *, mine: bool) -> str | None:
    """Return the person whose digests are meant, None for the room's. Raises UserError for who is not linked."""
    if ctx.to.surface == "room" and not mine:
        return None
    if ctx.actor.person is None:
        raise UserError("keeping.not_linked")
    return ctx.actor.person


def _organisation(ctx: Context) -> str | None:
    row = room_of(ctx.session, ctx.to.platform, ctx.to.room)
    return row.organisation if row is not None and row.state == "open" else None


def _shown(ctx: Context, it: Digest, note: Text | None = None) -> Card:
    zone, place = clock_of(ctx, it)
    return cards.subscription(it, zone, ctx.now, keeping.next_at(ctx, it, zone, place), note)


def _preview(ctx: Context, it: Digest, _: str) -> Reply:
    reader = audience(ctx, it)
    if reader is None:
        raise UserError("digest.unreachable", number=it.number)
    card = issuing.preview(ctx, it, replace(reader, to=ctx.to))
    return ctx.outbox.for_reader(reader.words).render(ctx.to, card)  # in its own language and by its own clock


def _pause(ctx: Context, it: Digest, words: str) -> Reply:
    """Pause until a day, or until it is resumed: `digest pause D-3 jusqu'au 3 mai`."""
    today = local_day(clock_of(ctx, it)[0], ctx.now)
    found = dated(words, today) if words.strip() else None
    if words.strip() and found is None:
        raise UserError("digest.no_day")
    if found is not None and found.first <= today:
        raise UserError("digest.day_past", day=found.first)
    keeping.pause(ctx, it, found.first if found is not None else FOREVER)
    note = Text.of("digest.paused_until", day=found.first) if found is not None else Text.of("digest.is_paused")
    return _shown(ctx, it, note)


def _resume(ctx: Context, it: Digest, _: str) -> Reply:
    keeping.resume(ctx, it)
    return _shown(ctx, it, Text.of("digest.resumed"))


def _stop(ctx: Context, it: Digest, _: str) -> Reply:
    number, again = it.number, _line_of(ctx, it)
    mine = "moi " if it.person is not None and ctx.to.surface == "room" else ""
    keeping.stop(ctx, it)
    back = Button(Text.of("button.digest_again"), "digest", f"{mine}{again}")
    return Card(None, (Paragraph(Text.of("digest.stopped", number=number)), Buttons((back,))))


def _edit(ctx: Context, it: Digest, line: str) -> Reply:
    if line.strip():
        keeping.change(ctx, it, _wished(ctx, unescaped(line)), ctx.actor.person)
        return _shown(ctx, it, Text.of("digest.changed", number=it.number))
    if isinstance(ctx.inbound, Invocation) and ctx.inbound.trigger is not None:
        return _form(ctx, it, mine=False)
    return Card(None, (Paragraph(Text.of("digest.how_to_change", number=it.number, line=_line_of(ctx, it))),))


def _line_of(ctx: Context, it: Digest) -> str:
    """Return a digest as it could be typed again, but for its language, zone and topics."""
    return f"{_spoken(ctx, said(it.wish.rhythm))} {it.words}".strip()


def _spoken(ctx: Context, words: Text) -> str:
    return unescaped(ctx.world.catalogues.render(words, ctx.outbox.reader(ctx.to)))


def _form(ctx: Context, it: Digest | None, *, mine: bool) -> Form:
    wish = it.wish if it is not None else None
    values = {
        "rythme": _spoken(ctx, said(wish.rhythm)) if wish else _spoken(ctx, Text.of("digest.usual")),
        "filtre": wish.words if wish else "",
        "horizon": str(wish.horizon) if wish else "7",
        "sujets": " ".join(wish.topics) if wish else "",
        "langue": wish.language if wish else "",
        "fuseau": wish.zone if wish else "",
        "vide": "oui" if wish is None or wish.when_empty else "non",
    }
    choices = {
        "horizon": sorted({*_HORIZONS, values["horizon"]}, key=int),
        "langue": ("", "fr", "en"),
        "vide": ("oui", "non"),
    }
    fields = tuple(
        Field(
            name=name,
            label=Text.of(f"form.digest.{name}"),
            kind="choice" if name in choices else "line",
            value=values[name] or ("auto" if name == "langue" else ""),
            hint=Text.of(f"form.digest.{name}.hint") if name in {"rythme", "filtre", "sujets", "fuseau"} else None,
            choices=tuple(_choice(name, value) for value in choices.get(name, ())),
            optional=name != "rythme",
        )
        for name in _FIELDS
    )
    title = Text.of("form.digest.title")
    line = f"modifier {it.number}" if it is not None else "moi" if mine else ""
    return Form("digest", title, Text.of("form.digest.submit"), fields, line=line)


def _choice(name: str, value: str) -> Choice:
    if name == "horizon":
        return Choice(value, Text.of("digest.days", count=int(value)))
    return Choice(value or "auto", Text.of(f"form.digest.{name}.{value or 'auto'}"))


def _submitted(ctx: Context, number: str, form: Mapping[str, str], *, mine: bool) -> Reply:
    values = {name: unescaped(form.get(name, "")).strip() for name in _FIELDS}
    wish, wrong = _read(ctx, values)
    if wish is None:
        return Errors(tuple(wrong))
    if not number:
        return _subscribed(ctx, wish, mine=mine)
    it = keeping.numbered(ctx, ctx.actor, number)
    keeping.change(ctx, it, wish, ctx.actor.person)
    return _shown(ctx, it, Text.of("digest.changed", number=it.number))


def _read(ctx: Context, values: Mapping[str, str]) -> tuple[Wish | None, list[tuple[str, Text]]]:
    """Return what a form asks for, or what is wrong with it, by field."""
    wrong: list[tuple[str, Text]] = []

    def tried(name: str, read: Callable[[], T], otherwise: T) -> T:
        try:
            return read()
        except UserError as error:
            wrong.append((name, error.text))
            return otherwise

    rhythm, rest = tried("rythme", lambda: rhythm_in(values["rythme"]), (Rhythm(), ""))
    if rest:
        wrong.append(("rythme", Text.of("digest.not_understood", words=rest[:60])))
    horizon = int(values["horizon"]) if values["horizon"].isdecimal() else 0
    wish = Wish(
        rhythm=rhythm,
        words=values["filtre"],
        topics=tried("sujets", lambda: wishes.chosen_topics(values["sujets"], ctx.rules().topics), ()),
        horizon=horizon if 1 <= horizon <= wishes.LONGEST else wishes.natural(rhythm),
        language=values["langue"] if values["langue"] in LANGUAGES else "",
        zone=tried("fuseau", lambda: wishes.known_zone(values["fuseau"], lambda name: _zone_named(ctx, name)), ""),
        when_empty=values["vide"] != "non",
    )
    tried("filtre", lambda: content.window(ctx, wish, ctx.actor.organisation, ctx.today), None)
    return (None if wrong else wish), wrong


_CHANGE = ("modifier", "changer", "edit", "change")
_ACTS: Mapping[str, Callable[[Context, Digest, str], Reply]] = {
    **dict.fromkeys(("apercu", "preview"), _preview),
    **dict.fromkeys(("pause",), _pause),
    **dict.fromkeys(("reprendre", "resume"), _resume),
    **dict.fromkeys(("arreter", "stop"), _stop),
    **dict.fromkeys(_CHANGE, _edit),
}
