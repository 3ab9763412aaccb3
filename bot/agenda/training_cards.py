"""The cards of training: the catalogue, a session, who has a seat and who waits."""

from collections.abc import Iterator, Mapping, Sequence

from bot.agenda.cards import Pair, View, located, name_of, noted, title_of, when
from bot.agenda.seats import Corps, Enrolment, Training
from bot.agenda.sessions import Session
from bot.card import Block, Button, Buttons, Card, Fields, Paragraph, Words
from bot.texts import Lines, Markdown, Row, Text, escape


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
    blocks += noted(view, it.event)
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
    parts: list[Words] = [when(view, it.event.when), *_seats(view, it)]
    if it.event.state == "cancelled":
        parts = [when(view, it.event.when), Text.of("agenda.state.cancelled")]
    elif it.mine is not None:
        parts.append(Text.of(f"training.own.{it.mine}"))
    title = title_of(view, it.event)
    return Text.of("training.line", number=Markdown(it.event.number), title=title, parts=Row(parts))


def seats_of(it: Session) -> Iterator[Text]:
    """Yield how many seats are free, or how many wait for one; nothing where seats are not counted."""
    if it.free:
        yield Text.of("training.free", free=it.free)
    elif it.free == 0:
        yield Text.of("training.full", waiting=it.counts.get("waiting", 0))


def _seats(view: View, it: Session) -> Iterator[Text]:
    yield from seats_of(it)
    last = it.last_day(view.zone)
    if last is not None:
        yield Text.of("training.until", day=last)


def _fields(view: View, it: Session, corps: Mapping[str, Corps]) -> Iterator[Pair]:
    yield Text.of("agenda.field.when"), when(view, it.event.when)
    yield from located(view, it.event)
    organisers = it.event.details.organisers
    if organisers:
        names = tuple(Markdown(escape(name_of(view, id_))) for id_ in organisers)
        yield Text.of("agenda.field.organisers"), Text.of("agenda.list", items=names)
    if it.training is None:
        return
    yield Text.of("training.field.for"), open_to(it.training, corps)
    seats = list(_seats(view, it))
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
