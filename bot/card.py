"""What the bot says: cards and forms, as values that any platform can draw and that a row can keep.

Words are Markdown (CommonMark without HTML), or a `Text` that the exit renders for its destination. Words that
came from a person are Markdown too: platforms escape what their own format would obey.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from bot.message import Drawn, File, User
from bot.texts import Text, unescaped

Words: TypeAlias = str | Text


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A run of Markdown.

    `quote` sets it apart on the page; `theirs` says that it holds a person's own words, which the exit withholds where
    they may not go.
    """

    text: Words
    quote: bool = False
    theirs: bool = False


@dataclass(frozen=True, slots=True)
class Fields:
    """Labels and values, two by two."""

    pairs: tuple[tuple[Words, Words], ...]


@dataclass(frozen=True, slots=True)
class Button:
    """A command with its arguments filled in."""

    label: Words
    command: str
    line: str = ""
    style: Literal["plain", "primary", "danger"] = "plain"


@dataclass(frozen=True, slots=True)
class Buttons:
    """A row of buttons; numbered from 1 over the whole card where a place has no buttons."""

    buttons: tuple[Button, ...]


Block: TypeAlias = Paragraph | Fields | Buttons


@dataclass(frozen=True, slots=True)
class Card:
    """A message of the bot's. `notify` is the account that the platform should call to it.

    `files` are said after it, each as a message of its own: what a card shows must not depend on them.
    """

    title: Words | None = None
    blocks: tuple[Block, ...] = ()
    notify: User | None = None
    files: tuple[File | Drawn, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the values that a field of a form accepts."""

    value: str
    label: Words


@dataclass(frozen=True, slots=True)
class Field:
    """A question of a form: a line of text, several lines, or a choice."""

    name: str
    label: Words
    kind: Literal["line", "text", "choice"] = "line"
    value: str = ""
    hint: Words | None = None
    choices: tuple[Choice, ...] = ()
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """A command's signature, drawn. Submitted, it is the invocation of `command` with `line` and the fields' values."""

    command: str
    title: Words
    submit: Words
    fields: tuple[Field, ...]
    line: str = ""
    intro: Words | None = None


@dataclass(frozen=True, slots=True)
class Errors:
    """What is wrong with a submitted form, by field."""

    by_field: tuple[tuple[str, Words], ...]


Reply: TypeAlias = Card | Form | Errors | None


def buttons_of(card: Card) -> tuple[Button, ...]:
    """Return the card's buttons in the order of their numbers, the first being 1."""
    return tuple(b for block in card.blocks if isinstance(block, Buttons) for b in block.buttons)


def to_text(card: Card) -> str:
    """Draw a rendered card as Markdown, its buttons as a numbered list. Always works."""
    return "\n\n".join(_parts(card))


def _parts(card: Card) -> Iterator[str]:
    number = 0
    if card.title:
        yield f"**{card.title}**"
    for block in card.blocks:
        match block:
            case Paragraph(text, quote=True):
                yield "\n".join(f"> {line}".rstrip() for line in str(text).splitlines())
            case Paragraph(text):
                yield str(text)
            case Fields(pairs):
                yield "\n".join(f"{label} : {value}  " for label, value in pairs)
            case Buttons(buttons):
                lines: list[str] = []
                for button in buttons:
                    number += 1
                    lines.append(f"{number}. {button.label}")
                yield "\n".join(lines)


def rendered(card: Card, render: Callable[[Words], str]) -> Card:
    """Return the card with every word turned into a string by `render`."""

    def block(b: Block) -> Block:
        match b:
            case Paragraph(text, quote, theirs):
                return Paragraph(render(text), quote, theirs)
            case Fields(pairs):
                return Fields(tuple((render(k), render(v)) for k, v in pairs))
            case Buttons(buttons):
                return Buttons(tuple(replace(x, label=render(x.label)) for x in buttons))

    title = None if card.title is None else render(card.title)
    files = tuple(replace(f, name=unescaped(render(f.name))) if isinstance(f.name, Text) else f for f in card.files)
    return replace(card, title=title, blocks=tuple(block(b) for b in card.blocks), files=files)


def rendered_form(form: Form, render: Callable[[Words], str]) -> Form:
    """Return the form with every word turned into a string by `render`."""
    return replace(
        form,
        title=render(form.title),
        submit=render(form.submit),
        intro=None if form.intro is None else render(form.intro),
        fields=tuple(
            replace(
                f,
                label=render(f.label),
                hint=None if f.hint is None else render(f.hint),
                choices=tuple(replace(c, label=render(c.label)) for c in f.choices),
            )
            for f in form.fields
        ),
    )


def to_json(card: Card) -> str:
    """Return a rendered card as JSON; `from_json` gives it back."""
    return json.dumps(_dump(card), ensure_ascii=False, separators=(",", ":"))


def from_json(text: str) -> Card:
    """Return the card that `to_json` wrote."""
    data: dict[str, Any] = json.loads(text)
    notify = User(*data["n"]) if data.get("n") else None
    return Card(data.get("t"), tuple(_load(b) for b in data["b"]), notify)


def _dump(card: Card) -> dict[str, Any]:
    blocks: list[list[Any]] = []
    for b in card.blocks:
        match b:
            case Paragraph(text, quote):
                blocks.append(["p", str(text), quote])
            case Fields(pairs):
                blocks.append(["f", [[str(k), str(v)] for k, v in pairs]])
            case Buttons(buttons):
                blocks.append(["b", [[str(x.label), x.command, x.line, x.style] for x in buttons]])
    out: dict[str, Any] = {"b": blocks}
    if card.title is not None:
        out["t"] = str(card.title)
    if card.notify is not None:
        out["n"] = [card.notify.platform, card.notify.id]
    return out


def _load(block: list[Any]) -> Block:
    match block:
        case ["p", text, quote]:
            return Paragraph(text, quote)
        case ["f", pairs]:
            return Fields(tuple((k, v) for k, v in pairs))
        case ["b", buttons]:
            return Buttons(tuple(Button(*b) for b in buttons))
        case _:
            message = f"no such block: {block!r}"
            raise ValueError(message)
