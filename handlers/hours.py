"""When one's own post works: its hours as the coming week shows them, and its own closures."""

import re
from datetime import date, timedelta
from typing import Final

from bot.card import Button, Buttons, Card, Paragraph, Reply
from bot.command import command
from bot.context import Context
from bot.conversation.timing import calendar
from bot.directory import closures, keeping, spans
from bot.directory.days import local_day
from bot.directory.history import Author
from bot.directory.tables import Closure, Organisation
from bot.errors import UserError
from bot.grammar import Rest
from bot.questions.cards import name_of
from bot.rights import Denied
from bot.texts import Lines, Text
from bot.worktime import everyday

_OPEN = re.compile(r"^(?:ouverts?|ouvertes?|open)\b[\s:]*", re.IGNORECASE)
_BACK = re.compile(r"^(?:annul\w*|retir\w*|cancel|remove)\b[\s:]*", re.IGNORECASE)
WEEK: Final = 7
SHOWN: Final = 8  # closures
REASON: Final = 80  # characters


@command("horaires", alias="hours", private=True)
def hours(ctx: Context, quoi: Rest = "") -> Reply:
    """`horaires lun-ven 9h-12h, 14h-17h` sets the hours of one's own post; alone it shows the coming week."""
    own = _own(ctx)
    if not quoi.strip():
        return _shown(ctx, own)
    found = everyday.read(quoi)
    if found is None:
        raise UserError("hours.unread", words=quoi[:80])
    card = keeping.card(ctx.session, ctx.actor, own, _author(ctx))
    wrong = keeping.correct(ctx.session, card, {"opening_hours": found}, _author(ctx), ctx.world.confirm_every)
    if wrong:
        raise UserError("hours.unread", words=quoi[:80])
    return _shown(ctx, own)


@command("fermeture", alias="closure", private=True)
def closure(ctx: Context, quand: Rest = "") -> Reply:
    """`fermeture le 15/5 pont`, `fermeture ouvert le 25/5`, `fermeture annuler 15/5`; alone it shows all."""
    own = _own(ctx)
    if not quand.strip():
        return _shown(ctx, own)
    if not keeping.may_keep(ctx.session, ctx.actor, "directory.correct", own, _author(ctx)):
        raise Denied("directory.correct", "closure.not_yours")
    today = _today(ctx, own)
    back, open_ = _BACK.match(quand) is not None, _OPEN.match(quand) is not None
    start, end, rest = spans.read(_OPEN.sub("", _BACK.sub("", quand)), today)
    if back:
        if not closures.take_back(ctx.session, _author(ctx), own, start):
            raise UserError("closure.none_then", day=start)
        return _shown(ctx, own)
    reason = rest.strip(" ,;:")[:REASON]
    closures.enter(ctx.session, _author(ctx), own, start, end or start, open_=open_, reason=reason)
    return _shown(ctx, own)


def _shown(ctx: Context, own: str) -> Card:
    """Return the coming week as it will be worked, and the days of its own that are entered."""
    today, when = _today(ctx, own), calendar(ctx, own)
    days = (today + timedelta(days=n) for n in range(WEEK))
    blocks = [Paragraph(Text.of("lines", items=Lines(_day(day, when.periods(day)) for day in days)))]
    entered = closures.coming(ctx.session, own, today)[:SHOWN]
    if entered:
        blocks.append(Paragraph(Text.of("lines", items=Lines(_closure(row) for row in entered))))
    row = ctx.session.get(Organisation, own)
    if row is not None and not row.opening_hours:
        blocks.append(Paragraph(Text.of("hours.usual")))
    editor = keeping.may_keep(ctx.session, ctx.actor, "directory.correct", own, _author(ctx))
    if editor:
        blocks.append(Paragraph(Text.of("hours.how")))
    title = Text.of("hours.title", name=name_of(ctx.directory(), own))
    back = tuple(
        Button(Text.of("button.closure_back", day=it.start), "fermeture", f"annuler {it.start}") for it in entered[:4]
    )
    return Card(title, (*blocks, Buttons(back)) if editor and back else tuple(blocks))


def _day(day: date, periods: tuple[tuple[int, int], ...]) -> Text:
    if not periods:
        return Text.of("hours.closed", day=day)
    return Text.of("hours.line", day=day, periods=tuple(_period(start, end) for start, end in periods))


def _period(start: int, end: int) -> Text:
    return Text.of("hours.period", start=_clock(start), end=_clock(end))


def _clock(minutes: int) -> Text:
    hour, minute = divmod(minutes, 60)
    shown = str(hour if hour <= 24 else hour - 24)
    return Text.of("hours.at", hour=shown, minute=f"{minute:02d}") if minute else Text.of("hours.sharp", hour=shown)


def _closure(row: Closure) -> Text:
    kind = "open" if row.open else "closed"
    reason = f" ({row.reason})" if row.reason else ""
    if row.start == row.end:
        return Text.of(f"closure.day.{kind}", start=row.start, reason=reason)
    return Text.of(f"closure.days.{kind}", start=row.start, end=row.end, reason=reason)


def _own(ctx: Context) -> str:
    if ctx.actor.organisation is None:
        raise UserError("keeping.not_linked")
    return ctx.actor.organisation


def _today(ctx: Context, own: str) -> date:
    row = ctx.session.get(Organisation, own)
    return local_day(row.timezone if row is not None else None, ctx.now)


def _author(ctx: Context) -> Author:
    return Author(ctx.now, "command", ctx.actor.person, ctx.inbound.author.id)
