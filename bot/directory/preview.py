"""What people are shown of a proposal: what its files would change, or every line that is wrong."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from bot.card import Block, Button, Buttons, Card, Paragraph, Words
from bot.directory.cells import guard
from bot.directory.parsed import Difference, Problem
from bot.message import File
from bot.texts import Lines, Text, from_data

SHOWN: Final = 8  # lines of changes or complaints on a card; the file beside it has them all
VALUE: Final = 60  # characters of a value there
COLUMNS: Final = 3  # of a changed row there
REPORT: Final = ("file", "line", "column", "value", "reason")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a proposal would do, or did; with errors, nothing."""

    stored: bool
    digest: str
    added: int
    changed: int
    closed: int
    left_out: int
    errors: tuple[Problem, ...]
    differences: tuple[Difference, ...]  # the first of them

    @classmethod
    def of(cls, said: dict[str, Any]) -> "Outcome":
        """Return what the process that reads files said (`bot.directory.apart`)."""
        added, changed, closed, left_out = said["counts"]
        errors = (
            Problem(f, line, column, value, cast("Text", from_data(why)))
            for f, line, column, value, why in said["errors"]
        )
        differences = (Difference(file, row, before, after) for file, row, before, after in said["differences"])
        return cls(said["stored"], said["digest"], added, changed, closed, left_out, tuple(errors), tuple(differences))

    @property
    def total(self) -> int:
        """How many rows differ."""
        return self.added + self.changed + self.closed


def reading(names: Sequence[str]) -> Card:
    """Return what is said as soon as files were sent."""
    return Card(None, (Paragraph(Text.of("proposal.reading", names=tuple(names))),))


def progress(name: str, line: int) -> Card:
    """Return how far a long reading is."""
    return Card(None, (Paragraph(Text.of("proposal.progress", name=name, line=line)),))


def read(found: Outcome) -> Card:
    """Return what the first message says once the files are read."""
    return Card(None, (Paragraph(Text.of("proposal.read" if not found.errors else "proposal.read_bad")),))


def choices(id_: int) -> tuple[Button, ...]:
    """Return what the author of a proposal can do about what they are shown: let it happen or drop it."""
    yes = Button(Text.of("button.proposal_apply"), "annuaire", f"importer appliquer {id_}", "primary")
    return yes, Button(Text.of("button.proposal_drop"), "annuaire", f"importer abandonner {id_}")


def look(id_: int) -> Button:
    """Return what shows a second person what they are asked to confirm."""
    return Button(Text.of("button.proposal_look"), "annuaire", f"importer voir {id_}", "primary")


def changes(found: Outcome, listing: bytes, buttons: tuple[Button, ...], note: Words | None) -> Card:
    """Return what would change, below a note, with the buttons that decide it, and the whole list as a file."""
    counts = Text.of("proposal.counts", added=found.added, changed=found.changed, closed=found.closed)
    lines: list[Words] = [_difference(each) for each in found.differences[:SHOWN]]
    more = found.total - len(lines)
    blocks: list[Block] = [Paragraph(note)] if note is not None else []
    blocks += [Paragraph(counts), Paragraph(Text.of("lines", items=Lines(lines)))]
    notes = [Text.of("proposal.more", count=more)] if more > 0 else []
    notes += [Text.of("proposal.left_out", count=found.left_out)] if found.left_out else []
    blocks += [Paragraph(note) for note in notes]
    files = (File(Text.of("proposal.file"), listing),) if more > 0 else ()
    return Card(Text.of("proposal.title"), (*blocks, Buttons(buttons)), files=files)


def nothing(found: Outcome) -> Card:
    """Return that files hold nothing new."""
    notes = [Text.of("proposal.nothing")]
    notes += [Text.of("proposal.left_out", count=found.left_out)] if found.left_out else []
    return Card(None, tuple(map(Paragraph, notes)))


def complaints(found: Outcome, render: Callable[[Text], str]) -> Card:
    """Return what is wrong, line by line, shortened where it is much; `render` gives a reason's words for the file."""
    lines = Lines([_problem(each) for each in found.errors[:SHOWN]])
    more = len(found.errors) - len(lines)
    blocks = [
        Paragraph(Text.of("proposal.bad", count=len(found.errors))),
        Paragraph(Text.of("lines", items=lines)),
        *([Paragraph(Text.of("proposal.more_bad", count=more))] if more > 0 else []),
    ]
    files = (File(Text.of("proposal.file_bad"), _report(found.errors, render)),) if more > 0 else ()
    return Card(Text.of("proposal.bad_title"), tuple(blocks), files=files)


def stored(counts: Sequence[int]) -> Card:
    """Return what stands in place of a preview once it is stored."""
    added, changed, closed = counts
    return over("proposal.stored", added=added, changed=changed, closed=closed)


def ended(state: str) -> Card:
    """Return what stands in place of a preview that is agreed to, or will never be."""
    return Card(None, (Paragraph(Text.of(f"proposal.{state}")),))


def over(key: str, **values: object) -> Card:
    """Return what stands in place of a preview whose buttons are of no use any more."""
    return Card(None, (Paragraph(Text.of(key, **values)),))


def _difference(each: Difference) -> Text:
    if each.before is None:
        return Text.of("proposal.added", file=each.file, row=each.row)
    names = list(each.after)
    pairs = tuple(
        Text.of("proposal.column", column=name, before=_short(each.before[name]), after=_short(each.after[name]))
        for name in names[:COLUMNS]
    )
    key = "proposal.changed" if len(names) <= COLUMNS else "proposal.changed_more"
    return Text.of(key, file=each.file, row=each.row, columns=pairs, count=len(names) - COLUMNS)


def _problem(each: Problem) -> Text:
    where = Text.of("proposal.line", file=each.file, line=each.line) if each.line else each.file
    if each.column is None:
        return Text.of("proposal.problem", where=where, reason=each.reason)
    if not each.value:
        return Text.of("proposal.problem_column", where=where, column=each.column, reason=each.reason)
    value = _short(each.value)
    return Text.of("proposal.problem_value", where=where, column=each.column, value=value, reason=each.reason)


def _short(value: str) -> str:
    value = " ".join(value.split())
    return value if len(value) <= VALUE else f"{value[: VALUE - 1]}…"


def _report(errors: Sequence[Problem], render: Callable[[Text], str]) -> bytes:
    """Return all that is wrong as CSV, for a spreadsheet: nothing in it is a formula."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(REPORT)
    for each in errors:
        cells = (each.file, str(each.line), each.column or "", each.value or "", render(each.reason))
        writer.writerow(map(guard, cells))
    return text.getvalue().encode("utf-8-sig", "replace")
