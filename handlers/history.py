"""What happened to a question, for those of its two sides."""

from bot.card import Card, Paragraph, Reply, Words
from bot.command import command
from bot.context import Context
from bot.directory.tables import Person
from bot.directory.visibility import Owned, sees
from bot.questions import find, moves
from bot.questions.cards import name_of
from bot.questions.tables import Move, Question
from bot.texts import Lines, Markdown, Text

SHOWN = 25  # lines, the newest


@command("historique", alias="history", private=True)
def history(ctx: Context, question: Question) -> Reply:
    """Show who did what with a question, and when; never what was said."""
    moves.sides_for(ctx.session, "see", ctx.actor, question)
    lines = find.history(ctx.session, question)[-SHOWN:]
    shown = Lines(_line(ctx, line) for line in lines)
    return Card(Text.of("history.title", number=question.number), (Paragraph(Text.of("lines", items=shown)),))


def _line(ctx: Context, line: Move) -> Text:
    return Text.of(
        "history.line", at=line.at, who=_who(ctx, line), what=Text.of(f"history.{line.kind}"), where=_where(ctx, line)
    )


def _who(ctx: Context, line: Move) -> Words:
    """Return who made a move, by name only where the reader may see that person in the directory."""
    if line.account is None and line.organisation is None:
        return Text.of("who.clock")
    organisation = name_of(ctx.directory(), line.organisation)
    person = ctx.session.get(Person, line.person) if line.person else None
    if person is None or not sees(ctx.actor, Owned("person", person.visibility, {person.id, line.organisation or ""})):
        return organisation
    return Text.of("who", name=f"{person.given_name} {person.family_name}".strip(), organisation=organisation)


def _where(ctx: Context, line: Move) -> Words:
    """Return from where to where, and the reason given, as far as there are any."""
    parts: list[Words] = []
    if line.towards and line.whence:
        parts.append(Text.of("history.from_to", whence=_name(ctx, line.whence), towards=_name(ctx, line.towards)))
    elif line.towards:
        parts.append(Text.of("history.to", towards=_name(ctx, line.towards)))
    if line.reason in ("deleted", "helped", "not_helped"):
        parts.append(Text.of(f"history.{line.reason}"))
    elif line.reason:
        parts.append(Text.of("history.reason", reason=line.reason))
    return Text.of("history.where", parts=tuple(parts)) if parts else Markdown("")


def _name(ctx: Context, organisation: str) -> str:
    return name_of(ctx.directory(), organisation)
