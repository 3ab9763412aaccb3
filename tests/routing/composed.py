"""Questions composed of families of words: `compositions.toml` says which, and the rule that each calls.

`python -m tests.routing.composed [--wrong]` tries them all, and says how many of each frame do not call their rule.
"""

import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import product
from math import prod
from pathlib import Path
from random import Random

from bot.routing.decide import route
from bot.routing.model import Assignment, Question
from bot.routing.spelling import plain
from tests.routing.shipped import directory, rules

TODAY = date(2026, 11, 23)
_SLOT = re.compile(r"\{(\w+)\}")
_SHORT = {"pour": "pr", "que": "q", "quel": "kel", "qui": "ki", "dans": "ds", "avec": "avc", "vous": "vs", "nous": "ns",
          "est": "e", "pas": "pa", "bonjour": "bjr", "comment": "cmt", "demande": "dde", "quoi": "koi", "toujours": "tjrs",
          "rendez-vous": "rdv"}  # fmt: skip
REGISTERS = ("written", "plain", "shouted", "short")


@dataclass(frozen=True, slots=True)
class Frame:
    """Sentences with families of words in them, and the rule that each sentence calls."""

    rule: str
    asker: str | None
    texts: tuple[str, ...]
    families: dict[str, list[str]]
    only_as_written: bool = False

    def __len__(self) -> int:
        return sum(prod(len(self.families[name]) for name in _SLOT.findall(text)) for text in self.texts)

    def all(self) -> Iterator[str]:
        """Yield every sentence."""
        for text in self.texts:
            names = _SLOT.findall(text)
            for words in product(*(self.families[name] for name in names)):
                yield text.format(**dict(zip(names, words, strict=True)))

    def some(self, random: Random, count: int) -> Iterator[str]:
        """Yield so many sentences by chance, each in a register."""
        for _ in range(count):
            text = random.choice(self.texts)
            made = text.format(**{name: random.choice(self.families[name]) for name in _SLOT.findall(text)})
            yield made if self.only_as_written else typed(made, random.choice(REGISTERS))


def typed(text: str, register: str) -> str:
    """Return a text as somebody types it: as it is, without accents, in capitals, or in short."""
    match register:
        case "plain":
            return plain(text).lower()
        case "shouted":
            return text.upper()
        case "short":
            return " ".join(_SHORT.get(word, word) for word in plain(text).lower().split())
        case _:
            return text


@cache
def frames() -> tuple[Frame, ...]:
    """Return the frames of `compositions.toml`."""
    read = tomllib.loads((Path(__file__).parent / "compositions.toml").read_text("utf-8"))
    return tuple(
        Frame(
            it.pop("rule"),
            it.pop("from") or None,
            tuple(it.pop("text")),
            only_as_written=it.pop("written", False),
            families=it,
        )
        for it in read["frame"]
    )


def called(found: Assignment) -> str:
    """Return which rule an answer follows, `none` where none does."""
    if found.urgent:
        return "emergency"
    return {"refuse": "refuse", "advise": found.advice_to or ""}.get(found.decision, "none")


def called_by(text: str, asker: str | None) -> str:
    """Return which rule a question calls."""
    return called(route(Question(text, asker), rules(), directory(), TODAY))


def main(arguments: Sequence[str]) -> None:
    """Try every sentence, in every register if asked."""
    registers = REGISTERS if "--registers" in arguments else REGISTERS[:1]
    for frame in frames():
        tried = [
            (text, called_by(text, frame.asker))
            for made in frame.all()
            for text in dict.fromkeys(typed(made, it) for it in (REGISTERS[:1] if frame.only_as_written else registers))
        ]
        wrong = [(text, rule) for text, rule in tried if rule != frame.rule]
        print(f"{frame.rule:18} {len(wrong):5} of {len(tried):5}  {frame.texts[0]}")
        if "--wrong" in arguments:
            for text, rule in Random(1).sample(wrong, min(len(wrong), 25)):
                print(f"      {rule:18} {text}")


if __name__ == "__main__":
    main(sys.argv[1:])
