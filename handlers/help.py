"""What one can say."""

from collections.abc import Iterable

from bot.card import Button, Buttons, Card, Paragraph, Reply
from bot.command import command
from bot.context import Context
from bot.grammar import Command
from bot.interpret import spelled
from bot.rights import has
from bot.texts import Lines, Text
from handlers.queue import listed

EVERYDAY = "question annuaire demandes prendre repondre rediriger clore agenda digest absence langue aide".split()
_ALL = ("tout", "all")


@command("aide", alias="help", right="reader", private=True)
def help_(ctx: Context, commande: str = "") -> Reply:
    """Show the commands of every day in a line each, all of them (`aide tout`), or one with its grammar."""
    word = spelled(commande.lstrip("!/"))
    mine = {c.name: c for c in ctx.world.commands.values() if c.listed and has(ctx.actor.rights, c.right)}
    ask = Button(Text.of("button.question"), "question", "", "primary")
    if word in _ALL:
        return Card(Text.of("help.title"), (_lines(mine[name] for name in sorted(mine)), Buttons((ask,))))
    if not word:
        everyday = _lines(mine[name] for name in EVERYDAY if name in mine)
        more = Button(Text.of("button.all_commands"), "aide", "tout")
        return Card(Text.of("help.title"), (Paragraph(Text.of("help.intro")), everyday, Buttons((ask, more))))
    found = ctx.world.commands.get(word)
    if found is None:
        help_again = Buttons((Button(Text.of("button.aide"), "aide"),))
        return Card(None, (Paragraph(Text.of("command.unknown", word=commande[:40])), help_again))
    return Card(found.name, (Paragraph(found.about), Paragraph(f"`{found.usage()}`")))


def _lines(commands: Iterable[Command]) -> Paragraph:
    items = Lines(Text.of("help.line", usage=it.usage(), about=it.about) for it in commands)
    return Paragraph(Text.of("lines", items=items))


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
