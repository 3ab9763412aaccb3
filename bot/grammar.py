"""What a command is: a name, the arguments that its handler's signature asks for, and who may use it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

from bot.card import Reply
from bot.texts import Markdown, Text

Kind = Literal["word", "rest", "choice", "question"]

REST = "rest"
Rest = Annotated[str, REST]
"""An argument that takes all that is left of the line."""


@dataclass(frozen=True, slots=True)
class Like:
    """An argument of one word that has a shape: a regular expression that all of it matches."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a command."""

    name: str
    kind: Kind
    required: bool
    choices: tuple[str, ...] = ()
    pattern: str | None = None

    def fits(self, word: str) -> bool:
        """Say whether a word can be this argument."""
        if self.choices:
            return word.casefold() in self.choices
        return self.pattern is None or re.fullmatch(self.pattern, word, re.IGNORECASE) is not None


@dataclass(frozen=True, slots=True)
class Command:
    """What a person can ask for. `right` is the least that its use needs; `private` answers go to the asker alone."""

    name: str
    alias: str | None
    right: str
    private: bool
    listed: bool
    strangers: bool
    handler: Callable[..., Reply]
    parameters: tuple[Parameter, ...]

    @property
    def about(self) -> Text:
        """What it does, in a line."""
        return Text.of(f"command.{self.name}")

    def usage(self) -> Markdown:
        """Return its grammar as typed: `repondre [Q-…] TEXTE`."""
        return Markdown(" ".join([self.name, *(_spelling(p) for p in self.parameters)]))


def _spelling(parameter: Parameter) -> str:
    match parameter.kind:
        case "question":
            text = "[Q-…]"
        case "choice":
            text = "|".join(parameter.choices)
        case "word" | "rest":
            text = parameter.name.upper()
    return text if parameter.required or parameter.kind == "question" else f"[{text}]"
