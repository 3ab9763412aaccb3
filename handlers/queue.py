"""The questions under way: those a person asked or took, those that lie with their organisation, the late ones."""

import re
from datetime import datetime

from bot.card import Block, Button, Buttons, Card, Paragraph, Reply, Words
from bot.command import command
from bot.context import Context
from bot.errors import UserError
from bot.grammar import Rest
from bot.interpret import spelled
from bot.questions import cards
from bot.questions.moves import PENDING
from bot.questions.queue import Page, Scope, late, page
from bot.questions.tables import Question
from bot.texts import Lines, Markdown, Text

_CALLED: dict[str, Scope] = {
    "moi": "mine", "miennes": "mine", "mes": "mine", "mine": "mine", "my": "mine",
    "service": "post", "poste": "post", "post": "post", "office": "post",
    "retard": "late", "retards": "late", "late": "late",
    "toutes": "all", "tout": "all", "all": "all",
}  # fmt: skip
_WORDS: dict[Scope, str] = {"mine": "moi", "post": "service", "late": "retard", "all": "toutes"}
_FILTERS: tuple[Scope, ...] = ("mine", "post", "late")
_WORD = re.compile(r"[\w-]+")


@command("demandes", alias="queue", private=True)
def queue(ctx: Context, filtre: Rest = "") -> Reply:
    """List open questions: `moi`, `service`, `retard` or `toutes`, a topic, a page."""
    scope, topic, number = _read(ctx, filtre)
    return listed(ctx, scope, topic, number)


def listed(ctx: Context, scope: Scope, topic: str = "", number: int = 1) -> Card:
    """Return a page of questions, with what opens each of them and what shows others."""
    found = page(ctx.session, ctx.actor, ctx.inbound.author.id, scope, ctx.now, number=number, topic=topic)
    waiting = late(ctx.session, ctx.actor, ctx.inbound.author.id, ctx.now)
    blocks: list[Block] = [Paragraph(_lines(ctx, found))]
    if waiting and scope != "late":
        blocks.insert(0, Paragraph(Text.of("queue.late", count=waiting)))
    title = Text.of(f"queue.title.{scope}", count=found.count, page=found.number, pages=found.pages)
    return Card(title, (*blocks, Buttons((*_open(found), *_others(found, scope, topic)))))


def _read(ctx: Context, words: str) -> tuple[Scope, str, int]:
    """Return what was asked for. Raises UserError for a word that is none of these."""
    scope: Scope = "all"
    topic, number = "", 1
    topics = set(ctx.rules().topics)
    for word in _WORD.findall(words):
        plain = spelled(word)
        if plain in _CALLED:
            scope = _CALLED[plain]
        elif plain.isdecimal():
            number = int(plain[:6])
        elif plain.replace("-", "_") in topics:
            topic = plain.replace("-", "_")
        elif plain not in ("en", "page", "mon", "les", "de", "my"):
            raise UserError("queue.unknown", word=word[:40])
    return scope, topic, number


def _lines(ctx: Context, found: Page) -> Words:
    if not found.questions:
        return Text.of("queue.empty")
    return Text.of("lines", items=Lines(_line(ctx, question) for question in found.questions))


def _line(ctx: Context, question: Question) -> Text:
    return Text.of(
        "queue.line",
        number=question.number,
        state=Text.of(f"state.short.{question.state}"),
        asker=cards.name_of(ctx.directory(), question.asker_organisation),
        recipient=cards.name_of(ctx.directory(), question.recipient),
        due=_due(question, ctx.now),
    )


def _due(question: Question, now: datetime) -> Words:
    if question.due_at is None or question.state not in PENDING:
        return Markdown("")
    return Text.of("queue.overdue" if question.due_at < now else "queue.due", at=question.due_at)


def _open(found: Page) -> tuple[Button, ...]:
    return tuple(Button(question.number, "voir", question.number) for question in found.questions)


def _others(found: Page, scope: Scope, topic: str) -> tuple[Button, ...]:
    """Return what shows the next page, going round, and what others there are."""
    more = f"{_WORDS[scope]} {topic} {found.number % found.pages + 1}".replace("  ", " ")
    turn = (Button(Text.of("button.next_page"), "demandes", more),) if found.pages > 1 else ()
    return (*turn, *(Button(Text.of(f"button.queue.{it}"), "demandes", _WORDS[it]) for it in _FILTERS if it != scope))
