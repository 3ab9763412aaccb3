"""The cards of digests: what one says, and a subscription with what can be done about it. Words only."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.agenda import cards as agenda
from bot.agenda.cards import View
from bot.agenda.sessions import Session
from bot.agenda.training_cards import seats_of
from bot.card import Block, Button, Buttons, Card, Fields, Paragraph, Words
from bot.digests.content import Closing, Content, Item, Shut
from bot.digests.keeping import FOREVER
from bot.digests.phrases import said
from bot.digests.tables import Digest
from bot.directory.days import local_day
from bot.questions import cards as questions
from bot.texts import Lines, Markdown, Row, Text, escape

LINES = 24  # of days; what is over them is a button away
QUESTIONS = 5


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a day."""

    day: date
    words: Words


def issue(view: View, digest: Digest, content: Content, late: datetime | None = None) -> Card:
    """Return what a digest says; `late` is the instant at which it was due, of one that comes too late."""
    lines = sorted(_lines(view, content), key=lambda line: line.day)  # stable: in order within a day
    shown = lines[:LINES]
    blocks: list[Block] = []
    if late is not None:
        blocks.append(Paragraph(Text.of("digest.late", at=late)))
    blocks += _since_last(view, content)
    for day in dict.fromkeys(line.day for line in shown):
        items = Lines(line.words for line in shown if line.day == day)
        blocks.append(Paragraph(Text.of("agenda.day", day=day, items=items), theirs=True))
    left = len(lines) - len(shown)
    if left:
        blocks.append(Paragraph(Text.of("digest.more", count=left)))
    if content.empty:
        blocks.append(Paragraph(Text.of("digest.nothing")))
    blocks += _questions(view, content)
    title = Text.of("digest.title", first=content.asked.first, last=content.asked.last)
    rest = lines[LINES].day if left else None
    return Card(title, (*blocks, Buttons(tuple(_buttons(view, digest, content, rest)))))


def subscription(digest: Digest, zone: str, now: datetime, next_at: datetime | None, note: Text | None = None) -> Card:
    """Return what a digest is asked to be, with what can be done about it."""
    blocks: list[Block] = [Paragraph(note)] if note is not None else []
    blocks.append(Fields(tuple(_fields(digest, zone, next_at))))
    blocks.append(Buttons(tuple(managing(digest, local_day(zone, now)))))
    return Card(Text.of("digest.one", number=digest.number), tuple(blocks))


def managing(digest: Digest, today: date) -> Iterator[Button]:
    """Yield what can be done about a digest."""
    yield Button(Text.of("button.digest_preview"), "digest", f"aperçu {digest.number}")
    yield Button(Text.of("button.digest_change"), "digest", f"modifier {digest.number}")
    if digest.paused_until is None:
        yield Button(Text.of("button.digest_pause"), "digest", f"pause {digest.number}")
    else:
        yield Button(Text.of("button.digest_resume"), "digest", f"reprendre {digest.number}", "primary")
    if digest.paused_until == FOREVER:
        for weeks in (1, 2, 4):
            until = today + timedelta(weeks=weeks)
            yield Button(Text.of("button.digest_resume_on", day=until), "digest", f"pause {digest.number} {until}")
    yield Button(Text.of("button.digest_stop"), "digest", f"arrêter {digest.number}", "danger")


def _lines(view: View, content: Content) -> Iterator[Line]:
    for day, name, places in content.holidays:
        yield Line(day, agenda.closed_line(view, name, places))
    for shut in content.shut:
        yield Line(shut.first, _shut(shut))
    for closing in content.closing:
        yield Line(closing.day, _closing(view, closing))
    for item in content.items:
        yield Line(item.day, agenda.line(view, item.event, item.day, tuple(_marks(view, item))))


def _shut(shut: Shut) -> Text:
    name = Markdown(escape(shut.organisation.name))
    if shut.first == shut.last:
        return Text.of("digest.shut", name=name)
    return Text.of("digest.shut_until", name=name, last=shut.last)


def _closing(view: View, closing: Closing) -> Text:
    event = closing.session.event
    named = Text.of("digest.last_day", title=agenda.title_of(view, event))
    return Text.of("agenda.line", parts=Row((named, *seats_of(closing.session))), number=Markdown(event.number))


