"""Keeping a good answer as a note for others, with an owner and an end."""

from typing import Annotated

from bot.card import Block, Button, Buttons, Card, Paragraph, Reply
from bot.command import command
from bot.context import Context
from bot.errors import UserError
from bot.grammar import Like
from bot.questions import cards, moves, notes, passages
from bot.questions.notes import Note
from bot.questions.tables import Question
from bot.rights import Denied, may
from bot.texts import Markdown, Text

Months = Annotated[str, Like(r"\d{1,2}")]
Number = Annotated[str, Like(r"\d{1,9}")]


@command("noter", alias="keep")
def keep(ctx: Context, question: Question, mois: Months = "") -> Reply:
    """Keep one's answer to a question as a note for all, for some months (12 unless said otherwise)."""
    sides = moves.sides_for(ctx.session, "keep_note", ctx.actor, question)
    if "recipient" not in sides or ctx.actor.organisation is None:
        raise Denied("question.keep_note", "question.not_yours", number=question.number)
    if question.sealed or ctx.sealed or any(it.sealed for it in passages.answers(ctx.session, question)):
        raise UserError("note.sealed")
    said = passages.answers(ctx.session, question)
    if not said or not question.text:
        raise UserError("note.no_answer", number=question.number)
    months = int(mois or notes.MONTHS)
    if not 1 <= months <= notes.LONGEST:
        raise UserError("note.months", longest=notes.LONGEST)
    own = ctx.actor.organisation
    note = notes.keep(ctx.session, question, said[-1], own, ctx.actor.person, ctx.now, months)
    return _card(ctx, note, Text.of("note.kept", number=question.number))


@command("notes", private=True)
def listed(ctx: Context) -> Reply:
    """List the notes of one's office, those that end first before the others."""
    found = notes.of(ctx.session, ctx.actor.organisation or "", ctx.today)[:5]
    if not found:
        return Card(None, (Paragraph(Text.of("note.none")),))
    blocks: list[Block] = []
    for note in found:
        blocks += [_text(ctx, note), _buttons(note)]
    return Card(Text.of("note.title"), tuple(blocks))


@command("prolonger", alias="extend", listed=False)
def extend(ctx: Context, note: Number) -> Reply:
    """Let a note of one's office hold a year more."""
    found = _own(ctx, note)
    found.until = notes.after(ctx.today, notes.MONTHS)
    return _card(ctx, found, Text.of("note.extended"))


@command("retirer", alias="withdraw", listed=False)
def withdraw(ctx: Context, note: Number) -> Reply:
    """Take a note of one's office away."""
    ctx.session.delete(_own(ctx, note))
    return Card(None, (Paragraph(Text.of("note.withdrawn")),))


def _own(ctx: Context, number: str) -> Note:
    found = ctx.session.get(Note, int(number))
    if found is None:
        raise UserError("note.unknown")
    if found.owner != ctx.actor.organisation or not may(ctx.actor.rights, "note.keep", "organisation"):
        raise Denied("note.keep", "note.unknown")  # what is not theirs does not exist
    return found


def _card(ctx: Context, note: Note, said: Text) -> Card:
    return Card(None, (Paragraph(said), _text(ctx, note), _buttons(note)))


def _text(ctx: Context, note: Note) -> Paragraph:
    owner = cards.name_of(ctx.directory(), note.owner)
    return Paragraph(Text.of("note.text", owner=owner, until=note.until, text=Markdown(note.text[:1000])), quote=True)


def _buttons(note: Note) -> Buttons:
    number = str(note.id)
    return Buttons(
        (
            Button(Text.of("button.prolonger"), "prolonger", number),
            Button(Text.of("button.retirer"), "retirer", number),
        )
    )
