"""Figures: how many questions, how soon taken and answered; for coordinators of the network, else of one's office."""

from datetime import date, timedelta
from typing import Annotated, Literal

from bot.card import Button, Buttons, Card, Fields, Paragraph, Reply, Words
from bot.command import command
from bot.context import Context
from bot.documents.reports import called, chart_of, figures_of
from bot.grammar import Like
from bot.questions.advisers import regions
from bot.questions.figures import GROUPS, Figures, Group, by, count, span
from bot.rights import Denied, may
from bot.texts import Lines, Markdown, Text

SHOWN = 10  # groups in the text and on the chart

_GROUPS: dict[str, Group] = {
    "sujet": "topic", "topic": "topic", "territoire": "territory", "territory": "territory",
    "poste": "post", "post": "post", "mois": "month", "month": "month",
}  # fmt: skip
_SPELLED: dict[Group, str] = {"topic": "sujet", "territory": "territoire", "post": "poste", "month": "mois"}
By = Literal["sujet", "territoire", "poste", "mois", "topic", "territory", "post", "month"]


@command("bilan", alias="figures")
def figures(
    ctx: Context, periode: Annotated[str, Like(r"[12]\d{3}(?:-(?:0?[1-9]|1[0-2]))?")] = "", par: By = "sujet"
) -> Reply:
    """Show figures of a year (`2026`) or a month (`2026-03`), grouped; of this year so far if none is given."""
    start, end = _days(ctx, periode)
    group = _GROUPS[par]
    whole = may(ctx.actor.rights, "figures.see")
    if not whole and ctx.actor.organisation is None:
        raise Denied("figures.see", "figures.whose")
    reader = ctx.outbox.reader(ctx.to)
    of = None if whole else ctx.actor.organisation
    found, title = figures_of(ctx.world, ctx.session, reader, start, end, ctx.now, of=of)
    if not found:
        return Card(title, (Paragraph(Text.of("figures.none")),))
    groups = by(found, group)[-SHOWN if group == "month" else 0 :][:SHOWN]
    lines = Lines(_line(called(ctx.world, ctx.session, group, name), part) for name, part in groups)
    period = f"{start.year}-{start.month:02d}" if (end - start).days < 31 else str(start.year)
    buttons = [
        Button(Text.of(f"button.figures.{it}"), "bilan", f"{period} {_SPELLED[it]}") for it in GROUPS if it != group
    ]
    if of in regions(ctx.directory()):
        buttons.append(Button(Text.of("button.rapport"), "rapport", str(start.year)))
    total = count(found)
    blocks = (Fields(_pairs(total)), Paragraph(Text.of("lines", items=lines)), Buttons(tuple(buttons)))
    return Card(title, blocks, files=(chart_of(start, end, group, of=of),))


def _days(ctx: Context, period: str) -> tuple[date, date]:
    """Return the first and the last day of a period."""
    year, _, month = period.partition("-")
    if month:
        start = date(int(year), int(month), 1)
        return start, (start + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    if year:
        return date(int(year), 1, 1), date(int(year), 12, 31)
    return date(ctx.today.year, 1, 1), ctx.today


def _pairs(total: Figures) -> tuple[tuple[Words, Words], ...]:
    pairs: list[tuple[Words, Words]] = [
        (Text.of("figures.asked"), str(total.asked)),
        (Text.of("figures.answered"), str(total.answered)),
        (Text.of("figures.pending"), str(total.pending)),
        (Text.of("figures.late"), str(total.late)),
        (Text.of("figures.to_take"), span(total.to_take)),
        (Text.of("figures.to_answer"), span(total.to_answer)),
    ]
    if total.helped + total.not_helped:
        helped = Text.of("figures.helped.of", count=total.helped, all=total.helped + total.not_helped)
        pairs.append((Text.of("figures.helped"), helped))
    return tuple(pairs)


def _line(name: Words, part: Figures) -> Text:
    return Text.of("figures.line", name=name, asked=part.asked, answered=part.answered, span=_answered(part))


def _answered(part: Figures) -> Words:
    return Text.of("figures.answered_in", span=span(part.to_answer)) if part.to_answer is not None else Markdown("")
