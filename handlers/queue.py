"""The questions under way: those a person asked or took, those that lie with their organisation, the late ones."""

from typing import Annotated, Literal

from bot.card import Block, Button, Buttons, Card, Paragraph, Reply, Words
from bot.command import command
from bot.context import Context
from bot.errors import UserError
from bot.grammar import Like
from bot.interpret import spelled
from bot.questions import cards
from bot.questions.queue import Page, Scope, late
from bot.questions.queue import page as page_of
from bot.texts import Lines, Text

_CALLED: dict[str, Scope] = {
    "moi": "mine", "mine": "mine", "service": "post", "office": "post",
    "retard": "late", "late": "late", "toutes": "all", "every": "all",
}  # fmt: skip
_WORDS: dict[Scope, str] = {"mine": "moi", "post": "service", "late": "retard", "all": "toutes"}
_FILTERS: tuple[Scope, ...] = ("mine", "post", "late")
Which = Literal["moi", "service", "retard", "toutes", "mine", "office", "late", "every"]


@command("demandes", alias="queue", private=True)
def queue(
    ctx: Context,
    lesquelles: Which = "toutes",
    page: Annotated[str, Like(r"\d{1,6}")] = "",
    sujet: Annotated[str, Like(r"[^\W\d][\w-]+")] = "",
) -> Reply:
    """List open questions: one's own, one's office's, the late ones, all; of a topic if one is named."""
    topic = spelled(sujet).replace("-", "_")
    if topic and topic not in ctx.rules().topics:
        raise UserError("queue.unknown", word=sujet[:40])
    return listed(ctx, _CALLED[lesquelles], topic, int(page or 1))


def listed(ctx: Context, scope: Scope, topic: str = "", number: int = 1) -> Card:
    """Return a page of questions, with what opens each of them and what shows others."""
    found = page_of(
        ctx.session, ctx.actor, ctx.inbound.author.id, scope, ctx.now, number=number, topics=(topic,) if topic else ()
    )
    if not found.count and scope == "all":
        return Card(None, (Paragraph(Text.of("queue.empty")),))
    waiting = late(ctx.session, ctx.actor, ctx.inbound.author.id, ctx.now)
    blocks: list[Block] = [Paragraph(_lines(ctx, found))]
    if waiting and scope != "late":
        blocks.insert(0, Paragraph(Text.of("queue.late", count=waiting)))
    title = Text.of(f"queue.title.{scope}", count=found.count, page=found.number, pages=found.pages)
    return Card(title, (*blocks, Buttons((*_open(found), *_others(found, scope, topic)))))


def _lines(ctx: Context, found: Page) -> Words:
    if not found.questions:
        return Text.of("queue.empty")
    return Text.of("lines", items=Lines(cards.line(ctx.directory(), it, ctx.now) for it in found.questions))


def _open(found: Page) -> tuple[Button, ...]:
    return tuple(Button(question.number, "voir", question.number) for question in found.questions)


def _others(found: Page, scope: Scope, topic: str) -> tuple[Button, ...]:
    """Return what shows the next page, going round, and what others there are."""
    more = f"{_WORDS[scope]} {found.number % found.pages + 1} {topic}".strip()
    turn = (Button(Text.of("button.next_page"), "demandes", more),) if found.pages > 1 else ()
    return (*turn, *(Button(Text.of(f"button.queue.{it}"), "demandes", _WORDS[it]) for it in _FILTERS if it != scope))
