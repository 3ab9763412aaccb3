"""Splitting: a part of a question belongs to somebody else, and becomes a question of its own."""

from bot.card import Card, Paragraph, Reply
from bot.command import command
from bot.context import Context
from bot.conversation.asking import decide, declined, send_off, show
from bot.grammar import Rest
from bot.message import Address
from bot.questions import find, moves, wording
from bot.questions.tables import Question
from bot.relay.holding import guard
from bot.texts import Text


@command("scinder", alias="split")
def split(ctx: Context, question: Question, text: Rest) -> Reply:
    """Make a part of a question, in one's own words, a new question of the same asker; it is routed by itself."""
    clean = wording.question(text)
    moves.check(ctx.session, "split", ctx.actor, question)
    decision = decide(ctx, clean, question.asker_organisation)
    told = declined(decision, clean)
    end = find.endpoint(ctx.session, question.id, "asker")
    if told is not None or end is None:
        return told
    part = Question(
        number=moves.next_number(ctx.session, ctx.now),
        state="routed",
        text=clean,
        sealed=question.sealed or ctx.sealed,
        cleared=ctx.cleared,
        urgent=question.urgent,
        asker_account=question.asker_account,
        asker_person=question.asker_person,
        asker_organisation=question.asker_organisation,
        asked_at=ctx.now,
        split_from=question.id,
    )
    ctx.session.add(part)
    ctx.session.flush()
    guard(ctx, clean, None, None)
    card = send_off(ctx, part, decision, repeat=True)
    moves.write(ctx.session, "ask", ctx.actor, part, ctx.now, towards=part.recipient, reason=question.number)
    moves.make(ctx.session, "split", ctx.actor, question, ctx.now, reason=part.number)
    key = f"{part.number}/asker/0"
    direct = end.surface == "direct"
    to = Address(end.platform, end.room, None if direct else f"key:{key}", surface="direct" if direct else "room")
    show(ctx, part, card, to, key)
    return Card(None, (Paragraph(Text.of("split.done", number=question.number, part=part.number)),))
