"""The brief of a visit: what the prefects of the border contributed, as one document, in PDF and in Markdown."""

from collections.abc import Iterator
from dataclasses import dataclass

from bot import personal
from bot.agenda.associates import Associate, progress
from bot.agenda.cards import View, name_of, shown_words, title_of, when
from bot.agenda.visit_cards import Prepared
from bot.card import Words
from bot.context import World
from bot.documents.pdf import Heading, Part, Prose, pdf
from bot.message import File
from bot.texts import Reader, Text, escape, unescaped


@dataclass(frozen=True, slots=True)
class Brief:
    """Draws a brief for a reader, in their language and zone, of what may stand where they read it."""

    world: World
    view: View
    reader: Reader
    prepared: Prepared

    def files(self) -> tuple[File, ...]:
        """Return the brief as a PDF to hand on and as a text to work with."""
        title, parts = self._title(), tuple(self._parts())
        number = self.prepared.event.number
        name = self._words(Text.of("visit.brief.file", number=number))
        lines = [f"# {escape(title)}"]
        for part in parts:
            match part:
                case Heading(text):
                    lines.append(f"## {escape(text)}")
                case Prose(text):
                    lines.append(escape(text))
                case _:
                    pass
        markdown = "\n\n".join(lines) + "\n"
        return File(f"{name}.pdf", pdf(title, parts, self.reader.language)), File(f"{name}.md", markdown.encode())

    def _title(self) -> str:
        return self._words(Text.of("visit.brief.title", title=title_of(self.view, self.prepared.event)))

    def _parts(self) -> Iterator[Part]:
        event, visit = self.prepared.event, self.prepared.visit
        yield Prose(self._words(when(self.view, event.when)))
        yield from (Prose(said) for text in (event.place, event.note) if (said := shown_words(self.view, event, text)))
        given, asked = progress(self.prepared.associates)
        words = Text.of("visit.brief.progress", number=event.number, given=given, asked=asked, due=visit.due_at)
        yield Prose(self._words(words))
        rows = [it for it in self.prepared.associates if it.part == "asked"]
        for row in rows:
            if row.text:
                yield Heading(name_of(self.view, row.organisation))
                yield Prose(self._said(row))
                yield Prose(self._words(Text.of("visit.brief.at", at=row.at or visit.due_at)))
        for key, silent in (("nothing", [it for it in rows if it.text == ""]), ("missing", self._missing())):
            if silent:
                yield Heading(self._words(Text.of(f"visit.brief.{key}")))
                yield Prose("\n".join(name_of(self.view, it.organisation) for it in silent))

    def _missing(self) -> list[Associate]:
        return [it for it in self.prepared.associates if it.waited_for]

    def _said(self, row: Associate) -> str:
        """Return a contribution as it may stand here: an encrypted room's words stay in encrypted rooms."""
        if self.view.encrypted:
            return row.text or ""
        if row.sealed:
            return self._words(Text.of("visit.brief.sealed"))
        return (row.text or "") if row.cleared else personal.masked(row.text or "")

    def _words(self, text: Words) -> str:
        return unescaped(self.world.catalogues.render(text, self.reader))
