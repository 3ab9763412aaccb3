"""The diplomatic advisers: every region's coverage, their load, and a report of a year's work."""

from datetime import date
from typing import Annotated

from bot.card import Block, Button, Buttons, Card, Paragraph, Reply, Words
from bot.command import command
from bot.context import Context
from bot.documents.reports import report_of
from bot.errors import UserError
from bot.grammar import Like, Rest
from bot.questions.advisers import Adviser, Coverage, coverage, regions
from bot.questions.cards import name_of
from bot.rights import Denied, may
from bot.texts import Lines, Text

PAGE = 8  # regions shown at once


@command("conseillers", alias="advisers", right="coordinator", private=True)
def advisers(ctx: Context, page: Annotated[str, Like(r"\d{1,2}")] = "") -> Reply:
    """Show each region's diplomatic adviser: holes first, then those whose adviser is away, with what waits there."""
    found = coverage(ctx.session, ctx.directory(), ctx.today, ctx.now)
    pages = max(1, -(-len(found) // PAGE))
    number = min(max(1, int(page or 1)), pages)
    shown = found[(number - 1) * PAGE : number * PAGE]
    holes = sum(it.hole is not None for it in found)
    title = Text.of("advisers.title", regions=len(found), holes=holes, page=number, pages=pages)
    lines = Lines(_line(it, ctx.today) for it in shown)
    blocks: list[Block] = [Paragraph(Text.of("lines", items=lines))]
    if pages > 1:
        blocks.append(Buttons((Button(Text.of("button.next_page"), "conseillers", str(number % pages + 1)),)))
    return Card(title, tuple(blocks))


@command("rapport", alias="report", private=True)
def report(ctx: Context, annee: Annotated[str, Like(r"20\d{2}")] = "", region: Rest = "") -> Reply:
    """Send the report of a year of a region's adviser: those of the region have their own, coordinators all."""
    of = _region(ctx, region.strip())
    year = int(annee or ctx.today.year)
    words = Text.of("report.coming", year=year, name=name_of(ctx.directory(), of))
    return Card(None, (Paragraph(words),), files=(report_of(of, year),))


def _region(ctx: Context, words: str) -> str:
    """Return the region whose report somebody may see. Raises UserError where there is none."""
    known, own = regions(ctx.directory()), ctx.actor.organisation
    if not words and own in known:
        return str(own)
    if not may(ctx.actor.rights, "report.see"):
        raise Denied("report.see", "report.not_yours")
    if words in known:
        return words
    found = [hit.id for hit in (ctx.find(words, limit=20) if words else ()) if hit.id in known]
    if not found:
        raise UserError("report.which", words=words[:80] or "—")
    return found[0]


def _line(it: Coverage, today: date) -> Text:
    who: Words = Text.of("advisers.nobody")
    if it.advisers:
        who = Text.of("advisers.who", advisers=tuple(_adviser(adviser) for adviser in it.advisers))
    if it.hole is not None and it.hole > today:
        who = Text.of("advisers.until", who=who, day=it.hole)
    key = "advisers.line.late" if it.late else "advisers.line"
    return Text.of(key, name=it.name, who=who, pending=it.pending, late=it.late)


def _adviser(adviser: Adviser) -> Text:
    if not adviser.away:
        return Text.of("advisers.at_work", name=adviser.name)
    until = Text.of("advisers.back", day=adviser.away_until) if adviser.away_until else Text.of("advisers.away")
    if adviser.stand_in:
        return Text.of("advisers.replaced", name=adviser.name, until=until, other=adviser.stand_in)
    return Text.of("advisers.not_replaced", name=adviser.name, until=until)
