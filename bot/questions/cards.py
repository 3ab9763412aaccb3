"""The cards of a question: one on each side, redrawn at each move."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.card import Block, Button, Buttons, Card, Fields, Paragraph, Words
from bot.directory.snapshot import Org, Snapshot
from bot.message import User
from bot.questions.clock import LATE
from bot.questions.moves import OPEN, PENDING, Rule, Side, offered
from bot.questions.tables import Question
from bot.texts import Markdown, Moment, Row, Text, escape, from_data

QUOTED = 1500  # characters of a question that its card repeats to its asker
MOST = 5  # buttons of a card: they are read on a telephone
_CALLED: Mapping[Side, str] = {"asker": "demandeur", "recipient": "destinataire"}


def name_of(directory: Snapshot, organisation: str | None) -> str:
    """Return an organisation's name, its id when the directory lost it."""
    if organisation is None:
        return "—"
    found = directory.organisations.get(organisation)
    return found.name if found else organisation


def office(directory: Snapshot, question: Question) -> Words:
    """Return who is competent, in words: the office and its organisation."""
    name = name_of(directory, question.recipient)
    if question.role in (None, "", "member"):
        return Text.of("office.plain", name=name)
    return Text.of("office", role=Text.of(f"role.{question.role}"), name=name)


def reasons(question: Question) -> Paragraph:
    """Return why it goes where it goes."""
    found = Row(from_data(reason) for reason in json.loads(question.because))
    return Paragraph(Text.of("card.because", reasons=found) if found else "—")


def for_recipient(directory: Snapshot, question: Question, asker: str) -> Card:
    """Return the card of the room that shall answer."""
    blocks: list[Block] = [
        _asked(question.text),
        Fields(((Text.of("card.from"), asker), (Text.of("card.state"), state(question)), *due(question))),
        reasons(question),
    ]
    if question.dialogue is not None:
        blocks.append(Paragraph(Text.of("card.dialogue")))
    if question.state in OPEN and question.placed_with != question.recipient:
        blocks.append(Paragraph(Text.of("card.for_another", office=office(directory, question))))
    title = Text.of("card.recipient.urgent" if question.urgent else "card.recipient", number=question.number)
    return Card(title, (*blocks, buttons("recipient", question)))


def for_asker(directory: Snapshot, question: Question, *, repeat: bool) -> Card:
    """Return the card of the room that asked; it repeats the question where that does not stand above it already."""
    blocks: list[Block] = [_asked(question.text[:QUOTED])] if repeat else []
    fields: list[tuple[Words, Words]] = [(Text.of("card.state"), state(question))]
    if question.recipient:
        fields.insert(0, (Text.of("card.to"), office(directory, question)))
    fields += due(question)
    blocks.append(Fields(tuple(fields)))
    if question.recipient:
        blocks.append(reasons(question))
    if question.dialogue is not None:
        blocks.append(Paragraph(Text.of("card.dialogue")))
    if question.state in OPEN and question.recipient and question.placed_with != question.recipient:
        blocks.append(Paragraph(_elsewhere(directory, question)))
    return Card(Text.of("card.asker", number=question.number), (*blocks, buttons("asker", question)))


def summary(directory: Snapshot, question: Question, side: Side) -> Card:
    """Return a question as it stands, for somebody of a side, wherever they look at it.

    What came from an encrypted room that keeps its words is left out: this may be shown anywhere.
    """
    pairs: list[tuple[Words, Words]] = [
        (Text.of("card.from"), name_of(directory, question.asker_organisation)),
        (Text.of("card.state"), state(question)),
    ]
    if question.recipient:
        pairs.insert(1, (Text.of("card.to"), office(directory, question)))
    pairs += due(question)
    text = Paragraph(Text.of("sealed.withheld")) if question.sealed else _asked(question.text[:QUOTED])
    return Card(Text.of("card.asker", number=question.number), (text, Fields(tuple(pairs)), buttons(side, question)))


def line(directory: Snapshot, question: Question, now: datetime) -> Text:
    """Return a question in a line of a list."""
    return Text.of(
        "queue.line",
        number=question.number,
        state=Text.of(f"state.short.{question.state}"),
        asker=name_of(directory, question.asker_organisation),
        recipient=name_of(directory, question.recipient),
        due=_due_in_short(question, now),
    )


def words(number: str, who: Words, text: str, notify: User | None = None, files: Sequence[str] = ()) -> Card:
    """Return the card that carries somebody's words to the other side, and names the files that follow it."""
    said = (text, *(f"📎 {escape(name)}" for name in files))
    theirs = (Paragraph(part, theirs=True) for part in said if part.strip())
    return Card(None, (Paragraph(Text.of("relay.from", who=who, number=number)), *theirs), notify)


