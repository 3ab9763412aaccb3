"""The cards of training: the catalogue, a session, who has a seat and who waits."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.agenda.cards import Pair, View, is_open, name_of, title_of, when
from bot.agenda.tables import Event
from bot.agenda.training import LIVE, Corps, Enrolment, Training, closes
from bot.card import Block, Button, Buttons, Card, Fields, Paragraph, Words
from bot.texts import Lines, Markdown, Row, Text, escape


@dataclass(frozen=True, slots=True)
class Session:
    """A session with what is asked and given; `training` is None where anybody may simply come."""

    event: Event
    training: Training | None
    counts: Mapping[str, int]
    own: Enrolment | None = None

    @property
    def free(self) -> int | None:
        """How many seats are free; None where there is no limit."""
        if self.training is None or self.training.seats is None:
            return None
        return max(0, self.training.seats - self.counts.get("seat", 0))


def catalogue(view: View, sessions: Sequence[Session], buttons: Sequence[Button]) -> Card:
    """Return the sessions to come, a line each."""
    lines = Lines(_line(view, it) for it in sessions)
    body: Block = Paragraph(Text.of("lines", items=lines), theirs=True)
    return Card(Text.of("training.catalogue"), (body, Buttons(tuple(buttons))))


def one(view: View, it: Session, corps: Mapping[str, Corps], buttons: Sequence[Button]) -> Card:
    """Return a session, and how its reader stands."""
    blocks: list[Block] = []
    if it.event.state == "cancelled":
        blocks.append(Paragraph(Text.of("agenda.state.cancelled")))
    elif it.own is not None and it.own.state != "left":
        blocks.append(Paragraph(Text.of(f"training.own.{it.own.state}")))
    blocks.append(Fields(tuple(_fields(view, it, corps))))
    if it.event.note and is_open(view, it.event):
        blocks.append(Paragraph(escape(it.event.note), quote=True, theirs=True))
    title = Text.of("training.title", number=Markdown(it.event.number), title=title_of(view, it.event))
    return Card(title, (*blocks, *((Buttons(tuple(buttons)),) if buttons else ())))


def enrolled(view: View, it: Session, rows: Sequence[Enrolment], who: Mapping[int, Words]) -> Card:
    """Return who has a seat, who waits in which order, and whose superior has not approved yet."""
    title = Text.of("training.list", number=Markdown(it.event.number), title=title_of(view, it.event))
    blocks: list[Block] = []
    for state in ("seat", "waiting", "asked"):
        some = [row for row in rows if row.state == state]
        if some:
            head = Text.of(f"training.group.{state}", count=len(some))
            lines = Lines(_enrolled(view, row, who[row.id]) for row in some)
            blocks.append(Paragraph(Text.of("agenda.group", said=head, items=lines)))
    return Card(title, tuple(blocks) or (Paragraph(Text.of("training.nobody")),))


def open_to(it: Training, corps: Mapping[str, Corps]) -> Text:
    """Return in words whom a session is open to."""
    named: list[Words] = [Text.of(f"training.ministry.{name}") for name in it.ministries.split()]
    named += [Text.of("training.corps", name=corps[c].fr, name_en=corps[c].en) for c in it.corps.split() if c in corps]
    return Text.of("agenda.list", items=tuple(named)) if named else Text.of("training.everybody")


def _line(view: View, it: Session) -> Text:
    parts: list[Words] = [when(view, it.event.when), *_seats(it)]
    if it.event.state == "cancelled":
        parts = [when(view, it.event.when), Text.of("agenda.state.cancelled")]
    elif it.own is not None and it.own.state in LIVE:
        parts.append(Text.of(f"training.own.{it.own.state}"))
    title = title_of(view, it.event)
    return Text.of("training.line", number=Markdown(it.event.number), title=title, parts=Row(parts))


def _seats(it: Session) -> Iterator[Text]:
    if it.free is not None:
        waiting = it.counts.get("waiting", 0)
        key = "training.free" if it.free else "training.full"
        yield Text.of(key, free=it.free, waiting=waiting) if not it.free else Text.of(key, free=it.free)
    if it.training is not None and it.training.closes_at is not None:
        yield Text.of("training.until", at=closes(it.event, it.training))


def _fields(view: View, it: Session, corps: Mapping[str, Corps]) -> Iterator[Pair]:
    yield Text.of("agenda.field.when"), when(view, it.event.when)
    if it.event.place and is_open(view, it.event):
        yield Text.of("agenda.field.place"), escape(it.event.place)
    organisers = it.event.details.organisers
    if organisers:
        names = tuple(Markdown(escape(name_of(view, id_))) for id_ in organisers)
        yield Text.of("agenda.field.organisers"), Text.of("agenda.list", items=names)
    if it.training is None:
        return
    yield Text.of("training.field.for"), open_to(it.training, corps)
    seats = list(_seats(it))
    if seats:
        yield Text.of("training.field.seats"), Text.of("training.parts", parts=Row(seats))
    if it.training.approval:
        yield Text.of("training.field.approval"), Text.of("training.approval")


def _enrolled(view: View, row: Enrolment, who: Words) -> Words:
    organisation = name_of(view, row.organisation) if row.organisation else "—"
    said = Text.of("who", name=who, organisation=organisation)
    if row.attended is None:
        return said
    return Text.of("training.was_there" if row.attended else "training.was_absent", who=said)
