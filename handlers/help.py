"""What one can say."""

from bot.card import Button, Buttons, Card, Paragraph, Reply
from bot.command import command
from bot.context import Context
from bot.errors import UserError
from bot.interpret import spelled
from bot.rights import has
from bot.texts import Lines, Text
from handlers.queue import listed


@command("aide", alias="help", right="reader", private=True)
def help_(ctx: Context, commande: str = "") -> Reply:
    """Show all commands in a line each, or one with its grammar."""
    if commande:
        found = ctx.world.commands.get(spelled(commande.lstrip("!/")))
        if found is None:
            raise UserError("command.unknown", word=commande[:40])
        return Card(found.name, (Paragraph(found.about), Paragraph(f"`{found.usage()}`")))
    unique = {c.name: c for c in ctx.world.commands.values() if c.listed and has(ctx.actor.rights, c.right)}
    lines = Lines(Text.of("help.line", usage=c.usage(), about=c.about) for c in unique.values())
    return Card(
        Text.of("help.title"),
        (
            Paragraph(Text.of("help.intro")),
            Paragraph(Text.of("lines", items=lines)),
            Buttons((Button(Text.of("button.question"), "question", "", "primary"),)),
        ),
    )


@command("accueil", alias="home", right="reader", private=True, listed=False)
def home(ctx: Context) -> Reply:
    """Draw the App Home: what the bot is for, the button that asks, and the questions under way."""
    under_way = listed(ctx, "all")
    return Card(
        Text.of("home.title"),
        (
            Paragraph(Text.of("home.intro")),
            Buttons((Button(Text.of("button.question"), "question", "", "primary"),)),
            Paragraph(under_way.title or ""),
            *under_way.blocks,
        ),
    )
