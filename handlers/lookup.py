"""Looking somebody up in the directory."""

from bot.card import Button, Buttons, Card, Fields, Paragraph, Reply, Words
from bot.command import command
from bot.context import Context
from bot.directory.search import Hit, search
from bot.directory.tables import Organisation
from bot.errors import UserError
from bot.grammar import Rest
from bot.texts import Text
from handlers import keeping

SHOWN = 5


@command("annuaire", alias="directory", private=True)
def lookup(ctx: Context, recherche: Rest) -> Reply:
    """Find an organisation or an office: one hit gives its card, several a short list."""
    if not recherche.strip():
        raise UserError("lookup.empty")
    kept = keeping.asked(ctx, recherche)
    if kept is not None:
        return kept
    found = search(ctx.session, recherche, limit=SHOWN, visible_to=ctx.actor, on=ctx.today)
    exact = [hit for hit in found if hit.id == recherche.strip()]
    if not found:
        raise UserError("lookup.nothing", words=recherche[:80])
    if len(found) == 1 or exact:
        return _card(ctx, (exact or found)[0])
    buttons = tuple(Button(hit.name, "annuaire", hit.id) for hit in found)
    return Card(Text.of("lookup.title"), (Buttons(buttons),))


def _card(ctx: Context, hit: Hit) -> Card:
    row = ctx.session.get(Organisation, hit.id)
    pairs: list[tuple[Words, Words]] = [
        (Text.of(f"lookup.{label}"), value)
        for label, value in (
            ("city", hit.city),
            ("phone", hit.phone),
            ("email", hit.email),
            ("address", row.address if row else ""),
            ("organisation", hit.organisation if hit.kind == "person" else ""),
        )
        if value
    ]
    blocks = (Fields(tuple(pairs)),) if pairs else (Paragraph(Text.of("lookup.no_details")),)
    return Card(hit.name, blocks)
