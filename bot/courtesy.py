"""Greetings and thanks: what people say to be polite, which is no question and goes to nobody."""

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["greeting", "thanks"]

LONGEST = 14  # words: a longer text says something
_WORD = re.compile(r"[^\W_]+")
_NAMED = 2  # words that nobody knows may stand beside them: whom it is said to


@dataclass(frozen=True, slots=True)
class Courtesy:
    """The words of politeness, without capitals and accents."""

    greetings: frozenset[str]
    thanks: frozenset[str]
    besides: frozenset[str]

    @classmethod
    def load(cls, config: Traversable) -> "Courtesy":
        """Read the file, from the folder of all configuration."""
        table = tomllib.loads((config / "courtesy.toml").read_text("utf-8"))
        return cls(*(frozenset(map(_plain, table[name].split())) for name in ("greetings", "thanks", "besides")))

    def kind_of(self, text: str) -> Kind | None:
        """Say whether a text is nothing but a greeting or thanks; None when it may ask something.

        A text without any word (👍) is thanks, but for an empty one and one that holds a figure.
        """
        if not text.strip():
            return None
        words = _WORD.findall(text)
        plain = [_plain(word) for word in words]
        if len(words) > LONGEST or "?" in text or any(c.isdigit() for c in text):
            return "greeting" if set(plain) <= self.greetings and plain else None
        if not words:
            return "thanks" if any(unicodedata.category(c) == "So" for c in text) else None
        said = set(plain)
        if said.isdisjoint(self.greetings | self.thanks):
            return None
        unknown = [word for word, bare in zip(words, plain, strict=True) if bare not in self._known()]
        named = len(unknown) <= min(_NAMED, len(words) - len(unknown)) and all(w[0].isupper() for w in unknown)
        if unknown and not (named and unknown[-1] == words[-1]):
            return None
        return "greeting" if said.isdisjoint(self.thanks) else "thanks"

    def _known(self) -> frozenset[str]:
        return self.greetings | self.thanks | self.besides


def _plain(word: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", word.casefold()) if not unicodedata.combining(c))
