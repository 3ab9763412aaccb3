"""Redirecting: a person knows better than the rules who should answer."""

import re

from bot.card import Button, Buttons, Card, Paragraph, Reply
from bot.command import command
from bot.context import Context
from bot.conversation import place, redraw, retire, sent_on
from bot.conversation.telling import otherwise, tell
from bot.errors import UserError
from bot.grammar import Rest
from bot.questions import find, moves
from bot.questions.cards import name_of, office
from bot.questions.tables import Question
from bot.routing import candidates
from bot.routing.decide import leading_to
from bot.routing.model import Question as Asked
from bot.routing.tables import RoutingExample
from bot.search.hits import meant
from bot.texts import Text

OFFERED = 5
_BECAUSE = re.compile(r"[,;]?\s+(?:parce qu(?:e\s|['’])|car\s|because\s)\s*", re.IGNORECASE)


@command("rediriger", alias="redirect")
def redirect(ctx: Context, question: Question, destinataire: Rest) -> Reply:
    """Send a question to another organisation, by id or in words; « car … » says why."""
    moves.check(ctx.session, "redirect", ctx.actor, question)
    to, why = _with_reason(destinataire)
    why = None if ctx.sealed else why  # all may read it who see the question
    found = _find(ctx, to)
    if isinstance(found, Card):
        return _with_number(found, question)
    organisation, role = found
    if organisation == question.recipient:
        raise UserError("redirect.already_there", number=question.number)
    before = question.recipient or ""
    old = find.endpoint(ctx.session, question.id, "recipient")
    moves.make(ctx.session, "redirect", ctx.actor, question, ctx.now, towards=organisation, reason=why or "")
    if before and not question.sealed:
        _propose(ctx, question, organisation, role, why)
    question.recipient, question.role = organisation, role
    by = name_of(ctx.directory(), ctx.actor.organisation)
    question.because = sent_on(by, None if question.sealed else why)
    if old is not None:
        retire(ctx, question, old)
    place(ctx, question)
    redraw(ctx, question)
    if before and "asker" not in moves.sides_of(ctx.session, ctx.actor, question):
        tell(
            ctx,
            question,
            "asker",
            Text.of("moved.redirect", number=question.number, office=office(ctx.directory(), question)),
        )
    if question.placed_with != organisation:
        return Card(None, (Paragraph(otherwise(ctx, organisation)),))
    return None


def _with_reason(words: str) -> tuple[str, str | None]:
    """Part where to from why: « consulat munich, car l'acte est bavarois »."""
    to, *why = _BECAUSE.split(words, maxsplit=1)
    return (to.strip(), why[0].strip()) if why and to.strip() else (words, None)


def _propose(ctx: Context, question: Question, organisation: str, role: str | None, why: str | None) -> None:
    """Propose what people decided as an example to learn from; a coordinator confirms it."""
    asked = Asked(text=question.text, asker=question.asker_organisation)
    topic = leading_to(asked, organisation, ctx.rules(), ctx.directory(), ctx.today)
    candidates.propose(
        ctx.session,
        RoutingExample(
            number=question.number,
            text=question.text,
            asker=question.asker_organisation,
            before=question.recipient,
            organisation=organisation,
            role=role,
            topic=topic,
            by=ctx.actor.organisation,
            why=why,
            at=ctx.now,
        ),
    )


def _find(ctx: Context, words: str) -> tuple[str, str | None] | Card:
    first, _, role = words.partition(" ")
    orgs = ctx.directory().organisations
    if first in orgs and orgs[first].status == "open":
        return first, role.strip() or None
    hits = [hit for hit in ctx.find(words, limit=20) if hit.kind == "organisation"][:OFFERED]
    if not hits:
        raise UserError("redirect.unknown", words=words[:80])
    if hits[0].sure and len(meant(hits)) == 1:
        return hits[0].id, hits[0].role or None
    buttons = tuple(Button(hit.name, "rediriger", f"{hit.id} {hit.role or ''}".strip()) for hit in hits)
    return Card(None, (Paragraph(Text.of("redirect.which")), Buttons(buttons)))


def _with_number(card: Card, question: Question) -> Card:
    blocks = tuple(
        Buttons(tuple(Button(x.label, x.command, f"{question.number} {x.line}") for x in b.buttons))
        if isinstance(b, Buttons)
        else b
        for b in card.blocks
    )
    return Card(card.title, blocks)
