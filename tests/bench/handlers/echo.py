"""A command for measuring: it says what it is told, as durably as any other."""

from bot.card import Card, Paragraph, Reply
from bot.command import command
from bot.context import Context
from bot.grammar import Rest


@command("echo", listed=False)
def echo(ctx: Context, text: Rest) -> Reply:
    """Say it again."""
    return Card(None, (Paragraph(text),))