def contact(org: Org | None, phone: str, email: str) -> Words:
    """Return how to reach an organisation otherwise, in words."""
    ways = [Markdown(x) for x in (phone, email) if x]
    name = org.name if org else ""
    return Text.of("contact", name=name, ways=tuple(ways)) if ways else Text.of("contact.none", name=name)


def _asked(text: str) -> Paragraph:
    return Paragraph(text, quote=True, theirs=True) if text else Paragraph(Text.of("card.withdrawn"))


def _elsewhere(directory: Snapshot, question: Question) -> Words:
    name = name_of(directory, question.recipient)
    if question.placed_with is None:
        return Text.of("card.nowhere", name=name)
    return Text.of("card.placed_with", name=name, other=name_of(directory, question.placed_with))


def state(question: Question) -> Words:
    """Return how a question stands, in words."""
    match question.state:
        case "taken":
            return Text.of("state.taken", who=question.taken_by or "—")
        case "answered":
            return Text.of("state.answered", at=question.answered_at or question.asked_at)
        case "asked_back" if question.recipient is not None:
            return Text.of("state.asked_back.recipient")
        case other:
            return Text.of(f"state.{other}")


def due(question: Question) -> tuple[tuple[Words, Words], ...]:
    """Return by when an answer is expected, if one is."""
    if question.due_at is None or question.counted_from is None or question.state not in PENDING:
        return ()
    when = Moment(question.due_at, question.counted_from)
    return ((Text.of("card.due"), Text.of("due.over" if question.steps >= LATE else "due.before", when=when)),)


def _due_in_short(question: Question, now: datetime) -> Words:
    if question.due_at is None or question.state not in PENDING:
        return Markdown("")
    return Text.of("queue.overdue" if question.due_at < now else "queue.due", at=question.due_at)


def buttons(side: Side, question: Question) -> Buttons:
    """Return what a side may do with a question next; of more than `MOST`, the last stand behind « Plus… »."""
    all_ = _choices(side, question)
    if len(all_) <= MOST:
        return Buttons(all_)
    more = Button(Text.of("button.plus"), "plus", f"{question.number} {_CALLED[side]}")
    return Buttons((*all_[: MOST - 1], more))


def others(side: Side, question: Question) -> Card:
    """Return what stands behind « Plus… » now; all there is, where nothing stands behind it any more."""
    all_ = _choices(side, question)
    title = Text.of("card.others", number=question.number)
    return Card(title, (Buttons(all_[MOST - 1 :] if len(all_) > MOST else all_),))


def _choices(side: Side, question: Question) -> tuple[Button, ...]:
    rules = offered(side, question.state) if question.text else ()
    moves = [_move(question, rule, first=index == 0) for index, rule in enumerate(rules)]
    if (
        side == "asker"
        and question.state in ("answered", "closed")
        and question.helped is None
        and question.answered_at
    ):
        moves.append(Button(Text.of("button.avis.oui"), "avis", f"{question.number} oui"))
        moves.append(Button(Text.of("button.avis.non"), "avis", f"{question.number} non"))
    if question.dialogue is not None:  # whoever sees that all crosses sees how to end it
        moves.insert(1, Button(Text.of("button.dialogue.fermer"), "dialogue", f"{question.number} fermer"))
    return (*moves, *_dialogue(question), Button(Text.of("button.historique"), "historique", question.number))


def _move(question: Question, rule: Rule, *, first: bool) -> Button:
    """Return the button of a move; what was answered once is closed by its asker, not cancelled."""
    command = "clore" if rule.kind == "cancel" and question.answered_at is not None else str(rule.button)
    label = Text.of("button.completer" if rule.kind == "add" else f"button.{command}")
    primary = first and rule.kind in ("take", "answer", "add")
    return Button(label, command, question.number, "primary" if primary else "plain")


def _dialogue(question: Question) -> tuple[Button, ...]:
    """Return what opens the dialogue, once somebody is there to lead it."""
    led = question.text and question.state in ("taken", "answered", "asked_back") and question.placed_with
    if question.dialogue is not None or not led:
        return ()
    return (Button(Text.of("button.dialogue.ouvrir"), "dialogue", f"{question.number} ouvrir"),)


def moved(directory: Snapshot, question: Question) -> Card:
    """Return what is left of the card in a room that no longer has the question."""
    return Card(
        Text.of("card.recipient", number=question.number),
        (Paragraph(Text.of("card.moved", office=office(directory, question))),),
    )