def _marks(view: View, item: Item) -> Iterator[Words]:
    if item.mark == "moved" and item.before is not None:
        yield Text.of("digest.mark.moved", before=_before(item, item.before))
    elif item.mark is not None:
        yield Text.of(f"digest.mark.{item.mark}")
    if item.event.state == "planned":
        yield agenda.state(item.event)
    if item.mark == "cancelled":
        return
    if item.session is not None and item.session.training is not None:
        yield from _seats(view, item.session)
    elif item.answer is not None:
        yield Text.of(f"digest.answer.{item.answer}")


def _seats(view: View, it: Session) -> Iterator[Text]:
    """Yield how the reader's request stands; of who asked for no seat, whether there is one."""
    if it.mine is not None:
        yield Text.of(f"digest.seat.{it.mine}")
    elif it.is_open(view.now):
        yield from seats_of(it)
    else:
        yield Text.of("digest.seat.closed")


def _before(item: Item, before: datetime) -> Text:
    if item.event.whole_days:
        return Text.of("agenda.on", day=before.date())
    return Text.of("agenda.instant", at=before)


def _since_last(view: View, content: Content) -> Iterator[Block]:
    """Yield how much is new, moved or cancelled since the last digest, and what is no longer on these days."""
    marks = [item.mark for item in (*content.items, *content.elsewhere)]
    counts = [(mark, marks.count(mark)) for mark in ("new", "moved", "cancelled", "changed") if mark in marks]
    if counts:
        parts = Row(Text.of(f"digest.count.{mark}", count=count) for mark, count in counts)
        yield Paragraph(Text.of("digest.since_last", parts=parts))
    if content.elsewhere:
        items = Lines(_gone(view, item) for item in content.elsewhere[:LINES])
        yield Paragraph(Text.of("lines", items=items), theirs=True)


def _gone(view: View, item: Item) -> Text:
    marked = agenda.line(view, item.event, item.day, tuple(_marks(view, item)))
    return Text.of("digest.gone", when=agenda.when(view, item.event.when), line=marked)


def _questions(view: View, content: Content) -> Iterator[Block]:
    page = content.questions
    if not page.count:
        return
    shown = page.questions[:QUESTIONS]
    key = "digest.questions_late" if content.late else "digest.questions"
    head = Text.of(key, count=page.count, late=content.late)
    lines = Lines(questions.line(view.directory, it, view.now) for it in shown)
    yield Paragraph(Text.of("agenda.group", said=head, items=lines))


def _buttons(view: View, digest: Digest, content: Content, rest: date | None) -> Iterator[Button]:
    if rest is not None:
        words = f"{rest} au {content.asked.last} {content.asked.words}".strip()
        yield Button(Text.of("button.digest_more"), "agenda", words, "primary")
    if content.closing or any(it.session is not None and it.session.is_open(view.now) for it in content.items):
        yield Button(Text.of("button.digest_training"), "formation", "")
    if content.questions.count:
        own = "moi" if digest.person is not None else "service"
        yield Button(Text.of("button.digest_questions"), "demandes", own)
    yield Button(Text.of("button.digest_settings"), "digest", digest.number)
    yield Button(Text.of("button.digest_stop"), "digest", f"arrêter {digest.number}")


def _fields(digest: Digest, zone: str, next_at: datetime | None) -> Iterator[tuple[Words, Words]]:
    wish = digest.wish
    yield Text.of("digest.field.rhythm"), said(wish.rhythm)
    yield Text.of("digest.field.zone"), zone
    if digest.paused_until == FOREVER:
        yield Text.of("digest.field.next"), Text.of("digest.paused")
    elif next_at is not None:
        yield Text.of("digest.field.next"), Text.of("agenda.instant", at=next_at)
    yield Text.of("digest.field.about"), escape(wish.words) if wish.words else Text.of("digest.around")
    yield Text.of("digest.field.horizon"), Text.of("digest.days", count=wish.horizon)
    if wish.topics:
        yield Text.of("digest.field.topics"), Text.of("digest.list", items=wish.topics)
    yield Text.of("digest.field.empty"), Text.of("digest.says_so" if wish.when_empty else "digest.keeps_silent")


def overview(digests: Sequence[Digest], lines: Sequence[Words], offers: Sequence[Button]) -> Card:
    """Return all digests of a place or a person; where there are none, rhythms to choose from."""
    blocks: list[Block] = [Paragraph(Text.of("lines", items=Lines(lines)) if digests else Text.of("digest.none"))]
    blocks.append(Paragraph(Text.of("digest.how")))
    buttons = [Button(Text.of("digest.one", number=it.number), "digest", it.number) for it in digests[:5]]
    return Card(Text.of("digest.overview"), (*blocks, Buttons((*buttons, *offers))))
