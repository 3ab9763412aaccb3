"""Calendars that the agenda follows: `agenda abonner URL`, `calendriers`, `désabonner 3`; for coordinators."""

from urllib.parse import urlsplit

from sqlalchemy import select

from bot.agenda import rights, subscriptions
from bot.agenda.fetching import Allowed, is_public
from bot.agenda.reading import Defaults
from bot.agenda.tables import Calendar
from bot.card import Button, Buttons, Card, Paragraph
from bot.command import first_word
from bot.context import Context
from bot.directory.days import ZONE
from bot.errors import UserError
from bot.texts import Lines, Text, unescaped

SHOWN = 10


def follow(ctx: Context, line: str) -> Card:
    """Follow a calendar at an https address, on behalf of one's own organisation; it is read at once."""
    rights.check(ctx.actor, "subscribe")
    word, rest = first_word(unescaped(line))
    url = word.strip("<>").partition("|")[0]
    if not url or rest.strip():
        raise UserError("agenda.calendar.how")
    zone = ctx.actor.zone or ctx.outbox.reader(ctx.to).zone or ZONE
    defaults = Defaults(zone, "other", "network", ctx.actor.organisation)
    row, new = subscriptions.subscribe(ctx.session, url, defaults, Allowed(ctx.world.feeds, is_public), ctx.now)
    key = "agenda.calendar.followed" if new else "agenda.calendar.known"
    return Card(None, (Paragraph(Text.of(key, site=_site(row), number=row.id)), Buttons((_list_button(),))))


def listed(ctx: Context, _: str) -> Card:
    """List the calendars that are followed, and what is wrong with them; their addresses often are secrets."""
    rights.check(ctx.actor, "subscribe")
    found = select(Calendar).where(Calendar.url.is_not(None), Calendar.due_at.is_not(None)).order_by(Calendar.id)
    rows = ctx.session.scalars(found).all()
    if not rows:
        return Card(None, (Paragraph(Text.of("agenda.calendar.none")),))
    lines = Lines(_line(row) for row in rows)
    buttons = (
        Button(Text.of("button.agenda_leave", name=row.name or _site(row)), "agenda", f"désabonner {row.id}")
        for row in rows[:SHOWN]
    )
    title = Text.of("agenda.calendar.title", count=len(rows))
    return Card(title, (Paragraph(Text.of("lines", items=lines)), Buttons(tuple(buttons))))


def leave(ctx: Context, number: str) -> Card:
    """Follow a calendar no longer; its events stay as they are."""
    rights.check(ctx.actor, "subscribe")
    bare = number.strip()
    row = ctx.session.get(Calendar, int(bare), with_for_update=True) if bare.isdecimal() and len(bare) < 10 else None
    if row is None or row.due_at is None:
        raise UserError("agenda.calendar.unknown", number=bare[:20])
    row.due_at = None
    words = Text.of("agenda.calendar.left", name=row.name or _site(row))
    return Card(None, (Paragraph(words), Buttons((_list_button(),))))


def _line(row: Calendar) -> Text:
    state = Text(row.problem) if row.problem and row.problem.startswith("agenda.") else None
    if state is None:
        state = Text.of("agenda.calendar.ok") if row.read_at is not None else Text.of("agenda.calendar.waits")
    return Text.of("agenda.calendar.line", number=row.id, name=row.name or "—", site=_site(row), state=state)


def _site(row: Calendar) -> str:
    return (urlsplit(row.url).hostname or "—") if row.url else "—"


def _list_button() -> Button:
    return Button(Text.of("button.agenda_calendars"), "agenda", "calendriers")
