"""Saying when one is away, and who stands in."""

import re
from collections.abc import Sequence
from datetime import date

from sqlalchemy import or_, select

from bot import due
from bot.card import Button, Buttons, Card, Paragraph, Reply
from bot.clockwork.reminders import PERSON, full_name
from bot.command import command
from bot.context import Context
from bot.directory import absences, spans
from bot.directory.history import Author
from bot.directory.tables import Absence, Person
from bot.errors import UserError
from bot.grammar import Rest
from bot.interpret import spelled
from bot.search.hits import meant
from bot.texts import Lines, Text

_BACK = ("retour", "back", "annuler", "cancel")
_BY = re.compile(r"^(?:remplac[ée]+e?\s+par|par|rempla[cç]ante?|replaced by|stand-in)\b[\s:]*", re.IGNORECASE)
OFFERED = 5


@command("absence", private=True)
def absence(ctx: Context, quand: Rest = "") -> Reply:
    """`absence du 3/8 au 14/8 REMPLAÇANT`; `absence retour` ends it; alone it shows what is entered."""
    person = ctx.actor.person
    if person is None:
        raise UserError("keeping.not_linked")
    if not quand.strip():
        return _shown(ctx, person)
    author = Author(ctx.now, "command", person, ctx.inbound.author.id)
    if spelled(quand.strip()) in _BACK:
        key = "absence.back" if absences.come_back(ctx.session, author, person, ctx.today) else "absence.none"
        return Card(None, (Paragraph(Text.of(key)),))
    start, end, rest = spans.read(quand, ctx.today)
    other = _stand_in(ctx, quand, _BY.sub("", rest))
    if isinstance(other, Card):
        return other
    chain = absences.declare(ctx.session, author, person, start, end, other)
    due.hasten(ctx.session, PERSON, person, ctx.now)
    return _entered(ctx, start, end, chain)


def _stand_in(ctx: Context, said: str, words: str) -> str | Card | None:
    """Return the person who is named, None where nobody is, or a card that asks which one is meant."""
    if not words:
        return None
    if ctx.session.get(Person, words) is not None:
        return words
    hits = [hit for hit in ctx.find(words, limit=20) if hit.kind == "person"][:OFFERED]
    if not hits:
        raise UserError("absence.unknown", words=words[:80])
    if hits[0].sure and len(meant(hits)) == 1:
        return hits[0].id
    days = said[: len(said) - len(words)] if said.endswith(words) else said
    buttons = tuple(Button(hit.name, "absence", f"{days.strip()} {hit.id}") for hit in hits)
    return Card(None, (Paragraph(Text.of("absence.which")), Buttons(buttons)))


def _entered(ctx: Context, start: date, end: date | None, chain: Sequence[str]) -> Card:
    names = tuple(_name(ctx, id_) for id_ in chain)
    days = Text.of("absence.entered", start=start, end=end) if end else Text.of("absence.entered_open", start=start)
    if not names:
        who = Text.of("absence.nobody")
    elif len(names) == 1:
        who = Text.of("absence.stood_in", name=names[0])
    else:
        who = Text.of("absence.chain", names=names, last=names[-1])
    blocks = (Paragraph(days), Paragraph(who))
    back = Button(Text.of("button.absence_retour"), "absence", "retour")
    return Card(Text.of("absence.title"), (*blocks, Buttons((back,))))


def _shown(ctx: Context, person: str) -> Card:
    rows = ctx.session.scalars(
        select(Absence)
        .where(Absence.person == person, or_(Absence.end.is_(None), Absence.end >= ctx.today))
        .order_by(Absence.start)
    ).all()
    if not rows:
        return Card(Text.of("absence.title"), (Paragraph(Text.of("absence.none")), Paragraph(Text.of("absence.how"))))
    lines = Lines(
        Text.of(
            "absence.line" if row.end is not None else "absence.line_open",
            start=row.start,
            end=row.end or row.start,
            name=_name(ctx, row.stand_in) if row.stand_in else "—",
        )
        for row in rows
    )
    back = Button(Text.of("button.absence_retour"), "absence", "retour")
    return Card(Text.of("absence.title"), (Paragraph(Text.of("lines", items=lines)), Buttons((back,))))


def _name(ctx: Context, id_: str) -> str:
    person = ctx.session.get(Person, id_)
    return full_name(person) if person is not None else id_
