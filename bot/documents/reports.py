"""Reports: figures as a chart, and a year of a region's diplomatic adviser as a document with charts.

What they show is gathered within a transaction; they are drawn outside of it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy.orm import Session

from bot.card import Words
from bot.context import World
from bot.directory.days import local_day
from bot.documents.charts import MOST, Bar, bars
from bot.documents.pdf import Heading, Part, Picture, Prose, Table, pdf
from bot.message import Drawn
from bot.questions.advisers import held_in, work
from bot.questions.cards import name_of
from bot.questions.figures import GROUPS as WAYS
from bot.questions.figures import Fact, Group, by, count, facts, span
from bot.texts import Reader, Text, unescaped

GROUPS: Final[tuple[Group, ...]] = ("month", "topic", "territory")


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars beneath a title and a line of words."""

    title: str
    under: str
    rows: tuple[Bar, ...]

    def drawn(self) -> bytes:
        """Return it as PNG."""
        return bars(self.title, self.under, self.rows)


@dataclass(frozen=True, slots=True)
class Report:
    """A document; its charts are drawn with it."""

    title: str
    parts: tuple[Part | Chart, ...]
    language: str

    def drawn(self) -> bytes:
        """Return it as PDF."""
        parts = [Picture(part.drawn()) if isinstance(part, Chart) else part for part in self.parts]
        return pdf(self.title, parts, self.language)


def chart_of(start: date, end: date, group: Group, *, of: str | None) -> Drawn:
    """Return the chart of some days' figures, of an organisation or of the network, to be drawn by a job."""
    what = {"kind": "figures", "start": start.isoformat(), "end": end.isoformat(), "group": group, "of": of or ""}
    return Drawn(Text.of("figures.file", start=start.isoformat(), end=end.isoformat()), what)


def report_of(region: str, year: int) -> Drawn:
    """Return the report of a region's adviser for a year, to be drawn by a job."""
    what = {"kind": "adviser", "region": region, "year": str(year)}
    return Drawn(Text.of("report.file", region=region, year=str(year)), what)


def group_of(word: str) -> Group:
    """Return a way to group figures by its name. Raises ValueError when there is none of that name."""
    return WAYS[WAYS.index(word)]  # type: ignore[arg-type]


def figures_of(
    world: World, session: Session, reader: Reader, start: date, end: date, now: datetime, *, of: str | None
) -> tuple[list[Fact], Words]:
    """Return the facts of some days, of an organisation or of the network, and what their figures are called."""
    directory = world.current.get(session)
    whose = Text.of("figures.network") if of is None else name_of(directory, of)
    title = Text.of("figures.title", whose=whose, start=start, end=end)
    return facts(session, directory, start, end, now, zone=reader.zone, of=of), title


def called(world: World, session: Session, group: Group, name: str) -> Words:
    """Return how a topic, territory, post or month of the figures is called."""
    if group == "topic":
        label = world.rules.topics.get(name)
        return Text.of("figures.topic", name=label.fr, name_en=label.en) if label else name
    if group == "month":
        return Text.of("figures.month", month=name)
    return name_of(world.current.get(session), name or None)


def chart(world: World, session: Session, reader: Reader, found: Sequence[Fact], group: Group, title: Words) -> Chart:
    """Return figures as a chart in a reader's language: how many questions of each group, and how soon answered."""

    def words(text: Words) -> str:
        return unescaped(world.catalogues.render(text, reader))

    total = count(found)
    under = Text.of("figures.under", asked=total.asked, answered=total.answered, span=span(total.to_answer))
    groups = by(found, group)
    rows = (
        Bar(words(called(world, session, group, name)), part.asked, words(span(part.to_answer)))
        for name, part in (groups[-MOST:] if group == "month" else groups)
    )
    return Chart(words(title), words(under), tuple(rows))


def of_adviser(world: World, session: Session, reader: Reader, region: str, year: int, now: datetime) -> Report:
    """Return the report of a region's adviser for a year, in a reader's language and zone."""

    def words(text: Words) -> str:
        return unescaped(world.catalogues.render(text, reader))

    directory = world.current.get(session)
    found, beside = work(session, directory, region, year, now, zone=reader.zone)
    title = words(Text.of("report.title", year=year, name=name_of(directory, region)))
    parts: list[Part | Chart] = [Prose(words(Text.of("report.intro", day=local_day(reader.zone, now))))]
    held = held_in(session, region, year)
    parts.append(Heading(words(Text.of("report.held"))))
    for name, start, end in held:
        key = "report.held.until" if end else "report.held.since"
        parts.append(Prose(words(Text.of(key, name=name, start=start, end=end))))
    if not held:
        parts.append(Prose(words(Text.of("report.held.nobody"))))
    parts.append(Heading(words(Text.of("report.figures"))))
    parts.append(_totals(found, beside, words))
    for group in GROUPS if found else ():
        groups = [(words(called(world, session, group, name)), part) for name, part in by(found, group)]
        parts.append(Heading(words(Text.of(f"report.by.{group}"))))
        parts.append(Chart(words(Text.of(f"report.by.{group}")), title, tuple(Bar(n, p.asked) for n, p in groups)))
        head = [words(Text.of(f"report.column.{it}")) for it in (group, "asked", "answered", "to_answer", "late")]
        rows = [[n, str(p.asked), str(p.answered), words(span(p.to_answer)), str(p.late)] for n, p in groups]
        parts.append(Table([head, *rows]))
    return Report(title, tuple(parts), reader.language)


def _totals(found: list[Fact], beside: int, words: Callable[[Words], str]) -> Table:
    total = count(found)
    pairs = (
        ("asked", str(total.asked)),
        ("answered", str(total.answered)),
        ("pending", str(total.pending)),
        ("late", str(total.late)),
        ("to_take", words(span(total.to_take))),
        ("to_answer", words(span(total.to_answer))),
        ("helped", f"{total.helped} / {total.helped + total.not_helped}"),
    )
    rows = [(words(Text.of(f"figures.{name}")), value) for name, value in pairs]
    return Table([*rows, (words(Text.of("report.beside")), str(beside))])
