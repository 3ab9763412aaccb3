"""Sentences of the catalogues, for the command line."""

from functools import cache

from bot.opening import CONFIG
from bot.texts import Catalogues, Reader, Text, unescaped


def in_words(text: Text, language: str = "fr") -> str:
    """Return a sentence."""
    return unescaped(_catalogues().render(text, Reader(language)))


@cache
def _catalogues() -> Catalogues:
    return Catalogues.load(CONFIG / "texts")
