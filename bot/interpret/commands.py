"""Commands as they are spelled: typed with a sign or as a first word, and buttons pressed by their number."""

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import select

from bot.card import Button, Buttons, Card, Paragraph
from bot.command import bind, first_word, numbered
from bot.context import Context
from bot.errors import UserError
from bot.grammar import Command
from bot.interpret.plan import Asked, Plan, Wanted, question_of
from bot.posts import Post
from bot.questions.tables import Question
from bot.texts import Text

CARRIED = 1500  # characters that a button can carry
LONG = 8  # words after which a search looks like a question
SURE = 6  # letters from which a word that differs from a command's by one is no other word
DIGIT = re.compile(r"[1-9]|10")

_SAYING = ("question", "repondre")  # commands that keep what they were given


def spelled(word: str) -> str:
    """Return a command's word without what haste leaves out: capitals and accents."""
    plain = unicodedata.normalize("NFKD", word.casefold())
    return "".join(c for c in plain if not unicodedata.combining(c))


def typed(ctx: Context, text: str, post: Post | None, about: Question | None) -> Plan:
    """`!` and `/` are always commands."""
    word, rest = parted(text)
    match spelled(word):
        case "passerelle":
            return typed(ctx, rest, post, about) if rest else Wanted(ctx.world.commands["aide"])
        case "choix" | "choice":
            return press(ctx, card_meant(ctx, post), number_in(rest))
        case name:
            return named(ctx, name, rest, about)


def named(ctx: Context, name: str, line: str, about: Question | None, form: Mapping[str, str] | None = None) -> Plan:
    """Return the command of a name, with its line or form; in an unknown one's place, what helps."""
    found = ctx.world.commands.get(spelled(name))
    if found is None:
        unknown = Text.of("command.unknown", word=name[:40])
        return Asked(Card(None, (Paragraph(unknown), Buttons((Button(Text.of("button.aide"), "aide"),)))))
    return Wanted(found, line, form or {}, about)


def begins(ctx: Context, text: str, about: Question | None) -> Plan | None:
    """A first word is a command when the rest fits its grammar; where both readings are likely, ask."""
    word, rest = parted(text)
    found = ctx.world.commands.get(spelled(word))
    if found is None:
        return _mistyped(ctx, text) if about is None else None
    if not rest:  # nobody asks a question of one word that is a command's
        return Wanted(found, "", {}, about)
    if not _fits(ctx, found, rest, about):
        return Wanted(found, rest, {}, about) if _names_a_question(found, rest) else None
    searching = found.name == "annuaire" and ("?" in rest or len(rest.split()) > LONG) and len(text) < CARRIED
    if searching:
        return either(text, Button(Text.of("button.annuaire"), "annuaire", rest), "question")
    return Wanted(found, rest, {}, about)


def _names_a_question(found: Command, rest: str) -> bool:
    """Whether a question's number is all that a command about questions was given: it asks for what lacks."""
    return numbered(rest) is not None and any(it.kind == "question" for it in found.parameters)


def _mistyped(ctx: Context, text: str) -> Plan | None:
    """A short line whose first word is a command's but for one slip of the finger: ask, since it may be a question."""
    word, rest = parted(text)
    if len(word) < SURE or len(text.split()) > LONG or "?" in text:
        return None
    from rapidfuzz.distance import OSA  # noqa: PLC0415 -- not needed to say what waits at a start

    meant = spelled(word)
    near = {it.name: it for name, it in ctx.world.commands.items() if it.listed and OSA.distance(meant, name) == 1}
    found = near.popitem()[1] if len(near) == 1 else None
    if found is None or found.name in _SAYING or (rest and not _fits(ctx, found, rest, None)):
        return None
    return either(text, Button(found.name, found.name, rest), "question")


def _fits(ctx: Context, found: Command, rest: str, about: Question | None) -> bool:
    try:
        return not bind_fails(ctx, found, rest, about)
    except UserError:
        return False


def means_a_command(known: Plan | None) -> bool:
    """Whether a first word is a command even while something else was asked for, which would go to the other side."""
    return isinstance(known, Wanted) and (known.command.name not in _SAYING or not known.line)


def bind_fails(ctx: Context, found: Command, rest: str, about: Question | None) -> bool:
    """Whether a line does not give all that a command needs."""
    return not isinstance(bind(replace(ctx, about=about), found, rest, {}), dict)


def without_command(ctx: Context, text: str) -> str:
    """Return what a message says once the command and number that open it are taken away."""
    bare = text.strip()
    sign = bare.startswith(("!", "/"))
    word, rest = parted(bare[1:] if sign else bare)
    if spelled(word) == "passerelle":
        word, rest = parted(rest)
    found = ctx.world.commands.get(spelled(word))
    if found is None or not rest or not (sign or found.name in _SAYING):
        return bare
    first, after = first_word(rest)
    return after if numbered(first) else rest


def press(ctx: Context, post: Post | None, number: int) -> Plan:
    """Return what a number on a card presses."""
    buttons: list[list[str]] = json.loads(post.buttons) if post is not None and post.buttons else []
    if not 1 <= number <= len(buttons):
        return Asked(Card(None, (Paragraph(Text.of("choice.none")),)))
    name, line = buttons[number - 1]
    return named(ctx, name, line, question_of(ctx, post))


def card_meant(ctx: Context, post: Post | None) -> Post | None:
    """The card whose buttons a bare number means: the one replied to, its question's, else the newest in the room."""
    if post is not None and post.buttons:
        return post
    with_buttons = select(Post).where(
        Post.platform == ctx.to.platform, Post.room == ctx.to.room, Post.buttons.is_not(None), Post.gone.is_(False)
    )
    if post is not None and post.question_id is not None:
        with_buttons = with_buttons.where(Post.question_id == post.question_id)
    return ctx.session.scalar(with_buttons.order_by(Post.id.desc()).limit(1))


def either(text: str, first: Button, second: str) -> Asked:
    """Return the choice between two readings of a text: that of the button, and a question of its own."""
    other = Button(Text.of("button.new_question"), second, text)
    return Asked(Card(None, (Paragraph(Text.of("doubt")), Buttons((first, other)))))


def parted(text: str) -> tuple[str, str]:
    """Part a text into its first word and the rest."""
    word, rest = first_word(text)
    return word.rstrip(":,"), rest


def number_in(text: str) -> int:
    """Return the number that a text is, 0 if it is none of a button."""
    bare = text.strip()
    return int(bare) if DIGIT.fullmatch(bare) else 0
