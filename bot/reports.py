"""Reports as documents: a year of a region's diplomatic adviser, in figures and charts."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from bot.card import Words
from bot.charts import Bar, bars
from bot.context import World
from bot.directory.days import local_day
from bot.documents import Heading, Part, Picture, Prose, Table, pdf
from bot.questions.advisers import held_in, work
from bot.questions.cards import name_of
from bot.questions.figures import Fact, Group, by, count, span
from bot.texts import Reader, Text, unescaped

GROUPS: Final[tuple[Group, ...]] = ("month", "topic", "territory")


def called(world: World, session: Session, group: Group, name: str) -> Words:
    """Return how a topic, territory, post or month of the figures is called."""
    if group == "topic":
        label = world.rules.topics.get(name)
        return Text.of("figures.topic", name=label.fr, name_en=label.en) if label else name
    if group == "month":
        return Text.of("figures.month", month=name)
    return name_of(world.current.get(session), name or None)


def chart(world: World, session: Session, reader: Reader, found: Sequence[Fact], group: Group, title: Words) -> bytes:
    """Return figures as a chart in a reader's language: how many questions of each group, and how soon answered."""

    def words(text: Words) -> str:
        return unescaped(world.catalogues.render(text, reader))

    total = count(found)
    under = Text.of("figures.under", asked=total.asked, answered=total.answered, span=span(total.to_answer))
    rows = [
        Bar(words(called(world, session, group, name)), part.asked, words(span(part.to_answer)))
        for name, part in by(found, group)
    ]
    return bars(words(title), words(under), rows)


def of_adviser(world: World, session: Session, reader: Reader, region: str, year: int, now: datetime) -> bytes:
    """Return the report of a region's adviser for a year as PDF, in a reader's language and zone."""

    def words(text: Words) -> str:
        return unescaped(world.catalogues.render(text, reader))

    directory = world.current.get(session)
    found, beside = work(session, directory, region, year, now, zone=reader.zone)
    title = words(Text.of("report.title", year=year, name=name_of(directory, region)))
    parts: list[Part] = [Prose(words(Text.of("report.intro", day=local_day(reader.zone, now))))]
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
        parts.append(Picture(bars(words(Text.of(f"report.by.{group}")), title, [Bar(n, p.asked) for n, p in groups])))
        head = [words(Text.of(f"report.column.{it}")) for it in (group, "asked", "answered", "to_answer", "late")]
        rows = [[n, str(p.asked), str(p.answered), words(span(p.to_answer)), str(p.late)] for n, p in groups]
        parts.append(Table([head, *rows]))
    return pdf(title, parts)


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
