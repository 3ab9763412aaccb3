"""The cards of a visit: what is asked of a prefecture, and what those who prepare the visit see come in."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.agenda.associates import Associate, Visit, progress
from bot.agenda.cards import Pair, View, located, name_of, noted, title_of, when
from bot.agenda.tables import Event
from bot.card import Block, Button, Buttons, Card, Fields, Paragraph, Words
from bot.texts import Lines, Markdown, Text, escape


@dataclass(frozen=True, slots=True)
class Prepared:
    """A visit with all who have a part in it."""

    event: Event
    visit: Visit
    associates: Sequence[Associate]


def of_part(view: View, prepared: Prepared, own: Associate) -> Card:
    """Return the card that one of those who have a part sees in its room."""
    event = prepared.event
    blocks: list[Block] = [Paragraph(_asked(prepared, own))] if own.part == "asked" else []
    blocks.append(Fields(tuple(_fields(view, prepared, own))))
    blocks += noted(view, event)
    if own.part != "asked":
        blocks += _parts(view, prepared)
    elif own.text and (view.encrypted or not own.sealed):
        blocks.append(Paragraph(escape(own.text), quote=True, theirs=True))
    blocks.append(Buttons(tuple(_buttons(view, prepared, own))))
    return Card(_headed(view, event), tuple(blocks))


def whole(view: View, prepared: Prepared, buttons: Sequence[Button]) -> Card:
    """Return a visit as those who prepare it see it, with what its reader may do."""
    fields = Fields(tuple(_fields(view, prepared, None)))
    row = (Buttons(tuple(buttons)),) if buttons else ()
    return Card(_headed(view, prepared.event), (fields, *_parts(view, prepared), *row))


def _headed(view: View, event: Event) -> Text:
    return Text.of("visit.title", number=Markdown(event.number), title=title_of(view, event))


def _asked(prepared: Prepared, own: Associate) -> Text:
    event, due = prepared.event, prepared.visit.due_at
    if event.state == "cancelled":
        return Text.of("visit.cancelled")
    if own.released:
        return Text.of("visit.released")
    if own.text is None:
        return Text.of("visit.asked", due=due)
    return Text.of("visit.given" if own.text else "visit.nothing", at=own.at or due)


def _fields(view: View, prepared: Prepared, own: Associate | None) -> Iterator[Pair]:
    event = prepared.event
    yield Text.of("agenda.field.when"), when(view, event.when)
    yield from located(view, event)
    details = event.details
    if details.organisers:
        yield Text.of("agenda.field.organisers"), _named(view, details.organisers)
    if own is not None and own.part == "asked":
        yield Text.of("visit.field.for"), Markdown(escape(name_of(view, own.organisation)))
    else:
        given, asked = progress(prepared.associates)
        yield (
            Text.of("visit.field.contributions"),
            Text.of("visit.progress", given=given, asked=asked, due=prepared.visit.due_at),
        )
    if event.state in ("cancelled", "planned"):
        yield Text.of("visit.field.state"), Text.of(f"agenda.state.{event.state}")


def _parts(view: View, prepared: Prepared) -> list[Block]:
    """Return who has contributed and who has not, and who is in copy."""
    asked = [it for it in prepared.associates if it.part == "asked" and not it.released]
    groups: dict[str, list[Associate]] = {
        "given": [it for it in asked if it.text],
        "nothing": [it for it in asked if it.text == ""],
        "waited_for": [it for it in asked if it.text is None and it.holder is not None],
        "unreached": [it for it in asked if it.text is None and it.holder is None],
        "copy": [it for it in prepared.associates if it.part == "copy" and not it.released],
    }
    lines = [Text.of(f"visit.part.{name}", names=_names(view, rows)) for name, rows in groups.items() if rows]
    return [Paragraph(Text.of("lines", items=Lines(lines)))] if lines else []


def _names(view: View, rows: Sequence[Associate]) -> tuple[Words, ...]:
    return tuple(Markdown(escape(name_of(view, it.organisation))) for it in rows)


def _named(view: View, organisations: Sequence[str]) -> Text:
    return Text.of("agenda.list", items=tuple(Markdown(escape(name_of(view, it))) for it in organisations))


def _buttons(view: View, prepared: Prepared, own: Associate) -> Iterator[Button]:
    event = prepared.event
    begun = event.when.begins(event.zone) <= view.now
    number, who = event.number, own.organisation
    if own.part == "asked" and not own.released and event.state != "cancelled" and not begun:
        first = own.text is None
        label = Text.of("button.visit_contribute" if first else "button.visit_again")
        yield Button(label, "visite", f"contribuer {number} {who}", "primary" if first else "plain")
        if first:
            yield Button(Text.of("button.visit_nothing"), "visite", f"rien {number} {who}")
    if own.part != "asked":
        yield Button(Text.of("button.visit_brief"), "visite", f"note {number}", "primary")
        yield Button(Text.of("button.visit_state"), "visite", number)
    yield Button(Text.of("button.visit_event"), "agenda", number)


def state_of(prepared: Prepared, own: Associate, now: datetime) -> str:
    """Return what a card shows that changes, so that it is drawn anew only when that does."""
    event, due = prepared.event, prepared.visit.due_at
    begun = event.when.begins(event.zone) <= now
    shared = f"{event.sequence} {begun} {due:%Y%m%dT%H%M}"
    if own.part == "asked":
        return f"{shared} {own.released} {own.at}"
    given, asked = progress(prepared.associates)
    return f"{shared} {given}/{asked} {sum(it.holder is None for it in prepared.associates)}"
