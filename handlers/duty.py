"""Who is on duty for a post, and the days on which nobody will be."""

from bot import due
from bot.card import Card, Paragraph, Reply
from bot.clockwork import presence
from bot.clockwork.reminders import full_name
from bot.command import command
from bot.context import Context
from bot.directory import rota, spans
from bot.directory.history import Author
from bot.directory.keeping import may_keep
from bot.directory.tables import Person
from bot.errors import UserError
from bot.grammar import Rest
from bot.rights import Denied
from bot.search.hits import meant
from bot.texts import Lines, Text


@command("permanence", alias="duty", private=True)
def duty(ctx: Context, quand: Rest = "") -> Reply:
    """`permanence du 3/8 au 9/8 PERSONNE` puts somebody on duty; alone it shows who is, and what lacks."""
    organisation = ctx.actor.organisation
    if organisation is None:
        raise UserError("keeping.not_linked")
    if not quand.strip():
        return _shown(ctx, organisation)
    author = Author(ctx.now, "command", ctx.actor.person, ctx.inbound.author.id)
    if not may_keep(ctx.session, ctx.actor, "rota.keep", organisation, author):
        raise Denied("rota.keep", "rota.not_yours")
    start, end, words = spans.read(quand, ctx.today)
    rota.assign(ctx.session, author, organisation, _person(ctx, words), start, end or start)
    due.hasten(ctx.session, presence.ROTA, "all", ctx.now)
    return _shown(ctx, organisation)


def _person(ctx: Context, words: str) -> str:
    if words and ctx.session.get(Person, words) is not None:
        return words
    hits = [hit for hit in ctx.find(words, limit=20) if hit.kind == "person"] if words else []
    if not hits or not hits[0].sure or len(meant(hits)) > 1:
        raise UserError("rota.who", words=words[:80] or "—")
    return hits[0].id


def _shown(ctx: Context, organisation: str) -> Card:
    rows = rota.coming(ctx.session, organisation, ctx.now)
    if not rows:
        return Card(Text.of("rota.title"), (Paragraph(Text.of("rota.none")),))
    now = rota.on_duty(ctx.session, organisation, ctx.now)
    names = tuple(_name(ctx, id_) for id_ in now)
    today = Text.of("rota.now", names=names) if names else Text.of("rota.nobody_now")
    lines = Lines(Text.of("rota.line", start=row.start, end=row.end, name=_name(ctx, row.person)) for row in rows[:10])
    blocks = [Paragraph(today), Paragraph(Text.of("lines", items=lines))]
    gap = rota.next_gap(ctx.session, organisation, ctx.now)
    if gap is not None:
        blocks.append(Paragraph(presence.gap_words(gap)))
    return Card(Text.of("rota.title"), tuple(blocks))


def _name(ctx: Context, id_: str) -> str:
    person = ctx.session.get(Person, id_)
    return full_name(person) if person is not None else id_
