"""Which question is meant, where nothing says so: those that one may mean are offered, with the list of all."""

from collections.abc import Collection

from bot.card import Block, Button, Buttons, Card, Paragraph
from bot.context import Context
from bot.errors import UserError
from bot.grammar import Command
from bot.interpret.commands import CARRIED
from bot.questions import cards, find, moves
from bot.questions.tables import Question
from bot.texts import Lines, Text

OFFERED = 4


class Which(UserError):
    """A command that was given no question: `card` asks for which, with a button for each likely one."""

    def __init__(self, ctx: Context, command: Command, line: str) -> None:
        super().__init__("question.which", usage=command.usage())
        self.card = _card(ctx, command, line, self.text)


def _card(ctx: Context, command: Command, line: str, asked: Text) -> Card:
    likely = _likely(ctx, moves.states_for(command.name)) if len(line) <= CARRIED else []
    blocks: list[Block] = [Paragraph(asked)]
    if likely:
        lines = Lines(cards.line(ctx.directory(), question, ctx.now) for question in likely)
        blocks.append(Paragraph(Text.of("lines", items=lines)))
    buttons = [Button(it.number, command.name, f"{it.number} {line}".strip()) for it in likely]
    return Card(None, (*blocks, Buttons((*buttons, queue()))))


def _likely(ctx: Context, states: Collection[str]) -> list[Question]:
    to = ctx.to
    if to.surface == "room":
        return find.newest_in(ctx.session, to.platform, to.room, states, OFFERED)
    return [it for it in find.open_of(ctx.session, ctx.inbound.author.id) if it.state in states][:OFFERED]


def queue() -> Button:
    """Return what leads to one's questions under way."""
    return Button(Text.of("button.demandes"), "demandes")
