"""Redirecting: a person knows better than the rules who should answer."""

from bot.card import Button, Buttons, Card, Paragraph, Reply
from bot.command import command
from bot.context import Context
from bot.conversation import otherwise, place, redraw, retire
from bot.errors import UserError
from bot.grammar import Rest
from bot.questions import find, moves
from bot.questions.tables import Question
from bot.texts import Text

OFFERED = 5


@command("rediriger", alias="redirect")
def redirect(ctx: Context, question: Question, destinataire: Rest) -> Reply:
    """Send a question to another organisation, by id or in words."""
    moves.check("redirect", ctx.actor, question)
    found = _find(ctx, destinataire)
    if isinstance(found, Card):
        return _with_number(found, question)
    organisation, role = found
    if organisation == question.recipient and question.state != "asked_back":
        raise UserError("redirect.already_there", number=question.number)
    before = question.recipient or ""
    old = find.endpoint(ctx.session, question.id, "recipient")
    moves.make(ctx.session, "redirect", ctx.actor, question, ctx.now, f"{before} > {organisation}")
    question.recipient, question.role = organisation, role
    question.taken_by = question.taken_at = None
    if old is not None:
        retire(ctx, question, old)
    place(ctx, question)
    redraw(ctx, question)
    if question.placed_with != organisation:
        return Card(None, (Paragraph(otherwise(ctx, organisation)),))
    return None


def _find(ctx: Context, words: str) -> tuple[str, str | None] | Card:
    first, _, role = words.partition(" ")
    orgs = ctx.directory().organisations
    if first in orgs and orgs[first].status == "open":
        return first, role.strip() or None
    hits = [hit for hit in ctx.find(words, limit=20) if hit.kind == "organisation"][:OFFERED]
    if not hits:
        raise UserError("redirect.unknown", words=words[:80])
    if len(hits) == 1 and hits[0].sure:
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
