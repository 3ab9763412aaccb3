"""The questions under way: those a person asked, and those that lie with their organisation."""

from sqlalchemy import or_, select

from bot.card import Card, Paragraph, Reply
from bot.command import command
from bot.context import Context
from bot.questions import cards
from bot.questions.moves import OPEN
from bot.questions.tables import Question
from bot.texts import Lines, Text

SHOWN = 15


@command("demandes", alias="queue", private=True)
def queue(ctx: Context) -> Reply:
    """List open questions, the oldest first."""
    own = ctx.actor.organisation
    mine = Question.asker_account == ctx.inbound.author.id
    theirs = or_(Question.placed_with == own, Question.recipient == own, Question.asker_organisation == own)
    found = ctx.session.scalars(
        select(Question)
        .where(or_(mine, theirs) if own else mine, Question.state.in_(OPEN))
        .order_by(Question.id)
        .limit(SHOWN)
    ).all()
    if not found:
        return Card(None, (Paragraph(Text.of("queue.empty")),))
    lines = Lines(
        Text.of(
            "queue.line",
            number=q.number,
            state=Text.of(f"state.short.{q.state}"),
            asker=cards.name_of(ctx.directory(), q.asker_organisation),
            recipient=cards.name_of(ctx.directory(), q.recipient),
        )
        for q in found
    )
    return Card(Text.of("queue.title"), (Paragraph(Text.of("lines", items=lines)),))
